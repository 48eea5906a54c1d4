/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A host side under a clock of its own, driven by scripts that read the same for both
 * families. A script is a list of steps separated by ';', a step is "ACTION > REPORTS":
 *
 *   G ex AB         set the membership of group G to EXCLUDE({A,B})
 *   G in A, G none  set it to INCLUDE({A}), to INCLUDE({})
 *   ?3 10000        general query of version 3, response time in ms
 *   ?3 G 1000       group query; "?3 G AB 1000" group-and-source query
 *   qrv 4           robustness in later queries
 *   +2000           2000 ms pass
 *   next            time passes until the next deadline, which is handled
 *   down, up        the link; "moved" gives it another address
 *   leave           upstream_leave_all
 *   gone G          checks that the host has no state of the group
 *
 * REPORTS is what the step sends, for example "to_ex G {A,B} allow H {C}"; messages are
 * separated by '|', those of older versions begin with "v1" or "v2". Groups are G to M,
 * sources A to F; "local" is a group that never leaves its link.
 */

#include "control/upstream/upstream.h"
#include "test.h"

#include <inttypes.h>
#include <stdio.h>

struct upstream_fixture {
	struct upstream upstream;
	struct rng rng;
	struct effects fx;
	struct upstream_params params;
	struct gm_link link;
	enum family family;
	mono_t now;
	uint8_t qrv;
	uint32_t qqi_ms;
	bool outside; /* queries come from outside of the link's subnets */
};

static inline struct addr fixture_group(enum family family, unsigned n)
{
	struct addr x = family == FAMILY_IPV4 ? ADDR_V4(239, 1, 0, 0) : a("ff0e::");

	x.b[13] = (uint8_t)(n >> 16) + 1;
	x.b[14] = (uint8_t)(n >> 8);
	x.b[15] = (uint8_t)n;
	return x;
}

static inline struct addr fixture_source(enum family family, unsigned n)
{
	struct addr x = family == FAMILY_IPV4 ? ADDR_V4(10, 1, 0, 0) : a("2001:db8::");

	x.b[14] = (uint8_t)(n >> 8);
	x.b[15] = (uint8_t)n;
	return x;
}

static inline void fixture_init_with(struct upstream_fixture *t, enum family family,
	const struct upstream_params *params, uint64_t seed)
{
	*t = (struct upstream_fixture){.params = *params, .family = family};
	t->now = mono_from_ms(1000000);
	rng_seed(&t->rng, seed);
	t->link = (struct gm_link){
		.port = 7, .mtu = 1500, .own = {a("10.9.0.2"), a("fe80::2")}};
	assert_int_equal(upstream_init(&t->upstream, &t->params, &t->rng), 0);
	upstream_link_up(&t->upstream, t->now, &t->link);
	assert_int_equal(t->fx.n, 0);
}

static const struct upstream_params fixture_params = {
	.gm = {.revision = GM_RFC9776,
		.robustness = 2,
		.query_interval_ms = 125000,
		.response_interval_ms = 10000,
		.unsolicited_interval_ms = 1000},
	.max_version = {GM_V3, GM_V3},
	.fallback = {true, true},
};

static inline void fixture_init(struct upstream_fixture *t, enum family family)
{
	fixture_init_with(t, family, &fixture_params, 1);
}

static inline void fixture_deinit(struct upstream_fixture *t)
{
	upstream_deinit(&t->upstream);
	effects_deinit(&t->fx);
}

/* Handles everything due until then, each at its time. */
static inline void fixture_run_until(struct upstream_fixture *t, mono_t until)
{
	mono_t at;

	while (mono_due(at = upstream_deadline(&t->upstream), until)) {
		assert_false(mono_before(at, t->now));
		t->now = at;
		upstream_tick(&t->upstream, t->now, &t->fx);
	}
	t->now = until;
	upstream_tick(&t->upstream, t->now, &t->fx);
}

static inline void fixture_run(struct upstream_fixture *t, int64_t ms)
{
	fixture_run_until(t, mono_add_ms(t->now, ms));
}

