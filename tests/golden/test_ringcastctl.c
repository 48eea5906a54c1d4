/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * ringcastctl with a daemon that this program plays: it receives one request and
 * answers with a ctl-*.json file, and the output must equal the ctl-*.txt file.
 * Arguments: the program, the directory of the files. With RINGCAST_GOLDEN=write in the
 * environment the text files are written instead of compared.
 */

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define PATIENCE_MS 20000

static const char *program, *files;
static char dir[64], path[96];

struct answer {
	char out[524288], err[2048];
	int status;
};

struct child {
	pid_t pid;
	int out, err;
};

/* Adds the wrapper that meson names for programs of another machine: an absolute path
 * and its arguments. */
static size_t add_wrapper(char **argv, size_t max)
{
	const char *wrapper = getenv("MESON_EXE_WRAPPER");
	char *words = strdup(wrapper ? wrapper : ""), *rest = words, *word;
	size_t n = 0;

	assert_non_null(words);
	while ((word = strsep(&rest, " ")) && *word) {
		assert_true(n < max);
		argv[n++] = strdup(word);
	}
	free(words);
	return n;
}

static struct child start(const char *const *words)
{
	char *argv[24] = {NULL};
	size_t n = 0;
	posix_spawn_file_actions_t actions;
	int out[2], err[2];
	struct child c;

