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
	size_t n_addr; /* addresses of these groups that are charged to it */
	struct mgroup *newest;
};

/* Adds an empty group. Returns NULL if there is no memory. */
struct mgroup *mgroup_create(
	struct mgroup_db *db, mono_t now, const struct addr *group);
/* Returns when a membership ends that is confirmed now. */
mono_t mgroup_membership(
	const struct mgroup_db *db, const struct mgroup *g, mono_t now);
/* Finds a source of the group, or returns NULL. */
struct mgroup_source *mgroup_source(const struct mgroup *g, const struct addr *a);
/* A group with at most this many sources is searched completely, if that avoids a
 * premature timer or an extra query. */
#define MGROUP_FEW 8
/* Sets source_at to the earliest source timer. */
void mgroup_source_first(struct mgroup *g);
/* Moves the group to its place in db->timers. */
void mgroup_arm(struct mgroup_db *db, struct mgroup *g);
/* Changes from EXCLUDE to INCLUDE mode, with the sources whose timers run (R074). */
void mgroup_to_include(struct mgroup *g);
/* Lets the timer of a source run at least until then, and adds the source if necessary.
 * Returns 0 or -ENOMEM. */
int mgroup_source_extend(struct mgroup_db *db, struct mgroup *g, const struct addr *a,
	mono_t until, struct effects *fx);
/* Sets the timer of a source of the group. */
void mgroup_source_run(struct mgroup *g, struct mgroup_source *s, mono_t until);
/* Ends the timers of these sources now (R075). */
void mgroup_sources_stop(struct mgroup *g, const struct addrset *list);

/* Sets repeat_at. */
void mgroup_schedule(struct mgroup *g);
/* "Send Q(G,X)" and, if `group` is true, "Send Q(G)" of the RFC's table. With fast
 * leave the tracked hosts decide at once, without a query. Afterwards x contains the
 * sources that had to be asked for. */
void mgroup_ask(struct mgroup_db *db, struct mgroup *g, mono_t now, struct addrset *x,
	bool group, struct effects *fx);
/* Sends the waiting queries, because it is the group's turn. The caller must call
 * mgroup_arm() afterwards. */
void mgroup_ask_waiting(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx);
/* Drops all waiting queries. */
void mgroup_ask_nothing(struct mgroup *g);
/* Asks for all sources whose timer ends before this time, at the group's turn and not
 * in this call. A source that a report names from now on has a later timer. */
void mgroup_ask_older(
	struct mgroup_db *db, struct mgroup *g, mono_t now, mono_t before);
/* A query of another querier has lowered timers to `limit`. Perhaps hosts did not hear
 * it, so this router asks as well. The caller must call mgroup_arm() afterwards. */
void mgroup_doubt_query(
	const struct mgroup_db *db, struct mgroup *g, mono_t now, mono_t limit);
/* If another router is or was querier: asks about the group, unless this router has
 * already done so. Timers that would end meanwhile are postponed until hosts can have
 * answered. */
void mgroup_check(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx);
/* Repeats the queries that are due. */
void mgroup_ask_again(
	struct mgroup_db *db, struct mgroup *g, mono_t now, struct effects *fx);

/* May a query be sent now? */
bool mgroup_has_turn(const struct mgroup_db *db, mono_t now);
/* Notes that n queries were sent. */
void mgroup_asked(struct mgroup_db *db, mono_t now, unsigned n);
/* Takes room for one query out of the port's token bucket, for a query that does not
 * wait for its turn. Returns false if there is no room. */
bool mgroup_take_room(struct mgroup_db *db, mono_t now);
/* Notes that a repetition took 1 + n messages, so the next queries wait longer. */
void mgroup_owe(struct mgroup_db *db, mono_t now, unsigned n);
/* Lets the group wait for a turn that is not before `at`. */
void mgroup_wait(struct mgroup_db *db, struct mgroup *g, mono_t at);
/* Returns the group whose turn it is, which then no longer waits, or NULL. */
struct mgroup *mgroup_turn(struct mgroup_db *db, mono_t now);
mono_t mgroup_turn_deadline(const struct mgroup_db *db);
/* Is there room to remember one more group that ends by fast leave? */
bool mgroup_may_end(struct mgroup_db *db, mono_t now);
/* Remembers the fast_at of a group that ends, if that time is in the future. */
void mgroup_note_ended(struct mgroup_db *db, mono_t now, const struct mgroup *g);
/* Returns the fast_at that is remembered for a group, or MONO_UNSET. */
mono_t mgroup_ended_until(struct mgroup_db *db, const struct addr *group);

