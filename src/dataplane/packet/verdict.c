/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Names of the verdicts, see verdict.h. The names are part of the control protocol and
 * do not change. Pure.
 */

#include "dataplane/packet/verdict.h"

#include <errno.h>

#include <stddef.h>

static const char names[_VERDICT_N][20] = {
	[VERDICT_FORWARDED] = "forwarded",
	[VERDICT_TRUNCATED] = "truncated",
	[VERDICT_OTHERHOST] = "otherhost",
	[VERDICT_OWN_MAC] = "own_mac",
	[VERDICT_VLAN_MISMATCH] = "vlan_mismatch",
	[VERDICT_BAD_VERSION] = "bad_version",
	[VERDICT_BAD_IHL] = "bad_ihl",
	[VERDICT_BAD_LENGTH] = "bad_length",
	[VERDICT_BAD_CHECKSUM] = "bad_ip_checksum",
	[VERDICT_NOT_MULTICAST] = "not_multicast",
	[VERDICT_LINK_LOCAL_GROUP] = "link_local_scope",
	[VERDICT_CONTROL] = "control",
	[VERDICT_MARTIAN_SOURCE] = "martian_source",
	[VERDICT_SOURCE_ROUTE] = "source_route",
	[VERDICT_SUPERFRAME] = "superframe",
	[VERDICT_WRONG_INPUT] = "wrong_input",
	[VERDICT_ACL] = "acl",
	[VERDICT_NO_GROUP] = "no_group",
	[VERDICT_SOURCE_FILTERED] = "source_filtered",
	[VERDICT_TTL_EXPIRED] = "ttl_expired",
	[VERDICT_EMPTY_OUTPUT] = "empty_output",
	[VERDICT_CHECKSUM_UNFIXABLE] = "checksum_unfixable",
	[VERDICT_TTL_THRESHOLD] = "ttl_threshold",
	[VERDICT_MTU_DF] = "mtu_df",
	[VERDICT_FRAG_FAILED] = "frag_failed",
	[VERDICT_PORT_DOWN] = "port_down",
	[VERDICT_TX_FULL] = "tx_full",
	[VERDICT_TX_QUEUE] = "tx_queue",
	[VERDICT_TX_SIZE] = "tx_size",
	[VERDICT_TX_ERROR] = "tx_error",
};

const char *verdict_name(enum verdict v)
{
	return (unsigned)v < _VERDICT_N ? names[v] : NULL;
}

enum verdict verdict_of_errno(int err)
{
	switch (err) {
	case ENETDOWN:
	case ENXIO:
	case ENODEV:
		return VERDICT_PORT_DOWN;
	case EAGAIN:
		return VERDICT_TX_FULL;
	case ENOBUFS:
		return VERDICT_TX_QUEUE;
	case EMSGSIZE:
		return VERDICT_TX_SIZE;
	default:
		return VERDICT_TX_ERROR;
	}
}
