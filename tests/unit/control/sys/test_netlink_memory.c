/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Memory runs out while the interfaces of this system are read. Whichever request
 * fails, the owner is told, and the next dump completes the table.
 */

#include "control/proxy/iface.h"
#include "control/sys/netlink.h"
#include "fail_alloc.h"
#include "test.h"

#define PATIENCE_MS 20000

struct fixture {
	struct loop *loop;
	struct netlink *netlink;
	struct iface_table table;
	mono_t deadline;
	unsigned n_spoilt;
};

static mono_t deadline(void *ctx)
{
	return ((struct fixture *)ctx)->deadline;
}

static void tick(void *ctx, mono_t now)
{
	fail_msg("no end of the dump");
}

static void spoilt(void *ctx)
{
	((struct fixture *)ctx)->n_spoilt++;
}

static void read_again(struct fixture *f)
{
	f->deadline = mono_add_ms(loop_now(f->loop), PATIENCE_MS);
	assert_int_equal(netlink_resync(f->netlink), 0);
	while (netlink_is_reading(f->netlink))
		assert_int_equal(loop_round(f->loop), 0);
}

static size_t count_addrs(const struct fixture *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->table.n; i++)
		n += f->table.v[i].n_addr;
	return n;
}

static void memory_runs_out(void **state)
{
	struct fixture f = {.deadline = MONO_NEVER};
	struct loop_ops ops = {.deadline = deadline, .tick = tick, .ctx = &f};
	struct netlink_ops nl_ops = {.spoilt = spoilt, .ctx = &f};
	size_t n_links, n_addrs;
	bool failed = true;

	assert_int_equal(loop_new(&ops, &f.loop), 0);
	for (long after = 0; failed; after++) {
		assert_int_equal(netlink_new(f.loop, &f.table, &nl_ops, &f.netlink), 0);
		n_links = f.table.n;
		n_addrs = count_addrs(&f);
		assert_true(n_links > 0);
		iface_table_deinit(&f.table); /* to an empty table all links are new */
		f.n_spoilt = 0;
		fail_alloc_after = after;
		read_again(&f);
		failed = fail_alloc_after == -1;
		fail_alloc_after = -1;
		assert_int_equal(f.n_spoilt > 0, failed);
		f.n_spoilt = 0;
		read_again(&f);
		assert_int_equal(f.n_spoilt, 0);
		assert_int_equal(f.table.n, n_links);
		assert_int_equal(count_addrs(&f), n_addrs);
		f.netlink = netlink_free(f.netlink);
		iface_table_deinit(&f.table);
	}
	loop_free(f.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(memory_runs_out)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
