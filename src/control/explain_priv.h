/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What explain.c shares with the two halves of the way. */

#include "control/explain.h"

/* The next check; its advice may be added until the one after it. */
struct explain_check *explain_add(struct explain *e, const char *check,
	const char *interface, enum explain_verdict verdict, const char *format, ...)
	__attribute__((__format__(__printf__, 5, 6)));
void explain_advise(struct explain_check *c, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* Role, link, sockets, family. False: refused. */
bool explain_iface_usable(const struct explain_facts *f, const struct explain_iface *i,
	struct explain *e);

/* Two interfaces on one segment. */
void explain_cabling(const struct explain_iface *i, struct explain *e);

void explain_input_checks(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e);
void explain_output_checks(const struct explain_facts *f,
	const struct explain_output *out, struct explain *e);
