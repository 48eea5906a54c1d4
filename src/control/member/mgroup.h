/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Router-side group state of one downstream port, both families: RFC 9776 6.2 to 6.6
 * and 7.3, RFC 9777 7.2 to 7.6 and 8.3, with explicit tracking of hosts for fast leave.
 * Time comes in as `now`, queries leave through `fx`. Pure.
 */

#include "base/heap.h"
#include "base/mono.h"
#include "base/rng.h"
#include "base/state.h"
#include "base/table.h"
#include "control/member/forwarder.h"
#include "control/proto/effect.h"
#include "control/proto/gm_params.h"

struct mgroup_source {
	struct addr addr;
	/* source timer; MONO_UNSET means not running (blocked, EXCLUDE only) */
	mono_t until;
	uint8_t repeats; /* group-and-source query retransmissions owed (R085) */
	bool waits;	 /* a question about it waits for the turn of the group */
	uint16_t by;	 /* who brought it, a hash; 0 means several name it, or
			  * unknown */
	uint32_t since;	 /* a growing number; who brought it, brought it then */
	mono_t ask_at; /* the next of them; after the last: when it may be asked anew */
};

/* a tracked host of a group and what it asked for itself: the address that its reports
 * name and the station that they came from together, so that nobody speaks for another
 * one */
struct mgroup_host {
	struct addr addr;
	struct gm_mac mac;
	enum gm_version version;
	struct gm_filter filter;
	mono_t until; /* forgotten then, as its membership would be */
};

enum {
	MGROUP_ADDRESS,
	MGROUP_STATION,
	MGROUP_OWNERS,
};

struct mgroup_owner;

struct mgroup {
	struct table_node node;
	struct heap_node timer; /* earliest deadline below */
	struct addr group;
	enum gm_mode mode;		   /* filter mode */
	mono_t until;			   /* group timer; MONO_UNSET in INCLUDE mode */
	mono_t older_until[_GM_VERSION_N]; /* older host present: [GM_V1], [GM_V2] */
	struct mgroup_source *src;	   /* sorted by address */
	size_t n_src, cap_src;
	size_t n_blocked;      /* of them, those whose timer does not run: Y */
	mono_t source_at;      /* no source timer ends before; MONO_NEVER: none runs */
	bool known;	       /* others have been told of the group ... */
	bool changed;	       /* ... and not yet of its mode or visible list of now */
	struct heap_node turn; /* in db->turns.waiting */
	mono_t turn_at;	   /* or the turn comes then, whatever others do; UNSET: it does
			      not */
	bool waits;	   /* a question about the group does, not only about sources */
	mono_t ask_before; /* one about all sources whose timer ends before does,
			    * too; MONO_UNSET if it does not */
	uint8_t repeats;   /* group-specific query retransmissions owed */
	mono_t ask_at; /* the next of them; after the last: when it may be asked anew */
	/* where another one is querier: timers that end until then were asked about by
	 * us, or MONO_UNSET, and when we do so for those that it has lowered, or
	 * MONO_NEVER */
	mono_t checked, check_at;
	mono_t fast_at;	  /* no fast leave before */
	mono_t repeat_at; /* turn_at or the next retransmission of either kind, or
			     MONO_NEVER */
	struct mgroup_host
		*host; /* sorted, see mgroup_host_cmp(); &one as long as it suffices */
	size_t n_host, cap_host;
	size_t n_named; /* sources in the filters of all hosts */
	mono_t host_at; /* no host is forgotten before */
	struct mgroup_host one;
	/* a member could not be tracked: no fast leave so long */
	mono_t untracked_until;
	mono_t since; /* first member */
	/* who brought it: an address, and a station if the link has such */
	struct mgroup_owned {
		struct mgroup_owner *owner;   /* in db->owners; NULL means nobody */
		struct mgroup *newer, *older; /* in the order in which it did */
	} owned[MGROUP_OWNERS];
	size_t n_counted; /* its part of db->n_addr ... */
	size_t n_charged; /* ... and what of that its owners are charged for */
	bool leaving;	  /* ended to make room, mgroup_tick() is to tell */
	struct addr last_reporter;
};

/* What the querier decides and the group machine obeys; owned by the port. */
struct mgroup_role {
	bool querier;			   /* we send queries here */
	bool forwards;			   /* data of the groups, as far as ... */
	const struct forwarder *forwarder; /* ... nobody else does; NULL means nobody */
	enum gm_version version;	   /* version of the queries we send */
	uint8_t rv; /* robustness and query interval in force (R051) */
	uint32_t qi_ms;
	struct addr own; /* source of queries */
};

struct mgroup_params {
	struct gm_params gm;
	bool fast_leave;
	uint32_t max_groups, max_sources; /* 0 means no limit */
	uint32_t max_groups_per_host;	  /* that one host has brought; 0 means no
					   * limit */
};

/* the limit that struck last; note 0: none has */
struct mgroup_struck {
	enum note note;
	struct addr who; /* an address or a station (gm_station) */
	uint32_t limit;
	mono_t at;
};

#define MGROUP_MAX_ENDED 256

