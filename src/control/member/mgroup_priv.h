/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that the files of the group machine share: mgroup.c (table and timers),
 * mgroup_ask.c (last member process), mgroup_turn.c (when it may begin), mgroup_track.c
 * (hosts), mgroup_limit.c (what it may cost), mgroup_state.c (live upgrade). Internal
 * to these files. */

#include "control/member/mgroup.h"

/* An address, or a station (gm_station), that has brought groups here. */
struct mgroup_owner {
	struct table_node node;
	struct addr key;
	struct heap_node groups_rank, addr_rank; /* in db->by_groups, db->by_addr */
	uint32_t n_groups;
	size_t n_addr; /* charged for them */
	struct mgroup *newest;
};

/* an empty group; NULL if there is no memory */
struct mgroup *mgroup_create(
	struct mgroup_db *db, mono_t now, const struct addr *group);
struct mgroup_source *mgroup_source(const struct mgroup *g, const struct addr *a);
/* A group with at most this many sources is searched completely, if that avoids a
 * premature timer or an extra query. */
#define MGROUP_FEW 8
/* the earliest source timer, exactly */
void mgroup_source_first(struct mgroup *g);
/* the group's place in the heap */
void mgroup_arm(struct mgroup_db *db, struct mgroup *g);
/* EXCLUDE -> INCLUDE with the sources that run (R074) */
void mgroup_to_include(struct mgroup *g);
/* The source timer runs at least until then; 0 or -ENOMEM. */
int mgroup_source_extend(struct mgroup_db *db, struct mgroup *g, const struct addr *a,
	mono_t until, struct effects *fx);
/* a source of the group runs until then */
void mgroup_source_run(struct mgroup *g, struct mgroup_source *s, mono_t until);
/* the source timers end now (R075) */
void mgroup_sources_stop(struct mgroup *g, const struct addrset *list);

/* When its next query is due: the earliest repetition. */
void mgroup_schedule(struct mgroup *g);
/* "Send Q(G,X)" and, if `group`, "Send Q(G)" of the table; with fast leave they decide
 * at once. Afterwards x contains the sources that had to be asked for. */
void mgroup_ask(struct mgroup_db *db, struct mgroup *g, mono_t now, struct addrset *x,
	bool group, struct effects *fx);
/* It is the group's turn: sends the waiting queries. Must be followed by
 * mgroup_arm(). */
void mgroup_ask_waiting(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx);
/* drops all waiting queries */
void mgroup_ask_nothing(struct mgroup *g);
/* Asks for all sources whose timer ends before this time, at the group's turn and not
 * in this call. A source that a report names from now on has a later timer. */
void mgroup_ask_older(
	struct mgroup_db *db, struct mgroup *g, mono_t now, mono_t before);
/* A query of another querier has lowered timers to `limit`. Hosts may not have heard
 * it, so this router asks as well. Must be followed by mgroup_arm(). */
void mgroup_doubt_query(
	const struct mgroup_db *db, struct mgroup *g, mono_t now, mono_t limit);
/* If another router is or was querier: asks about the group, unless this router has
 * done so, and postpones the timers that would end until hosts can have answered. */
void mgroup_check(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx);
/* retransmissions that are due */
void mgroup_ask_again(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx);

/* A query may be sent now; n of them have been sent. */
bool mgroup_has_turn(const struct mgroup_db *db, mono_t now);
void mgroup_asked(struct mgroup_db *db, mono_t now, unsigned n);
/* Takes room for a query that does not wait for its turn out of the port's bucket.
 * Returns false if there is none. */
bool mgroup_take_room(struct mgroup_db *db, mono_t now);
/* A repetition took n more messages than one, so the next queries wait longer. */
void mgroup_owe(struct mgroup_db *db, mono_t now, unsigned n);
/* The group waits for its turn, from that time on. */
void mgroup_wait(struct mgroup_db *db, struct mgroup *g, mono_t at);
/* the group whose turn it is, which no longer waits; NULL if there is none */
struct mgroup *mgroup_turn(struct mgroup_db *db, mono_t now);
mono_t mgroup_turn_deadline(const struct mgroup_db *db);
/* there is room to remember a group that ends by fast leave */
bool mgroup_may_end(struct mgroup_db *db, mono_t now);
/* remember its fast_at if that is in the future */
void mgroup_note_ended(struct mgroup_db *db, mono_t now, const struct mgroup *g);
mono_t mgroup_ended_until(struct mgroup_db *db, const struct addr *group);

