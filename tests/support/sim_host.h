/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A set-top box in the virtual network, written from the RFCs as an operating system
 * behaves (RFC 1112, 2236, 9776 5 and 7.2; RFC 2710, 9777 6 and 8.2): reports with
 * random delays and repeats, suppression of reports in the older versions, and older
 * queriers. It counts the packets of the streams that it wants.
 */

#include "sim.h"

struct sim_owed {
	struct addr addr;
	bool allow;
	unsigned left;
};

struct sim_member {
	struct addr group;
	struct gm_filter want;
	/* state changes to repeat (IGMPv3), or unsolicited reports (older) */
	unsigned mode_left;
	struct sim_owed *owed;
	size_t n_owed;
	mono_t change_at;
	/* answer to a query */
	mono_t answer_at;
	bool asked_all; /* a general answer, not only about `asked` */
	struct addrset asked;
	bool reporter; /* was the last to report, so it sends a leave (RFC 2236 3) */
};

/* packets of a stream that arrived while it was wanted */
struct sim_rx {
	uint64_t n, duplicates, lost;
	uint32_t last;
	bool started;
	mono_t first_at, last_at;
	int64_t gap_ns; /* longest time between two packets */
};

struct sim_host {
	struct sim_node node;
	enum gm_version max;
	mono_t older_until[_GM_VERSION_N];
	unsigned robustness;
	struct sim_member *member; /* in the order of joining */
	size_t n_members, cap_members;
	mono_t general_at;	    /* answer to a general query (IGMPv3) */
	struct addr from;	    /* source of reports; unspecified is legal */
	const struct addr *deaf_to; /* ignores queries from this address; may be NULL */
	struct sim_rx rx[SIM_MAX_STREAMS];
	uint64_t n_sent;
};

struct sim_host *sim_host_new(struct sim_link *link, unsigned n, enum gm_version max);

/* Sets the membership; INCLUDE({}) leaves. */
void sim_host_set(struct sim_host *h, const struct addr *group, enum gm_mode mode,
	const struct addr *src, size_t n_src);
void sim_host_join(struct sim_host *h, const struct addr *group);
void sim_host_join_source(
	struct sim_host *h, const struct addr *group, const struct addr *src);
void sim_host_leave(struct sim_host *h, const struct addr *group);
/* Unplugs the host: it neither leaves nor answers. */
void sim_host_unplug(struct sim_host *h);
/* Reports the current state of a group once more, without a query. */
void sim_host_repeat(struct sim_host *h, const struct addr *group);

bool sim_host_wants(
	const struct sim_host *h, const struct addr *src, const struct addr *group);
/* Nothing is left to repeat or answer. */
bool sim_host_quiet(const struct sim_host *h);

const struct sim_rx *sim_host_rx(const struct sim_host *h, const struct sim_stream *s);
/* Counts the stream from zero, without packets that are under way. */
void sim_host_rx_reset(struct sim_host *h, const struct sim_stream *s);
/* The longest time without a packet since the reset, until now, in ms. */
int64_t sim_host_gap_ms(const struct sim_host *h, const struct sim_stream *s);
