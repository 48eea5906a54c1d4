/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The group state machine against the tables of RFC 9776 6.4 (R062 to R073, R078), one
 * row each, for both families: only the addresses differ. Sources are digits: "12" is
 * {1,2}. Timers (R074, R075, R077), older hosts (R093 to R097) and limits (R082)
 * follow.
 */

#include "control/mgroup.h"
#include "support_gm.h"
#include "test.h"

#include <stdio.h>

#define T0  1000  /* the start state is reported then */
#define T1  11000 /* the record arrives then */
#define GMI 270000

struct row {
	const char *name;
	const char *start; /* "IN 12", "EX 12/4", "-" */
	enum gm_record_type type;
	const char *list;
	const char *want;
	const char *gmi;     /* sources whose timer is GMI from now */
	const char *queried; /* group-and-source query for these, "" = none */
	bool group_query;
};

static const struct row rows[] = {
	{"R062 IN(12)+IS_IN(23)", "IN 12", GM_IS_IN, "23", "IN 123", "23", "", false},
	{"R063 IN(123)+IS_EX(124)", "IN 123", GM_IS_EX, "124", "EX 12/4", "", "",
		false},
	{"R064 EX(1,4)+IS_IN(4)", "EX 1/4", GM_IS_IN, "4", "EX 14/", "4", "", false},
	{"R065 EX(12,34)+IS_EX(235)", "EX 12/34", GM_IS_EX, "235", "EX 25/3", "5", "",
		false},
	{"R066 IN(1)+ALLOW(2)", "IN 1", GM_ALLOW, "2", "IN 12", "2", "", false},
	{"R067 IN(12)+BLOCK(13)", "IN 12", GM_BLOCK, "13", "IN 12", "", "1", false},
	{"R068 IN(12)+TO_EX(14)", "IN 12", GM_TO_EX, "14", "EX 1/4", "", "1", false},
	{"R069 IN(12)+TO_IN(23)", "IN 12", GM_TO_IN, "23", "IN 123", "23", "1", false},
	{"R070 EX(,4)+ALLOW(4)", "EX /4", GM_ALLOW, "4", "EX 4/", "4", "", false},
	{"R071 EX(1,4)+BLOCK(124)", "EX 1/4", GM_BLOCK, "124", "EX 12/4", "", "12",
		false},
	{"R072 EX(12,34)+TO_EX(235)", "EX 12/34", GM_TO_EX, "235", "EX 25/3", "", "25",
		false},
	{"R073 EX(1,4)+TO_IN(2)", "EX 1/4", GM_TO_IN, "2", "EX 12/4", "2", "1", true},
	{"R078 none+IS_IN()", "-", GM_IS_IN, "", "-", "", "", false},
	{"R078 none+TO_IN()", "-", GM_TO_IN, "", "-", "", "", false},
	{"R078 none+ALLOW()", "-", GM_ALLOW, "", "-", "", "", false},
	{"R078 none+BLOCK()", "-", GM_BLOCK, "", "-", "", "", false},
	{"R078 none+BLOCK(1)", "-", GM_BLOCK, "1", "-", "", "", false},
	{"R090 none+leave", "-", GM_TO_IN, "", "-", "", "", false},
	{"R062 none+IS_IN(1)", "-", GM_IS_IN, "1", "IN 1", "1", "", false},
	{"R063 none+IS_EX(1)", "-", GM_IS_EX, "1", "EX /1", "", "", false},
	{"R068 none+TO_EX()", "-", GM_TO_EX, "", "EX /", "", "", false},
	{"R067 IN(12)+BLOCK(34)", "IN 12", GM_BLOCK, "34", "IN 12", "", "", false},
	{"R069 IN(12)+TO_IN()", "IN 12", GM_TO_IN, "", "IN 12", "", "12", false},
	{"R073 EX(,)+TO_IN()", "EX /", GM_TO_IN, "", "EX /", "", "", true},
	{"R064 EX(,)+IS_IN(1)", "EX /", GM_IS_IN, "1", "EX 1/", "1", "", false},
};

