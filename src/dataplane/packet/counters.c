/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Names of the counters, see counters.h. They are keys of the control protocol and do
 * not change. Pure.
 */

#include "dataplane/packet/counters.h"

#include <stddef.h>

const char *port_count_name(enum port_count c)
{
	static const char *const name[_PORT_COUNT_N] = {
		[PORT_COUNT_RX_PACKETS] = "rx_packets",
		[PORT_COUNT_RX_BYTES] = "rx_bytes",
		[PORT_COUNT_TX_PACKETS] = "tx_packets",
		[PORT_COUNT_TX_BYTES] = "tx_bytes",
		[PORT_COUNT_TX_MESSAGES] = "tx_messages",
		[PORT_COUNT_RING_PACKETS] = "ring_packets",
		[PORT_COUNT_RING_DROPS] = "ring_drops",
		[PORT_COUNT_RING_FREEZES] = "ring_freezes",
	};

	return (unsigned)c < _PORT_COUNT_N ? name[c] : NULL;
}

const char *thread_count_name(enum thread_count c)
{
	static const char *const name[_THREAD_COUNT_N] = {
		[THREAD_COUNT_FRAMES] = "frames",
		[THREAD_COUNT_BURSTS] = "bursts",
		[THREAD_COUNT_BLOCKS] = "blocks",
		[THREAD_COUNT_BLOCK_TIMEOUTS] = "block_timeouts",
		[THREAD_COUNT_WAKEUPS] = "wakeups",
		[THREAD_COUNT_TRIALS] = "transmit_trials",
	};

	return (unsigned)c < _THREAD_COUNT_N ? name[c] : NULL;
}
