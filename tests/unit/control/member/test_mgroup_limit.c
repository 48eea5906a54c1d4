/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Limits of the group state machine: of a port, of a group and of a host (R082). */

#include "mgroup_fixture.h"

static void r082_limits_refuse_and_count(void **state)
{
	FOR_BOTH_FAMILIES
	{
		struct mgroup_params p = {
			.gm = gm_params_default, .max_groups = 1, .max_sources = 2};
		struct gm_msg msg = {.version = GM_V3, .from = gm_host(fam, 9)};
		struct gm_record rec = {.type = GM_IS_EX, .group = gm_group(fam, 2)};

		setup_db(&p);
		send_at(T0, GM_V3, 9, GM_IS_IN, "123");
		assert_state("IN 12");
		assert_int_equal(fx.v[0].note.note, NOTE_SOURCE_LIMIT);
		assert_int_equal(
			mgroup_input(&db, mono_from_ms(T0), &msg, &rec, &fx), 0);
		assert_null(mgroup_find(&db, &rec.group));
		assert_int_equal(db.n_refused, 2);
		assert_state("IN 12");
		teardown_db();
	}
}

static int join_from(unsigned host, unsigned number)
{
	struct gm_msg msg = {.version = GM_V3, .from = gm_host(fam, host)};
	struct gm_record rec = {.type = GM_IS_EX, .group = gm_group(fam, number)};

	effects_clear(&fx);
	return mgroup_input(&db, mono_from_ms(T0), &msg, &rec, &fx);
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
		/* another host is charged; hosts that join the group later are not */
		assert_int_equal(join_from(8, 3), 1);
		assert_int_equal(join_from(7, 3), 0);
		assert_int_equal(join_from(9, 4), 0);
		assert_int_equal(fx.v[0].note.note, NOTE_GROUP_LIMIT);
		/* a group that ends is no longer charged to its host */
		mgroup_drop(&db, mgroup_find(&db, &second));
		assert_int_equal(join_from(7, 5), 1);
		teardown_db();
	}
}

/* For example ALLOW with new sources again and again: max-sources refuses each of them,
 * and the list of the host must not grow either. */
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
		send_at(T0, GM_V3, 9, GM_IS_IN, "12"); /* sources, host, host's list */
		assert_int_equal(db.n_addr, 5);
		send_at(T0, GM_V3, 8, GM_IS_IN, "3");
		assert_state("IN 123");
		assert_int_equal(db.n_addr, 8);
		send_at(T0, GM_V3, 7, GM_IS_IN,
			"4"); /* room for neither the source nor the host */
		assert_state("IN 123");
		assert_int_equal(db.n_addr, 8);
		assert_int_equal(db.n_refused, 1);
		mgroup_drop(&db, mgroup_find(&db, &group()->group));
		assert_int_equal(db.n_addr, 0);
		teardown_db();
	}
}

/* ---- which host has to give way ---- */

/* A join of a group by number, or an ALLOW with sources, from an address and a
 * station. */
static int from_station(
	int64_t ms, unsigned host, unsigned station, unsigned number, unsigned n_src)
{
	struct addr src[200];
	struct gm_record rec = {.type = n_src ? GM_ALLOW : GM_IS_EX,
		.group = gm_group(fam, number),
		.src = src,
		.n_src = n_src};
	struct gm_msg msg = {.version = GM_V3,
		.from = gm_host(fam, 1),
		.mac = {{2, 0, 0, 0, (uint8_t)(station >> 8), (uint8_t)station}}};

	rec.group.b[13] = (uint8_t)(number >> 16);
	rec.group.b[14] = (uint8_t)(number >> 8);
	rec.group.b[15] = (uint8_t)number;
	msg.from.b[14] = (uint8_t)(host >> 8);
	msg.from.b[15] = (uint8_t)host;
	for (unsigned i = 0; i < n_src; i++) {
		src[i] = gm_source(fam, '1');
		src[i].b[14] = (uint8_t)(i >> 8);
		src[i].b[15] = (uint8_t)i;
	}
	effects_clear(&fx);
	mgroup_begin(&db, mono_from_ms(ms));
	return mgroup_input(&db, mono_from_ms(ms), &msg, &rec, &fx);
}