/* ---- the machine under test, and how to talk to it ---- */

static struct mgroup_db db;
static struct effects fx;
static enum family fam;

static void setup_db(const struct mgroup_params *params)
{
	struct mgroup_params p = {.gm = gm_params_default};

	assert_int_equal(mgroup_db_init(&db, 1, params ? params : &p, 5), 0);
	for (unsigned f = 0; f < _FAMILY_N; f++)
		db.role[f].querier = true;
	effects_clear(&fx);
}

static void teardown_db(void)
{
	mgroup_db_deinit(&db);
	effects_deinit(&fx);
}

static int send_at(int64_t ms, enum gm_version version, unsigned host,
	enum gm_record_type type, const char *list)
{
	struct addr src[10], from = gm_host(fam, host);
	struct gm_record rec = {.type = type,
		.group = gm_group(fam, 1),
		.src = src,
		.n_src = gm_sources(fam, list, src)};

	effects_clear(&fx);
	return mgroup_input(&db, mono_from_ms(ms), version, &from, &rec, &fx);
}

static const struct mgroup *group(void)
{
	struct addr g = gm_group(fam, 1);

	return mgroup_find(&db, &g);
}

/* run all deadlines up to and including ms; number of reported changes */
static unsigned run_until(int64_t ms)
{
	unsigned changes = 0;
	struct addr g;

	effects_clear(&fx);
	while (mgroup_deadline(&db).ns <= mono_from_ms(ms).ns) {
		mono_t now = mgroup_deadline(&db);

		while (mgroup_tick(&db, now, &fx, &g))
			changes++;
	}
	return changes;
}

static const char *state_text(char buf[64])
{
	const struct mgroup *g = group();
	char x[16] = "", y[16] = "";

	if (!g)
		return "-";
	for (size_t i = 0; i < g->n_src; i++) {
		char *s = mono_is_set(g->src[i].until) ? x : y;
		size_t n = strlen(s);

		s[n] = gm_digit(&g->src[i].addr);
		s[n + 1] = '\0';
	}
	if (g->mode == GM_INCLUDE)
		snprintf(buf, 64, "IN %s%s", x, y[0] ? "/blocked in INCLUDE" : "");
	else
		snprintf(buf, 64, "EX %s/%s", x, y);
	return buf;
}

#define assert_state(want)                                                             \
	do {                                                                           \
		char _b[64];                                                           \
		assert_string_equal(state_text(_b), want);                             \
	} while (0)

static int64_t source_ms(char digit)
{
	struct addr s = gm_source(fam, digit);
	const struct mgroup *g = group();

	for (size_t i = 0; g && i < g->n_src; i++)
		if (addr_eq(&g->src[i].addr, &s))
			return g->src[i].until.ns / NS_PER_MS;
	return -1;
}

/* the queries in fx as text: "Q(12)" group-and-source, "Q" group, "*" behind = S flag
 */
static const char *queries(char buf[128])
{
	struct addr g = gm_group(fam, 1);

	buf[0] = '\0';
	effects_for_each (&fx, e) {
		char list[16];
		size_t n = strlen(buf);

		if (e->type != EFFECT_QUERY)
			continue;
		assert_true(addr_eq(&e->query.q.group, &g));
		gm_digits(e->query.q.src, e->query.q.n_src, list);
		snprintf(buf + n, 128 - n, "%sQ%s%s%s%s", n ? " " : "",
			list[0] ? "(" : "", list, list[0] ? ")" : "",
			e->query.q.suppress ? "*" : "");
	}
	return buf;
}

#define assert_queries(want)                                                           \
	do {                                                                           \
		char _q[128];                                                          \
		assert_string_equal(queries(_q), want);                                \
	} while (0)

