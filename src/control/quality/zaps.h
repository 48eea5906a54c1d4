/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Zaps: how long a host waits for a stream that it has asked for, and how long a stream
 * continues after a leave. A zap has the times of the host's report, of our own report
 * to the provider, of the first datagram, the first PAT and the first random access
 * point. Each LAN has a histogram. This module also finds hosts that ask for the same
 * group again and again, which shows that they do not get it although we send it. The
 * memory has a fixed size. Times are those of CLOCK_MONOTONIC. Pure.
 */

#include "base/addr.h"
#include "base/mono.h"
#include "base/portset.h"
#include "base/state.h"
#include "base/table.h"
#include "dataplane/quality/quality_watch.h"

#define ZAPS_RECENT  256 /* zaps that are listed */
#define ZAPS_ASKERS  1024
#define ZAPS_LEAVES  64
#define ZAPS_BUCKETS 11
#define ZAPS_WAIT_MS 10000 /* a zap is finished after this time at the latest */

/* A host asks again and again if it asks this many more times within this time. */
#define ZAPS_AGAIN    3
#define ZAPS_AGAIN_MS 600000
/* If a member reports again within this time, it only repeats its report. */
#define ZAPS_REPEAT_MS 2000

struct zap {
	struct addr group, host;
	uint8_t port;  /* number of the LAN's port */
	uint32_t mark; /* see quality_watch_mark() */
	bool done;
	/* When each happened, or MONO_UNSET. `sent` stays unset if the group was
	 * already there, because then no report to the provider is necessary. */
	mono_t asked, sent, first, pat, random;
};

/* The times that a histogram has. */
enum zaps_wait {
	ZAPS_FIRST,  /* from the report to the first datagram */
	ZAPS_RANDOM, /* from the report to the first random access point */
	ZAPS_LEAVE,  /* from the leave to the last datagram */
	_ZAPS_WAIT_N,
};

struct zaps_times {
	/* `n` is the number of times. `missed`, not included in it, is how often
	 * nothing came within ZAPS_WAIT_MS. */
	uint64_t n, missed;
	uint64_t sum_ms;
	uint64_t bucket[ZAPS_BUCKETS]; /* the last one has no upper bound */
};

struct zaps_asker {
	struct table_node node; /* by group */
	struct zaps_asker *newer, *older;
	struct addr group, host;
	uint8_t port;
	bool used;
	mono_t at[ZAPS_AGAIN + 1]; /* when it last asked, the newest first */
};

struct zaps {
	struct table by_group;
	struct zaps_asker asker[ZAPS_ASKERS], *newest, *oldest;
	unsigned n_askers;
	struct zap recent[ZAPS_RECENT];
	uint64_t n; /* zaps so far; the last one is in recent[(n - 1) % ZAPS_RECENT] */
	unsigned n_pending;
	uint32_t mark;
	struct {
		struct addr group;
		uint8_t port;
		mono_t at; /* MONO_UNSET if the place is free */
	} leave[ZAPS_LEAVES];
	unsigned next_leave;
	struct zaps_times lan[PORT_MAX][_ZAPS_WAIT_N];
};

/* Upper bounds of the buckets in milliseconds, except the last. */
extern const uint32_t zaps_bound_ms[ZAPS_BUCKETS - 1];
const char *zaps_wait_name(enum zaps_wait w); /* "first", "random", "leave" */

/* All zero before zaps_init(). */
void zaps_init(struct zaps *z, uint64_t seed);
void zaps_deinit(struct zaps *z);

/* A host asks for a group on a LAN. `member` says that it was a member before. `change`
 * says that its report announces a change and is not the answer to a query. Returns the
 * mark of the zap that has begun, or 0 if none has. */
uint32_t zaps_ask(struct zaps *z, mono_t now, unsigned port, const struct addr *group,
	const struct addr *host, bool member, bool change);
/* Notes that the provider was asked for the group. */
void zaps_sent(struct zaps *z, mono_t now, const struct addr *group);
/* Takes a view of a stream, which may have the times of a zap. */
void zaps_see(struct zaps *z, const struct quality_view *v);
/* Is any zap of the group not finished? */
bool zaps_is_pending(const struct zaps *z, const struct addr *group);
/* Finishes the zaps that have waited for ZAPS_WAIT_MS. */
void zaps_tick(struct zaps *z, mono_t now);

/* Call zaps_leave() when a host has left a group on a LAN, and zaps_gone() when the
 * group is no longer forwarded there. `last` is when the last datagram of the group
 * arrived, or MONO_UNSET if none has. Between these calls zaps_is_leaving() returns
 * true. */
void zaps_leave(struct zaps *z, mono_t now, unsigned port, const struct addr *group,
	const struct addr *host);
bool zaps_is_leaving(const struct zaps *z, unsigned port, const struct addr *group);
void zaps_gone(struct zaps *z, mono_t now, unsigned port, const struct addr *group,
	mono_t last);

/* Returns a host that has asked for the group again at least ZAPS_AGAIN times, or
 * NULL. */
const struct zaps_asker *zaps_again(
	const struct zaps *z, mono_t now, const struct addr *group);

/* Returns the last zap for `i` 0, the one before it for 1, and so on, or NULL. */
const struct zap *zaps_recent(const struct zaps *z, size_t i);

/* Write and read zaps and histograms as stream_log_export() and stream_log_import() do.
 * Leave out unfinished zaps, and which hosts have asked. */
void zaps_export(const struct zaps *z, struct state_out *o,
	const char *(*name)(void *ctx, unsigned port), void *ctx);
int zaps_import(struct zaps *z, mono_t now, struct state_in *in,
	int (*port)(void *ctx, const char *name), void *ctx);
