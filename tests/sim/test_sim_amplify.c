/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * F8: how many frames the LAN gets for each frame of a host. Within any second, reports
 * of any kind and rate cause at most two queries each, and in all at most a fixed
 * number. Every group that a host has left is queried eventually.
 */

#include "home.h"

#define RECORDS 182 /* as many as fit into a frame */

struct shape {
	const char *name;
	enum gm_version version;
	enum gm_record_type type[3]; /* sent in turn, up to the first 0 */
	bool many;		     /* of many groups, otherwise of one */
	unsigned n_src;		     /* in each record */
	bool new_src;		     /* new sources in each record */
	bool older;		     /* a host of version 2 is a member of group 0 */
};

static const struct shape shapes[] = {
	{"version 1", GM_V1, {GM_IS_EX}, false, 0, false, false},
	{"version 2", GM_V2, {GM_IS_EX, GM_TO_IN}, false, 0, false, false},
	{"version 2, many", GM_V2, {GM_IS_EX, GM_TO_IN}, true, 0, false, false},
	{"leaves of one group", GM_V3, {GM_TO_IN}, false, 0, false, false},
	{"join, leave", GM_V3, {GM_TO_EX, GM_TO_IN}, false, 0, false, false},
	{"join, leave, many", GM_V3, {GM_TO_EX, GM_TO_IN}, true, 0, false, false},
	{"is_ex, leave, many", GM_V3, {GM_IS_EX, GM_TO_IN}, true, 0, false, false},
	{"allow, block", GM_V3, {GM_ALLOW, GM_BLOCK}, false, 1, false, false},
	{"allow, block, new", GM_V3, {GM_ALLOW, GM_BLOCK}, false, 1, true, false},
	{"allow, block, many", GM_V3, {GM_ALLOW, GM_BLOCK}, true, 1, true, false},
	{"is_in, to_in, many", GM_V3, {GM_IS_IN, GM_TO_IN}, true, 1, true, false},
	{"all, some, none", GM_V3, {GM_TO_EX, GM_ALLOW, GM_TO_IN}, true, 1, true,
		false},
	{"exclude, more", GM_V3, {GM_IS_EX, GM_BLOCK}, true, 1, true, false},
	{"exclude anew", GM_V3, {GM_IS_IN, GM_TO_EX}, true, 2, true, false},
	{"a member of version 2", GM_V3, {GM_TO_EX, GM_TO_IN}, false, 0, false, true},
};

static const char *const configs[] = {"", "quickleave"};
static const unsigned rates[] = {1, 10, 200};

static unsigned fill(const struct home *h, const struct shape *c, unsigned *serial,
	struct gm_record *rec, struct addr *src)
{
	unsigned n = c->version < GM_V3 ? 1 : RECORDS;

	for (unsigned i = 0; i < n; i++) {
		unsigned k = (*serial)++, n_types = c->type[1] ? c->type[2] ? 3 : 2 : 1;

		rec[i] = (struct gm_record){.type = c->type[k % n_types],
			.group = sim_group(h->sim, c->many ? k / n_types % 4000 : 0),
			.src = &src[2 * i],
			.n_src = c->n_src};
		for (unsigned s = 0; s < c->n_src; s++)
			src[2 * i + s] = sim_source(h->sim,
				1 + (c->new_src ? k / n_types * 2 % 1000 : 0) + s);
	}
	return n;
}

static void send_one(struct home *h, const struct shape *c, unsigned *serial)
{
	struct gm_record rec[RECORDS];
	struct addr src[2 * RECORDS];
	struct gm_msg msg = {.kind = GM_REPORT,
		.family = h->sim->family,
		.version = c->version,
		.from = sim_station(h->sim, h->lan[0], 66),
		.mac = {{2, 0, 0, 0, 0, 66}},
		.rec = rec,
		.n_rec = fill(h, c, serial, rec, src)};

	(void)sim_proxy_input(h->proxy, "lan1", &msg);
}

/* The most group queries within a second that begins with one. */
static unsigned worst_second(const struct sim_link *lan)
{
	unsigned worst = 0, n = 0;

	for (size_t i = lan->mark, first = i; i < lan->n_seen; i++) {
		const struct sim_seen *s = &lan->seen[i];

		if (s->kind != GM_QUERY || addr_is_any(&s->group))
			continue;
		n++;
		for (; s->at.ns - lan->seen[first].at.ns >= NS_PER_SEC; first++)
			n -= lan->seen[first].kind == GM_QUERY &&
				!addr_is_any(&lan->seen[first].group);
		worst = n > worst ? n : worst;
	}
	return worst;
}

static void run_shape(enum family family, const char *config, const struct shape *c,
	unsigned rate, unsigned seconds)
{
	struct home h = home_new(family, &(struct home_params){.config = config});
	struct addr first = sim_group(h.sim, 0);
	unsigned serial = 0, worst;

	if (c->older)
		sim_host_join(home_host(&h, 1, 12, GM_V2), &first);
	sim_run(h.sim, 4000);
	sim_mark(h.sim);
	for (unsigned i = 0; i < rate * seconds; i++) {
		send_one(&h, c, &serial);
		sim_run(h.sim, 1000 / rate);
	}
	sim_run(h.sim, 5000);
	worst = worst_second(h.lan[0]);
	if (worst > 2 * rate || worst > 350)
		printf("%s, \"%s\", %u a second: %u queries\n", c->name, config, rate,
			worst);
	assert_in_range(worst, 0, 2 * rate);
	assert_in_range(worst, 0, 350);
	home_free(&h);
}

static void f8_two_frames_for_one(enum family family)
{
	for (size_t i = 0; i < array_len(shapes); i++)
		for (size_t k = 0; k < array_len(configs); k++) {
			if (family == FAMILY_IPV6 && shapes[i].version == GM_V1)
				continue;
			for (size_t r = 0; r < array_len(rates); r++)
				run_shape(family, configs[k], &shapes[i], rates[r],
					rates[r] > 100 ? 1 : 4);
		}
}

/* One report leaves many groups: each is asked about twice, and ends. */
static void f8_k14_nothing_is_lost(enum family family)
{
	struct home h = home_new(family, &(struct home_params){0});
	struct gm_record rec[20];
	struct gm_msg msg = {.kind = GM_REPORT,
		.family = family,
		.version = GM_V3,
		.from = sim_station(h.sim, h.lan[0], 66),
		.rec = rec,
		.n_rec = array_len(rec)};

	for (unsigned i = 0; i < array_len(rec); i++)
		rec[i] = (struct gm_record){
			.type = GM_TO_EX, .group = sim_group(h.sim, i)};
	sim_proxy_input(h.proxy, "lan1", &msg);
	sim_mark(h.sim);
	for (unsigned i = 0; i < array_len(rec); i++)
		rec[i].type = GM_TO_IN;
	sim_proxy_input(h.proxy, "lan1", &msg);
	sim_run(h.sim, 50000);
	for (unsigned i = 0; i < array_len(rec); i++)
		assert_int_equal(home_queries(&h, 1, &rec[i].group), 2);
	assert_true(sim_proxy_empty(h.proxy));
	assert_in_range(worst_second(h.lan[0]), 1, 2);
	home_free(&h);
}

static const struct CMUnitTest tests[] = {
	BOTH(f8_two_frames_for_one),
	BOTH(f8_k14_nothing_is_lost),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
