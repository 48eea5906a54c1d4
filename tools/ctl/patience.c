/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Patience with answers, see patience.h. ctl_client.c waits with it. */

#include "tools/ctl/patience.h"

int64_t patience_left(const struct patience *p)
{
	uint64_t earned_s = p->n / PATIENCE_RATE;
	int64_t all = PATIENCE_ALL_MS, left;

	if (earned_s < (PATIENCE_ALL_MS - PATIENCE_SILENCE_MS) / 1000)
		all = PATIENCE_SILENCE_MS + (int64_t)earned_s * 1000;
	left = all - p->waited_ms;
	if (left > PATIENCE_SILENCE_MS)
		left = PATIENCE_SILENCE_MS;
	return left > 0 ? left : 0;
}
