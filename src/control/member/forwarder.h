/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Other forwarders of multicast to one downstream port, of one family. The evidence is
 * datagrams that arrive there from a foreign MAC address and belong to a stream that we
 * also send there, with at least half the bytes that we receive of it from elsewhere. A
 * host that sends a few datagrams into a stream of the provider is therefore no
 * forwarder.
 *
 * If two routers forward the same streams, one of them stops. They exchange no messages
 * about it; both apply these rules. If one of them is querier, the other one stops. If
 * a third router is querier, the one with the higher MAC address stops. A forwarder
 * that should continue stops if the other one does not stop within seconds. A forwarder
 * that has stopped resumes when it receives datagrams and the other one no longer
 * copies a quarter of them. A pause of the stream therefore changes nothing. Pure.
 */

#include "base/mono.h"
#include "base/state.h"
#include "control/proto/gm_msg.h"

#define FORWARDER_MAX	      4096 /* streams observed for a port and family */
#define FORWARDER_INTERVAL_MS 250  /* the time between two decisions about a stream */

/* It is not known how many datagrams of the stream we have received since the last
 * decision. */
#define FORWARDER_UNKNOWN UINT64_MAX

/* A stream that another station sends to the port now, or sent a moment ago. The
 * weight of frames is the number of their bytes without headers. */
struct forwarder_stream {
	struct addr group, source;
	struct gm_mac mac; /* the station that sends most copies */
	uint64_t votes;	   /* its lead over other senders in this interval, in bytes */
	bool standby;	   /* we leave the stream to that station */
	bool counted;	   /* `weight` is known */
	bool enough;	   /* it sends enough copies to be a forwarder */
	uint64_t weight;   /* weight of all that we had received at the last decision */
	/* Copies since the last decision: frames and their bytes. The bytes are needed
	 * because a super-frame contains several datagrams. */
	uint64_t copies, copies_bytes;
	/* These are sums over the last intervals, of what we received and of the
	 * copies, in parts of our mean frame. An older interval counts less. */
	uint64_t recent_ours, recent_copies;
	/* On standby, these are what we received and no copy covers, in the same unit;
	 * when that began; and when everything was covered last. */
	uint64_t missed;
	mono_t missed_at, covered;
	mono_t first; /* since then `enough` is true, without a long pause */
	mono_t last;  /* when the last copy came */
	mono_t since; /* when `standby` changed, or the entry began */
	/* how often the station came back soon after we had taken over */
	uint8_t returns;
};

struct forwarder {
	bool acts;		    /* if false, evidence is noted but never stops us */
	struct forwarder_stream *v; /* sorted by group and source */
	size_t n, cap;
	size_t n_standby;
	uint64_t n_refused; /* copies of streams for which there was no room */
};

/* What the decision depends on. */
struct forwarder_rank {
	bool querier;	       /* we are querier */
	struct gm_mac own;     /* of the port */
	struct gm_mac elected; /* of the querier, if it is another router */
};

enum forwarder_change {
	FORWARDER_SAME = 0,
	FORWARDER_STOPPED,   /* we leave the stream to the other forwarder */
	FORWARDER_RESUMED,   /* we forward the stream again */
	FORWARDER_FORGOTTEN, /* the entry is gone */
};

void forwarder_clear(struct forwarder *f); /* forgets all streams and frees memory */

/* A copy of a stream has arrived on the port: an IP packet of `bytes` bytes from the
 * station `mac`. Returns 1 if the stream is new, else 0; or -ENOSPC or -ENOMEM if the
 * stream cannot be observed. */
int forwarder_copy(struct forwarder *f, mono_t now, const struct addr *group,
	const struct addr *source, const struct gm_mac *mac, uint32_t bytes);

/* What we have received of a stream on other ports so far. */
struct forwarder_count {
	uint64_t packets; /* or FORWARDER_UNKNOWN */
	uint64_t bytes;	  /* of IP packets */
};

/* Decides about stream number i; call it every FORWARDER_INTERVAL_MS. forwarder_copy()
 * was called for one of 2^`sampling` copies. After FORWARDER_FORGOTTEN another stream
 * has the number i. */
enum forwarder_change forwarder_decide(struct forwarder *f, mono_t now, size_t i,
	const struct forwarder_count *ours, unsigned sampling,
	const struct forwarder_rank *rank);
/* Forgets a stream that no member on the port wants any more. */
void forwarder_forget(struct forwarder *f, size_t i);

/* The streams of a group, one after the other; *ret_n is 0 if there is none. */
const struct forwarder_stream *forwarder_of_group(
	const struct forwarder *f, const struct addr *group, size_t *ret_n);
/* Returns NULL if no other station sends the stream. */
const struct forwarder_stream *forwarder_find(
	const struct forwarder *f, const struct addr *group, const struct addr *source);
/* Do hosts get the stream twice, because both of us forward it? */
bool forwarder_is_double(const struct forwarder_stream *s, mono_t now);
size_t forwarder_n_double(const struct forwarder *f, mono_t now);

/* Writes and reads the streams for a live upgrade. forwarder_import() expects an empty
 * object and returns 0, -ENOMEM, or -EINVAL if the state is faulty. */
void forwarder_export(const struct forwarder *f, struct state_out *o);
int forwarder_import(struct forwarder *f, enum family family, struct state_in *in);