static struct mgroup *find(unsigned number)
{
	struct addr g = gm_group(fam, 1);

	g.b[13] = (uint8_t)(number >> 16);
	g.b[14] = (uint8_t)(number >> 8);
	g.b[15] = (uint8_t)number;
	return mgroup_find(&db, &g);
}

static bool has(unsigned number)
{
	const struct mgroup *g = find(number);

	return g && !g->leaving;
}

static unsigned n_noted(enum note note)
{
	unsigned n = 0;

	effects_for_each (&fx, e)
		n += e->type == EFFECT_NOTE && e->note.note == note;
	return n;
}

static void with_limits(uint32_t max_groups, uint32_t per_host)
{
	struct mgroup_params p = {.gm = gm_params_default,
		.max_groups = max_groups,
		.max_groups_per_host = per_host};

	setup_db(&p);
}

/* A port of a small machine: the limits follow from memory, not from the file. */
static void r082_small_memory(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_limits(0, 0);
		assert_int_equal(mgroup_max_groups(&db), 0);
		mgroup_set_memory(&db, 1 << 20);
		assert_int_equal(mgroup_max_groups(&db), 455);
		assert_int_equal(db.max_addr, 4096);
		for (unsigned i = 0; i < 600; i++)
			from_station(T0, 7, 7, 1 + i, 0);
		assert_int_equal(db.groups.n, 455);
		assert_int_equal(n_noted(NOTE_GROUP_MEMORY), 1);
		db.params.max_groups = 16384;
		assert_int_equal(mgroup_max_groups(&db), 455);
		/* the file sets a lower limit */
		db.params.max_groups = 100;
		assert_int_equal(mgroup_max_groups(&db), 100);
		/* enough memory, or an unknown amount */
		db.params.max_groups = 16384;
		mgroup_set_memory(&db, UINT64_C(1) << 40);
		assert_int_equal(mgroup_max_groups(&db), 16384);
		assert_int_equal(db.max_addr, MGROUP_MAX_ADDRESSES);
		mgroup_set_memory(&db, 0);
		assert_int_equal(mgroup_max_groups(&db), 16384);
		teardown_db();
	}
}

/* F5: 64 made-up hosts that share the table hold no more than one greedy host may. A
 * host with a few groups still gets another one, even if a stranger joined some in its
 * name. */
static void f5_full_table_of_many_large_owners(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_limits(4096, 0);
		for (unsigned i = 0; i < 6; i++)
			from_station(T0, 500, 500, 10000 + i, 0);
		for (unsigned i = 0; i < 6; i++) /* a stranger in the name of 501 */
			from_station(T0, 501, 502, 11000 + i, 0);
		for (unsigned i = 0; db.groups.n < 4096; i++)
			from_station(T0, 1000 + i / 64, 1000 + i / 64, i, 0);
		assert_int_equal(from_station(T1, 500, 500, 12000, 0), 1);
		assert_true(has(12000));
		assert_int_equal(n_noted(NOTE_GROUP_EVICTED), 1);
		assert_int_equal(from_station(T1, 501, 501, 12001, 0), 1);
		assert_true(has(12001));
		/* a host that holds as many as the others gets none */
		assert_int_equal(from_station(T1, 1000, 1000, 12002, 0), 0);
		assert_false(has(12002));
		teardown_db();
	}
}

/* F5: a host gains nothing by more addresses with one MAC address, or by more MAC
 * addresses with one address. */
static void f5_quota_counts_both_identities(void **state)
{
	FOR_BOTH_FAMILIES
	{
		for (unsigned by_station = 0; by_station < 2; by_station++) {
			with_limits(0, 10);
			for (unsigned i = 0; i < 30; i++)
				from_station(T0, by_station ? i : 1, by_station ? 1 : i,
					1 + i, 0);
			assert_int_equal(db.groups.n, 10);
			assert_int_equal(n_noted(NOTE_HOST_QUOTA), 1);
			assert_int_equal(db.struck.note, NOTE_HOST_QUOTA);
			assert_int_equal(gm_is_station(&db.struck.who), by_station);
			/* the neighbour is not affected */
			assert_int_equal(from_station(T0, 500, 500, 500, 0), 1);
			teardown_db();
		}
	}
}

