/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Where the faults of a stream come from, for one interval of about a second: before
 * this router, in it, or after it. The facts are what the data plane has measured of
 * the stream as it arrived, and what this router has dropped itself meanwhile. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

enum stream_place {
	STREAM_UNKNOWN,	 /* not wanted, or not looked at */
	STREAM_CLEAN,	 /* it arrives without faults, and leaves as it arrives */
	STREAM_PROVIDER, /* it arrives with faults, and nothing was lost here */
	STREAM_ROUTER,	 /* lost here, see enum stream_drop */
	STREAM_PERHAPS,	 /* no fault was seen, but the input's ring has lost frames of
			  * some stream */
	STREAM_BEYOND,	 /* clean, but a host asks for it again and again */
	_STREAM_PLACE_N,
};

/* What this router drops itself. The names of stream_drop_name() are those of "show
 * stats". */
enum stream_drop {
	STREAM_DROP_NONE,
	STREAM_DROP_RING,     /* the receive ring of the input was full */
	STREAM_DROP_SLOT,     /* a frame larger than a slot of the ring */
	STREAM_DROP_CHECKSUM, /* a partial checksum that cannot be completed */
	/* copies */
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
	bool wanted;	 /* some output gets it */
	bool looked;	 /* datagrams came, and what they say is known */
	uint64_t faults; /* of what arrived */
	bool outage;	 /* it flowed, and nothing has come for a second */
	bool ring;	 /* the ring of its input has lost frames of which some
					* may have been its own */
	uint64_t drops[_STREAM_DROP_N]; /* of its group, except those of the ring */
	bool asked;			/* a host asks for it again and again */
};

struct stream_verdict {
	enum stream_place place;
	enum stream_drop drop; /* of STREAM_ROUTER and STREAM_PERHAPS */
	bool provider, router; /* faults were there: both can be true */
	bool silent;	       /* the fault is that nothing came */
};

struct stream_verdict stream_verdict(const struct stream_second *s);

/* Static texts: "provider", ...; keys that never change. */
const char *stream_place_name(enum stream_place p);
/* "ring_drops", "tx_full", ...; "" for STREAM_DROP_NONE */
const char *stream_drop_name(enum stream_drop d);
/* What happened, as a part of a sentence: "the receive ring was full". And what to do
 * about it. */
const char *stream_drop_text(enum stream_drop d);
const char *stream_drop_advice(enum stream_drop d);
