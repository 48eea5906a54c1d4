/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The data plane as control sees it: threads, receive rings and transmit sockets. All
 * functions must be called by the control thread. It opens sockets there, hands them to
 * the worker threads with the port plan, and frees them after a grace period.
 * dataplane_apply() needs CAP_NET_RAW if it opens something.
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
	DATAPLANE_TX_IO_URING, /* fail if the kernel refuses it */
};

enum dataplane_latency {
	DATAPLANE_LATENCY_LOW = 1, /* send each frame at once */
	DATAPLANE_LATENCY_BALANCED,
	DATAPLANE_LATENCY_THROUGHPUT,
	DATAPLANE_LATENCY_AUTO, /* see collect.h */
};

struct dataplane_config {
	/* 0 means cpus_threads(). If frames cannot be spread, there is always 1
	 * thread. */
	unsigned threads;
	const unsigned *cpu; /* the processors that the threads stay on, in turn */
	size_t n_cpu;	     /* 0 means any processor */
	uint32_t ring_size; /* bytes of each receive ring; less if the kernel refuses */
	enum dataplane_transmit transmit;
	enum coalesce_mode coalesce; /* 0 means COALESCE_ON */
	enum quality_mode quality;   /* 0 means QUALITY_MODE_AUTO */
	uint64_t memory;	     /* bytes of the machine; 0 means unknown */
	enum dataplane_latency latency;
	uint32_t collect_ms;  /* the bound of DATAPLANE_LATENCY_AUTO; 0 means default */
	bool receive_offload; /* receive super-frames if the kernel can describe them */
	uint64_t seed;
};

struct dataplane;

/* Starts the threads. Registers the calling thread with urcu-qsbr. Returns 0, -ENOMEM,
 * -EOPNOTSUPP if io_uring is required and refused, or -errno of thread creation. */
int dataplane_new(const struct dataplane_config *cfg, struct dataplane **ret);
/* Stops and joins the threads, and closes everything. */
struct dataplane *dataplane_free(struct dataplane *dp);

struct fib *dataplane_fib(struct dataplane *dp); /* borrowed */

/* Opens and closes ports according to `plan` and publishes it. Always takes the plan.
 * The sockets of ports whose ifindex, role and family did not change are kept, so none
 * of their frames is lost. A port that cannot be opened is left out, and the others
 * work; see dataplane_port_error(). Returns 0 or -ENOMEM. */
int dataplane_apply(struct dataplane *dp, struct plan *plan);
/* Returns the errno of a port that could not be opened, or 0. */
int dataplane_port_error(const struct dataplane *dp, unsigned port);
/* Returns the bytes of the port's smallest receive ring if it is smaller than it should
 * be, or 0. */
size_t dataplane_short_ring(const struct dataplane *dp, unsigned port);

/* Returns how the threads send at present: "sendmmsg", "io_uring", or "io_uring and
 * sendmmsg". *ret_why, unless `ret_why` is NULL, is the reason for that, or "". Both
 * are static. */
const char *dataplane_transmit(const struct dataplane *dp, const char **ret_why);
/* Returns the method of one port, with "super-frames, " before it if the port takes
 * them. */
const char *dataplane_port_transmit(const struct dataplane *dp, unsigned port);
/* Returns "tpacket_v3" or "tpacket_v2". *ret_why says which wishes were refused, or is
 * "". */
const char *dataplane_receive(const struct dataplane *dp, const char **ret_why);
bool dataplane_receive_offload(const struct dataplane *dp); /* of super-frames */
unsigned dataplane_threads(const struct dataplane *dp);

/* Returns sums over the threads. Reads PACKET_STATISTICS, which the kernel resets with
 * each reading, so no other code may read it. */
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

/* Calls `fn` for the refusals of a group, or of all groups if `group` is NULL; see
 * forward.refusals. Several threads may have recorded the same refusal.
 * dataplane_n_refusals() counts all so far. If it has grown, there are new ones. */
void dataplane_refusals(struct dataplane *dp, const struct addr *group,
	void (*fn)(void *arg, const struct refusal *r), void *arg);
uint64_t dataplane_n_refusals(struct dataplane *dp);

/* Returns how well the datagrams of a group's streams could be joined: sums over the
 * threads, for one source, or for all sources if `source` is NULL. */
void dataplane_joined(struct dataplane *dp, const struct addr *group,
	const struct addr *source, struct joined_counts *ret);

