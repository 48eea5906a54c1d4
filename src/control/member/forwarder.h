/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Other forwarders of multicast to one downstream port, of one family. The evidence is
 * datagrams that arrive there from a foreign MAC address and belong to a stream that we
 * also send there, with at least half the bytes that we receive of it from elsewhere. A
 * host that sends a few datagrams into a stream of the provider is therefore no
 * forwarder.
 *
 * Of two forwarders, one stops without a conversation. It is the one that is not
 * querier; if a third router is querier, the one with the higher MAC address; and in
 * any case the one that sees the other not stop within seconds. It resumes when
 * datagrams come in and the other no longer copies three quarters of them, so a pause
 * of the stream changes nothing. Pure.
 */

#include "base/mono.h"
#include "base/state.h"
#include "control/proto/gm_msg.h"

#define FORWARDER_MAX	  4096 /* streams of a port and family; more are not looked at */
#define FORWARDER_TURN_MS 250  /* between two turns */

/* The number of datagrams from elsewhere is not known at this turn. */
#define FORWARDER_UNKNOWN UINT64_MAX

/* A stream that another station sends there now, or sent there a moment ago. */
struct forwarder_stream {
	struct addr group, source;
	struct gm_mac mac;     /* sender of most copies */
	uint64_t votes;	       /* for that sender since the last turn, in bytes */
	bool standby;	       /* we leave the stream to that station */
	bool counted;	       /* `weight` is known */
	bool enough;	       /* there were enough copies to take that station for a
			        * forwarder */
	uint64_t weight;       /* weight of what we had received at the last turn */
	uint64_t copies;       /* frames that came since the last turn, and ... */
	uint64_t copies_bytes; /* ... their bytes: a super-frame is several datagrams */
	/* weights of the last turns, older ones counting less: of what we received, and
	 * of the copies */
	uint64_t recent_ours, recent_copies;
	uint64_t missed;    /* weight of what we received without copies, on standby */
	mono_t missed_at;   /* time of the first of them */
	mono_t covered;	    /* last time that none was missed */
	mono_t first, last; /* `first`: enough copies without a long pause since
			     * then; `last`: time of the last copy */
	mono_t since;	    /* on standby, or not */
	uint8_t returns;    /* how often the other came back soon after we had taken
			     * over */
};

struct forwarder {
	bool acts;		    /* evidence stops us; otherwise it is only noted */
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
	FORWARDER_STOPPED,   /* the stream is left to the other */
	FORWARDER_RESUMED,   /* the stream is taken back */
	FORWARDER_FORGOTTEN, /* the entry is gone */
};

void forwarder_deinit(struct forwarder *f);
void forwarder_clear(struct forwarder *f); /* forget all streams */

/* A copy of a stream has arrived, an IP packet of `bytes`. Returns 1 if the stream is
 * new, else 0; -ENOSPC or -ENOMEM if it cannot be observed. */
int forwarder_copy(struct forwarder *f, mono_t now, const struct addr *group,
	const struct addr *source, const struct gm_mac *mac, uint32_t bytes);

/* What we have received of a stream from elsewhere so far. */
struct forwarder_count {
	uint64_t packets; /* or FORWARDER_UNKNOWN */
	uint64_t bytes;	  /* of IP packets */
};

/* A turn for stream number i. One of 2^`sampling` copies was looked at. After
 * FORWARDER_FORGOTTEN another stream has the number. */
enum forwarder_change forwarder_turn(struct forwarder *f, mono_t now, size_t i,
	const struct forwarder_count *ours, unsigned sampling,
	const struct forwarder_rank *rank);
/* No member wants the stream there any more. */
void forwarder_forget(struct forwarder *f, size_t i);

/* The streams of a group, one after the other; *ret_n is 0 if there is none. */
const struct forwarder_stream *forwarder_of_group(
	const struct forwarder *f, const struct addr *group, size_t *ret_n);
/* NULL if no other station sends it */
const struct forwarder_stream *forwarder_find(
	const struct forwarder *f, const struct addr *group, const struct addr *source);
/* Datagrams of it arrive twice, because both of us forward it. */
bool forwarder_is_double(const struct forwarder_stream *s, mono_t now);
size_t forwarder_n_double(const struct forwarder *f, mono_t now);

/* For the process that takes over. Returns 0, -ENOMEM, or -EINVAL if the state is
 * faulty. */
void forwarder_export(const struct forwarder *f, struct state_out *o);
int forwarder_import(struct forwarder *f, enum family family, struct state_in *in);
