/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The quality of a stream that arrives, see explain.h: the last hour in a sentence, and
 * where its faults happened. Pure.
 */

#include "control/report/explain_priv.h"

#include <stdio.h>
#include <string.h>

#define STREAMS_MAX 8 /* that are named */

static unsigned long long whole(uint64_t n)
{
	return n;
}

/* ": 12 of 3600 s with faults, all of them before this router; 34 datagrams lost" */
static void name_faults(const struct explain_stream *s, char *buf, size_t size)
{
	uint64_t bad = s->provider + s->router;
	size_t len;

	if (bad == 0) {
		snprintf(buf, size, "%llu s without faults", whole(s->judged));
		return;
	}
	len = (size_t)snprintf(buf, size, "%llu of %llu s with faults, ", whole(bad),
		whole(s->judged));
	if (s->router == 0)
		len += (size_t)snprintf(buf + len, size - len, "before this router");
	else if (s->provider == 0)
		len += (size_t)snprintf(buf + len, size - len, "in this router");
	else
		len += (size_t)snprintf(buf + len, size - len,
			"%llu before this router and %llu in it", whole(s->provider),
			whole(s->router));
	if (s->lost || s->continuity)
		snprintf(buf + len, size - len,
			"; %llu datagrams lost, %llu continuity errors", whole(s->lost),
			whole(s->continuity));
}

static void advise_on(const struct explain_stream *s, struct explain *e)
{
	if (s->router >= s->provider && s->router > 0 && s->drop != STREAM_DROP_NONE)
		explain_advise(e, "%s: %s", stream_drop_text(s->drop),
			stream_drop_advice(s->drop));
	else if (s->provider > 0)
		explain_advise(e,
			"ask the provider, or look at the line to it; ringcastctl quality "
			"--since 1d says when it happens");
	else if (s->place == STREAM_BEYOND)
		explain_advise(e,
			"a host asks for it again and again: look at the LAN and at that "
			"host");
}

void explain_quality(const struct explain_facts *f, struct explain *e)
{
	bool faulty = false;
	size_t len;

	for (size_t i = 0; i < f->n_stream && i < STREAMS_MAX; i++) {
		const struct explain_stream *s = &f->stream[i];
		char source[ADDR_STRLEN], faults[EXPLAIN_TEXT_LEN / 2];

		if (s->judged == 0)
			continue;
		name_faults(s, faults, sizeof(faults));
		explain_add(e, "quality", NULL, EXPLAIN_NOTE,
			"from %s to port %u, payload %s, in the last hour: %s",
			addr_format(&s->source, source), s->port, s->kind, faults);
		advise_on(s, e);
		faulty |= s->provider + s->router > 0;
	}
	len = strlen(e->summary);
	if (faulty && len + 80 < sizeof(e->summary))
		snprintf(e->summary + len, sizeof(e->summary) - len, "%s",
			"; it had faults within the last hour, see the check of the "
			"quality");
}