static void start(const char *text)
{
	const char *slash = strchr(text, '/');
	char x[16] = "";

	if (text[0] == '-')
		return;
	if (text[0] == 'I') {
		send_at(T0, GM_V3, 9, GM_IS_IN, text + 3);
		return;
	}
	memcpy(x, text + 3, (size_t)(slash - text - 3));
	send_at(T0, GM_V3, 9, GM_IS_EX, slash + 1);
	send_at(T0, GM_V3, 9, GM_IS_IN, x);
}

static void check_row(const struct row *r)
{
	char want[32] = "";

	setup_db(NULL);
	start(r->start);
	assert_state(r->start);
	send_at(T1, GM_V3, 9, r->type, r->list);
	assert_state(r->want);
	for (const char *d = r->gmi; *d; d++)
		assert_int_equal(source_ms(*d), T1 + GMI);
	for (const char *d = r->queried; *d; d++) {
		assert_int_equal(source_ms(*d), T1 + 2000); /* LMQT */
		if (d == r->queried)
			snprintf(want, sizeof(want), "Q(%s)", r->queried);
	}
	if (r->group_query) {
		strcat(want, want[0] ? " Q" : "Q");
		assert_int_equal(group()->until.ns / NS_PER_MS, T1 + 2000);
	} else if (r->want[0] == 'E') {
		bool renewed = r->type == GM_IS_EX || r->type == GM_TO_EX;

		assert_int_equal(
			group()->until.ns / NS_PER_MS, (renewed ? T1 : T0) + GMI);
	}
	assert_queries(want);
	teardown_db();
}

static void table_rows(void **state)
{
	for (fam = 0; fam < _FAMILY_N; fam++)
		for (size_t i = 0; i < array_len(rows); i++) {
			print_message("%s %s\n", fam ? "MLD " : "IGMP", rows[i].name);
			check_row(&rows[i]);
		}
}

#define FOR_BOTH_FAMILIES for (fam = 0; fam < _FAMILY_N; fam++)

static void r071_blocked_after_silence(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("EX 1/4");
		send_at(T1, GM_V3, 9, GM_BLOCK, "124");
		assert_int_equal(run_until(T1 + 1999), 0);
		assert_queries("Q(12)");
		assert_int_equal(run_until(T1 + 2000), 1);
		assert_state("EX /124");
		teardown_db();
	}
}

static void r073_silence_gives_include(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("EX 1/4");
		send_at(T1, GM_V3, 9, GM_TO_IN, "2");
		run_until(T1 + 2000);
		assert_state("IN 2");
		teardown_db();
	}
}

static void r074_group_timer_keeps_running_sources(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("EX 1/4");
		send_at(T0 + 200000, GM_V3, 9, GM_IS_IN, "1");
		assert_int_equal(run_until(T0 + GMI - 1), 0);
		assert_state("EX 1/4");
		assert_int_equal(run_until(T0 + GMI), 1);
		assert_state("IN 1");
		run_until(T0 + 200000 + GMI);
		assert_state("-");
		teardown_db();
	}
}

static void r075_source_timer(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("IN 12");
		send_at(T1, GM_V3, 9, GM_IS_IN, "2");
		assert_int_equal(run_until(T0 + GMI), 1);
		assert_state("IN 2");
		assert_int_equal(run_until(T1 + GMI), 1);
		assert_state("-");

		start("EX 1/");
		send_at(T1, GM_V3, 9, GM_IS_EX, "1"); /* group timer renewed, 1 keeps */
		assert_int_equal(run_until(T0 + GMI), 1);
		assert_state("EX /1");
		teardown_db();
	}
}

static void r076_forwarding_rule(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct addr s1 = gm_source(fam, '1'), s4 = gm_source(fam, '4'),
			    s7 = gm_source(fam, '7');

		setup_db(NULL);
		start("IN 1");
		assert_true(mgroup_wants(group(), &s1));
		assert_false(mgroup_wants(group(), &s7));
		teardown_db();
		setup_db(NULL);
		start("EX 1/4");
		assert_true(mgroup_wants(group(), &s1));
		assert_false(mgroup_wants(group(), &s4));
		assert_true(mgroup_wants(group(), &s7));
		teardown_db();
	}
}

