/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The hot path: one burst in, messages per output port out. Looks each flow up once,
 * checks source, group state and TTL, rewrites each frame once, joins runs, hands every
 * port its copies (copies.h). No lock, allocation, log or system call of its own;
 * sending goes through tx_ops, so that a test sees the octets. Pure.
 */

#include "dataplane/fib/fib.h"
#include "dataplane/forward/copies.h"

struct forward;

int forward_new(struct forward **ret);
struct forward *forward_free(struct forward *fw);
struct forward_counters *forward_counters(struct forward *fw);

/* Count a frame that did not get into a burst (ring or parser refused it), and remember
 * its group. */
void forward_drop(struct forward *fw, unsigned port, enum verdict why,
	const struct frame_meta *meta);
/* What was not forwarded, by port and verdict; of copies the port is that of the
 * output. Only frames of groups that could be forwarded, and none that nobody has asked
 * for. `at` is latency_stamp(). */
const struct refusals *forward_refusals(const struct forward *fw);

/* How well the datagrams of each stream could be joined; `at` is latency_stamp(). */
const struct joined *forward_joined(const struct forward *fw);

/* What may be joined, COALESCE_ON unless told otherwise. */
void forward_set_coalesce(struct forward *fw, enum coalesce_mode mode);

/* Who serves the ports of a burst, instead of forward_burst() itself. Returns when all
 * is sent, as copies_serve() for each port and copies_flush() would. */
typedef void forward_serve_fn(void *ctx, const struct copies_job *job,
	const struct portset *ports, struct copies *copies, const struct tx_ops *tx);
void forward_set_serve(struct forward *fw, forward_serve_fn *serve, void *ctx);
/* The thread's own, to help with another thread's ports. */
struct copies *forward_copies(struct forward *fw);

/* Process and empty a burst; returns how many copies were due. `plan` and `fib` are
 * borrowed for the call. */
uint64_t forward_burst(struct forward *fw, struct burst *b, const struct plan *plan,
	struct fib *fib, const struct tx_ops *tx);

/* Receive time stamps of the oldest and of the newest frame that the last burst sent;
 * false: it sent none. */
bool forward_stamps(
	const struct forward *fw, uint64_t *ret_oldest, uint64_t *ret_newest);

/* For tx implementations: account what a send did. */
void forward_count_tx(struct forward *fw, unsigned port, unsigned messages,
	unsigned packets, uint64_t bytes);
void forward_count_tx_error(
	struct forward *fw, unsigned port, enum verdict why, unsigned n);
/* errno of a send -> copy verdict */
enum verdict forward_errno(int err);
