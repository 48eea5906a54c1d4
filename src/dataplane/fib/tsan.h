/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Thread sanitizer sees only what it has compiled itself. The ordering inside liburcu
 * (grace periods) is invisible to it, so the places that rely on it say so here. Each
 * use names its partner. Nothing without the sanitizer.
 */

#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif

#ifdef WITH_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#endif

static inline void tsan_acquire(void *addr)
{
#ifdef WITH_TSAN
	__tsan_acquire(addr);
#else
	(void)addr;
#endif
}

static inline void tsan_release(void *addr)
{
#ifdef WITH_TSAN
	__tsan_release(addr);
#else
	(void)addr;
#endif
}

/* The grace period as one sync object: readers and the writer release it before they
 * let go of shared memory, reclaim acquires it before it frees. */
extern char tsan_grace;

/* Call right before rcu_quiescent_state() or going offline. Pairs with
 * tsan_grace_over(). */
static inline void tsan_let_go(void)
{
	tsan_release(&tsan_grace);
}

/* Call first in a call_rcu() callback or after synchronize_rcu(). Pairs with
 * tsan_let_go(). */
static inline void tsan_grace_over(void)
{
	tsan_acquire(&tsan_grace);
}