static void r077_membership_interval_by_revision(void **state)
{
	static const struct {
		enum gm_revision rev;
		int64_t ms;
	} c[] = {{GM_RFC9776, 270000}, {GM_RFC3376, 260000}};

	FOR_BOTH_FAMILIES
	{
		for (size_t i = 0; i < array_len(c); i++) {
			struct mgroup_params p = {.gm = gm_params_default};

			p.gm.revision = c[i].rev;
			setup_db(&p);
			send_at(T0, GM_V3, 9, GM_IS_EX, "");
			assert_int_equal(run_until(T0 + c[i].ms - 1), 0);
			assert_int_equal(run_until(T0 + c[i].ms), 1);
			assert_state("-");
			teardown_db();
		}
	}
}

static void repeated_report_changes_nothing(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		assert_int_equal(send_at(T0, GM_V3, 9, GM_IS_EX, "4"), 1);
		assert_int_equal(send_at(T1, GM_V3, 9, GM_IS_EX, "4"), 0);
		assert_int_equal(send_at(T1, GM_V3, 8, GM_IS_EX, "4"), 0);
		assert_int_equal(group()->until.ns / NS_PER_MS, T1 + GMI);
		teardown_db();
	}
}

/* ---- last member process ---- */

static void r083_leave_asks_twice_then_ends(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V2, 9, GM_IS_EX, "");
		assert_int_equal(send_at(T1, GM_V2, 9, GM_TO_IN, ""), 0);
		assert_queries("Q");
		assert_int_equal(fx.v[0].query.q.max_resp_ms, 1000);
		run_until(T1 + 999);
		assert_queries("");
		run_until(T1 + 1000);
		assert_queries("Q");
		assert_int_equal(run_until(T1 + 1999), 0);
		assert_queries("");
		assert_int_equal(run_until(T1 + 2000), 1);
		assert_state("-");
		assert_int_equal(mgroup_deadline(&db).ns, MONO_NEVER.ns);
		teardown_db();
	}
}

static void r084_answered_query_is_repeated_with_s(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V3, 9, GM_IS_EX, "");
		send_at(T1, GM_V3, 9, GM_TO_IN, "");
		assert_queries("Q");
		send_at(T1 + 500, GM_V3, 8, GM_IS_EX, "");
		run_until(T1 + 1000);
		assert_queries("Q*");
		run_until(T1 + 3000);
		assert_state("EX /");
		teardown_db();
	}
}

static void r086_repeat_splits_by_answer(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("IN 12");
		send_at(T1, GM_V3, 9, GM_BLOCK, "12");
		assert_queries("Q(12)");
		send_at(T1 + 500, GM_V3, 8, GM_IS_IN, "1");
		run_until(T1 + 1000);
		assert_queries("Q(1)* Q(2)");
		run_until(T1 + 2000);
		assert_state("IN 1");
		assert_queries("");
		teardown_db();
	}
}

static void r087_answer_restores_the_timer(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V2, 9, GM_IS_EX, "");
		send_at(T1, GM_V2, 9, GM_TO_IN, "");
		assert_int_equal(send_at(T1 + 900, GM_V2, 8, GM_IS_EX, ""), 0);
		assert_int_equal(run_until(T1 + 900 + GMI - 1), 0);
		assert_state("EX /");
		teardown_db();
	}
}

static void r088_leaves_merge(void **state)
{
	FOR_BOTH_FAMILIES
	{
		unsigned n = 0;
		char q[128];

		setup_db(NULL);
		send_at(T0, GM_V2, 9, GM_IS_EX, "");
		for (int i = 0; i < 3; i++) {
			send_at(T1 + 30 * i, GM_V2, 9 - (unsigned)i, GM_TO_IN, "");
			n += strlen(queries(q)) > 0;
		}
		assert_int_equal(n, 3);
		run_until(T1 + 1999);
		assert_queries("Q"); /* one merged repetition: 4 in total */
		teardown_db();
	}
}

