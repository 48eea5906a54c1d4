/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Where the faults of a stream come from, for one interval of about a second: before
 * this router, in it, or after it. The facts are what the data plane has measured when
 * the stream arrived, and what this router itself has dropped meanwhile. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

enum stream_place {
	STREAM_UNKNOWN,	 /* the stream was not wanted, or not analysed */
	STREAM_CLEAN,	 /* it arrives without faults, and leaves as it arrives */
	STREAM_PROVIDER, /* it arrives with faults, and nothing was lost here */
	STREAM_ROUTER,	 /* this router has lost something: enum stream_drop */
	STREAM_PERHAPS,	 /* no fault was seen, but the input's ring has lost frames of
			  * some stream */
	STREAM_BEYOND,	 /* it is clean, but a host asks for it again and again */
	_STREAM_PLACE_N,
};

/* What this router drops itself. The names of stream_drop_name() are those of "show
 * stats". */
enum stream_drop {
	STREAM_DROP_NONE,
	STREAM_DROP_RING,     /* the receive ring of the input was full */
	STREAM_DROP_SLOT,     /* a frame larger than a slot of the ring */
	STREAM_DROP_CHECKSUM, /* a partial checksum that cannot be completed */
	/* the following are verdicts on copies, see dataplane/packet/verdict.h */
	STREAM_DROP_MTU, /* larger than the MTU of an output, with DF */
	STREAM_DROP_FRAGMENT,
	STREAM_DROP_DOWN, /* an output that is down */
	STREAM_DROP_FULL, /* the send buffer of an output was full */
	STREAM_DROP_QUEUE,
	STREAM_DROP_SIZE,
	STREAM_DROP_ERROR,
	_STREAM_DROP_N,
};

struct stream_second {
	bool wanted;	 /* some output gets the stream */
	bool looked;	 /* datagrams came and were analysed */
	uint64_t faults; /* faults of the datagrams that arrived */
	bool outage;	 /* the stream flowed, and nothing has come for a second */
	bool ring; /* the ring of its input has lost frames, perhaps of the stream */
	uint64_t drops[_STREAM_DROP_N]; /* drops of its group, except by the ring */
	bool asked;			/* a host asks for it again and again */
};

struct stream_verdict {
	enum stream_place place;
	enum stream_drop drop; /* the cause of STREAM_ROUTER and STREAM_PERHAPS */
	bool provider, router; /* faults happened there; both can be true */
	bool silent;	       /* the fault is that nothing came */
};

struct stream_verdict stream_verdict(const struct stream_second *s);

/* Returns "provider", ...: static keys that never change. */
const char *stream_place_name(enum stream_place p);
/* Returns "ring_drops", "tx_full", ..., or "" for STREAM_DROP_NONE; static. */
const char *stream_drop_name(enum stream_drop d);
/* What happened, as a part of a sentence ("the receive ring was full"), and what to do
 * about it. Static texts, or "" for STREAM_DROP_NONE. */
const char *stream_drop_text(enum stream_drop d);
const char *stream_drop_advice(enum stream_drop d);
