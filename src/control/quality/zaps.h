/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Zaps: how long a host waits for a stream that it has asked for, and how long a stream
 * continues after a leave. For each zap the times of the report, of our own report to
 * the provider, of the first datagram, the first PAT and the first random access point;
 * for each LAN a histogram. Also, which hosts ask for the same group again and again,
 * which shows that they do not get it although it leaves here. Of fixed size. Times are
 * those of CLOCK_MONOTONIC. Pure.
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
#define ZAPS_WAIT_MS 10000 /* for the first datagram and the rest */

#define ZAPS_AGAIN    3 /* times, after the first one ... */
#define ZAPS_AGAIN_MS 600000
/* a report that follows the last one of its host more closely repeats it */
#define ZAPS_REPEAT_MS 2000

struct zap {
	struct addr group, host;
	uint8_t port; /* of the LAN */
	uint32_t mark;
	bool done;
	/* MONO_UNSET until it happens. `sent`: not necessary if the group was
	 * there already. */
	mono_t asked, sent, first, pat, random;
};

/* What a LAN waits for. */
enum zaps_wait {
	ZAPS_FIRST,  /* report heard to first datagram */
	ZAPS_RANDOM, /* report heard to first random access point */
	ZAPS_LEAVE,  /* leave heard to last datagram */
	_ZAPS_WAIT_N,
};

struct zaps_times {
	uint64_t n, missed; /* missed: nothing came within ZAPS_WAIT_MS; not in n */
	uint64_t sum_ms;
	uint64_t bucket[ZAPS_BUCKETS]; /* the last one has no upper bound */
};

struct zaps_asker {
	struct table_node node; /* by group */
	struct zaps_asker *newer, *older;
	struct addr group, host;
	uint8_t port;
	bool used;
	mono_t at[ZAPS_AGAIN + 1]; /* the last ones, the newest first */
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
		mono_t at; /* MONO_UNSET means free */
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

/* A host asks for a group on a LAN. `member`: it was a member before. `change`: the
 * report says that something has changed, so it does not answer a query. Returns the
 * mark of a zap that has begun, or 0. */
uint32_t zaps_ask(struct zaps *z, mono_t now, unsigned port, const struct addr *group,
	const struct addr *host, bool member, bool change);
/* The provider was asked for the group. */
void zaps_sent(struct zaps *z, mono_t now, const struct addr *group);
/* A view of a stream of that group. */
void zaps_see(struct zaps *z, const struct quality_view *v);
/* Is any zap of the group not finished? */
bool zaps_is_pending(const struct zaps *z, const struct addr *group);
/* Finishes those that have waited long enough. */
void zaps_tick(struct zaps *z, mono_t now);

/* A host has left; then the group has gone from the LAN, and `last` is when the last
 * datagram of the group arrived (MONO_UNSET if none has). In between zaps_is_leaving()
 * returns true. */
void zaps_leave(struct zaps *z, mono_t now, unsigned port, const struct addr *group,
	const struct addr *host);
bool zaps_is_leaving(const struct zaps *z, unsigned port, const struct addr *group);
void zaps_gone(struct zaps *z, mono_t now, unsigned port, const struct addr *group,
	mono_t last);

/* A host that has asked for the group again at least ZAPS_AGAIN times, or NULL. */
const struct zaps_asker *zaps_again(
	const struct zaps *z, mono_t now, const struct addr *group);

/* The zap `i` back from the last one, or NULL. */
const struct zap *zaps_recent(const struct zaps *z, size_t i);

/* As stream_log_export() and stream_log_import(); zaps that are not finished and hosts
 * are left out. */
void zaps_export(const struct zaps *z, struct state_out *o,
	const char *(*name)(void *ctx, unsigned port), void *ctx);
int zaps_import(struct zaps *z, mono_t now, struct state_in *in,
	int (*port)(void *ctx, const char *name), void *ctx);
