/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How much work hosts and ports may cause by membership messages, decided before a
 * message is decoded. Messages are counted, and work (control/proto/gm_peek.h).
 *
 * A host has a budget, and so has a port. A host is what the message says of its
 * sender, link-layer and IP address together; both can be forged. So nobody is refused
 * outright when a budget is spent. A message then has four ways, each with a budget of
 * its own for the port:
 *
 *   full    within what its host and its port may send;
 *   member  its host has groups on the port, and has had its place before strangers
 *           took all of them; see below;
 *   quiet   its host has caused little work lately;
 *   fresh   nobody has sent the same message from the same addresses lately. A message
 *           that a forger has sent already has done what its real sender wants.
 *
 * Where more wants a way than it has room for, chance decides and not the order of
 * arrival, and large messages have less of a chance than small ones. On the last two
 * ways only the first records of a large message are taken.
 *
 * The way of members has a place for each host and no place for strangers: what all
 * places together may cause is less than the port's budget of that way, so those who
 * come first keep what they have whoever comes later. A place has two budgets. The
 * second one is only for messages that the host has said before while there was room,
 * which is how hosts answer general queries. A forger that speaks in a member's name
 * spends the first one; to spend the second one it must say what keeps the member's
 * groups.
 *
 * Pure, and of fixed size: strangers choose the hosts' addresses.
 */

#include "base/mono.h"
#include "control/proto/gm_msg.h"

#include <stdbool.h>
#include <stddef.h>

#define FLOOD_HOSTS   8192 /* remembered at once, of all ports together */
#define FLOOD_MEMBERS 4096 /* likewise */

/* Units of work for each message that the rates allow, so that a rate is a rate of
 * messages and of work. A host may send large reports, a port carries mostly small
 * ones. */
#define FLOOD_HOST_WORK 16
#define FLOOD_PORT_WORK 2

/* A message that asks for no more than this much work is small: three records. */
#define FLOOD_SMALL 4

struct flood_limit {
	uint32_t host_rate, port_rate; /* messages per second; 0: no limit */
	/* So many refused messages of a host per second are dear even to refuse; 0: no
	 * number is. */
	uint32_t loud_rate;
};

struct flood_host {
	struct gm_mac mac; /* zero where the link has none */
	bool has_mac;
	struct addr from;
};

enum flood_cause {
	FLOOD_NOTHING,
	FLOOD_BY_HOST, /* the host's budget was spent */
	FLOOD_BY_PORT,
	_FLOOD_CAUSE_N,
};

/* of one port; zero is a port from which nothing has come */
struct flood_port {
	/* buckets: when they will be empty again */
	mono_t messages, work, member, quiet, fresh;
	/* Who met a limit last, and when; MONO_UNSET: nobody yet. Index 0 is unused. */
	struct flood_struck {
		struct flood_host host;
		mono_t at;
		mono_t since;		   /* without a pause of FLOOD_STRUCK_MS */
		uint64_t n_refused, n_cut; /* messages since then, of all hosts */
	} struck[_FLOOD_CAUSE_N];
};

#define FLOOD_STRUCK_MS 60000 /* for so long a limit counts as met */

struct flood_message {
	struct flood_host host;
	const void *octets; /* of the message, behind the IP headers */
	size_t len;
	uint32_t work; /* that it asks for, at least 1 */
};

struct flood_verdict {
	uint32_t work; /* that is granted; 0: the message is refused */
	/* the budget that was spent, even if another way was open for all of it */
	enum flood_cause cause;
	bool loud; /* for one of each loud_rate messages refused within a second */
};

struct flood;

/* 0 or -ENOMEM. The seed must be unguessable: it decides chance and places in the
 * tables. */
int flood_new(uint64_t seed, struct flood **ret_flood);
struct flood *flood_free(struct flood *f); /* takes and returns NULL */

/* A message has arrived on the port. */
struct flood_verdict flood_input(struct flood *f, mono_t now, struct flood_port *port,
	const struct flood_limit *limit, const struct flood_message *m);
/* The message of the last flood_input() was used with the work that was granted, and
 * its sender has groups on that port until then, if it says nothing more. A no-op when
 * its places are all taken. */
void flood_member(struct flood *f, mono_t now, const struct flood_port *port,
	const struct flood_message *m, uint32_t granted, mono_t until);
/* The last message was granted less than it asked for, and something was left off. */
void flood_cut(struct flood_port *port, mono_t now, enum flood_cause cause,
	const struct flood_host *host);
/* Somebody has met the limit lately. */
bool flood_is_struck(const struct flood_port *port, enum flood_cause cause, mono_t now);
/* The message of the last flood_input() was none, or was refused for what it says: the
 * same octets may come again from its real sender. */
void flood_bad(struct flood *f);
