/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How much work hosts and ports may cause by membership messages, decided before a
 * message is decoded. Both messages and their work (control/proto/gm_peek.h) are
 * limited.
 *
 * A host has a budget, and so has a port. A host is the link-layer and IP source
 * address of the message together. Both can be forged, so a spent budget does not
 * refuse a message outright. There are four ways to be admitted, each with its own
 * budget on the port:
 *
 *   full    the message is within what its host and its port may send;
 *   member  its host has groups on the port, and has a place as a member (see below);
 *   quiet   its host has caused little work lately;
 *   fresh   these addresses have not sent the same message lately. (A forger that sends
 *           it first has already done what the real sender wants.)
 *
 * When a way has less room than is asked for, chance decides instead of the order of
 * arrival, and a large message has a smaller chance than a small one. On the last two
 * ways only the first records of a large message are accepted.
 *
 * The number of places for members is limited, and a member keeps its place. All places
 * together may cause less work than the port's budget of that way, so a member that
 * came first keeps its share, even if many come later. A place has two budgets. The
 * second one is only for messages that the host has already sent while there was room,
 * because hosts answer general queries with the same messages again. A forger that uses
 * a member's address spends the first budget. To spend the second one it must send the
 * messages that keep the member's groups.
 *
 * Pure, and of fixed size: strangers choose the hosts' addresses.
 */

#include "base/mono.h"
#include "control/proto/gm_msg.h"

#include <stdbool.h>
#include <stddef.h>

/* hosts, and members, that are remembered at once for all ports together */
#define ADMISSION_HOSTS	  8192
#define ADMISSION_MEMBERS 4096

/* A rate limits both messages and work. These are the units of work for each message
 * that the rate allows. A host may send large reports, but a port carries mostly small
 * ones. */
#define ADMISSION_HOST_WORK 16
#define ADMISSION_PORT_WORK 2

/* A message that asks for at most this much work is small: three records. */
#define ADMISSION_SMALL 4

struct admission_limit {
	uint32_t host_rate, port_rate; /* messages per second; 0 means no limit */
	/* If more messages of a host than this are refused per second, it costs too
	 * much even to refuse them. 0 means no limit. */
	uint32_t loud_rate;
};

struct admission_host {
	struct gm_mac mac; /* zero where the link has none */
	bool has_mac;
	struct addr from;
};

enum admission_cause {
	ADMISSION_NOTHING,
	ADMISSION_BY_HOST, /* the host's budget was spent */
	ADMISSION_BY_PORT,
	_FLOOD_CAUSE_N,
};

/* The state of one port; all zero before the first message. */
struct admission_port {
	/* token buckets, as the time at which each will be empty again */
	mono_t messages, work, member, quiet, fresh;
	/* The host that met a limit last, and when, or MONO_UNSET if none has. Index 0
	 * is unused. */
	struct admission_struck {
		struct admission_host host;
		mono_t at;
		/* since then hosts have met the limit, without a pause of
		 * ADMISSION_STRUCK_MS */
		mono_t since;
		uint64_t n_refused, n_cut; /* messages of all hosts since then */
	} struck[_FLOOD_CAUSE_N];
};

#define ADMISSION_STRUCK_MS 60000 /* how long a limit counts as met */

struct admission_message {
	struct admission_host host;
	const void *bytes; /* of the message, after the IP headers */
	size_t len;
	uint32_t work; /* what it asks for, at least 1 */
};

struct admission_verdict {
	uint32_t work; /* what is granted, or 0 if the message is refused */
	/* the budget that was spent, even if another way admitted the whole message */
	enum admission_cause cause;
	bool loud; /* set for one of every loud_rate messages refused within a second */
};

struct admission;

/* The seed must be unguessable, because it decides chance and places in the tables.
 * Returns 0 or -ENOMEM. */
int admission_new(uint64_t seed, struct admission **ret_admission);
struct admission *admission_free(struct admission *f);

/* Decides about a message that has arrived on the port. */
struct admission_verdict admission_input(struct admission *f, mono_t now,
	struct admission_port *port, const struct admission_limit *limit,
	const struct admission_message *m);
/* The message of the last admission_input() was used with the work that was granted.
 * Unless the sender reports again, its groups on the port end at `until`. Does nothing
 * if all places are taken. */
void admission_member(struct admission *f, mono_t now,
	const struct admission_port *port, const struct admission_message *m,
	uint32_t granted, mono_t until);
/* The last message was granted less than it asked for, and a part of it was left
 * out. */
void admission_cut(struct admission_port *port, mono_t now, enum admission_cause cause,
	const struct admission_host *host);
/* Has a host met the limit lately? */
bool admission_is_struck(
	const struct admission_port *port, enum admission_cause cause, mono_t now);
/* The message of the last admission_input() could not be decoded, or its contents were
 * refused. The same bytes may come again from the real sender, so they are
 * forgotten. */
void admission_bad(struct admission *f);