static inline void fixture_set(struct upstream_fixture *t, const struct addr *group,
	enum gm_mode mode, const struct addr *src, size_t n_src)
{
	struct gm_filter filter = {.mode = mode};

	assert_int_equal(addrset_from_array(&filter.src, src, n_src), 0);
	assert_int_equal(upstream_set(&t->upstream, t->now, group, &filter, NULL), 0);
	upstream_tick(&t->upstream, t->now, &t->fx);
	addrset_deinit(&filter.src);
}

static inline void fixture_query(struct upstream_fixture *t, enum gm_version version,
	const struct addr *group, const struct addr *src, size_t n_src, uint32_t max_ms)
{
	struct gm_msg msg = {.kind = GM_QUERY,
		.family = t->family,
		.version = version,
		.from = t->family == FAMILY_IPV4 ? a("10.9.0.1") : a("fe80::1")};

	msg.query.group = group ? *group : addr_any(t->family);
	msg.query.max_resp_ms = max_ms;
	msg.query.qrv = version == GM_V3 ? t->qrv : 0;
	msg.query.qqi_ms = version == GM_V3 ? t->qqi_ms : 0;
	msg.query.src = src;
	msg.query.n_src = n_src;
	upstream_query(&t->upstream, t->now, &msg, !t->outside);
}

/* The letter of an address made by fixture_group() or fixture_source(). */
static inline char fixture_letter(enum family family, const struct addr *x, char first)
{
	for (unsigned i = 0; i < 7; i++) {
		struct addr y = first == 'G' ? fixture_group(family, i)
					     : fixture_source(family, i);

		if (addr_eq(x, &y))
			return (char)(first + (int)i);
	}
	return '?';
}

static inline void fixture_print_record(const struct upstream_fixture *t,
	const struct gm_record *rec, char *buf, size_t size)
{
	static const char *const types[] = {
		"", "is_in", "is_ex", "to_in", "to_ex", "allow", "block"};
	size_t len = (size_t)snprintf(buf, size, "%s %c {", types[rec->type],
		fixture_letter(t->family, &rec->group, 'G'));

	for (size_t i = 0; i < rec->n_src && len + 4 < size; i++) {
		if (i)
			buf[len++] = ',';
		buf[len++] = fixture_letter(t->family, &rec->src[i], 'A');
	}
	snprintf(buf + len, size - len, "}");
}

/* All reports since the last call, after checks that every report must pass. */
static inline void fixture_reports(struct upstream_fixture *t, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	effects_for_each (&t->fx, e) {
		assert_int_equal(e->type, EFFECT_REPORT);
		assert_int_equal(e->port, t->link.port);
		assert_int_equal(e->report.family, t->family);
		assert_true(addr_eq(&e->report.from, &t->link.own[t->family]));
		len += (size_t)snprintf(buf + len, size - len, "%s", len ? " | " : "");
		if (e->report.version != GM_V3)
			len += (size_t)snprintf(
				buf + len, size - len, "v%d ", (int)e->report.version);
		for (size_t i = 0; i < e->report.n_rec; i++) {
			char rec[64];

			fixture_print_record(t, &e->report.rec[i], rec, sizeof(rec));
			len += (size_t)snprintf(
				buf + len, size - len, "%s%s", i ? " " : "", rec);
		}
		assert_true(len < size);
	}
	effects_clear(&t->fx);
}

static inline size_t fixture_sources(
	enum family family, const char *letters, struct addr *ret)
{
	size_t n = 0;

	for (; letters[n] >= 'A' && letters[n] <= 'F'; n++)
		ret[n] = fixture_source(family, (unsigned)(letters[n] - 'A'));
	return n;
}

static inline void fixture_query_step(struct upstream_fixture *t, const char *action)
{
	char word[2][16] = {"", ""};
	struct addr group, src[6];
	size_t n_src = 0;
	unsigned version, ms;

	if (sscanf(action, "?%u %u", &version, &ms) == 2) {
		fixture_query(t, (enum gm_version)version, NULL, NULL, 0, ms);
		return;
	}
	if (sscanf(action, "?%u %15[G-M] %u", &version, word[0], &ms) != 3) {
		assert_int_equal(sscanf(action, "?%u %15[G-M] %15[A-F] %u", &version,
					 word[0], word[1], &ms),
			4);
		n_src = fixture_sources(t->family, word[1], src);
	}
	group = fixture_group(t->family, (unsigned)(word[0][0] - 'G'));
	fixture_query(t, (enum gm_version)version, &group, src, n_src, ms);
}