/* Calls `fn` for each stream of a group, or of all groups if `group` is NULL, with its
 * quality. The streams are those that are forwarded now, or were a short time ago.
 * While frames come, a result is at most a second old. A second after the last frame it
 * is complete, and a longer silence is an outage. After dataplane_pause() all results
 * are complete. */
void dataplane_quality(struct dataplane *dp, const struct addr *group,
	void (*fn)(void *arg, const struct quality_view *v), void *arg);
/* Notes, under the number `mark`, when the first datagram, PAT and random access of the
 * group's streams come from now on. That includes streams that begin within
 * QUALITY_MARK_NS. `mark` must not be 0. */
void dataplane_quality_mark(
	struct dataplane *dp, const struct addr *group, uint32_t mark);
/* The group was taken out of the forwarding table. The pause that follows does not
 * count as a fault of its streams. */
void dataplane_quality_restart(struct dataplane *dp, const struct addr *group);
/* Returns sums over the threads. */
void dataplane_quality_stats(struct dataplane *dp, struct quality_watch_stats *ret);

/* Returns both sides of the conservation rule. The counters of finished work are read
 * before those of begun work, so running threads can only make the latter larger. */
void dataplane_sums(struct dataplane *dp, struct balance_sums *ret);

struct dataplane_thread_stats {
	int cpu;	 /* the processor that it stays on, or -1 if any */
	uint64_t cpu_ns; /* processor time that it has used */
	uint64_t count[_THREAD_COUNT_N];
	uint64_t copies; /* packets that it has sent to all ports */
	bool io_uring;	 /* how it sends at present; else by sendmmsg(2) */
	/* 1 while it waits for frames. If a thread is awake and THREAD_COUNT_TURNS does
	 * not grow, it hangs. */
	uint64_t asleep;
};
void dataplane_thread_stats(
	struct dataplane *dp, unsigned thread, struct dataplane_thread_stats *ret);

/* Copies received frames as `spec` says, or none if it is NULL. Takes `spec`. */
void dataplane_sample(struct dataplane *dp, struct sample_spec *spec);
/* Calls `fn` for the waiting copies, the oldest first, and frees them. Returns true if
 * there were so many that some are left. */
bool dataplane_samples(
	struct dataplane *dp, void (*fn)(void *arg, const struct sample *s), void *arg);
/* Returns how many copies were lost since the start, because a thread's ring was
 * full. */
uint64_t dataplane_samples_lost(struct dataplane *dp, unsigned want, unsigned port);
/* How long the oldest and the newest frame of each burst took until they were sent:
 * sums over the threads, in the buckets of latency.h. */
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
/* Is io_uring permitted, and has it not stopped working in any thread? */
bool dataplane_uring_works(const struct dataplane *dp);
/* Returns the bytes that wait in the transmit sockets of all threads, and their
 * limit. */
void dataplane_tx_queue(
	struct dataplane *dp, unsigned port, uint64_t *ret_used, uint64_t *ret_limit);

/* Call these before and after the control thread waits, because a sleeping thread must
 * not delay reclaim. */
void dataplane_control_sleep(void);
void dataplane_control_wake(void);

/* ---- live upgrade ---- */

/* Stops the threads at the end of their bursts. Frames then wait in the rings. Each
 * ring of TPACKET_V3 gets an additional ring, which holds more of a slow stream. */
void dataplane_pause(struct dataplane *dp);
/* Continues, first with the waiting frames, in their order. Returns 0 or -errno of a
 * thread. */
int dataplane_resume(struct dataplane *dp);

/* While the data plane is paused: calls `give` for each receive socket, which stays
 * owned by the data plane, and writes what belongs to the sockets. */
typedef void dataplane_give_fn(void *ctx, const char *name, int fd);
void dataplane_export(
	struct dataplane *dp, struct state_out *o, dataplane_give_fn *give, void *ctx);

/* Takes the sockets of the old process; call it before the first dataplane_apply(),
 * which uses those that fit the new configuration. `take` returns a descriptor, which
 * the data plane then owns, or -1. The data plane is paused afterwards, so
 * dataplane_resume() must be called; it closes the sockets that were not used. *ret_why
 * (static) says why no socket can fit, or is "". Returns 0, -ENOMEM, or -EINVAL if the
 * state is faulty. */
typedef int dataplane_take_fn(void *ctx, const char *name);
int dataplane_import(struct dataplane *dp, struct state_in *in, dataplane_take_fn *take,
	void *ctx, const char **ret_why);
unsigned dataplane_n_adopted(const struct dataplane *dp); /* sockets that were used */