/* Charge a group to an owner, or to the address and the station of a message. Returns 0
 * or -ENOMEM. */
int mgroup_charge(
	struct mgroup_db *db, struct mgroup *g, unsigned kind, const struct addr *key);
int mgroup_charge_sender(
	struct mgroup_db *db, struct mgroup *g, const struct gm_msg *msg);
/* the group and its addresses are no longer charged to anybody */
void mgroup_release(struct mgroup_db *db, struct mgroup *g);
/* the sender's address or station has brought the group */
bool mgroup_brought(const struct mgroup *g, const struct gm_msg *msg);
/* Bring db->n_addr up to date with the group. What it has grown by is charged to its
 * owners if they `brought` it. */
void mgroup_count(struct mgroup_db *db, struct mgroup *g, bool brought);
/* At most n of its addresses remain charged to anybody. */
void mgroup_uncharge(struct mgroup_db *db, struct mgroup *g, size_t n);
/* A host has met a limit: counts it, notes it, remembers it for the operator. */
void mgroup_struck(struct mgroup_db *db, mono_t now, enum note note,
	const struct addr *group, const struct addr *who, uint32_t limit,
	struct effects *fx);
/* Returns false, after a note, if the sender has as many groups as one host may
 * have. */
bool mgroup_within_quota(struct mgroup_db *db, mono_t now, const struct addr *group,
	const struct gm_msg *msg, struct effects *fx);
/* addresses that one host may bring */
size_t mgroup_address_share(const struct mgroup_db *db);
bool mgroup_within_share(const struct mgroup_db *db, const struct gm_msg *msg);
/* Names the limit behind mgroup_max_groups(): NOTE_GROUP_LIMIT or NOTE_GROUP_MEMORY. */
enum note mgroup_limit_note(const struct mgroup_db *db);
/* Makes room for one more group, at the expense of another one if necessary. */
bool mgroup_room_for_group(
	struct mgroup_db *db, mono_t now, const struct gm_msg *msg, struct effects *fx);
/* Make room for n addresses as far as the sender may, but not at the expense of
 * `but`. */
void mgroup_room_for_addresses(struct mgroup_db *db, mono_t now,
	const struct mgroup *but, const struct gm_msg *msg, size_t n,
	struct effects *fx);
/* The sender of the record that is being fed, for mgroup_source. */
uint16_t mgroup_sender_tag(const struct mgroup_db *db, const struct gm_msg *msg);
/* The source of a full group that has to make room for one more of that sender, or
 * SIZE_MAX. */
size_t mgroup_source_gives_way(struct mgroup_db *db, const struct mgroup *g);
/* Only its place in the table is left: INCLUDE({}). */
void mgroup_empty(struct mgroup_db *db, struct mgroup *g);
/* no room for further addresses */
static inline bool mgroup_is_full(const struct mgroup_db *db)
{
	return db->n_addr >= db->max_addr;
}

/* Room for n hosts. 0 or -ENOMEM. */
int mgroup_hosts_reserve(struct mgroup *g, size_t n);
void mgroup_hosts_forget(struct mgroup *g);
/* the order of a group's hosts */
int mgroup_host_cmp(
	const struct mgroup_host *h, const struct addr *a, const struct gm_mac *mac);
/* Note what a host says about itself: the record that is being fed. */
void mgroup_track(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct gm_msg *msg, enum gm_record_type type, const struct addrset *list,
	struct effects *fx);
/* Every member is a tracked v3 host (R092), and the record that is being fed comes from
 * the station that its address is known from. */
bool mgroup_all_tracked(struct mgroup_db *db, struct mgroup *g, mono_t now);
/* The sources that tracked hosts name keep running as long as these hosts are known. 0
 * or -ENOMEM. */
int mgroup_hosts_restore(struct mgroup_db *db, struct mgroup *g, struct effects *fx);
/* does a tracked host want the source? NULL asks about sources that nobody named */
bool mgroup_host_wants(const struct mgroup *g, const struct addr *source);
