/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Default timer values and the derived ones, RFC 9776 8 and RFC 9777 9. Pure. */

#include "control/proto/gm_params.h"
#include "base/minmax.h"

const struct gm_params gm_params_default = {
	.revision = GM_RFC9776,
	.robustness = 2,
	.query_interval_ms = 125000,
	.response_interval_ms = 10000,
	.last_member_interval_ms = 1000,
	.last_member_count = 2,
	.startup_interval_ms = 31250,
	.startup_count = 2,
	.unsolicited_interval_ms = 1000,
};

uint32_t gm_membership_ms(const struct gm_params *p, unsigned rv, uint32_t qi_ms)
{
	unsigned n_qri = p->revision == GM_RFC3376 ? 1 : 2;

	return rv * qi_ms + n_qri * p->response_interval_ms;
}

uint32_t gm_other_querier_ms(const struct gm_params *p, unsigned rv, uint32_t qi_ms)
{
	return rv * qi_ms + p->response_interval_ms / 2;
}

#define USUAL_INTERVALS_MS 375000 /* three of the default Query Interval */
#define MAX_ADOPTED_MS	   600000
#define USUAL_RESPONSE_MS  30000 /* IGMPv2 can say 25.5 s */

uint32_t gm_cap_query_interval(const struct gm_params *p, uint32_t qi_ms)
{
	uint32_t ours = p->query_interval_ms;
	uint32_t most = max(min(ours, MAX_ADOPTED_MS) * 3, USUAL_INTERVALS_MS);

	return min(qi_ms, max(ours, min(most, MAX_ADOPTED_MS)));
}

uint8_t gm_cap_robustness(const struct gm_params *p, uint8_t rv, uint32_t qi_ms)
{
	uint32_t most = max(p->robustness, qi_ms ? MAX_ADOPTED_MS / qi_ms : 1);

	return (uint8_t)min(rv, most);
}

uint32_t gm_max_response_ms(const struct gm_params *p)
{
	return max(3 * p->response_interval_ms, USUAL_RESPONSE_MS);
}

uint32_t gm_older_host_ms(const struct gm_params *p, unsigned rv, uint32_t qi_ms)
{
	return rv * qi_ms + p->response_interval_ms;
}

uint32_t gm_last_member_ms(const struct gm_params *p)
{
	return p->last_member_count * p->last_member_interval_ms;
}

uint32_t gm_older_querier_ms(const struct gm_params *p, enum family family, unsigned rv,
	uint32_t qi_ms, uint32_t max_resp_ms)
{
	/* MLD kept the old rule also in RFC 9777 (9.12) */
	if (p->revision == GM_RFC3376 || family == FAMILY_IPV6)
		return rv * qi_ms + max_resp_ms;
	return rv * qi_ms + 10 * max_resp_ms;
}
