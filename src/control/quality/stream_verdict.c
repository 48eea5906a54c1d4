/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Verdicts, see stream_verdict.h. The provider is never blamed for what this router may
 * have lost: while the ring of the input loses frames, faults count as ours.
 */

#include "control/quality/stream_verdict.h"

static const struct {
	char name[20];
	const char *text, *advice;
} drops[_STREAM_DROP_N] = {
	[STREAM_DROP_NONE] = {"", "", ""},
	[STREAM_DROP_RING] = {"ring_drops", "the receive ring was full",
		"raise ring-size, or find out what takes the processor (ringcastctl show "
		"stats)"},
	[STREAM_DROP_SLOT] = {"truncated", "frames were larger than a slot of the ring",
		"lower the MTU of the sender, or write receive-offload off"},
	[STREAM_DROP_CHECKSUM] = {"checksum_unfixable",
		"partial checksums could not be completed",
		"let the sending machine compute checksums (ethtool -K DEV tx off there)"},
	[STREAM_DROP_MTU] = {"mtu_df",
		"datagrams were larger than the MTU of an output and must not be fragmented",
		"raise the MTU of that LAN to that of the provider"},
	[STREAM_DROP_FRAGMENT] = {"frag_failed", "datagrams could not be fragmented",
		"raise the MTU of that LAN to that of the provider"},
	[STREAM_DROP_DOWN] = {"port_down", "an output was down",
		"look at its cable and switch port"},
	[STREAM_DROP_FULL] = {"tx_full", "the send buffer of an output was full",
		"its link may be slower than the streams on it: ringcastctl show "
		"interfaces, ip -s link"},
	[STREAM_DROP_QUEUE] = {"tx_queue", "the queue of an output was full",
		"its link may be slower than the streams on it: tc -s qdisc"},
	[STREAM_DROP_SIZE] = {"tx_size", "the kernel found datagrams too large",
		"compare the MTUs of the interfaces"},
	[STREAM_DROP_ERROR] = {"tx_error", "the kernel refused datagrams",
		"read the log of the daemon and of the kernel"},
};

struct stream_verdict stream_verdict(const struct stream_second *s)
{
	struct stream_verdict v = {.place = STREAM_CLEAN};
	bool faulty = s->faults > 0 || s->outage;

	if (!s->wanted)
		return (struct stream_verdict){.place = STREAM_UNKNOWN};
	for (unsigned d = STREAM_DROP_NONE + 1; d < _STREAM_DROP_N; d++)
		if (s->drops[d] > s->drops[v.drop])
			v.drop = (enum stream_drop)d;
	if (v.drop == STREAM_DROP_NONE && s->ring)
		v.drop = STREAM_DROP_RING;
	v.silent = s->outage && s->faults == 0;
	v.provider = faulty && !s->ring;
	v.router = (faulty && s->ring) ||
		(v.drop != STREAM_DROP_NONE && v.drop != STREAM_DROP_RING);
	if (v.router)
		v.place = STREAM_ROUTER;
	else if (v.provider)
		v.place = STREAM_PROVIDER;
	else if (s->ring)
		v.place = STREAM_PERHAPS;
	else if (!s->looked)
		v.place = STREAM_UNKNOWN;
	else if (s->asked)
		v.place = STREAM_BEYOND;
	return v;
}

const char *stream_place_name(enum stream_place p)
{
	static const char names[_STREAM_PLACE_N][12] = {
		[STREAM_UNKNOWN] = "unknown",
		[STREAM_CLEAN] = "clean",
		[STREAM_PROVIDER] = "provider",
		[STREAM_ROUTER] = "router",
		[STREAM_PERHAPS] = "perhaps",
		[STREAM_BEYOND] = "beyond",
	};

	return names[p];
}

const char *stream_drop_name(enum stream_drop d)
{
	return drops[d].name;
}

const char *stream_drop_text(enum stream_drop d)
{
	return drops[d].text;
}

const char *stream_drop_advice(enum stream_drop d)
{
	return drops[d].advice;
}