static void r089_queries_fit_the_mtu(void **state)
{
	static const struct {
		uint32_t mtu;
		size_t v4, v6;
	} c[] = {{1500, 366, 89}, {1492, 364, 88}, {1280, 311, 75}};
	static struct addr src[400];

	FOR_BOTH_FAMILIES
	{
		for (size_t i = 0; i < array_len(c); i++) {
			size_t room = fam == FAMILY_IPV4 ? c[i].v4 : c[i].v6, sum = 0;
			struct addr from = gm_host(fam, 9);
			struct gm_record rec = {.type = GM_IS_IN,
				.group = gm_group(fam, 1),
				.src = src,
				.n_src = 400};

			for (unsigned s = 0; s < 400; s++) {
				src[s] = gm_source(fam, '1');
				src[s].b[13] = (uint8_t)(s >> 8);
				src[s].b[14] = (uint8_t)s;
			}
			setup_db(NULL);
			db.mtu = c[i].mtu;
			mgroup_input(&db, mono_from_ms(T0), GM_V3, &from, &rec, &fx);
			rec.type = GM_BLOCK;
			effects_clear(&fx);
			mgroup_input(&db, mono_from_ms(T1), GM_V3, &from, &rec, &fx);
			assert_int_equal(fx.n, (400 + room - 1) / room);
			assert_int_equal(fx.v[0].query.q.n_src, room);
			effects_for_each (&fx, e)
				sum += e->query.q.n_src;
			assert_int_equal(sum, 400);
			teardown_db();
		}
	}
}

static void r081_current_state_asks_nothing(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("EX 12/4");
		send_at(T1, GM_V3, 9, GM_IS_EX, "4");
		assert_queries("");
		send_at(T1, GM_V3, 9, GM_IS_IN, "1");
		assert_queries("");
		teardown_db();
	}
}

static void r054_non_querier_asks_nothing(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		start("EX 1/4");
		db.role[fam].querier = false;
		send_at(T1, GM_V3, 9, GM_TO_IN, "");
		assert_queries("");
		assert_int_equal(group()->until.ns / NS_PER_MS, T0 + GMI);
		assert_int_equal(source_ms('1'), T0 + GMI);
		teardown_db();
	}
}

static void r052_heard_query_lowers_timers(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct addr s1 = gm_source(fam, '1');
		struct gm_msg msg = {.kind = GM_QUERY,
			.family = fam,
			.version = GM_V3,
			.query = {.group = gm_group(fam, 1),
				.max_resp_ms = 1000,
				.suppress = true}};

		setup_db(NULL);
		start("EX 1/4");
		mgroup_heard_query(&db, mono_from_ms(T1), &msg);
		assert_int_equal(group()->until.ns / NS_PER_MS, T0 + GMI);
		msg.query.suppress = false;
		mgroup_heard_query(&db, mono_from_ms(T1), &msg);
		assert_int_equal(group()->until.ns / NS_PER_MS, T1 + 2000);
		assert_int_equal(source_ms('1'), T0 + GMI);
		msg.query.src = &s1;
		msg.query.n_src = 1;
		mgroup_heard_query(&db, mono_from_ms(T1), &msg);
		assert_int_equal(source_ms('1'), T1 + 2000);
		msg.version = GM_V2; /* a v2 query names its own response time */
		msg.query.n_src = 0;
		msg.query.max_resp_ms = 300;
		mgroup_heard_query(&db, mono_from_ms(T1), &msg);
		assert_int_equal(group()->until.ns / NS_PER_MS, T1 + 600);
		teardown_db();
	}
}

/* ---- older hosts ---- */

