/* SPDX-License-Identifier: GPL-2.0-or-later */

/* F7: the tables of the control socket are written in bounded pieces while their
 * contents change. RINGCAST_SHOW_GROUPS sets the number of groups. */

#include "base/rng.h"
#include "control/daemon/app_priv.h"
#include "control/show/show_answer.h"
#include "ctl_fixture.h"
#include "instances_fixture.h"

#define CONFIG                                                                         \
	"max-groups 0\nmax-groups-per-host 0\nmax-sources 0\n"                         \
	"phyint wan upstream\nphyint lan1 downstream\nphyint lan2 downstream\n"
/* rows of the tables below are shorter */
#define MAX_ROW	  600
#define MAX_PIECE ((SHOW_WORK / SHOW_ROW + 2) * MAX_ROW)

static struct {
	struct ctl_fixture server;
	struct instances_fixture t;
	struct app *app;
	struct rng rng;
	char *text; /* the answer so far */
	size_t n, cap;
	size_t longest; /* longest piece in bytes */
} f;

static size_t n_groups(void)
{
	const char *n = getenv("RINGCAST_SHOW_GROUPS");

	return n ? strtoul(n, NULL, 10) : 60000;
}

static int setup(void **state)
{
	memset(&f, 0, sizeof(f));
	rng_seed(&f.rng, 11);
	fixture_start(&f.t);
	fixture_iface(&f.t, 1, "wan", "10.0.0");
	fixture_iface(&f.t, 2, "lan1", "10.0.1");
	fixture_iface(&f.t, 3, "lan2", "10.0.2");
	f.app = calloc(1, sizeof(*f.app));
	assert_non_null(f.app);
	ctl_fixture_init(&f.server, app_commands, f.app);
	f.app->instances = f.t.instances;
	f.app->loop = f.server.loop;
	f.app->hosts.look_at = MONO_NEVER; /* there are no files of names */
	f.t.now = loop_now(f.server.loop);
	fixture_configure(&f.t, CONFIG);
	return 0;
}

static int teardown(void **state)
{
	ctl_fixture_deinit(&f.server);
	fixture_stop(&f.t);
	free(f.app);
	free(f.text);
	return 0;
}

static void name_group(size_t i, char *text)
{
	sprintf(text, "232.%zu.%zu.%zu", i >> 16 & 255, i >> 8 & 255, i & 255);
}

static void change(
	const char *port, enum gm_record_type type, size_t group, const char *source)
{
	char text[32], from[32];

	name_group(group, text);
	sprintf(from, "10.0.%s.%zu", port + 3, 2 + group % 200);
	fixture_report(&f.t, port, GM_V3, from, type, text, source);
	effects_clear(&f.t.fx);
}

static void join(size_t group)
{
	change("lan1", GM_ALLOW, group, "192.0.2.1");
}

static void leave(size_t group)
{
	struct mgroup_db *db = &fixture_port(&f.t, "lan1")->groups;
	char text[32];
	struct addr g;
	struct mgroup *there;

	name_group(group, text);
	g = a(text);
	there = mgroup_find(db, &g);
	if (there)
		mgroup_drop(db, there);
}

/* Runs the server once and reads what has arrived. Returns true if the line is
 * complete. */
