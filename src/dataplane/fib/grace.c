/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Grace periods, see grace.h. All callbacks of this program run in one thread,
 * liburcu's default one, in order: when the last one runs, all others are done.
 */

#include "dataplane/fib/grace.h"

#include "base/cleanup.h"
#include "dataplane/fib/tsan.h"

#include <semaphore.h>
#include <urcu-qsbr.h>

struct last {
	struct rcu_head rcu;
	sem_t done;
};

static void run_last(struct rcu_head *head)
{
	sem_post(&container_of(head, struct last, rcu)->done);
}

void grace_barrier(void)
{
	/* other threads that wait for a grace period also wait for this thread */
	bool online = rcu_read_ongoing();
	struct last last;

	sem_init(&last.done, 0, 0);
	tsan_let_go(); /* pairs with the reclaim functions */
	call_rcu(&last.rcu, run_last);
	if (online)
		rcu_thread_offline();
	while (sem_wait(&last.done) < 0)
		;
	if (online)
		rcu_thread_online();
	sem_destroy(&last.done);
}