static void r094_compatibility_mode_follows_timers(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V3, 9, GM_IS_EX, "");
		assert_int_equal(mgroup_version(group(), mono_from_ms(T0)), GM_V3);
		send_at(T0, GM_V1, 8, GM_IS_EX, "");
		send_at(T1, GM_V2, 7, GM_IS_EX, "");
		assert_int_equal(mgroup_version(group(), mono_from_ms(T1)), GM_V1);
		assert_int_equal(
			mgroup_version(group(), mono_from_ms(T0 + 260000)), GM_V2);
		assert_int_equal(
			mgroup_version(group(), mono_from_ms(T1 + 260000)), GM_V3);
		teardown_db();
	}
}

static void r095_v2_mode_ignores_blocking(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V2, 8, GM_IS_EX, "");
		send_at(T1, GM_V3, 9, GM_BLOCK, "1");
		assert_queries("");
		assert_state("EX /");
		send_at(T1, GM_V3, 9, GM_TO_EX, "1");
		assert_state("EX /");
		send_at(T1, GM_V3, 9, GM_ALLOW, "1");
		assert_state("EX 1/");
		teardown_db();
	}
}

static void r096_v1_mode_ignores_leaves(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V1, 8, GM_IS_EX, "");
		send_at(T1, GM_V2, 9, GM_TO_IN, "");
		assert_queries("");
		assert_int_equal(group()->until.ns / NS_PER_MS, T0 + GMI);
		teardown_db();
	}
}

static void r097_blocking_returns_with_v3(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		send_at(T0, GM_V3, 9, GM_IS_EX, "4");
		assert_state("EX /4");
		send_at(T1, GM_V2, 8, GM_IS_EX, "");
		assert_state("EX /");
		send_at(T1 + 260001, GM_V3, 9, GM_IS_EX, "4");
		assert_state("EX 4/"); /* 4 runs for GMI, blocked only later */
		teardown_db();
	}
}

static void r056_v1_router_ignores_leaves(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		db.role[fam].version = GM_V1;
		send_at(T0, GM_V2, 9, GM_IS_EX, "");
		send_at(T1, GM_V2, 9, GM_TO_IN, "");
		assert_queries("");
		assert_int_equal(group()->until.ns / NS_PER_MS, T0 + GMI);
		teardown_db();
	}
}

/* ---- fast leave ---- */

static void fast(void)
{
	struct mgroup_params p = {.gm = gm_params_default, .fast_leave = true};

	setup_db(&p);
}

static void r092_last_tracked_host_ends_the_group(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_TO_EX, "");
		send_at(T0, GM_V3, 9, GM_TO_EX, "");
		assert_int_equal(send_at(T1, GM_V3, 9, GM_TO_IN, ""), 0);
		assert_queries("");
		assert_state("EX /");
		assert_int_equal(send_at(T1, GM_V3, 8, GM_TO_IN, ""), 1);
		assert_queries("");
		assert_state("-");
		teardown_db();
	}
}

static void r092_tracked_sources(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_ALLOW, "12");
		send_at(T0, GM_V3, 9, GM_ALLOW, "23");
		assert_state("IN 123");
		assert_int_equal(send_at(T1, GM_V3, 8, GM_BLOCK, "12"), 1);
		assert_state("IN 23"); /* 2 is still wanted by the other host */
		assert_int_equal(send_at(T1, GM_V3, 9, GM_BLOCK, "23"), 1);
		assert_state("-");
		teardown_db();
	}
}

static void r092_e13_older_member_forbids_it(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V2, 8, GM_IS_EX, "");
		send_at(T0, GM_V3, 9, GM_TO_EX, "");
		send_at(T1, GM_V3, 9, GM_TO_IN, "");
		assert_queries("Q");
		assert_state("EX /");
		teardown_db();
	}
}

static void r092_host_without_address_forbids_it(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct addr from = addr_any(fam);
		struct gm_record rec = {.type = GM_IS_EX, .group = gm_group(fam, 1)};

		fast();
		send_at(T0, GM_V3, 9, GM_TO_EX, "");
		mgroup_input(&db, mono_from_ms(T0), GM_V3, &from, &rec, &fx);
		send_at(T1, GM_V3, 9, GM_TO_IN, "");
		assert_queries("Q");
		assert_state("EX /");
		teardown_db();
	}
}

