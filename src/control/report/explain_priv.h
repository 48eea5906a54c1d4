/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that explain.c shares with the files of inputs, outputs and refusals. */

#include "control/report/explain.h"

void explain_add(struct explain *e, const char *check, const char *interface,
	enum explain_verdict verdict, const char *format, ...)
	__attribute__((__format__(__printf__, 5, 6)));
/* Set the weight and the advice of the check that was added last. The weight of one
 * that does not pass is EXPLAIN_FAULT after explain_add(). */
void explain_weigh(struct explain *e, enum explain_weight weight);
void explain_advise(struct explain *e, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));
/* Does one of the checks from number `from` on refuse the stream? */
bool explain_refuses(const struct explain *e, size_t from);

/* Do datagrams of it come in, and have an output? */
bool explain_flows(const struct explain_facts *f);

/* Checks role, link, sockets and family. Returns false if one of them refuses. */
bool explain_iface_usable(const struct explain_facts *f, const struct explain_iface *i,
	struct explain *e);

/* Are two interfaces on one segment? */
void explain_cabling(const struct explain_iface *i, struct explain *e);

void explain_input_checks(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e);
void explain_output_checks(const struct explain_facts *f,
	const struct explain_output *out, struct explain *e);
/* Is the only finding that no host has joined? Several such LANs share one line. */
bool explain_output_is_quiet(
	const struct explain_facts *f, const struct explain_output *out);

#define EXPLAIN_YET_LEN 104
/* " yet: the hosts were asked 3 s ago and may take 10 s to answer", or "". Returns
 * `buf`. */
const char *explain_yet(const struct explain_output *out, char buf[EXPLAIN_YET_LEN]);

/* Says how its datagrams are joined, if any were sent. */
void explain_joined(const struct explain_facts *f, struct explain *e);

/* Says what the quality of its streams is, if that is known. */
void explain_quality(const struct explain_facts *f, struct explain *e);

/* explain_refused.c: adds checks for what was refused. */
/* Datagrams of the group, or of the source in question, that arrived there lately. */
void explain_refused_datagrams(const struct explain_facts *f,
	const struct explain_input *in, struct explain *e);
/* Datagrams from sources that must not send there. Returns false if there were none. */
bool explain_refused_source(const struct explain_facts *f,
	const struct explain_input *in, struct explain *e);
/* Copies of the group. */
void explain_refused_copies(const struct explain_facts *f,
	const struct explain_output *out, struct explain *e);
/* Returns the last refused report of the group, or NULL if there was none lately. */
const struct explain_refusal *explain_refused_join(const struct explain_output *out);
void explain_name_join(const struct explain_output *out,
	const struct explain_refusal *r, struct explain *e);
/* Returns the refused datagrams of this kind, from the source in question if there is
 * one, or NULL if there were none lately. */
const struct explain_refusal *explain_find_refusal(
	const struct explain_facts *f, const struct explain_iface *i, enum verdict why);
