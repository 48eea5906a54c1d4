/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Protocol timer values of one interface and family, and the values derived from them
 * (RFC 9776 8, RFC 9777 9; the older RFC 3376/3810 rules by `revision`). All times in
 * milliseconds.
 */

#include "base/addr.h"

#include <stdint.h>

enum gm_revision {
	GM_RFC9776 = 1, /* and RFC 9777 */
	GM_RFC3376 = 2, /* and RFC 3810 */
};

struct gm_params {
	enum gm_revision revision;
	uint8_t robustness;		  /* Robustness Variable */
	uint32_t query_interval_ms;	  /* Query Interval, 125 s */
	uint32_t response_interval_ms;	  /* Query Response Interval, 10 s */
	uint32_t last_member_interval_ms; /* Last Member Query Interval, 1 s */
	uint8_t last_member_count;	  /* Last Member Query Count, = robustness */
	uint32_t startup_interval_ms;	  /* Startup Query Interval, = QI / 4 */
	uint8_t startup_count;		  /* Startup Query Count, = robustness */
	uint32_t unsolicited_interval_ms; /* Unsolicited Report Interval, 1 s */
};

extern const struct gm_params gm_params_default;

/* Group Membership Interval (R077); rv and qi_ms are those in force (R051) */
uint32_t gm_membership_ms(const struct gm_params *p, unsigned rv, uint32_t qi_ms);
/* Other Querier Present Interval (RFC 9776 8.5) */
uint32_t gm_other_querier_ms(const struct gm_params *p, unsigned rv, uint32_t qi_ms);
/* Older Host Present Interval, router side (RFC 9776 8.13) */
uint32_t gm_older_host_ms(const struct gm_params *p, unsigned rv, uint32_t qi_ms);
/* Bound the values of another querier that we adopt (R051), so that one faulty or
 * forged query does not rule a LAN for days. The query interval is at most three times
 * ours or 375 s, whichever is longer, and at most 600 s unless ours is longer. The
 * robustness is at most the number of these intervals that fit into 600 s, or ours if
 * that is more. */
uint32_t gm_cap_query_interval(const struct gm_params *p, uint32_t qi_ms);
uint8_t gm_cap_robustness(const struct gm_params *p, uint8_t rv, uint32_t qi_ms);
/* A general query that gives hosts longer than this to answer keeps no membership
 * alive. */
uint32_t gm_max_response_ms(const struct gm_params *p);
/* Last Member Query Time (RFC 9776 8.10) */
uint32_t gm_last_member_ms(const struct gm_params *p);
/* Older Version Querier Present Timeout, host side (R122). `qi_ms` and `max_resp_ms`
 * are those of the last query that was heard. */
uint32_t gm_older_querier_ms(const struct gm_params *p, enum family family, unsigned rv,
	uint32_t qi_ms, uint32_t max_resp_ms);
