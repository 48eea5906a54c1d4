/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Effects: the actions that the core wants, as an ordered list. The daemon executes the
 * list at the end of a round, and a test compares it. Arrays are copied into the list's
 * own memory. If there is no memory, an effect is dropped and counted in `lost`, and
 * the caller must ask the core for a resynchronisation.
 */

#include "base/portset.h"
#include "control/proto/gm_msg.h"

enum effect_type {
	EFFECT_QUERY = 1, /* send a query on a downstream */
	EFFECT_REPORT,	  /* send a report on an upstream */
	EFFECT_FIB_SET,	  /* forward this (S,G) or (*,G) to these ports */
	EFFECT_FIB_DEL,	  /* remove this forwarding entry */
	EFFECT_NOTE,	  /* tell something that an operator may want to read */
};

enum note {
	NOTE_QUERIER_WON = 1, /* we are querier on the port now */
	NOTE_QUERIER_LOST,    /* `peer` is querier on the port; if `value` is 1, we
			       * forward nothing there (R140) */
	NOTE_QUERIER_UNICAST, /* query by unicast ignored for election (R015) */
	NOTE_OLDER_QUERIER,   /* querier of version `value` heard: version mismatch */
	NOTE_GROUP_NEW,	      /* first member of a group on the port */
	NOTE_GROUP_GONE,      /* the last member has gone */
	NOTE_GROUP_LIMIT,     /* group refused: limit `value` */
	NOTE_SOURCE_LIMIT,    /* source refused: limit `value` */
	NOTE_HOST_QUOTA, /* group refused: its host, or station, has `value` already */
	NOTE_ADDRESS_LIMIT, /* source refused: the port has `value` addresses already */
	NOTE_ADDRESS_SHARE, /* source refused: its host has `value` already */
	NOTE_GROUP_EVICTED, /* a group of the largest holder, `peer`, ended */
	NOTE_HOST_LIMIT,    /* host not tracked: limit `value`; no fast leave */
	NOTE_GROUP_DENIED,  /* group refused by a filter or boundary */
	NOTE_SSM_REFUSED,   /* any-source join for an SSM group (R148, R149) */
	NOTE_SSM_QUERY,	    /* query of version `value` for an SSM group (R152) */
	NOTE_HOST_VERSION,  /* upstream speaks version `value` now */
	NOTE_REPORT_FOREIGN,	/* report from `peer`, in no subnet or altnet */
	NOTE_QUERIER_FOREIGN,	/* query from `peer`, in no subnet: not used */
	NOTE_OWN_FRAMES,	/* frames that we sent on port `value` arrived here */
	NOTE_FORWARDER_STOPPED, /* `mac` forwards the group there, so we stop */
	NOTE_FORWARDER_RESUMED, /* `mac` has stopped; we forward it again */
	NOTE_SOURCE_EVICTED,	/* a source was ended for one of `peer`: limit
				 * `value` */
	NOTE_GROUP_MEMORY,	/* group refused: the memory of the machine is
				 * enough for `value` */
	_NOTE_N,
};

/* "querier_won", ...: keys of statistics and metrics; they never change */
const char *note_name(enum note note);

struct effect {
	enum effect_type type;
	unsigned port; /* of QUERY, REPORT, NOTE */
	union {
		struct {
			enum gm_version version;
			struct addr from;
			struct gm_query q; /* arrays owned by the list */
		} query;
		struct {
			enum gm_version version;
			enum family family;
			struct addr from;
			struct gm_record *rec; /* arrays owned by the list */
			size_t n_rec;
			/* Send the report after this time, even if the port changes
			 * meanwhile. */
			uint32_t delay_ms;
		} report;
		struct {
			unsigned instance;
			struct addr group,
				source; /* the source of (*,G) is unspecified */
			struct portset out;
		} fib;
		struct {
			enum note note;
			struct addr group, peer;
			struct gm_mac mac; /* of the FORWARDER notes */
			uint32_t value;
		} note;
	};
};

struct effect_chunk;

struct effects {
	struct effect *v;
	size_t n, cap;
	struct effect_chunk *arena; /* memory of the copied arrays */
	size_t lost;
};

void effects_deinit(struct effects *fx);
/* Drops all effects, and sets `lost` to 0. Keeps some memory for the next round. */
void effects_clear(struct effects *fx);

void effects_query(struct effects *fx, unsigned port, enum gm_version version,
	const struct addr *from, const struct gm_query *q);
void effects_report(struct effects *fx, unsigned port, enum gm_version version,
	enum family family, const struct addr *from, const struct gm_record *rec,
	size_t n_rec, uint32_t delay_ms);
void effects_fib_set(struct effects *fx, unsigned instance, const struct addr *group,
	const struct addr *source, const struct portset *out);
void effects_fib_del(struct effects *fx, unsigned instance, const struct addr *group,
	const struct addr *source);
/* `group` and `peer` may be NULL. */
void effects_note(struct effects *fx, unsigned port, enum note note,
	const struct addr *group, const struct addr *peer, uint32_t value);

void effects_note_forwarder(struct effects *fx, unsigned port, enum note note,
	const struct addr *group, const struct addr *peer, const struct gm_mac *mac);

/* Writes one line of text without newline, for example "port 1 query v3 239.1.2.3
 * max-resp 1000 sources 10.0.0.1". tools/replay and the debug log print it. Returns the
 * length of the whole text, as snprintf() does. */
int effect_format(const struct effect *e, char *buf, size_t size);

#define effects_for_each(fx, e)                                                        \
	for (struct effect *e = (fx)->v; e && e < (fx)->v + (fx)->n; e++)
