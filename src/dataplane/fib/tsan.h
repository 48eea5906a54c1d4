/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Annotations for the thread sanitizer. It sees only code that it has compiled, so the
 * ordering inside liburcu (grace periods) is invisible to it. Code that relies on this
 * ordering says so with the functions below, and names their partner. They do nothing
 * without the sanitizer.
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

/* An object that represents the grace period: readers and the writer release it before
 * they let go of shared memory, and the code that frees the memory acquires it
 * first. */
extern char tsan_grace;

/* Call it immediately before rcu_quiescent_state() and before a thread becomes offline.
 * Pairs with tsan_grace_over(). */
static inline void tsan_let_go(void)
{
	tsan_release(&tsan_grace);
}

/* Call it first in a call_rcu() callback, and after synchronize_rcu(). Pairs with
 * tsan_let_go(). */
static inline void tsan_grace_over(void)
{
	tsan_acquire(&tsan_grace);
}
