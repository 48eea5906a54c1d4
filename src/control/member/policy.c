/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Membership policy, see policy.h. White and black lists: last match decides
 * (config_group_allowed). Boundaries: RFC 2365 5, RFC 4007 5. SSM: RFC 4604 2.2, RFC
 * 9776 6.4.
 */

#include "control/member/policy.h"

#include "base/bytes.h"

enum policy policy_record(const struct config *cfg, const struct config_iface *ci,
	enum gm_version version, const struct gm_record *rec)
{
	if (addr_is_local_group(&rec->group))
		return POLICY_LOCAL;
	if (config_is_ssm(cfg, &rec->group) &&
		(version < GM_V3 || rec->type == GM_IS_EX || rec->type == GM_TO_EX))
		return POLICY_SSM;
	return policy_group(ci, &rec->group) ? POLICY_PASS : POLICY_DENIED;
}

bool policy_group(const struct config_iface *ci, const struct addr *group)
{
	return config_group_allowed(ci, group) && !config_is_boundary(ci, group);
}

/* R150: members without a source, older ones among them, are EXCLUDE. */
enum policy policy_state(const struct config *cfg, const struct config_iface *ci,
	const struct addr *group, enum gm_mode mode)
{
	if (mode == GM_EXCLUDE && config_is_ssm(cfg, group))
		return POLICY_SSM;
	return policy_group(ci, group) ? POLICY_PASS : POLICY_DENIED;
}

bool policy_sender(const struct config_iface *ci, const struct prefix *subnet,
	size_t n_subnet, const struct addr *from)
{
	return addr_is_any(from) || (!addr_is_v4(from) && addr_is_link_local(from)) ||
		prefix_any_contains(subnet, n_subnet, from) ||
		prefix_any_contains(ci->altnet, ci->n_altnet, from);
}

/* The highest address of an IPv4 subnet belongs to no host (RFC 3021 2.1: it does when
 * there are only two). */
static bool is_broadcast_of(const struct prefix *p, const struct addr *a)
{
	unsigned len = prefix_len_in_family(p);
	uint32_t v = get_u32be(addr_v4_bytes(a));
	uint32_t host = len >= 31 ? 0 : UINT32_MAX >> len;

	return host && (v & host) == host;
}

bool policy_querier(
	const struct prefix *subnet, size_t n_subnet, const struct addr *from)
{
	static const uint8_t no_identifier[8];
	bool any = false;

	if (!addr_is_v4(from))
		return addr_is_link_local(from) &&
			memcmp(from->b + 8, no_identifier, sizeof(no_identifier)) != 0;
	if (!addr_is_usable_source(from) || addr_v4_bytes(from)[0] == 0)
		return false;
	for (size_t i = 0; i < n_subnet; i++) {
		if (!addr_is_v4(&subnet[i].addr))
			continue;
		any = true;
		if (prefix_contains(&subnet[i], from))
			return !is_broadcast_of(&subnet[i], from);
	}
	return !any;
}