/* F5: one host's groups fill the table. For each join of a neighbour the newest of them
 * ends, with a note. */
static void f5_full_table_takes_from_the_largest_owner(void **state)
{
	FOR_BOTH_FAMILIES
	{
		unsigned changes;

		with_limits(1000, 0);
		for (unsigned i = 0; i < 10; i++)
			from_station(T0, 7, 7, 1 + i, 0);
		for (unsigned i = 10; i < 1500; i++)
			from_station(T0, 66 + i % 2, 66, 1 + i, 0);
		assert_int_equal(db.groups.n, 1000);
		assert_int_equal(n_noted(NOTE_GROUP_LIMIT), 1);
		for (unsigned i = 0; i < 20; i++) {
			assert_int_equal(from_station(T0, 8, 8, 5000 + i, 0), 1);
			assert_int_equal(n_noted(NOTE_GROUP_EVICTED), 1);
		}
		assert_int_equal(db.n_evicted, 20);
		for (unsigned i = 0; i < 980; i++)
			assert_true(has(1 + i));
		for (unsigned i = 980; i < 1000; i++)
			assert_false(has(1 + i));
		changes = run_until(T0);
		assert_int_equal(changes, 20);
		assert_int_equal(db.groups.n, 1000);
		/* the host that holds most gets nothing */
		assert_int_equal(from_station(T0, 66, 66, 9000, 0), 0);
		teardown_db();
	}
}

/* F5: a join of a group that has just been displaced is a new join. */
static void f5_rejoin_of_a_group_that_leaves(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_limits(1000, 0);
		for (unsigned i = 0; i < 1000; i++)
			from_station(T0, 66, 66, 1 + i, 0);
		from_station(T0, 8, 8, 5000, 0);
		assert_false(has(1000));
		from_station(T0, 66, 66, 1000, 0);
		assert_false(has(1000));
		from_station(T0, 9, 9, 1000, 0);
		assert_true(has(1000));
		assert_int_equal(run_until(T0), 1); /* 999, which was displaced */
		assert_int_equal(db.groups.n, 1000);
		assert_int_equal(db.n_leaving, 0);
		teardown_db();
	}
}

/* F5: ten thousand made-up hosts join a group each. An earlier member stays, and a
 * newcomer is admitted. */
static void f5_made_up_hosts(void **state)
{
	FOR_BOTH_FAMILIES
	{
		unsigned n_in = 0, n_stay = 0;

		with_limits(2048, 1024);
		for (unsigned i = 0; i < 50; i++)
			from_station(T0, 1 + i, 1 + i, 1 + i, 0);
		for (unsigned i = 0; i < 10000; i++) {
			from_station(T0 + 1 + i, 1000 + i, 1000 + i, 100000 + i, 0);
			run_until(T0 + 1 + i);
			if (i < 5000 || i % 100)
				continue;
			n_in += from_station(T0 + 1 + i, 100 + i / 100, 100 + i / 100,
					200 + i / 100, 0) == 1;
			run_until(T0 + 1 + i);
		}
		for (unsigned i = 0; i < 50; i++)
			assert_true(has(1 + i));
		assert_int_equal(n_in, 50);
		for (unsigned i = 5000; i < 10000; i += 100)
			n_stay += has(200 + i / 100);
		print_message("%u of 50 newcomers are still there\n", n_stay);
		assert_int_equal(db.groups.n, 2048);
		teardown_db();
	}
}

/* F5: a small limit counts streams, so a third one has to wait. */
static void f5_small_table_keeps_its_groups(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_limits(2, 0);
		assert_int_equal(from_station(T0, 1, 1, 1, 0), 1);
		assert_int_equal(from_station(T0, 1, 1, 2, 0), 1);
		assert_int_equal(from_station(T0, 2, 2, 3, 0), 0);
		assert_int_equal(n_noted(NOTE_GROUP_LIMIT), 1);
		assert_true(has(1) && has(2));
		teardown_db();
	}
}

