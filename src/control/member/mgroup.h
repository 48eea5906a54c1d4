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
	/* source timer; MONO_UNSET if it does not run (a blocked source, in EXCLUDE
	 * mode) */
	mono_t until;
	uint8_t repeats; /* group-and-source queries that must be repeated (R085) */
	bool waits;	 /* a query about it waits for the turn of the group */
	/* a hash of the host that brought it; 0 if that is unknown, or if several hosts
	 * have named it */
	uint16_t by;
	uint32_t since; /* when that host brought it, as a growing number */
	/* time of the next repetition; after the last one, the time from which it may
	 * be queried again */
	mono_t ask_at;
};

/* A tracked host of a group, and what it asked for. A host is the address that its
 * reports name together with the station that they came from, so that no host can
 * report for another one. */
struct mgroup_host {
	struct addr addr;
	struct gm_mac mac;
	enum gm_version version;
	struct gm_filter filter;
	mono_t until; /* when it is forgotten, like a membership */
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
	size_t n_blocked; /* sources whose timer does not run (Y in the tables) */
	mono_t source_at; /* no source timer ends before this, or MONO_NEVER */
	/* The group has been reported to other modules, and its mode or visible list
	 * has changed since. */
	bool known, changed;
	struct heap_node turn; /* in db->turns.waiting */
	mono_t turn_at; /* its turn comes at this time at the latest, or MONO_UNSET */
	bool waits;	/* a query about the group itself waits for its turn */
	/* A query about all sources whose timer ends before this waits, or
	 * MONO_UNSET. */
	mono_t ask_before;
	uint8_t repeats; /* group-specific queries that must be repeated */
	/* time of the next repetition; after the last one, the time from which the
	 * group may be queried again */
	mono_t ask_at;
	/* If another router is querier: `checked` is the latest end of a timer that
	 * this router has already asked about, or MONO_UNSET. `check_at` is when it
	 * will ask about timers that the querier has lowered, or MONO_NEVER if there
	 * are none. */
	mono_t checked, check_at;
	mono_t fast_at; /* no fast leave before this */
	/* the earliest of turn_at and the next repetition of either kind, or
	 * MONO_NEVER */
	mono_t repeat_at;
	/* sorted by mgroup_host_cmp(); it is &one while there is no more than one */
	struct mgroup_host *host;
	size_t n_host, cap_host;
	size_t n_named; /* sources in the filters of all hosts */
	mono_t host_at; /* no host is forgotten before this */
	struct mgroup_host one;
	/* a member could not be tracked; no fast leave until then */
	mono_t untracked_until;
	mono_t since; /* first member */
	/* The host that brought the group: an address, and also a station if the link
	 * has stations. The groups of an owner are a list in the order in which it
	 * brought them. */
	struct mgroup_owned {
		struct mgroup_owner *owner; /* in db->owners, or NULL */
		struct mgroup *newer, *older;
	} owned[MGROUP_OWNERS];
	size_t n_counted; /* the part of db->n_addr that belongs to the group */
	size_t n_charged; /* the part of n_counted that is charged to its owners */
	bool leaving; /* it ended for another group, and mgroup_tick() will report it */
	struct addr last_reporter;
};

/* What the querier decides for the group machine; owned by the port. */
struct querier_view {
	bool querier;  /* we send queries here */
	bool forwards; /* we forward data of the groups here */
	/* except the streams that are left to other forwarders; or NULL */
	const struct forwarder *forwarder;
	enum gm_version version; /* version of the queries that we send */
	uint8_t rv;		 /* robustness and query interval in force (R051) */
	uint32_t qi_ms;
	struct addr own; /* source of queries */
};

struct mgroup_params {
	struct gm_params gm;
	bool fast_leave;
	uint32_t max_groups, max_sources; /* 0 means no limit */
	uint32_t max_groups_per_host;	  /* groups that one host brings; also 0 */
};

/* the limit that was met last; `note` is 0 if none was */
struct mgroup_struck {
	enum note note;
	struct addr who; /* an address or a station (gm_station) */
	uint32_t limit;
	mono_t at;
};

#define MGROUP_MAX_ENDED 256

