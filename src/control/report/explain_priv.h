/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What explain.c shares with the two halves of the way, and with what was refused. */

#include "control/report/explain.h"

/* The next check; its advice may be added until the one after it. */
struct explain_check *explain_add(struct explain *e, const char *check,
	const char *interface, enum explain_verdict verdict, const char *format, ...)
	__attribute__((__format__(__printf__, 5, 6)));
/* One that does not pass. EXPLAIN_FAULT is what explain_add() takes. */
struct explain_check *explain_weigh(
	struct explain_check *c, enum explain_weight weight);
void explain_advise(struct explain_check *c, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* Datagrams of it come in, and have an output. */
bool explain_flows(const struct explain_facts *f);

/* Role, link, sockets, family. False if refused. */
bool explain_iface_usable(const struct explain_facts *f, const struct explain_iface *i,
	struct explain *e);

/* Two interfaces on one segment. */
void explain_cabling(const struct explain_iface *i, struct explain *e);

void explain_input_checks(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e);
void explain_output_checks(const struct explain_facts *f,
	const struct explain_output *out, struct explain *e);
/* Nothing there but that nobody has joined: several of them are one line. */
bool explain_output_is_quiet(
	const struct explain_facts *f, const struct explain_output *out);

/* How its datagrams are joined; nothing when none has been sent. */
void explain_joined(const struct explain_facts *f, struct explain *e);

/* explain_refused.c: what was seen to be refused. */
/* Datagrams of the group, or of the source in question, that arrived there lately. */
void explain_refused_datagrams(const struct explain_facts *f,
	const struct explain_input *in, struct explain *e);
/* False if none was; sources that may not send there. */
bool explain_refused_source(const struct explain_facts *f,
	const struct explain_input *in, struct explain *e);
/* Copies of the group. */
void explain_refused_copies(const struct explain_facts *f,
	const struct explain_output *out, struct explain *e);
/* The last report of the group that was refused, NULL means none lately. */
const struct explain_refusal *explain_refused_join(const struct explain_output *out);
void explain_name_join(const struct explain_output *out,
	const struct explain_refusal *r, struct explain *e);
/* datagrams of the kind, of the source in question if there is one; NULL means none
 * lately */
const struct explain_refusal *explain_find_refusal(const struct explain_facts *f,
	const struct explain_iface *i, enum explain_why why);