/* F7: one host gets an eighth of the addresses. More are refused with that reason. */
static void f7_share_of_a_host(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_limits(0, 0);
		db.max_addr = 16000;
		for (unsigned i = 0; i < 100; i++)
			from_station(T0, 66, 66, 1 + i, 100);
		assert_in_range(db.n_addr, 1900, 2400);
		assert_int_equal(db.struck.note, NOTE_ADDRESS_SHARE);
		assert_int_equal(from_station(T0, 8, 8, 5000, 3), 1);
		assert_int_equal(fx.v[0].note.note, NOTE_GROUP_NEW);
		teardown_db();
	}
}

/* F7: many made-up hosts fill the pool, and a newcomer's (S,G) is still admitted. */
static void f7_full_pool_makes_room(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_limits(0, 0);
		db.max_addr = 80000;
		from_station(T0, 7, 7, 7, 3);
		for (unsigned i = 0; i < 600; i++) {
			from_station(T0 + 1 + i, 1000 + i, 1000 + i, 1000 + i, 100);
			run_until(T0 + 1 + i);
		}
		assert_true(db.n_addr <= db.max_addr);
		assert_true(db.n_addr > 79000);
		for (unsigned i = 0; i < 20; i++) {
			assert_int_equal(
				from_station(T0 + 700, 8 + i, 8 + i, 5000 + i, 3), 1);
			run_until(T0 + 700);
			assert_true(has(5000 + i));
		}
		assert_true(has(7));
		assert_int_not_equal(db.n_evicted, 0);
		teardown_db();
	}
}

/* F7: sources that a stranger adds to a neighbour's group are not charged to the
 * neighbour. */
static void f7_strangers_do_not_charge_a_neighbour(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_limits(0, 0);
		from_station(T0, 7, 7, 7, 3);
		for (unsigned i = 0; i < 5; i++)
			from_station(T0, 100 + i, 100 + i, 7, 200);
		assert_int_equal(db.n_addr, 200 + 6 + 3 + 5 * 200);
		mgroup_drop(&db, find(7));
		assert_int_equal(db.n_addr, 0);
		assert_int_equal(db.owners.n, 0);
		teardown_db();
	}
}

/* The note names the limit that was met. */
static void f7_the_right_reason(void **state)
{
	FOR_BOTH_FAMILIES
	{
		char text[200] = "";

		with_limits(0, 0);
		mgroup_struck_format(&db.struck, text, sizeof(text));
		assert_string_equal(text, "");
		db.max_addr = 20;
		from_station(T0, 7, 7, 7, 50);
		from_station(T0, 8, 8, 8, 1);
		assert_int_equal(db.struck.note, NOTE_ADDRESS_LIMIT);
		assert_int_equal(db.struck.limit, 20);
		mgroup_struck_format(&db.struck, text, sizeof(text));
		assert_non_null(strstr(text, "the limit of all addresses (20)"));
		teardown_db();
	}
}

/* ---- groups that were left ---- */

static void leave(int64_t ms, unsigned host, unsigned number)
{
	struct gm_record rec = {.type = GM_TO_IN, .group = gm_group(fam, 1)};
	struct gm_msg msg = {.version = GM_V3,
		.from = gm_host(fam, 1),
		.mac = {{2, 0, 0, 0, (uint8_t)(host >> 8), (uint8_t)host}}};

	rec.group.b[13] = (uint8_t)(number >> 16);
	rec.group.b[14] = (uint8_t)(number >> 8);
	rec.group.b[15] = (uint8_t)number;
	msg.from.b[14] = (uint8_t)(host >> 8);
	msg.from.b[15] = (uint8_t)host;
	effects_clear(&fx);
	mgroup_begin(&db, mono_from_ms(ms));
	mgroup_input(&db, mono_from_ms(ms), &msg, &rec, &fx);
}

/* A host that zaps faster than the router can query gets each new channel, although
 * channels that it has left fill its quota or the table. */
