/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The hot path: one burst in, messages per output port out. Looks each flow up once,
 * checks source, group state and TTL, rewrites each frame once, hands every port its
 * copies in order of arrival. No lock, allocation, log or system call of its own;
 * sending goes through tx_ops, so that a test sees the octets. Pure.
 */

#include "dataplane/burst.h"
#include "dataplane/fib.h"
#include "dataplane/plan.h"

#include <sys/uio.h>

/* One copy: link header (absent on links without one) and packet, not contiguous. The
 * octets are valid until tx_ops.flush returns, the tx_msg itself until tx_ops.send
 * does. */
struct tx_msg {
	struct iovec iov[2];
	unsigned n_iov;
	enum family family; /* for links without a header: sll_protocol */
};

/* What happened to the copies handed over; added to, never reset. */
struct tx_result {
	uint64_t packets, bytes;    /* sent; bytes of IP packet */
	uint64_t error[_VERDICT_N]; /* by copy verdict */
};

struct tx_ops {
	/* Send or queue n copies on a port. Must not block. */
	void (*send)(void *ctx, unsigned port, const struct tx_msg *msg, unsigned n);
	/* Everything queued is handed to the kernel when this returns. */
	void (*flush)(void *ctx);
	void *ctx;
};

/* Counters of one data-plane thread: written by it with relaxed stores, summed by
 * control with relaxed loads. */
struct forward_port_counters {
	_Atomic uint64_t rx_packets, rx_bytes; /* source accepted on this input */
	_Atomic uint64_t tx_packets, tx_bytes; /* each fragment of a copy counts */
	_Atomic uint64_t drop[_VERDICT_N];     /* frame verdicts by input port, copy
						  verdicts     by output port */
};

struct forward_counters {
	_Atomic uint64_t frames; /* seen by forward_burst() or forward_drop() */
	_Atomic uint64_t bursts, blocks, block_timeouts, wakeups;
	struct forward_port_counters port[PORT_MAX];
};

struct forward;

int forward_new(unsigned thread, struct forward **ret);
struct forward *forward_free(struct forward *fw);
struct forward_counters *forward_counters(struct forward *fw);

/* Count a frame that did not get into a burst (ring or parser refused it). */
void forward_drop(struct forward *fw, unsigned port, enum verdict why);

/* Process and empty a burst. `plan` and `fib` are borrowed for the call. */
void forward_burst(struct forward *fw, struct burst *b, const struct plan *plan,
	struct fib *fib, const struct tx_ops *tx);

/* For tx implementations: account what a send did. */
void forward_count_tx(
	struct forward *fw, unsigned port, unsigned packets, uint64_t bytes);
void forward_count_tx_error(
	struct forward *fw, unsigned port, enum verdict why, unsigned n);
/* errno of a send -> copy verdict */
enum verdict forward_errno(int err);
