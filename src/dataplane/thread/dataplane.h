/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The data plane as control sees it: threads, receive rings and transmit sockets behind
 * a few calls, all from the control thread. Opens sockets in the control thread, hands
 * them to the worker threads with the port plan, frees them after a grace period.
 * CAP_NET_RAW is needed for dataplane_apply() when it opens something.
 */

#include "base/state.h"
#include "dataplane/fib/fib.h"
#include "dataplane/forward/balance.h"
#include "dataplane/forward/forward.h"
#include "dataplane/forward/plan.h"
#include "dataplane/io/sample.h"
#include "dataplane/packet/latency.h"
#include "dataplane/quality/quality_watch.h"

enum dataplane_transmit {
	DATAPLANE_TX_AUTO = 1,
	DATAPLANE_TX_SENDMMSG,
	DATAPLANE_TX_IO_URING, /* required: an error when the kernel refuses it */
};

enum dataplane_latency {
	DATAPLANE_LATENCY_LOW = 1, /* each frame at once */
	DATAPLANE_LATENCY_BALANCED,
	DATAPLANE_LATENCY_THROUGHPUT,
	DATAPLANE_LATENCY_AUTO, /* collect.h */
};

struct dataplane_config {
	/* 0 means a sensible number; always 1 if frames cannot be spread */
	unsigned threads;
	const unsigned *cpu; /* processors that the threads stay on, in turn */
	size_t n_cpu;	     /* 0 means any */
	uint32_t ring_size;  /* bytes of each receive ring; shrinks when refused */
	enum dataplane_transmit transmit;
	enum coalesce_mode coalesce; /* 0: COALESCE_ON */
	enum quality_mode quality;   /* 0: QUALITY_MODE_AUTO */
	uint64_t memory;	     /* of the machine, in bytes; 0 means unknown */
	enum dataplane_latency latency;
	uint32_t collect_ms;  /* the bound of DATAPLANE_LATENCY_AUTO; 0 means as
			       * shipped */
	bool receive_offload; /* super-frames, where the kernel can describe them */
	uint64_t seed;
};

struct dataplane;

/* Starts the threads. -ENOMEM, -errno of thread creation, -EOPNOTSUPP (io_uring
 * required and refused). The calling thread is registered with urcu-qsbr. */
int dataplane_new(const struct dataplane_config *cfg, struct dataplane **ret);
/* Stops and joins the threads, closes everything. */
struct dataplane *dataplane_free(struct dataplane *dp);

struct fib *dataplane_fib(struct dataplane *dp);

/* Opens and closes ports according to `plan` and publishes it; always takes ownership
 * of the plan. Sockets of ports whose ifindex, role and family did not change are kept,
 * so none of their frames is lost. A port that cannot be opened is left out, with its
 * errno in dataplane_port_error(); the others work. 0, -ENOMEM. */
int dataplane_apply(struct dataplane *dp, struct plan *plan);
int dataplane_port_error(const struct dataplane *dp, unsigned port); /* 0 means none */
/* The smallest of the port's receive rings that are smaller than they should be, in
 * bytes; 0 if none is. */
size_t dataplane_short_ring(const struct dataplane *dp, unsigned port);

/* "sendmmsg" or "io_uring"; *ret_why (may be NULL) gets the reason of a fallback or
 * "" */
const char *dataplane_transmit(const struct dataplane *dp, const char **ret_why);
/* The same for one port, with "super-frames, " before it if the port takes them. */
const char *dataplane_port_transmit(const struct dataplane *dp, unsigned port);
/* "tpacket_v3" or "tpacket_v2", *ret_why as above; do the rings describe super-
 * frames? */
const char *dataplane_receive(const struct dataplane *dp, const char **ret_why);
bool dataplane_receive_offload(const struct dataplane *dp);
unsigned dataplane_threads(const struct dataplane *dp);

/* Sum over threads. Reads PACKET_STATISTICS, so call it at least once a second or so
 * only from here: kernel counters reset on read. */
struct dataplane_port_stats {
	uint64_t count[_PORT_COUNT_N];
	uint64_t verdict[_VERDICT_N];
};
void dataplane_port_stats(
	struct dataplane *dp, unsigned port, struct dataplane_port_stats *ret);
struct dataplane_stats {
	uint64_t count[_THREAD_COUNT_N];
	uint64_t run_end[_JOINED_N];
	uint64_t local_packets, local_errors; /* given to programs of this host */
};
void dataplane_stats(struct dataplane *dp, struct dataplane_stats *ret);

/* Calls `fn` for the refusals of a group, or of all groups if it is NULL, see
 * forward_refusals(). Several threads may have recorded the same one.
 * dataplane_n_refusals() counts all so far, and so tells whether there are new ones. */
void dataplane_refusals(struct dataplane *dp, const struct addr *group,
	void (*fn)(void *arg, const struct refusal *r), void *arg);
uint64_t dataplane_n_refusals(struct dataplane *dp);