static void r082_host_that_zaps_replaces_its_own(void **state)
{
	FOR_BOTH_FAMILIES
	{
		for (unsigned table = 0; table < 2; table++) {
			with_limits(table ? 3 : 0, table ? 0 : 3);
			for (unsigned i = 1; i <= 40; i++) {
				assert_int_equal(from_station(T0 + i, 7, 7, i, 0), 1);
				assert_int_equal(n_noted(NOTE_GROUP_EVICTED), 0);
				leave(T0 + i, 7, i);
			}
			assert_int_equal(db.n_refused, 0);
			assert_true(db.groups.n - db.n_leaving <= 3);
			run_until(T0 + 40);
			assert_true(has(40));
			/* the queries for those that remain follow */
			run_until(T0 + 60000);
			assert_int_equal(db.groups.n, 0);
			teardown_db();
		}
	}
}

/* A host's leave does not end a group that others watch, and a group that the host has
 * not left does not end. */
static void r082_room_is_not_made_of_what_others_watch(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_limits(0, 2);
		from_station(T0, 7, 7, 1, 0);
		from_station(T0, 7, 7, 2, 0);
		from_station(T0, 8, 8, 2, 0);
		leave(T0, 7, 2);
		assert_int_equal(from_station(T0, 7, 7, 3, 0), 0);
		assert_int_equal(n_noted(NOTE_HOST_QUOTA), 1);
		assert_true(has(1) && has(2));
		leave(T0, 8, 2);
		assert_int_equal(from_station(T0, 7, 7, 3, 0), 1);
		assert_true(has(1) && has(3) && !has(2));
		teardown_db();
	}
}

/* ---- sources of one group ---- */

/* ALLOW of n sources, numbered from `first` on. */
static void allow(int64_t ms, unsigned station, unsigned first, unsigned n)
{
	struct addr src[360];
	struct gm_record rec = {
		.type = GM_ALLOW, .group = gm_group(fam, 1), .src = src, .n_src = n};
	struct gm_msg msg = {.version = GM_V3,
		.from = gm_host(fam, 1),
		.mac = {{2, 0, 0, 0, (uint8_t)(station >> 8), (uint8_t)station}}};

	msg.from.b[14] = (uint8_t)(station >> 8);
	msg.from.b[15] = (uint8_t)station;
	for (unsigned i = 0; i < n; i++) {
		src[i] = gm_source(fam, '1');
		src[i].b[13] = (uint8_t)((first + i) >> 16);
		src[i].b[14] = (uint8_t)((first + i) >> 8);
		src[i].b[15] = (uint8_t)(first + i);
	}
	effects_clear(&fx);
	mgroup_begin(&db, mono_from_ms(ms));
	mgroup_input(&db, mono_from_ms(ms), &msg, &rec, &fx);
}

/* Number of sources, out of n from `first` on, that are forwarded by name. */
static unsigned n_there(unsigned first, unsigned n)
{
	const struct mgroup *g = group();
	unsigned there = 0;

	for (size_t i = 0; g && i < g->n_src; i++) {
		const uint8_t *b = g->src[i].addr.b;
		unsigned number = b[13] * 65536u + b[14] * 256u + b[15];

		there += number >= first && number < first + n;
	}
	return there;
}

static void with_sources(uint32_t max_sources)
{
	struct mgroup_params p = {.gm = gm_params_default, .max_sources = max_sources};

	setup_db(&p);
}

/* Three hosts fill max-sources of a group. Twenty others get the four sources that each
 * of them wants, and keep them whatever the three repeat. */
static void f5_host_with_few_sources_gets_some(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_sources(1024);
		for (unsigned i = 0; i < 3; i++)
			allow(T0, 66 + i, 1000 + 360 * i, 360);
		assert_int_equal(group()->n_src, 1024);
		for (unsigned i = 0; i < 20; i++) {
			allow(T0 + i, 100 + i, 5000 + 4 * i, 4);
			assert_int_equal(n_noted(NOTE_SOURCE_EVICTED), 4);
			assert_int_equal(n_noted(NOTE_SOURCE_LIMIT), 0);
		}
		assert_int_equal(n_there(5000, 80), 80);
		/* the third host found no room */
		assert_int_equal(db.n_refused, 3 * 360 - 1024 - 4);
		for (unsigned i = 0; i < 300; i++)
			allow(T1 + i, 66 + i % 3, 1000 + 360 * (i % 3), 360);
		assert_int_equal(group()->n_src, 1024);
		assert_true(n_there(5000, 80) >= 78);
		teardown_db();
	}
}