/* Queries that wait, and the cost of earlier ones: see mgroup_turn.c. */
struct mgroup_turns {
	struct heap waiting; /* groups, by the time from which they may be queried */
	unsigned debt; /* reports or intervals that must come before the next turn */
	mono_t since;  /* start of these intervals */
	mono_t busy;   /* when the token bucket of the port will be empty */
	/* groups ended by fast leave less than an interval ago, oldest first */
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
	struct querier_view role[_FAMILY_N];
	struct table groups;
	struct heap timers;
	struct mgroup_turns turns;
	struct table owners; /* struct mgroup_owner */
	/* the same owners; first the one with the most groups, or the most addresses */
	struct heap by_groups, by_addr;
	struct rng rng;		 /* picks the strangers whose groups end */
	size_t n_addr, max_addr; /* sources and tracked hosts of all groups; limit */
	uint32_t room_groups;	 /* see mgroup_set_memory(); 0 means no limit */
	size_t n_leaving;	 /* groups that are ending in favour of others */
	uint64_t n_refused, n_evicted;
	struct mgroup_struck struck;
	/* scratch of one call, kept to avoid allocations */
	mono_t now;
	/* The sender of the record has brought the group; it may add addresses. */
	bool brought, within_share;
	uint16_t by; /* the sender, for mgroup_source.by; 0 if there are no sources */
	/* number of other senders' sources that the record may still replace */
	unsigned may_replace;
	/* How long the sender of a record has groups here. Records set it, and the
	 * caller that feeds them takes it. MONO_UNSET if none of them set it. */
	mono_t member_until;
	bool doubt; /* the sender's address is known to belong to another station */
	struct addrset list, ask, fresh;
};

#define MGROUP_MAX_HOSTS 64 /* tracked per group; with more there is no fast leave */
/* The limit of a port for sources, tracked hosts, and the sources that each host names.
 * All lists together then take at most about 60 MB. Counted after each record. */
#define MGROUP_MAX_ADDRESSES (1u << 20)

/* `seed` is for the hash tables and the choice of strangers. Returns 0. */
int mgroup_db_init(struct mgroup_db *db, unsigned port,
	const struct mgroup_params *params, uint64_t seed);
void mgroup_db_deinit(struct mgroup_db *db);

/* Limits the memory of the port to about `bytes`, half for groups and half for lists,
 * even if the configuration allows more. 0 means that the memory is unknown. Groups
 * that exist already stay. */
void mgroup_set_memory(struct mgroup_db *db, uint64_t bytes);
/* How many groups the port may have: "max-groups", or less if the memory is small. 0
 * means no limit. */
uint32_t mgroup_max_groups(const struct mgroup_db *db);

/* "max-groups (16384) was met by 10.1.0.66: raise it if ..."; buf is unchanged if no
 * limit was met. */
void mgroup_struck_format(const struct mgroup_struck *s, char *buf, size_t size);

/* A report has arrived, and its records follow. It entitles the port to one query: see
 * mgroup_turn.c. */
void mgroup_begin(struct mgroup_db *db, mono_t now);

/* Feeds one record that policy admits. Only the sender (from, mac) and the version of
 * the message are read. Returns 0 if no visible state changed, 1 if membership or
 * forwarding state of the group changed (the group may be gone), or -ENOMEM if the
 * record was not processed. */
int mgroup_input(struct mgroup_db *db, mono_t now, const struct gm_msg *msg,
	const struct gm_record *rec, struct effects *fx);

/* A group or group-and-source query of the elected querier while we are not querier:
 * lowers timers unless S is set (R052). */
void mgroup_heard_query(struct mgroup_db *db, mono_t now, const struct gm_msg *msg);

/* Processes one group that is due, and returns true. *ret_group is its address if its
 * state has changed, else the unspecified address. Returns false if no group is due.
 * *work grows by one and by the number of sources that were processed. */
bool mgroup_tick(struct mgroup_db *db, mono_t now, struct effects *fx,
	struct addr *ret_group, size_t *work);
mono_t mgroup_deadline(const struct mgroup_db *db);

struct mgroup *mgroup_find(const struct mgroup_db *db, const struct addr *group);
/* Drops a group without queries (the port went away, a filter changed). */
void mgroup_drop(struct mgroup_db *db, struct mgroup *g);

/* The operator doubts that the group has members. Forgets its hosts and their versions,
 * queries the LAN at once and ends whatever no host confirms, as if all had left. A
 * host that answers sees no gap in its stream. Returns false, and changes nothing, if
 * another router is querier there, or if the group has an IGMPv1 member, which cannot
 * be asked about a group. */
bool mgroup_doubt(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx);

/* group compatibility mode (R094) */
enum gm_version mgroup_version(const struct mgroup *g, mono_t now);
/* Forwarding rule of RFC 9776 6.3 (R076). */
bool mgroup_wants(const struct mgroup *g, const struct addr *source);
/* Is the source in the list that this port contributes to the merged database (R133)?
 * That is A of INCLUDE(A), Y of EXCLUDE(X,Y). */
static inline bool mgroup_names(const struct mgroup *g, const struct mgroup_source *s)
{
	return g->mode == GM_INCLUDE || !mono_is_set(s->until);
}

/* Writes all groups, for the process that takes over. */
void mgroup_export(const struct mgroup_db *db, struct state_out *o);
/* Reads the groups of a state into an empty database. Leaves out groups of families
 * that are not `on`, and groups beyond max_groups. Emits no effects. Returns 0,
 * -ENOMEM, or -EINVAL if the state is faulty; on failure the caller must free the
 * database. */
int mgroup_import(struct mgroup_db *db, mono_t now, const bool on[_FAMILY_N],
	struct state_in *in);
