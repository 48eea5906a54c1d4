/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Sharing the ports of a burst among threads, see sharing.h. A worker with a burst
 * calls sharing_serve(), an idle one sharing_help().
 *
 * A job is open while the owner's slot points to it. A helper first registers
 * (`helpers`), then reads the job; the owner first closes the job, then waits until no
 * helper is registered. Both orders are sequentially consistent, so either the helper
 * finds the slot closed, or the owner waits for it.
 */

#include "dataplane/thread/sharing.h"

#include "base/sys/clock.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WORTH 512 /* copies below which waking a helper costs more than it gains */
#define SPINS 200 /* checks for the last helper before the processor is yielded */
#define PARTS 4	  /* of the work of each thread: how evenly it is spread */

struct slot {
	_Atomic(const struct replicate_job *) job; /* NULL means closed */
	_Atomic unsigned next;			   /* index into port[] */
	_Atomic unsigned helpers;
	struct sharing_trust trust; /* owner only */
	/* written by the owner while the slot is closed */
	unsigned n_ports, step;
	uint8_t port[PORT_MAX];
} __attribute__((aligned(64)));

struct sharing {
	unsigned n;
	_Atomic uint64_t asleep; /* bit per thread */
	int wake[SHARING_MAX];
	struct slot slot[];
};

int sharing_new(unsigned n_threads, struct sharing **ret)
{
	struct sharing *c;
	size_t size = sizeof(*c) + n_threads * sizeof(c->slot[0]);

	if (n_threads > SHARING_MAX)
		return -EINVAL;
	c = aligned_alloc(64, (size + 63) & ~(size_t)63);
	if (!c)
		return -ENOMEM;
	memset(c, 0, size);
	c->n = n_threads;
	for (unsigned i = 0; i < SHARING_MAX; i++)
		c->wake[i] = -1;
	*ret = c;
	return 0;
}

struct sharing *sharing_free(struct sharing *c)
{
	free(c);
	return NULL;
}

void sharing_set_wake(struct sharing *c, unsigned thread, int fd)
{
	c->wake[thread] = fd;
}

bool sharing_trust_ask(struct sharing_trust *t)
{
	if (t->alone == 0)
		return true;
	t->alone--;
	return false;
}

void sharing_trust_judge(struct sharing_trust *t, unsigned own, unsigned all,
	uint64_t own_ns, uint64_t all_ns)
{
	if (own == all || own == 0)
		return; /* no helper came, or nothing was left for the owner */
	/* own_ns * all / own: the time that the owner would have taken alone */
	if (all_ns * own <= own_ns * all)
		t->last = 0;
	else if (t->last < SHARING_ALONE_MAX)
		t->last = t->last ? 2 * t->last : 1;
	t->alone = t->last;
}

/* For the owner and helpers: serves ports until none is left. Returns their number. */
static unsigned take_ports(struct slot *s, const struct replicate_job *job,
	struct replicator *replicator, const struct tx_ops *tx)
{
	unsigned n = 0;

	for (;;) {
		/* this only decides which thread gets which port */
		unsigned i = atomic_fetch_add_explicit(
			&s->next, s->step, memory_order_relaxed);

		if (i >= s->n_ports)
			return n;
		for (unsigned k = 0; k < s->step && i + k < s->n_ports; k++, n++)
			replicate_serve(replicator, job, s->port[i + k], tx);
		/* queued messages are not yet sent, and other threads could serve the
		 * other ports */
		replicate_flush(replicator, tx);
	}
}

/* Wake up to n sleeping threads; each is woken once, even if several ask. */
static void wake_some(struct sharing *c, unsigned thread, unsigned n)
{
	uint64_t one = 1, asleep;

	asleep = atomic_load_explicit(&c->asleep, memory_order_relaxed);
	asleep &= ~(UINT64_C(1) << thread);
	for (; n > 0 && asleep; n--) {
		unsigned t = (unsigned)__builtin_ctzll(asleep);
		uint64_t bit = UINT64_C(1) << t;

		asleep &= ~bit;
		if (atomic_fetch_and_explicit(&c->asleep, ~bit, memory_order_relaxed) &
			bit)
			(void)!write(c->wake[t], &one, sizeof(one));
	}
}

