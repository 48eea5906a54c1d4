/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The forwarding table compared with a plain array: entries set and deleted one by one,
 * in large numbers, and during a walk; single lookups and bursts; counters.
 */

#include "dataplane/fib/fib.h"
#include "dataplane/fib/grace.h"
#include "fuzz.h"

#include <urcu-qsbr.h>

#define N_GROUPS  256
#define N_SOURCES 4 /* number 0 means any source */
#define N_BURST	  20

static struct fib *fib;
static struct {
	uint8_t set; /* 0 means no entry */
	uint8_t packets;
} model[N_GROUPS][N_SOURCES];
static size_t n_model;

/* ---- replaces liburcu's call_rcu(), whose thread runs later ---- */

#define N_WAITING_MAX 4096

static struct {
	struct rcu_head *head;
	void (*fn)(struct rcu_head *head);
} waiting[N_WAITING_MAX];
static size_t n_waiting;

void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	fuzz_assert(n_waiting < N_WAITING_MAX);
	waiting[n_waiting].head = head;
	waiting[n_waiting++].fn = fn;
}

void grace_barrier(void)
{
	size_t n = n_waiting;

	for (size_t i = 0; i < n; i++)
		waiting[i].fn(waiting[i].head);
	memmove(waiting, waiting + n, (n_waiting - n) * sizeof(waiting[0]));
	n_waiting -= n;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	rcu_register_thread();
	return 0;
}

static struct addr group_of(unsigned g)
{
	if (g % 2)
		return ADDR_V4(239, 0, 0, (uint8_t)g);
	return (struct addr){{0xff, 0x0e, [15] = (uint8_t)g}};
}

static struct addr source_of(unsigned g, unsigned s)
{
	if (s == 0)
		return addr_any(g % 2 ? FAMILY_IPV4 : FAMILY_IPV6);
	if (g % 2)
		return ADDR_V4(10, 0, 0, (uint8_t)s);
	return (struct addr){{0x20, 0x01, [15] = (uint8_t)s}};
}

/* half of the sets are empty or equal, so that sets are shared */
static struct portset ports_of(unsigned set)
{
	return (struct portset){{set & 0x7f, set & 0x80 ? set : 0, 0, 0}};
}

static void set(unsigned g, unsigned s, uint8_t to)
{
	struct addr group = group_of(g), source = source_of(g, s);
	struct portset p = ports_of(to);

	if (to)
		fuzz_assert(fib_set(fib, 1, &source, &group, &p) == 0);
	else
		fib_del(fib, 1, &source, &group);
	n_model -= model[g][s].set != 0;
	n_model += to != 0;
	/* the counter of a new entry begins at 0 */
	if (!to || !model[g][s].set)
		model[g][s].packets = 0;
	model[g][s].set = to;
	fuzz_assert(fib_size(fib) == n_model);
}

static void check(unsigned g, unsigned s, struct fib_entry *e,
	const struct fib_outset *out, bool count)
{
	struct addr source = source_of(g, s);
	unsigned entry = model[g][s].set ? s : 0;
	struct portset p = ports_of(model[g][entry].set);

	fuzz_assert(!e == !model[g][entry].set);
	if (!e)
		return;
	fuzz_assert(portset_eq(&out->ports, &p) && out->n_ports == portset_count(&p));
	if (count && model[g][entry].packets < UINT8_MAX) {
		fib_count(fib, e, 1, 100, &source, 3, 0);
		model[g][entry].packets++;
	}
}

static void look_up(unsigned g, unsigned s)
{
	struct addr group = group_of(g), source = source_of(g, s);
	const struct fib_outset *out = NULL;
	struct fib_entry *e = fib_lookup(fib, 1, &source, &group, &out);

	check(g, s, e, out, true);
	/* other families share neither groups nor addresses */
	fuzz_assert(!fib_lookup(fib, 2, &source, &group, &out));
}

static void look_up_many(unsigned first, unsigned n)
{
	struct addr group[N_BURST], source[N_BURST];
	struct fib_query q[N_BURST] = {0};

	for (unsigned i = 0; i < n; i++) {
		unsigned g = (first + 7 * i) % N_GROUPS, s = 1 + i % (N_SOURCES - 1);

		group[i] = group_of(g);
		source[i] = source_of(g, s);
		q[i] = (struct fib_query){
			.source = &source[i], .group = &group[i], .instance = 1};
	}
	fib_lookup_burst(fib, q, n);
	for (unsigned i = 0; i < n; i++)
		check((first + 7 * i) % N_GROUPS, 1 + i % (N_SOURCES - 1), q[i].entry,
			q[i].out, false);
}

struct walk {
	size_t n;
	unsigned delete_at; /* 0 if nothing is deleted */
};

static void check_view(const struct fib_view *v, void *arg)
{
	struct walk *w = arg;
	unsigned g = v->group.b[15];
	unsigned s = addr_is_any(&v->source) ? 0 : v->source.b[15];
	struct portset p = ports_of(model[g][s].set);

	w->n++;
	fuzz_assert(s < N_SOURCES && model[g][s].set);
	fuzz_assert(v->instance == 1 && portset_eq(&v->out, &p));
	fuzz_assert(v->packets == model[g][s].packets && v->bytes == 100 * v->packets);
	fuzz_assert(v->seen == (v->packets > 0));
	fuzz_assert(!v->seen || v->last_port == 3);
	if (w->delete_at && g % w->delete_at == 0)
		set(g, s, 0);
}

static void walk(unsigned delete_at)
{
	struct walk w = {0, delete_at};
	size_t before = n_model;

	fib_walk(fib, check_view, &w);
	fuzz_assert(w.n == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);

	memset(model, 0, sizeof(model));
	n_model = 0;
	fuzz_assert(fib_new(1, rd_u8(&r), &fib) == 0);
	while (fuzz_more(&r)) {
		unsigned op = rd_u8(&r), g = rd_u8(&r), s = op / 8 % N_SOURCES;

		switch (op % 8) {
		case 0:
		case 1:
			set(g, s, rd_u8(&r));
			break;
		case 2:
			for (unsigned i = 0; i < op / 4; i++)
				set((g + i) % N_GROUPS, (s + i) % N_SOURCES,
					(uint8_t)(i + 1));
			break;
		case 3:
			for (unsigned i = 0; i < op / 4; i++)
				set((g + i) % N_GROUPS, s, 0);
			break;
		case 4:
			look_up(g, 1 + s % (N_SOURCES - 1));
			break;
		case 5:
			look_up_many(g, op % (N_BURST + 1));
			break;
		case 6:
			walk(op & 8 ? 1 + g % 5 : 0);
			break;
		default:
			rcu_quiescent_state();
			grace_barrier();
			break;
		}
	}
	walk(0);
	fib = fib_free(fib);
	grace_barrier();
	fuzz_assert(n_waiting == 0);
	return 0;
}
