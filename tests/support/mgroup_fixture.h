/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The group state machine under test: one group of the family `fam`, so that each case
 * runs for both. Sources are digits: "12" is {1,2}; states are "IN 12", "EX 12/4" (the
 * blocked ones after the slash) and "-".
 */

#include "control/member/mgroup.h"
#include "support_gm.h"
#include "test.h"

#include <stdio.h>

#define T0  1000  /* the start state is reported at this time */
#define T1  11000 /* the record arrives at this time */
#define GMI 270000

static struct mgroup_db db;
static struct effects fx;
static enum family fam;

static inline void setup_db(const struct mgroup_params *params)
{
	struct mgroup_params p = {.gm = gm_params_default};

	assert_int_equal(mgroup_db_init(&db, 1, params ? params : &p, 5), 0);
	for (unsigned f = 0; f < _FAMILY_N; f++)
		db.role[f].querier = true;
	effects_clear(&fx);
}

static inline void teardown_db(void)
{
	mgroup_db_deinit(&db);
	effects_deinit(&fx);
}

static inline int send_at(int64_t ms, enum gm_version version, unsigned host,
	enum gm_record_type type, const char *list)
{
	struct gm_msg msg = {.version = version, .from = gm_host(fam, host)};
	struct addr src[10];
	struct gm_record rec = {.type = type,
		.group = gm_group(fam, 1),
		.src = src,
		.n_src = gm_sources(fam, list, src)};

	effects_clear(&fx);
	mgroup_begin(&db, mono_from_ms(ms));
	return mgroup_input(&db, mono_from_ms(ms), &msg, &rec, &fx);
}

static inline const struct mgroup *group(void)
{
	struct addr g = gm_group(fam, 1);

	return mgroup_find(&db, &g);
}

/* Runs all deadlines up to and including ms. Returns the number of reported changes. */
static inline unsigned run_until(int64_t ms)
{
	unsigned changes = 0;
	size_t work = 0;
	struct addr g;

	effects_clear(&fx);
	while (mgroup_deadline(&db).ns <= mono_from_ms(ms).ns) {
		mono_t now = mgroup_deadline(&db);

		while (mgroup_tick(&db, now, &fx, &g, &work))
			changes += !addr_is_any(&g);
	}
	return changes;
}

static inline const char *state_text(char buf[64])
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

static inline int64_t source_ms(char digit)
{
	struct addr s = gm_source(fam, digit);
	const struct mgroup *g = group();

	for (size_t i = 0; g && i < g->n_src; i++)
		if (addr_eq(&g->src[i].addr, &s))
			return g->src[i].until.ns / NS_PER_MS;
	return -1;
}

/* The queries in fx as text: "Q(12)" for group-and-source, "Q" for group, followed by
 * "*" for the S flag. */
static inline const char *queries(char buf[128])
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

static inline void start(const char *text)
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

#define FOR_BOTH_FAMILIES for (fam = 0; fam < _FAMILY_N; fam++)