	n = add_wrapper(argv, array_len(argv) / 2);
	argv[n++] = strdup(program);
	argv[n++] = strdup("-s");
	argv[n++] = strdup(path);
	for (size_t i = 0; words[i]; i++) {
		assert_true(n + 1 < array_len(argv));
		argv[n++] = strdup(words[i]);
	}
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
	assert_int_equal(
		posix_spawn(&c.pid, argv[0], &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	close(err[1]);
	c.out = out[0];
	c.err = err[0];
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	return c;
}

static void wait_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

static void read_all(int fd, char *buf, size_t size)
{
	size_t n = 0;

	for (;;) {
		ssize_t got;

		wait_readable(fd);
		got = read(fd, buf + n, size - n - 1);
		assert_true(got >= 0);
		if (got == 0)
			break;
		n += (size_t)got;
		assert_true(n < size - 1);
	}
	buf[n] = '\0';
	close(fd);
}

static struct answer finish(struct child c)
{
	struct answer a_;
	int status;

	read_all(c.out, a_.out, sizeof(a_.out));
	read_all(c.err, a_.err, sizeof(a_.err));
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	assert_true(WIFEXITED(status));
	a_.status = WEXITSTATUS(status);
	return a_;
}

static int listener(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sun.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void read_file(const char *name, const char *ending, char *buf, size_t size)
{
	char file[512];
	size_t n;
	FILE *f;

	snprintf(file, sizeof(file), "%s/ctl-%s.%s", files, name, ending);
	f = fopen(file, "re");
	if (!f)
		fail_msg("%s: %s", file, strerror(errno));
	n = fread(buf, 1, size - 1, f);
	fclose(f);
	assert_true(n < size - 1);
	buf[n] = '\0';
}

static void write_file(const char *name, const char *text)
{
	char file[512];
	FILE *f;

	snprintf(file, sizeof(file), "%s/ctl-%s.txt", files, name);
	f = fopen(file, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Makes one line of the file, as the daemon would send it. */
static void load_reply(const char *name, char *buf, size_t size)
{
	size_t n;

	read_file(name, "json", buf, size - 1);
	for (char *p = buf; *p; p++) {
		if (*p == '\n')
			*p = ' ';
	}
	n = strlen(buf);
	buf[n] = '\n';
	buf[n + 1] = '\0';
}

/* Starts the program, checks its request, and answers with `reply` in two pieces. */
static struct answer ask(
	const char *const *words, const char *request, const char *reply)
{
	int server = listener(), fd;
	struct child c = start(words);
	size_t half = strlen(reply) / 2;
	char line[256] = "";

	wait_readable(server);
	fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	while (!strchr(line, '\n')) {
		size_t n = strlen(line);

		wait_readable(fd);
		assert_true(recv(fd, line + n, sizeof(line) - n - 1, 0) > 0);
	}
	assert_string_equal(line, request);
	send(fd, reply, half, MSG_NOSIGNAL);
	send(fd, reply + half, strlen(reply) - half, MSG_NOSIGNAL);
	close(fd);
	close(server);
	unlink(path);
	return finish(c);
}

static void golden_text(void **state)
{
	static const struct {
		const char *file;
		const char *words[6];
		const char *request;
		int status;
		const char *text; /* if it is not the file of the answer */
	} c[] = {
		{"interfaces", {"show", "interfaces"}, "show interfaces\n", 0},
		{"interfaces", {"show", "interfaces", "-w"}, "show interfaces\n", 0,
			"interfaces-wide"},
		{"interfaces", {"show", "interfaces", "--brief", "-H"},
			"show interfaces\n", 0, "interfaces-brief"},
		{"groups", {"show", "groups", "--wide"}, "show groups\n", 0,
			"groups-wide"},
		{"groups", {"-b", "show", "groups", "lan1", "239.0.0.0/8"},
			"show groups lan1 239.0.0.0/8\n", 0, "groups-brief"},
		{"mfc", {"show", "mfc", "--wide", "239.1.2.3"}, "show mfc 239.1.2.3\n",
			0, "mfc-wide"},
		{"mfc", {"show", "mfc", "--no-header"}, "show mfc\n", 0, "mfc-rows"},
		{"upstream", {"show", "upstream", "-w"}, "show upstream\n", 0,
			"upstream-wide"},
		{"upstream", {"show", "upstream", "-b"}, "show upstream\n", 0,
			"upstream-brief"},
		{"stats", {"show", "stats", "-aw"}, "show stats\n", 0, "stats-all"},
		{"version", {"version", "-p"}, "version\n", 0, "version-pretty"},
		{"mfc", {"show", "mfc", "--pretty"}, "show mfc\n", 0, "mfc-pretty"},
		{"groups", {"show", "groups"}, "show groups\n", 0},
		{"groups-detail", {"show", "groups", "detail", "lan1"},
			"show groups detail lan1\n", 0},
		{"mfc", {"show", "mfc"}, "show mfc\n", 0},
		{"mfc-empty", {"show mfc"}, "show mfc\n", 0},
		{"groups-empty", {"show", "groups"}, "show groups\n", 0},
		{"mfc-none", {"show", "mfc", "239.9.9.9"}, "show mfc 239.9.9.9\n", 0},
		{"groups-none", {"show", "groups", "239.9.9.9"},
			"show groups 239.9.9.9\n", 0},
		{"hostile", {"show", "mfc"}, "show mfc\n", 0},
		{"mfc-channels", {"show", "mfc"}, "show mfc\n", 0},
		{"groups-channels", {"show", "groups"}, "show groups\n", 0},
		{"upstream", {"show", "upstream"}, "show upstream\n", 0},
		{"quality", {"quality", "--since", "90m", "239.0.0.0/8"},
			"show quality since 5400 blocks 60 239.0.0.0/8\n", 0},
		{"quality", {"quality", "-wt2h"},
			"show quality since 7200 blocks 120\n", 0, "quality-wide"},
		{"quality", {"qu", "-b", "wan"},
			"show quality since 3600 blocks 60 wan\n", 0, "quality-brief"},
		{"zaps", {"show", "zaps", "lan1"}, "show zaps lan1\n", 0},
		{"stats", {"show", "stats"}, "show stats\n", 0},
		{"config", {"show", "config"}, "show config\n", 0},
		{"version", {"version"}, "version\n", 0},
		{"version", {"show", "version"}, "version\n", 0},
		{"groups", {"sh", "groups"}, "show groups\n", 0},
		{"groups-detail", {"sho", "gr", "detail", "lan1"},
			"show groups detail lan1\n", 0},
		{"mfc", {"sh", "m"}, "show mfc\n", 0},
		{"mfc", {"sh m"}, "show mfc\n", 0},
		{"log", {"l", "debug"}, "log debug\n", 0},
		{"reload", {"reload"}, "reload\n", 0},
		{"reload-refused", {"reload"}, "reload\n", 4},
		{"log", {"log", "debug"}, "log debug\n", 0},
	};
	static char reply[16384], want[8192];
	const char *mode = getenv("RINGCAST_GOLDEN");

	for (size_t i = 0; i < array_len(c); i++) {
		const char *text = c[i].text ? c[i].text : c[i].file;
		struct answer got;

		load_reply(c[i].file, reply, sizeof(reply));
		got = ask(c[i].words, c[i].request, reply);
		assert_string_equal(got.err, "");
		assert_int_equal(got.status, c[i].status);
		if (mode && strcmp(mode, "write") == 0)
			write_file(text, got.out);
		read_file(text, "txt", want, sizeof(want));
		assert_string_equal(got.out, want);
	}
}

/* A reply with that many rows of `show groups`; the caller frees it. */
static char *many_groups(unsigned n, const char *head, const char *tail)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs(head, f);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "%s{\"interface\":\"%s\",\"group\":\"239.1.%u.%u\"}",
			i ? "," : "", i < 5100 ? "lan1" : "a-longer-name", i / 256,
			i % 256);
	fputs(tail, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* The column begins below its title, or further to the right after a part of the table
 * has wider cells. */
static void long_tables_are_printed_in_parts(void **state)
{
	static const char *const words[] = {"show", "groups", NULL};
	char *reply = many_groups(5200, "{\"groups\":[", "]}\n");
	struct answer got = ask(words, "show groups\n", reply);

	assert_int_equal(got.status, 0);
	assert_string_equal(got.err, "");
	assert_int_equal(count_lines(got.out), 5201);
	assert_non_null(strstr(got.out, "Interface  Group         Mode  Timer"));
	assert_non_null(strstr(got.out, "\nlan1       239.1.19.135  -   "));
	/* row 5000 begins the part that has both names */
	assert_non_null(strstr(got.out, "\nlan1           239.1.19.136  -   "));
	assert_non_null(strstr(got.out, "\na-longer-name  239.1.20.79   -   "));
	free(reply);
}

/* N29: sorted by interface and address, with numbers by value. */
static void tables_are_sorted(void **state)
{
	static const char *const words[] = {"show", "groups", "-bH", NULL};
	struct answer got = ask(words, "show groups\n",
		"{\"groups\":[{\"interface\":\"lan10\",\"group\":\"239.1.1.1\"},"
		"{\"interface\":\"lan2\",\"group\":\"ff3e::10\"},"
		"{\"interface\":\"lan2\",\"group\":\"239.1.1.10\"},"
		"{\"interface\":\"lan2\",\"group\":\"ff3e::9\"},"
		"{\"interface\":\"lan2\",\"group\":\"239.1.1.9\"}]}\n");

	assert_string_equal(got.out,
		"lan2   239.1.1.9   0\nlan2   239.1.1.10  0\n"
		"lan2   ff3e::9     0\nlan2   ff3e::10    0\n"
		"lan10  239.1.1.1   0\n");
}

static void a_reply_that_breaks_off(void **state)
{
	static const char *const words[] = {"show", "groups", NULL};
	char *reply = many_groups(3, "{\"groups\":[", ",{\"interface\":");
	struct answer got = ask(words, "show groups\n", reply);

	assert_int_equal(got.status, 1);
	assert_int_equal(count_lines(got.out), 4);
	assert_non_null(strstr(got.err, "no answer from the daemon"));
	free(reply);
}

static void json_is_passed_through(void **state)
{
	static const char *const words[] = {"show", "mfc", "--json", NULL};
	static char reply[8192];
	struct answer got;

	load_reply("mfc", reply, sizeof(reply));
	got = ask(words, "show mfc\n", reply);
	assert_string_equal(got.out, reply);
	assert_int_equal(got.status, 0);
}

static void error_reply_is_status_4(void **state)
{
	static const char *const text[] = {"log", "loud", NULL};
	static const char *const json[] = {"-j", "log", "loud", NULL};
	static char reply[1024];
	struct answer got;

	load_reply("error", reply, sizeof(reply));
	got = ask(text, "log loud\n", reply);
	assert_int_equal(got.status, 4);
	assert_string_equal(got.out, "");
	assert_string_equal(got.err,
		"ringcastctl: there is no level loud; use error, warning, notice, info or "
		"debug\n");
	got = ask(json, "log loud\n", reply);
	assert_int_equal(got.status, 4);
	assert_string_equal(got.out, reply);
	assert_string_equal(got.err, "");
}

static void broken_replies(void **state)
{
	static const char *const words[] = {"show", "mfc", NULL};
	struct answer got;

	got = ask(words, "show mfc\n", "{\"mfc\":\n");
	assert_int_equal(got.status, 4);
	assert_non_null(strstr(got.err, "the reply is not a JSON object"));
	got = ask(words, "show mfc\n", "[]\n");
	assert_int_equal(got.status, 4);
	got = ask(words, "show mfc\n", "{\"mfc\":[]}"); /* closes within the line */
	assert_int_equal(got.status, 1);
	assert_non_null(strstr(got.err, "no answer from the daemon"));
}

static void no_daemon(void **state)
{
	static const char *const words[] = {"show", "mfc", NULL};
	static const char *const watch[] = {"watch", NULL};
	struct answer got = finish(start(words));

	assert_int_equal(got.status, 1);
	assert_string_equal(got.out, "");
	assert_non_null(strstr(got.err, path));
	assert_non_null(strstr(got.err, "No such file"));
	assert_non_null(strstr(got.err, "Start ringcastd"));

	got = finish(start(watch)); /* N31: it does not wait for the daemon to appear */
	assert_int_equal(got.status, 1);
	assert_string_equal(got.out, "");
	assert_non_null(strstr(got.err, "Start ringcastd"));

	close(listener());
	got = finish(start(words));
	assert_int_equal(got.status, 1);
	assert_non_null(strstr(got.err, "Connection refused"));
	unlink(path);
}

static void usage(void **state)
{
	static const struct {
		const char *words[6];
		const char *text; /* on stderr; on stdout when status is 0 */
		int status;
	} c[] = {
		{{NULL}, "usage: ringcastctl", 1},
		{{"--nonsense", "show", "mfc"}, "usage: ringcastctl", 1},
		{{"show"}, "'show' needs another word\n\nusage", 1},
		{{"show"}, "\n  show mfc ", 1},
		{{"show", "everything"}, "unknown command 'show everything'", 1},
		{{"show", "everything"}, "\n  show mfc ", 1},
		{{"show", "mfcs"}, "did you mean 'show mfc'?", 1},
		{{"groups"}, "did you mean 'show groups'?", 1},
		{{"status"}, "did you mean 'show stats'?", 1},
		{{"restart"}, "systemctl restart ringcast", 1},
		{{"show", "routes"}, "did you mean 'show mfc'?", 1},
		{{"relaod"}, "did you mean 'reload'?", 1},
		{{"frobnicate"}, "'ringcastctl help' lists them", 1},
		{{"c"}, "'c' may be capture", 1},
		{{"help", "c"}, "'c' may be capture", 1},
		{{"showmfc"}, "unknown command", 1},
		{{"show", "stats", "eth0"}, "takes no argument", 1},
		{{"log", "a\nreload"}, "line breaks", 1},
		{{"convert", "--from", "igmpproxy", "x"},
			"an igmpproxy.conf needs no conversion", 1},
		{{"convert", "--from", "smcroute", "x"}, "has four lines for it", 1},
		{{"convert"}, "--from improxy, vyos, openwrt or mcproxy is missing", 1},
		{{"convert", "--from", "pimd", "a"}, "not pimd; see", 1},
		{{"convert", "--from", "vyos"}, "no FILE", 1},
		{{"convert", "--from", "vyos", "a", "b"}, "first one too many is b", 1},
		{{"convert", "--from", "vyos", "-dlan=a", "b"}, "--device belongs", 1},
		{{"convert", "--from", "openwrt", "-dlan", "b"}, "not lan; see", 1},
		{{"convert", "--from", "openwrt", "-", "-"}, "given twice", 1},
		{{"convert", "--from", "vyos", "/nowhere"}, "cannot read /nowhere", 1},
		{{"convert", "--from", "vyos", "/dev/null"}, "/dev/null: error", 2},
		{{"convert", "--help"}, "usage: ringcastctl convert", 0},
		{{"conv", "--help"}, "usage: ringcastctl convert", 0},
		{{"help", "conv"}, "usage: ringcastctl convert", 0},
		{{"--help"}, "show WHAT", 0},
		{{"-h"}, "show WHAT", 0},
		{{"help"}, "show WHAT", 0},
		{{"show", "--help"}, "\n  show interfaces ", 0},
		{{"help", "show"}, "\n  show interfaces ", 0},
		{{"help", "show", "mfc"}, "show mfc [FILTER]\n\nForwarding", 0},
		{{"show", "mfc", "--help"}, "show mfc [FILTER]\n\nForwarding", 0},
		{{"show", "mfc", "--help"}, "\nFILTER is a group", 0},
		{{"show", "stats", "--help"}, "zero also: -a, --all", 0},
		{{"reload", "-h"}, "reload\n\nRead the configuration", 0},
		{{"--version"}, "ringcastctl ", 0},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct answer got = finish(start(c[i].words));

		assert_int_equal(got.status, c[i].status);
		assert_non_null(strstr(got.status == 0 ? got.out : got.err, c[i].text));
		assert_string_equal(got.status == 0 ? got.err : got.out, "");
	}
}

static void write_text(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void has_text(const char *name, const char *text)
{
	char there[4096] = "";
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	there[fread(there, 1, sizeof(there) - 1, f)] = '\0';
	fclose(f);
	assert_non_null(strstr(there, text));
}

/* What the file had is in FILE.old, FILE.old2 and so on. A second conversion with the
 * same result makes none. */
static void convert_keeps_what_was_there(void **state)
{
	static const char commands[] =
		"set protocols igmp-proxy interface eth0 role upstream\n"
		"set protocols igmp-proxy interface eth1 role downstream\n";
	char out[256], in[256], old[300], old2[300];
	const char *const words[] = {"convert", "--from", "vyos", "-o", out, in, NULL};

	snprintf(in, sizeof(in), "%s/vyos", dir);
	snprintf(out, sizeof(out), "%s/conf", dir);
	snprintf(old, sizeof(old), "%s.old", out);
	snprintf(old2, sizeof(old2), "%s.old2", out);
	write_text(in, commands);
	assert_int_equal(finish(start(words)).status, 0);
	assert_int_equal(access(old, F_OK), -1);
	write_text(out, "# by hand\n");
	assert_int_equal(finish(start(words)).status, 0);
	has_text(old, "# by hand");
	has_text(out, "phyint eth0 upstream");
	assert_int_equal(finish(start(words)).status, 0);
	assert_int_equal(access(old2, F_OK), -1);
	write_text(out, "# another\n");
	assert_non_null(strstr(finish(start(words)).err, "conf.old2 has the prev"));
	has_text(old, "# by hand");
	has_text(old2, "# another");
	unlink(in);
	unlink(out);
	unlink(old);
	unlink(old2);
}

/* A terminal of 24 lines shows the help and the prompt below it. */
static void help_fits_a_small_terminal(void **state)
{
	static const char *const words[][4] = {{"--help"}, {"show", "--help"},
		{"watch", "--help"}, {"capture", "--help"}, {"explain", "--help"},
		{"health", "--help"}, {"metrics", "--help"}, {"monitor", "--help"},
		{"upgrade", "--help"}, {"convert", "--help"}};

	for (size_t i = 0; i < array_len(words); i++) {
		struct answer got = finish(start(words[i]));
		unsigned n_lines = 0;

		for (const char *line = got.out; *line; n_lines++) {
			size_t n = strcspn(line, "\n");

			if (n > 80)
				fail_msg("%zu columns: %.*s", n, (int)n, line);
			line += n + 1;
		}
		assert_true(n_lines > 0);
		if (i < 2)
			assert_in_range(n_lines, 2, 23);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_text),
		cmocka_unit_test(tables_are_sorted),
		cmocka_unit_test(long_tables_are_printed_in_parts),
		cmocka_unit_test(a_reply_that_breaks_off),
		cmocka_unit_test(json_is_passed_through),
		cmocka_unit_test(error_reply_is_status_4),
		cmocka_unit_test(broken_replies),
		cmocka_unit_test(no_daemon),
		cmocka_unit_test(usage),
		cmocka_unit_test(convert_keeps_what_was_there),
		cmocka_unit_test(help_fits_a_small_terminal),
	};
	int r;

	setenv("LC_ALL", "C", 1);
	if (argc != 3) {
		fprintf(stderr, "usage: %s RINGCASTCTL DIRECTORY\n", argv[0]);
		return 1;
	}
	program = argv[1];
	files = argv[2];
	strcpy(dir, P_tmpdir "/test_ringcastctl.XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/sock", dir);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return r;
}