/* The answer to a group-and-source query names only what was asked. */
static void r092_partial_answer_keeps_the_rest(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_TO_EX, "");
		send_at(T0, GM_V3, 9, GM_TO_EX, "");
		send_at(T1, GM_V3, 8, GM_IS_IN, "1");
		send_at(T1, GM_V3, 9, GM_TO_IN, "");
		assert_state("EX 1/"); /* host 8 is still a member in EXCLUDE mode */
		teardown_db();
	}
}

static void r092_too_many_hosts_forbid_it(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		for (unsigned h = 0; h <= MGROUP_MAX_HOSTS; h++)
			send_at(T0, GM_V3, h + 1, GM_TO_EX, "");
		for (unsigned h = 0; h < MGROUP_MAX_HOSTS; h++)
			send_at(T1, GM_V3, h + 1, GM_TO_IN, "");
		assert_state("EX /");
		teardown_db();
	}
}

static void r054_fast_leave_is_for_the_querier(void **state)
{
	FOR_BOTH_FAMILIES
	{
		fast();
		send_at(T0, GM_V3, 8, GM_TO_EX, "");
		db.role[fam].querier = false;
		send_at(T1, GM_V3, 8, GM_TO_IN, "");
		assert_state("EX /");
		teardown_db();
	}
}

/* ---- limits, several groups ---- */

static void r082_limits_refuse_and_count(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct mgroup_params p = {
			.gm = gm_params_default, .max_groups = 1, .max_sources = 2};
		struct addr from = gm_host(fam, 9);
		struct gm_record rec = {.type = GM_IS_EX, .group = gm_group(fam, 2)};

		setup_db(&p);
		send_at(T0, GM_V3, 9, GM_IS_IN, "123");
		assert_state("IN 12");
		assert_int_equal(fx.v[0].note.note, NOTE_SOURCE_LIMIT);
		assert_int_equal(
			mgroup_input(&db, mono_from_ms(T0), GM_V3, &from, &rec, &fx),
			0);
		assert_null(mgroup_find(&db, &rec.group));
		assert_int_equal(db.n_refused, 2);
		assert_state("IN 12");
		teardown_db();
	}
}

static int join_from(unsigned host, unsigned number)
{
	struct addr from = gm_host(fam, host);
	struct gm_record rec = {.type = GM_IS_EX, .group = gm_group(fam, number)};

	effects_clear(&fx);
	return mgroup_input(&db, mono_from_ms(T0), GM_V3, &from, &rec, &fx);
}

static void r082_one_host_leaves_room(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct mgroup_params p = {.gm = gm_params_default,
			.max_groups = 3,
			.max_groups_per_host = 2};
		struct addr second = gm_group(fam, 2);

		setup_db(&p);
		assert_int_equal(join_from(7, 1), 1);
		assert_int_equal(join_from(7, 2), 1);
		assert_int_equal(join_from(7, 3), 0);
		assert_int_equal(fx.v[0].note.note, NOTE_HOST_QUOTA);
		assert_int_equal(fx.v[0].note.value, 2);
		assert_int_equal(db.n_refused, 1);
		/* somebody else gets it; whoever comes to a group later pays nothing */
		assert_int_equal(join_from(8, 3), 1);
		assert_int_equal(join_from(7, 3), 0);
		assert_int_equal(join_from(9, 4), 0);
		assert_int_equal(fx.v[0].note.note, NOTE_GROUP_LIMIT);
		/* a group that ends is given back to whom it was charged */
		mgroup_drop(&db, mgroup_find(&db, &second));
		assert_int_equal(join_from(7, 5), 1);
		teardown_db();
	}
}

/* E.g. ALLOW of new sources again and again: each is refused by max-sources, and the
 * host's own list must not grow either. */