/* Charges a group to an owner, or to the address and station of a message. Returns 0 or
 * -ENOMEM. */
int mgroup_charge(
	struct mgroup_db *db, struct mgroup *g, unsigned kind, const struct addr *key);
int mgroup_charge_sender(
	struct mgroup_db *db, struct mgroup *g, const struct gm_msg *msg);
/* Takes the group and its addresses off the accounts of their owners. */
void mgroup_release(struct mgroup_db *db, struct mgroup *g);
/* Has the sender's address or station brought the group? */
bool mgroup_brought(const struct mgroup *g, const struct gm_msg *msg);
/* Brings db->n_addr up to date with the group. If `brought`, its owners have brought
 * the addresses by which it has grown, and are charged for them. */
void mgroup_count(struct mgroup_db *db, struct mgroup *g, bool brought);
/* Leaves at most n addresses of the group charged to its owners. */
void mgroup_uncharge(struct mgroup_db *db, struct mgroup *g, size_t n);
/* A host has met a limit: counts that, emits a note, and keeps it for the operator. */
void mgroup_struck(struct mgroup_db *db, mono_t now, enum note note,
	const struct addr *group, const struct addr *who, uint32_t limit,
	struct effects *fx);
/* Returns false, after a note, if the sender has as many groups as one host may
 * have. */
bool mgroup_within_quota(struct mgroup_db *db, mono_t now, const struct addr *group,
	const struct gm_msg *msg, struct effects *fx);
/* Returns the number of addresses that one host may bring. */
size_t mgroup_address_share(const struct mgroup_db *db);
/* May the sender bring more addresses? */
bool mgroup_within_share(const struct mgroup_db *db, const struct gm_msg *msg);
/* Returns the note for the limit of mgroup_max_groups(): NOTE_GROUP_LIMIT or
 * NOTE_GROUP_MEMORY. */
enum note mgroup_limit_note(const struct mgroup_db *db);
/* Makes room for one more group. If necessary, another group ends. Returns false if
 * there is no room for this sender. */
bool mgroup_room_for_group(
	struct mgroup_db *db, mono_t now, const struct gm_msg *msg, struct effects *fx);
/* Makes room for n addresses, as far as the sender may take it from others. It spares
 * the group `but`. */
void mgroup_room_for_addresses(struct mgroup_db *db, mono_t now,
	const struct mgroup *but, const struct gm_msg *msg, size_t n,
	struct effects *fx);
/* Returns the sender of the record that is being fed, for mgroup_source.by. */
uint16_t mgroup_sender_tag(const struct mgroup_db *db, const struct gm_msg *msg);
/* Returns the index of the source of a full group that must end for one more source of
 * the sender, or SIZE_MAX. */
size_t mgroup_source_gives_way(struct mgroup_db *db, const struct mgroup *g);
/* Removes all members, so that the group is INCLUDE({}). It stays in the table. */
void mgroup_empty(struct mgroup_db *db, struct mgroup *g);
/* Is there no room for further addresses? */
static inline bool mgroup_is_full(const struct mgroup_db *db)
{
	return db->n_addr >= db->max_addr;
}

/* Makes room for n hosts. Returns 0 or -ENOMEM. */
int mgroup_hosts_reserve(struct mgroup *g, size_t n);
void mgroup_hosts_forget(struct mgroup *g);
/* Compares a host with (a, mac), in the order of mgroup.host. */
int mgroup_host_cmp(
	const struct mgroup_host *h, const struct addr *a, const struct gm_mac *mac);
/* Notes what a host says about itself in the record that is being fed. */
void mgroup_track(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct gm_msg *msg, enum gm_record_type type, const struct addrset *list,
	struct effects *fx);
/* Is every member a tracked v3 host (R092), and does the record that is being fed come
 * from the station that is known to have its address? */
bool mgroup_all_tracked(struct mgroup_db *db, struct mgroup *g, mono_t now);
/* Lets the timers of the sources that tracked hosts name run as long as these hosts are
 * known. Returns 0 or -ENOMEM. */
int mgroup_hosts_restore(struct mgroup_db *db, struct mgroup *g, struct effects *fx);
/* Does a tracked host want the source? NULL means any source that no host has named. */
bool mgroup_host_wants(const struct mgroup *g, const struct addr *source);