static void wait_for_helpers(struct slot *s)
{
	unsigned n = 0;

	/* pairs with the release in sharing_help(): helpers are done with the job */
	while (atomic_load_explicit(&s->helpers, memory_order_seq_cst) > 0)
		if (++n > SPINS)
			sched_yield();
}

static uint64_t now_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_MONOTONIC);
}

static void list_job_ports(
	struct slot *s, const struct portset *ports, unsigned n_parts)
{
	s->n_ports = 0;
	portset_for_each (ports, i)
		s->port[s->n_ports++] = (uint8_t)i;
	s->step = s->n_ports / n_parts;
	if (s->step == 0)
		s->step = 1;
	atomic_store_explicit(&s->next, 0, memory_order_relaxed);
}

void sharing_serve(struct sharing *c, unsigned thread, const struct replicate_job *job,
	struct replicator *replicator, const struct tx_ops *tx)
{
	struct slot *s = &c->slot[thread];
	unsigned n = portset_count(&job->ports), own;
	uint64_t begin, served;

	if (c->n == 1 || n < 2 || n * job->burst->n_frames < WORTH ||
		!sharing_trust_ask(&s->trust)) {
		replicate_serve_all(replicator, job, tx);
		return;
	}
	list_job_ports(s, &job->ports, PARTS * c->n);
	begin = now_ns();
	/* pairs with the load in sharing_help(): ports and job are complete */
	atomic_store_explicit(&s->job, job, memory_order_seq_cst);
	wake_some(c, thread, n - 1 < c->n - 1 ? n - 1 : c->n - 1);
	own = take_ports(s, job, replicator, tx);
	served = now_ns();
	/* pairs with the load in sharing_help(): see the top of the file */
	atomic_store_explicit(&s->job, NULL, memory_order_seq_cst);
	wait_for_helpers(s);
	sharing_trust_judge(&s->trust, own, n, served - begin, now_ns() - begin);
}

static bool help(struct slot *s, const struct plan *plan, struct replicator *replicator,
	const struct tx_ops *tx)
{
	const struct replicate_job *job;
	bool mine;

	if (!atomic_load_explicit(&s->job, memory_order_relaxed))
		return false;
	/* pairs with the load in wait_for_helpers() */
	atomic_fetch_add_explicit(&s->helpers, 1, memory_order_seq_cst);
	/* pairs with the stores in sharing_serve() */
	job = atomic_load_explicit(&s->job, memory_order_seq_cst);
	mine = job && job->plan == plan &&
		atomic_load_explicit(&s->next, memory_order_relaxed) < s->n_ports;
	if (mine)
		take_ports(s, job, replicator, tx);
	/* pairs with the load in wait_for_helpers() */
	atomic_fetch_sub_explicit(&s->helpers, 1, memory_order_release);
	return mine;
}

bool sharing_help(struct sharing *c, unsigned thread, const struct plan *plan,
	struct replicator *replicator, const struct tx_ops *tx)
{
	bool any = false;

	for (unsigned i = 1; i < c->n; i++)
		any |= help(&c->slot[(thread + i) % c->n], plan, replicator, tx);
	return any;
}

static bool something_open(struct sharing *c, unsigned thread)
{
	for (unsigned i = 1; i < c->n; i++) {
		struct slot *s = &c->slot[(thread + i) % c->n];

		if (atomic_load_explicit(&s->job, memory_order_relaxed) &&
			atomic_load_explicit(&s->next, memory_order_relaxed) == 0)
			return true;
	}
	return false;
}

bool sharing_sleep(struct sharing *c, unsigned thread)
{
	if (c->n == 1)
		return true;
	/* A job that is opened in between is missed; its owner serves it without us. */
	if (something_open(c, thread))
		return false;
	atomic_fetch_or_explicit(
		&c->asleep, UINT64_C(1) << thread, memory_order_relaxed);
	return true;
}

void sharing_awake(struct sharing *c, unsigned thread)
{
	if (c->n > 1)
		atomic_fetch_and_explicit(
			&c->asleep, ~(UINT64_C(1) << thread), memory_order_relaxed);
}