static void r082_host_names_sources_for_ever(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct mgroup_params p = {.gm = gm_params_default, .max_sources = 3};

		setup_db(&p);
		send_at(T0, GM_V3, 9, GM_IS_EX, "");
		send_at(T0, GM_V3, 9, GM_BLOCK, "12");
		assert_int_equal(group()->n_host, 1);
		send_at(T0, GM_V3, 9, GM_BLOCK, "34");
		assert_int_equal(group()->n_host, 0);
		assert_true(mono_before(mono_from_ms(T0), group()->untracked_until));
		teardown_db();
	}
}

static void r082_addresses_of_a_port(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct mgroup_params p = {.gm = gm_params_default};

		setup_db(&p);
		db.max_addr = 8;
		send_at(T0, GM_V3, 9, GM_IS_IN, "12"); /* both, the host, both again */
		assert_int_equal(db.n_addr, 5);
		send_at(T0, GM_V3, 8, GM_IS_IN, "3");
		assert_state("IN 123");
		assert_int_equal(db.n_addr, 8);
		send_at(T0, GM_V3, 7, GM_IS_IN, "4"); /* neither the source nor the host */
		assert_state("IN 123");
		assert_int_equal(db.n_addr, 8);
		assert_int_equal(db.n_refused, 1);
		mgroup_drop(&db, mgroup_find(&db, &group()->group));
		assert_int_equal(db.n_addr, 0);
		teardown_db();
	}
}

static void r051_adopted_values_make_the_interval(void **state)
{
	FOR_BOTH_FAMILIES
	{
		setup_db(NULL);
		db.role[fam].rv = 5;
		db.role[fam].qi_ms = 60000;
		send_at(T0, GM_V3, 9, GM_IS_EX, "");
		assert_int_equal(group()->until.ns / NS_PER_MS, T0 + 5 * 60000 + 20000);
		teardown_db();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_rows),
		cmocka_unit_test(r071_blocked_after_silence),
		cmocka_unit_test(r073_silence_gives_include),
		cmocka_unit_test(r074_group_timer_keeps_running_sources),
		cmocka_unit_test(r075_source_timer),
		cmocka_unit_test(r076_forwarding_rule),
		cmocka_unit_test(r077_membership_interval_by_revision),
		cmocka_unit_test(repeated_report_changes_nothing),
		cmocka_unit_test(r083_leave_asks_twice_then_ends),
		cmocka_unit_test(r084_answered_query_is_repeated_with_s),
		cmocka_unit_test(r086_repeat_splits_by_answer),
		cmocka_unit_test(r087_answer_restores_the_timer),
		cmocka_unit_test(r088_leaves_merge),
		cmocka_unit_test(r089_queries_fit_the_mtu),
		cmocka_unit_test(r081_current_state_asks_nothing),
		cmocka_unit_test(r054_non_querier_asks_nothing),
		cmocka_unit_test(r052_heard_query_lowers_timers),
		cmocka_unit_test(r094_compatibility_mode_follows_timers),
		cmocka_unit_test(r095_v2_mode_ignores_blocking),
		cmocka_unit_test(r096_v1_mode_ignores_leaves),
		cmocka_unit_test(r097_blocking_returns_with_v3),
		cmocka_unit_test(r056_v1_router_ignores_leaves),
		cmocka_unit_test(r092_last_tracked_host_ends_the_group),
		cmocka_unit_test(r092_tracked_sources),
		cmocka_unit_test(r092_e13_older_member_forbids_it),
		cmocka_unit_test(r092_host_without_address_forbids_it),
		cmocka_unit_test(r092_partial_answer_keeps_the_rest),
		cmocka_unit_test(r092_too_many_hosts_forbid_it),
		cmocka_unit_test(r054_fast_leave_is_for_the_querier),
		cmocka_unit_test(r082_limits_refuse_and_count),
		cmocka_unit_test(r082_one_host_leaves_room),
		cmocka_unit_test(r082_host_names_sources_for_ever),
		cmocka_unit_test(r082_addresses_of_a_port),
		cmocka_unit_test(r051_adopted_values_make_the_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