/* Questions that wait, and what those before have cost: see mgroup_turn.c. */
struct mgroup_turns {
	struct heap waiting; /* groups, by the time from which they may be asked */
	unsigned debt; /* reports to be heard, or intervals to pass, before a turn */
	mono_t since;  /* those intervals begin here */
	mono_t busy;   /* bucket of the port: when it will be empty */
	/* groups that fast leave has ended less than an interval ago, oldest first */
	struct mgroup_ended {
		struct addr group;
		mono_t fast_at;
	} ended[MGROUP_MAX_ENDED];
	unsigned first_ended, n_ended;
};

struct mgroup_db {
	unsigned port;
	uint32_t mtu;
	struct mgroup_params params;
	struct mgroup_role role[_FAMILY_N];
	struct table groups;
	struct heap timers;
	struct mgroup_turns turns;
	struct table owners;		/* struct mgroup_owner */
	struct heap by_groups, by_addr; /* the same, who holds most first */
	struct rng rng;			/* strangers that have to go */
	size_t n_addr, max_addr; /* sources and tracked hosts of all groups; limit */
	size_t n_leaving;	 /* groups that make room */
	uint64_t n_refused, n_evicted;
	struct mgroup_struck struck;
	/* scratch of one call, kept to spare allocations */
	mono_t now;
	bool brought,
		within_share; /* its sender has brought the group; may add to it */
	uint16_t by;	      /* its sender, as mgroup_source has it; 0 means no
			       * sources */
	/* sources of others that it may still take the place of */
	unsigned may_replace;
	/* the sender of a record has groups here so long; set by records, taken back by
	 * whoever feeds them. MONO_UNSET: none of them tells so */
	mono_t member_until;
	bool doubt; /* the address of its sender is known from another station */
	struct addrset list, ask, fresh;
};

#define MGROUP_MAX_HOSTS 64 /* tracked per group; more make the group untracked */
/* sources and tracked hosts, with the sources that each host names, of a port: the
 * lists of all groups together take at most some 60 MB. Counted after each record. */
#define MGROUP_MAX_ADDRESSES (1u << 20)

int mgroup_db_init(struct mgroup_db *db, unsigned port,
	const struct mgroup_params *params, uint64_t seed);
void mgroup_db_deinit(struct mgroup_db *db);

/* "max-groups (16384) struck 10.1.0.66: raise it if ..."; buf is left alone while no
 * limit has struck. */
void mgroup_struck_format(const struct mgroup_struck *s, char *buf, size_t size);

/* A report has arrived, and its records follow. It gives the port the right to ask one
 * question: see mgroup_turn.c. */
void mgroup_begin(struct mgroup_db *db, mono_t now);

/* Feed one record that policy has let through. Of the message only the sender (from,
 * mac) and the version are looked at. Returns 0: nothing that matters outside
 * changed, 1: membership or forwarding state of the group changed (the group may be
 * gone), -ENOMEM: not processed. */
int mgroup_input(struct mgroup_db *db, mono_t now, const struct gm_msg *msg,
	const struct gm_record *rec, struct effects *fx);

/* A group or group-and-source query of the elected querier while we are not it: timers
 * are lowered unless S is set (R052). */
void mgroup_heard_query(struct mgroup_db *db, mono_t now, const struct gm_msg *msg);

/* Process one due group: true, and its address when its state changed (else the
 * unspecified one). False if no group is due. *work grows by the sources that were
 * looked at, and one. */
bool mgroup_tick(struct mgroup_db *db, mono_t now, struct effects *fx,
	struct addr *ret_group, size_t *work);
mono_t mgroup_deadline(const struct mgroup_db *db);

struct mgroup *mgroup_find(const struct mgroup_db *db, const struct addr *group);
/* Drop a group without asking anybody (port went away, filter changed). */
void mgroup_drop(struct mgroup_db *db, struct mgroup *g);

/* The operator doubts that the group has members: forget its hosts and their
 * versions, ask the LAN at once and end what nobody answers for, as after a leave of
 * everybody. The stream of who answers has no gap. False if another router asks
 * there, or the group has a member of IGMPv1, which cannot be asked about one;
 * nothing was changed. */
bool mgroup_doubt(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx);

/* group compatibility mode (R094) */
enum gm_version mgroup_version(const struct mgroup *g, mono_t now);
/* Forwarding rule of RFC 9776 6.3 (R076). */
bool mgroup_wants(const struct mgroup *g, const struct addr *source);
/* The source is in the list that this port contributes to the merged database (R133):
 * A of INCLUDE(A), Y of EXCLUDE(X,Y). */
static inline bool mgroup_names(const struct mgroup *g, const struct mgroup_source *s)
{
	return g->mode == GM_INCLUDE || !mono_is_set(s->until);
}

/* All groups, for the process that takes over. */
void mgroup_export(const struct mgroup_db *db, struct state_out *o);
/* The groups of a state, into an empty database; those of families that are not `on`
 * and those beyond max_groups are left out. Says nothing to anybody. 0, -ENOMEM,
 * -EINVAL: the state is faulty, and the database is to be given up. */
int mgroup_import(struct mgroup_db *db, mono_t now, const bool on[_FAMILY_N],
	struct state_in *in);