/* A thousand made-up hosts fill the limit with a source each. An earlier member stays,
 * and a newcomer is admitted. */
static void f5_sources_of_made_up_hosts(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_sources(1024);
		allow(T0, 7, 100, 4);
		for (unsigned i = 0; i < 5000; i++)
			allow(T1 + 10 * i, 1000 + i, 10000 + i, 1);
		assert_int_equal(n_there(100, 4), 4);
		allow(T1 + 60000, 8, 200, 4);
		assert_int_equal(n_there(200, 4), 4);
		assert_int_equal(n_there(100, 4), 4);
		assert_int_equal(group()->n_src, 1024);
		teardown_db();
	}
}

/* A host that fills the group gets no more at the expense of others, and a source that
 * is already there displaces none. A source that others also name is not charged to the
 * host. */
static void f5_host_with_most_sources_gets_no_more(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_sources(128);
		allow(T0, 7, 100, 2);
		allow(T1, 66, 1000, 200);
		assert_int_equal(n_there(1000, 126), 126);
		allow(T1, 66, 2000, 50);
		assert_int_equal(n_there(2000, 50), 0);
		assert_int_equal(n_noted(NOTE_SOURCE_LIMIT), 50);
		assert_int_equal(n_there(100, 2), 2);
		/* a neighbour also wants a source of the stranger */
		allow(T1, 9, 1000, 1);
		for (unsigned i = 0; i < 30; i++)
			allow(T1 + i, 100 + i, 5000 + i, 1);
		assert_int_equal(n_there(5000, 30), 30);
		assert_int_equal(n_there(1000, 1), 1);
		teardown_db();
	}
}

/* The sources that a host names have no effect while another host wants all sources.
 * They must still be there when that host has left. */
static void f5_sources_in_exclude_mode(void **state)
{
	FOR_BOTH_FAMILIES
	{
		with_sources(128);
		allow(T0, 66, 1000, 200);
		send_at(T0, GM_V3, 9, GM_IS_EX, "");
		allow(T0, 66, 1000, 200);
		assert_int_equal(group()->n_src, 128);
		allow(T1, 7, 100, 4);
		assert_int_equal(n_there(100, 4), 4);
		assert_int_equal(group()->n_src, 128);
		assert_int_equal(group()->n_blocked, 0);
		teardown_db();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r082_limits_refuse_and_count),
		cmocka_unit_test(r082_one_host_leaves_room),
		cmocka_unit_test(r082_host_names_sources_for_ever),
		cmocka_unit_test(r082_small_memory),
		cmocka_unit_test(r082_addresses_of_a_port),
		cmocka_unit_test(f5_quota_counts_both_identities),
		cmocka_unit_test(f5_full_table_takes_from_the_largest_owner),
		cmocka_unit_test(f5_rejoin_of_a_group_that_leaves),
		cmocka_unit_test(f5_made_up_hosts),
		cmocka_unit_test(f5_small_table_keeps_its_groups),
		cmocka_unit_test(f7_share_of_a_host),
		cmocka_unit_test(f5_full_table_of_many_large_owners),
		cmocka_unit_test(f7_full_pool_makes_room),
		cmocka_unit_test(f7_strangers_do_not_charge_a_neighbour),
		cmocka_unit_test(f7_the_right_reason),
		cmocka_unit_test(r082_host_that_zaps_replaces_its_own),
		cmocka_unit_test(r082_room_is_not_made_of_what_others_watch),
		cmocka_unit_test(f5_host_with_few_sources_gets_some),
		cmocka_unit_test(f5_sources_of_made_up_hosts),
		cmocka_unit_test(f5_host_with_most_sources_gets_no_more),
		cmocka_unit_test(f5_sources_in_exclude_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
