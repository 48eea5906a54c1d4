/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that explain.c shares with the files of inputs, outputs and refusals. */

#include "control/report/explain.h"

/* Adds a check; its advice may be added until the next one. */
struct explain_check *explain_add(struct explain *e, const char *check,
	const char *interface, enum explain_verdict verdict, const char *format, ...)
	__attribute__((__format__(__printf__, 5, 6)));
/* Adds one that does not pass. explain_add() uses EXPLAIN_FAULT. */
struct explain_check *explain_weigh(
	struct explain_check *c, enum explain_weight weight);
void explain_advise(struct explain_check *c, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* Datagrams of it come in and have an output. */
bool explain_flows(const struct explain_facts *f);

/* Role, link, sockets, family. False if refused. */
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

/* How its datagrams are joined; nothing if none has been sent. */
void explain_joined(const struct explain_facts *f, struct explain *e);

/* The quality of its streams; nothing if none is known. */
void explain_quality(const struct explain_facts *f, struct explain *e);

/* explain_refused.c: what was seen to be refused. */
/* Datagrams of the group, or of the source in question, that arrived there lately. */
void explain_refused_datagrams(const struct explain_facts *f,
	const struct explain_input *in, struct explain *e);
/* Datagrams from sources that may not send there. Returns false if there were none. */
bool explain_refused_source(const struct explain_facts *f,
	const struct explain_input *in, struct explain *e);
/* Copies of the group. */
void explain_refused_copies(const struct explain_facts *f,
	const struct explain_output *out, struct explain *e);
/* The last refused report of the group, or NULL if there was none lately. */
const struct explain_refusal *explain_refused_join(const struct explain_output *out);
void explain_name_join(const struct explain_output *out,
	const struct explain_refusal *r, struct explain *e);
/* datagrams of the kind, from the source in question if there is one; NULL if there
 * were none lately */
const struct explain_refusal *explain_find_refusal(const struct explain_facts *f,
	const struct explain_iface *i, enum explain_why why);
