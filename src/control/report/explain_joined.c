/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The cost of a stream that arrives, see explain.h: how many of its datagrams leave in
 * one message, and why not more. The counts are those of all streams of the group, or
 * of the one source that was asked about (base/joined.h). Pure.
 */

#include "control/report/explain_priv.h"

#include <stdio.h>

/* A reason is mentioned from this share of the messages, in percent. */
#define WORTH_TELLING 10
#define REASONS_MAX   3

static const struct {
	const char *because, *advice;
} reasons[_JOINED_N] = {
	[JOINED_LAST] = {"no other one had arrived by then",
		"to save processor time, `latency throughput` waits for more of "
		"them"},
	[JOINED_SIZE] = {"the sizes differ",
		"only the last datagram of a message may be "
		"shorter than the others"},
	[JOINED_FULL] = {"the message was full", NULL},
	[JOINED_HEADER] = {"TTL, TOS, DF or flow label differ",
		"let the sender use the same ones for all of its datagrams"},
	[JOINED_ID] = {"the IP identifications do not rise",
		"let the sender set DF, or count its datagrams; with `coalesce exact` "
		"they have to rise by one"},
	[JOINED_CHECKSUM] = {"the UDP checksum is wrong, or missing",
		"let the sender compute it; `coalesce on` also joins IPv4 datagrams "
		"without one"},
	[JOINED_KIND] =
		{"they are fragments, have options, are not UDP, or were joined "
		 "before",
			NULL},
	[JOINED_PORTS] = {"datagrams of other ports are in between",
		"`coalesce on` joins those of each port"},
	[JOINED_OFF] = {"joining is switched off, or no interface takes super-frames",
		"`coalesce on`; ringcastctl show interfaces says what each one takes"},
};

static unsigned percent(const struct joined_counts *n, enum joined_end e)
{
	return (unsigned)((n->end[e] * UINT64_C(100) + n->messages / 2) / n->messages);
}

static enum joined_end most_frequent(const struct joined_counts *n)
{
	enum joined_end best = JOINED_LAST;

	for (unsigned e = 0; e < _JOINED_N; e++)
		if (n->end[e] > n->end[best])
			best = (enum joined_end)e;
	return best;
}

/* The reasons with their shares, the most frequent one first. */
static void name_reasons(const struct joined_counts *n, char *buf, size_t size)
{
	enum joined_end first = most_frequent(n);
	size_t len = (size_t)snprintf(buf, size,
		"%u %% of the messages end there because %s", percent(n, first),
		reasons[first].because);

	for (unsigned e = 0, told = 1; e < _JOINED_N && told < REASONS_MAX; e++) {
		unsigned share = percent(n, (enum joined_end)e);

		if (e == first || share < WORTH_TELLING || len >= size)
			continue;
		len += (size_t)snprintf(buf + len, size - len, "; %u %%: %s", share,
			reasons[e].because);
		told++;
	}
}

void explain_joined(const struct explain_facts *f, struct explain *e)
{
	const struct joined_counts *n = &f->joined;
	char why[EXPLAIN_TEXT_LEN];

	if (n->messages == 0)
		return;
	name_reasons(n, why, sizeof(why));
	explain_add(e, "joined", NULL, EXPLAIN_NOTE,
		"%u.%02u of its datagrams leave in one message; %s",
		n->datagrams / n->messages,
		(unsigned)(n->datagrams % n->messages * UINT64_C(100) / n->messages),
		why);
	if (reasons[most_frequent(n)].advice)
		explain_advise(e, "%s", reasons[most_frequent(n)].advice);
}