/* How well the datagrams of a group's streams could be joined, of one source or (NULL)
 * of all: sums over the threads. */
void dataplane_joined(struct dataplane *dp, const struct addr *group,
	const struct addr *source, struct joined_counts *ret);

/* The quality of the streams that are forwarded, or were not long ago: calls `fn` for
 * each stream of a group, or of all groups if it is NULL. While frames come, a result is
 * at most a second old; a second after the last frame it is complete, and a silence that
 * lasts is an outage. After dataplane_pause() everything is complete. */
void dataplane_quality(struct dataplane *dp, const struct addr *group,
	void (*fn)(void *arg, const struct quality_view *v), void *arg);
/* From now on, the first datagram, PAT and random access of the group's streams are noted
 * under the number `mark`, which is not 0; also those of streams that begin within
 * QUALITY_MARK_NS. */
void dataplane_quality_mark(
	struct dataplane *dp, const struct addr *group, uint32_t mark);
/* The group has just been taken out of the forwarding table: the pause that follows is no
 * fault of its streams. */
void dataplane_quality_restart(struct dataplane *dp, const struct addr *group);
/* Sums over threads. */
void dataplane_quality_stats(struct dataplane *dp, struct quality_watch_stats *ret);

/* Both sides of the conservation rule. The counters of finished work are read before
 * those of begun work, so running threads can only make the latter larger. */
void dataplane_sums(struct dataplane *dp, struct balance_sums *ret);

struct dataplane_thread_stats {
	int cpu; /* it stays there; -1 means any */
	uint64_t cpu_ns;
	uint64_t count[_THREAD_COUNT_N];
	uint64_t copies; /* sent, to all ports */
	/* it waits for frames; a thread that is awake and whose turns do not grow
	 * hangs */
	bool asleep;
};
void dataplane_thread_stats(
	struct dataplane *dp, unsigned thread, struct dataplane_thread_stats *ret);

/* Copies received frames as `spec` says; with NULL, as at the start, none. Takes
 * `spec`. */
void dataplane_sample(struct dataplane *dp, struct sample_spec *spec);
/* Hands over the waiting copies, the oldest first, and frees them. Returns true if some
 * are left because there were so many. */
bool dataplane_samples(
	struct dataplane *dp, void (*fn)(void *arg, const struct sample *s), void *arg);
/* lost because a thread's ring was full, since start */
uint64_t dataplane_samples_lost(struct dataplane *dp, unsigned want, unsigned port);
/* How long the oldest and the newest frame of each burst that was sent were on their
 * way; sums of all threads, buckets of latency.h. */
struct dataplane_delay {
	uint64_t bucket[LATENCY_BUCKETS], sum_ns;
};
void dataplane_delay(struct dataplane *dp, struct dataplane_delay *ret_oldest,
	struct dataplane_delay *ret_newest);

/* How full the queues of a port are. */
struct dataplane_queue {
	bool open;
	double used;	/* 0 to 1: part of the ring that waits for the thread */
	uint64_t bytes; /* of the whole ring */
};
void dataplane_ring_queue(struct dataplane *dp, unsigned port, enum family family,
	unsigned thread, struct dataplane_queue *ret);
/* Bytes that wait in the transmit sockets, all threads together. */
void dataplane_tx_queue(
	struct dataplane *dp, unsigned port, uint64_t *ret_used, uint64_t *ret_limit);

/* Call these before and after the control thread waits, because a sleeping thread must
 * not delay reclaim. */
void dataplane_control_sleep(void);
void dataplane_control_wake(void);

/* ---- live upgrade ---- */

/* Stops the threads at the end of their bursts. Frames then wait in the rings; rings of
 * TPACKET_V3 get an additional ring each that holds more of a slow stream. */
void dataplane_pause(struct dataplane *dp);
/* Continues, first with the waiting frames, in order. 0 or -errno of a thread. */
int dataplane_resume(struct dataplane *dp);

/* While paused: the receive sockets by name, borrowed, and what belongs to them. */
typedef void dataplane_give_fn(void *ctx, const char *name, int fd);
void dataplane_export(
	struct dataplane *dp, struct state_out *o, dataplane_give_fn *give, void *ctx);

/* Before the first dataplane_apply(): takes the sockets of the old process.
 * dataplane_apply() uses those that fit the new configuration; dataplane_resume()
 * closes the others and must always be called, because the data plane is now paused.
 * `take` returns a descriptor, which the data plane then owns, or -1. *ret_why (static)
 * says why no socket can fit, or is "". Returns 0, -ENOMEM, or -EINVAL if the state is
 * faulty. */
typedef int dataplane_take_fn(void *ctx, const char *name);
int dataplane_import(struct dataplane *dp, struct state_in *in, dataplane_take_fn *take,
	void *ctx, const char **ret_why);
unsigned dataplane_n_adopted(const struct dataplane *dp); /* sockets that were used */