static bool hear_more(int fd)
{
	size_t before = f.n;
	ssize_t got;

	loop_hurry(f.server.loop);
	assert_int_equal(loop_round(f.server.loop), 0);
	do {
		if (f.cap - f.n < 65536) {
			f.cap = 2 * f.cap + 65536;
			f.text = realloc(f.text, f.cap);
			assert_non_null(f.text);
		}
		got = recv(fd, f.text + f.n, f.cap - f.n, MSG_DONTWAIT);
		f.n += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	if (f.n > before)
		ctl_fixture_progress(&f.server);
	if (f.n - before > f.longest)
		f.longest = f.n - before;
	return f.n > 0 && f.text[f.n - 1] == '\n';
}

static json_t *parse(const char *list)
{
	json_error_t e;
	json_t *reply = json_loadb(f.text, f.n, JSON_REJECT_DUPLICATES, &e), *rows;

	if (!reply)
		fail_msg("%s", e.text);
	rows = json_incref(json_object_get(reply, list));
	json_decref(reply);
	assert_true(json_is_array(rows));
	return rows;
}

/* Counts how often each group occurs in the rows. */
static unsigned char *count_rows(const json_t *rows, size_t n)
{
	unsigned char *seen = calloc(n, 1);
	const json_t *row;
	size_t i;

	assert_non_null(seen);
	json_array_foreach(rows, i, row)
	{
		unsigned x = 0, y = 0, z = 0;

		assert_int_equal(
			sscanf(json_string_value(json_object_get(row, "group")),
				"232.%u.%u.%u", &x, &y, &z),
			3);
		assert_true((x << 16 | y << 8 | z) < n);
		seen[x << 16 | y << 8 | z]++;
	}
	return seen;
}

/* Odd groups stay; some of the even ones come and go meanwhile. */
static void f7_groups_while_they_change(void **state)
{
	size_t n = n_groups();
	int fd = client(&f.server);
	unsigned rounds = 0;
	unsigned char *seen;
	json_t *rows;

	for (size_t i = 0; i < n; i++)
		if (i % 4)
			join(i);
	ctl_fixture_progress(&f.server);
	say(fd, "show groups\n");
	for (; !hear_more(fd); rounds++)
		for (unsigned k = 0; k < 20; k++) {
			size_t g = rng_below(&f.rng, (uint32_t)n / 2) * 2;

			if (k % 2)
				join(g);
			else
				leave(g);
		}
	rows = parse("groups");
	seen = count_rows(rows, n);
	for (size_t i = 0; i < n; i++) {
		assert_in_range(seen[i], 0, 1);
		assert_true(seen[i] || i % 2 == 0);
	}
	print_message("%zu rows, %zu bytes, %u rounds, longest piece %zu bytes\n",
		json_array_size(rows), f.n, rounds, f.longest);
	assert_in_range(f.longest, 1, MAX_PIECE);
	assert_true(rounds > n / 2 / (SHOW_WORK / SHOW_ROW + 2));
	free(seen);
	json_decref(rows);
	close(fd);
}

static void f7_upstream_in_pieces(void **state)
{
	size_t n = n_groups();
	int fd = client(&f.server);
	json_t *ports, *rows;
	unsigned char *seen;
	unsigned rounds = 0;

	for (size_t i = 0; i < n; i++)
		join(i);
	fixture_resync(&f.t);
	effects_clear(&f.t.fx);
	ctl_fixture_progress(&f.server);
	say(fd, "show upstream\n");
	while (!hear_more(fd))
		rounds++;
	ports = parse("upstream");
	assert_int_equal(json_array_size(ports), 1);
	rows = json_object_get(json_array_get(ports, 0), "groups");
	assert_int_equal(
		json_array_size(rows), fixture_port(&f.t, "wan")->upstream.groups.n);
	seen = count_rows(rows, n);
	for (size_t i = 0; i < n; i++)
		assert_in_range(seen[i], 0, 1);
	print_message("%zu rows, %zu bytes, %u rounds, longest piece %zu bytes\n",
		json_array_size(rows), f.n, rounds, f.longest);
	assert_in_range(f.longest, 1, MAX_PIECE);
	free(seen);
	json_decref(ports);
	close(fd);
}

/* ---- what is asked for ---- */

/* Whether the answer to a line has `want` groups, among them `row`, such as
 * "lan1 232.0.0.1", or an error with that text. */
static bool answers(const char *line, size_t want, const char *row)
{
	int fd = client(&f.server);
	json_t *reply, *list;
	json_error_t e;
	size_t n = 0, i, k;
	const json_t *g;
	bool found = false;

	f.n = 0;
	say(fd, line);
	while (!hear_more(fd)) {
	}
	close(fd);
	reply = json_loadb(f.text, f.n, 0, &e);
	assert_non_null(reply);
	if (json_object_get(reply, "error"))
		found = strstr(json_string_value(json_object_get(reply, "error")), row);
	list = json_object_get(reply, "upstream");
	if (list)
		list = json_object_get(json_array_get(list, 0), "groups");
	else
		list = json_object_get(reply, "groups");
	json_array_foreach(list, i, g)
	{
		char text[64];

		n++;
		k = (size_t)snprintf(text, sizeof(text), "%s%s%s",
			json_object_get(g, "interface")
				? json_string_value(json_object_get(g, "interface"))
				: "",
			json_object_get(g, "interface") ? " " : "",
			json_string_value(json_object_get(g, "group")));
		assert_in_range(k, 1, sizeof(text) - 1);
		found |= strcmp(text, row) == 0;
	}
	json_decref(reply);
	if (n != want || !found)
		print_error(
			"%s: %zu rows, %s\n", line, n, found ? "found" : "not found");
	return n == want && found;
}

static void n29_filters(void **state)
{
	for (size_t i = 0; i < 10; i++)
		change(i < 4 ? "lan1" : "lan2", GM_ALLOW, i,
			i % 2 ? "192.0.2.1" : "192.0.3.1");
	fixture_resync(&f.t);
	effects_clear(&f.t.fx);
	assert_true(answers("show groups\n", 10, "lan2 232.0.0.9"));
	assert_true(answers("show groups lan1\n", 4, "lan1 232.0.0.3"));
	assert_true(answers("show groups 232.0.0.4\n", 1, "lan2 232.0.0.4"));
	assert_true(answers("show groups 232.0.0.4/30\n", 4, "lan2 232.0.0.7"));
	assert_true(answers("show groups 232.0.0.0/29 lan1\n", 4, "lan1 232.0.0.3"));
	assert_true(answers("show groups 192.0.2.1\n", 5, "lan1 232.0.0.1"));
	assert_true(answers("show groups 192.0.2.0/24 lan2\n", 3, "lan2 232.0.0.9"));
	/* a host */
	assert_true(answers("show groups 10.0.2.11\n", 1, "lan2 232.0.0.9"));
	assert_true(
		answers("show groups detail 232.0.0.5 lan2\n", 1, "lan2 232.0.0.5"));
	assert_true(answers("show upstream\n", 10, "232.0.0.9"));
	assert_true(answers("show upstream 232.0.0.2/31\n", 2, "232.0.0.3"));
	assert_true(answers("show upstream wan 192.0.3.1\n", 5, "232.0.0.8"));
	assert_true(
		answers("show groups lan9\n", 0, "'lan9' is not a group, an address"));
	assert_true(
		answers("show groups lan1 lan2\n", 0, "'lan2' is one word too many"));
	assert_true(answers(
		"show groups 232.0.0.300\n", 0, "'232.0.0.300' is not a group"));
	assert_true(answers("show interfaces 232.0.0.3\n", 0, "name of an interface"));
	assert_true(answers("show mfc x\n", 0, "'x' is not a group"));
}

#define N_SOURCES 3000

static void add_sources(size_t first, size_t n)
{
	char text[32];

	for (size_t i = first; i < first + n; i++) {
		sprintf(text, "192.%zu.%zu.1", i >> 8, i & 255);
		change("lan1", GM_ALLOW, 1, text);
	}
}

static const char *address_of(const json_t *v)
{
	return json_string_value(json_is_string(v) ? v : json_object_get(v, "address"));
}

/* Sorted and without duplicates. */
static void check_sorted(const json_t *list)
{
	for (size_t i = 1; i < json_array_size(list); i++) {
		struct addr before = a(address_of(json_array_get(list, i - 1)));
		struct addr now = a(address_of(json_array_get(list, i)));

		assert_true(addr_cmp(&before, &now) < 0);
	}
}

/* A group with many sources is divided into pieces, while sources are added. */
static void f7_one_large_group(void **state)
{
	int fd = client(&f.server);
	size_t more = 0;
	json_t *rows, *hosts;

	add_sources(0, N_SOURCES / 2);
	ctl_fixture_progress(&f.server);
	say(fd, "show groups\n");
	while (!hear_more(fd))
		if (more < N_SOURCES / 2) {
			add_sources(N_SOURCES / 2 + more, 10);
			more += 10;
		}
	rows = parse("groups");
	assert_int_equal(json_array_size(rows), 1);
	check_sorted(json_object_get(json_array_get(rows, 0), "sources"));
	hosts = json_object_get(json_array_get(rows, 0), "hosts");
	assert_int_equal(json_array_size(hosts), 1);
	check_sorted(json_object_get(json_array_get(hosts, 0), "sources"));
	assert_true(json_array_size(json_object_get(
			    json_array_get(rows, 0), "sources")) >= N_SOURCES / 2);
	assert_true(json_array_size(json_object_get(
			    json_array_get(hosts, 0), "sources")) >= N_SOURCES / 2);
	assert_in_range(f.longest, 1, 2 * MAX_PIECE);
	json_decref(rows);
	close(fd);
}

/* Rows may disappear at any time, and the line remains a JSON document. */
static void f7_what_goes_in_the_middle_of_its_row(void **state)
{
	static const char *const request[] = {
		"show groups\n", "show groups detail\n", "show upstream\n"};
	static const char *const list[] = {"groups", "groups", "upstream"};
	int fd = client(&f.server);

	for (unsigned step = 0; step < 60; step++) {
		add_sources(0, 600);
		f.n = 0;
		say(fd, request[step % 3]);
		for (unsigned round = 0; !hear_more(fd); round++)
			if (round == step / 6 && step % 2)
				leave(1);
			else if (round == step / 6)
				fixture_configure(&f.t, "phyint eth8 upstream\n");
		json_decref(parse(list[step % 3]));
		fixture_configure(&f.t, CONFIG);
		effects_clear(&f.t.fx);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(f7_groups_while_they_change),
		T(f7_upstream_in_pieces),
		T(f7_one_large_group),
		T(f7_what_goes_in_the_middle_of_its_row),
		T(n29_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