static inline void fixture_set_step(struct upstream_fixture *t, const char *action)
{
	char name[16], mode[16], list[16] = "";
	struct addr group, src[6];
	size_t n;

	assert_true(sscanf(action, "%15s %15s %15s", name, mode, list) >= 2);
	if (strcmp(name, "local") == 0)
		group = t->family == FAMILY_IPV4 ? a("224.0.0.251") : a("ff02::fb");
	else
		group = fixture_group(t->family, (unsigned)(name[0] - 'G'));
	n = fixture_sources(t->family, list, src);
	fixture_set(
		t, &group, strcmp(mode, "ex") == 0 ? GM_EXCLUDE : GM_INCLUDE, src, n);
}

static inline void fixture_act(struct upstream_fixture *t, const char *action)
{
	struct addr group;
	int64_t ms;
	unsigned n;
	char name;

	if (sscanf(action, "+%" SCNd64, &ms) == 1) {
		fixture_run(t, ms);
	} else if (strcmp(action, "next") == 0) {
		assert_true(upstream_deadline(&t->upstream).ns != MONO_NEVER.ns);
		fixture_run_until(t, upstream_deadline(&t->upstream));
	} else if (action[0] == '?') {
		fixture_query_step(t, action);
	} else if (sscanf(action, "qrv %u", &n) == 1) {
		t->qrv = (uint8_t)n;
	} else if (strcmp(action, "down") == 0) {
		upstream_link_down(&t->upstream);
	} else if (strcmp(action, "up") == 0) {
		upstream_link_up(&t->upstream, t->now, &t->link);
		upstream_tick(&t->upstream, t->now, &t->fx);
	} else if (strcmp(action, "moved") == 0) {
		t->link.own[FAMILY_IPV4].b[15]++;
		t->link.own[FAMILY_IPV6].b[15]++;
		upstream_link_up(&t->upstream, t->now, &t->link);
		upstream_tick(&t->upstream, t->now, &t->fx);
	} else if (strcmp(action, "leave") == 0) {
		upstream_leave_all(&t->upstream, &t->fx);
	} else if (sscanf(action, "gone %c", &name) == 1) {
		group = fixture_group(t->family, (unsigned)(name - 'G'));
		assert_null(upstream_find(&t->upstream, &group));
	} else {
		fixture_set_step(t, action);
	}
}

static inline char *fixture_trim(char *s)
{
	char *end = s + strlen(s);

	while (end > s && end[-1] == ' ')
		*--end = '\0';
	return s + strspn(s, " ");
}

static inline void fixture_script(
	struct upstream_fixture *t, const char *id, const char *script)
{
	char text[1024], got[1024], *save = NULL;

	assert_true(strlen(script) < sizeof(text));
	strcpy(text, script);
	for (char *step = strtok_r(text, ";", &save); step;
		step = strtok_r(NULL, ";", &save)) {
		char *want = strchr(step, '>');

		if (want)
			*want++ = '\0';
		want = fixture_trim(want ? want : step + strlen(step));
		step = fixture_trim(step);
		fixture_act(t, step);
		fixture_reports(t, got, sizeof(got));
		if (strcmp(got, want) != 0)
			fail_msg("%s, IPv%d, \"%s\": sent \"%s\", not \"%s\"", id,
				t->family == FAMILY_IPV4 ? 4 : 6, step, got, want);
	}
}

struct upstream_case {
	const char *id, *script;
};

/* Runs each script in both families. */
static inline void fixture_cases(
	const struct upstream_params *params, const struct upstream_case *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (enum family family = 0; family < _FAMILY_N; family++) {
			struct upstream_fixture t;

			fixture_init_with(&t, family, params, 1 + i);
			fixture_script(&t, c[i].id, c[i].script);
			fixture_deinit(&t);
		}
	}
}
