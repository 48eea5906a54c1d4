/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Parts that several states share, see gm_state.h. Everything read is checked as if it
 * came from a stranger, because a faulty version must not bring down the next one.
 * Pure. */

#include "control/member/gm_state.h"

#define MAX_INTERVAL_MS 86400000 /* a day: longer than any interval */

/* as a number of 64 bits, the first byte highest */
void gm_put_mac(struct state_out *o, const struct gm_mac *mac)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < sizeof(mac->byte); i++)
		v = v << 8 | mac->byte[i];
	state_put_u64(o, v);
}

struct gm_mac gm_get_mac(struct state_in *in)
{
	uint64_t v = state_get_u64(in);
	struct gm_mac mac;

	for (unsigned i = sizeof(mac.byte); i-- > 0; v >>= 8)
		mac.byte[i] = (uint8_t)v;
	return mac;
}

void gm_put_filter(struct state_out *o, const struct gm_filter *f)
{
	state_put_u8(o, (uint8_t)f->mode);
	state_put_addrs(o, f->src.v, f->src.n);
}

int gm_get_addrs(struct state_in *in, enum family family, struct addrset *ret)
{
	size_t n = state_get_count(in, sizeof(struct addr));

	addrset_clear(ret);
	for (size_t i = 0; i < n && !state_is_bad(in); i++) {
		struct addr a = state_get_addr(in);
		int r;

		if (addr_family(&a) != family ||
			(i && addr_cmp(&ret->v[i - 1], &a) >= 0)) {
			state_set_bad(in);
			return 0;
		}
		r = addrset_add(ret, &a);
		if (r < 0)
			return r;
	}
	return 0;
}

int gm_get_filter(struct state_in *in, enum family family, struct gm_filter *ret)
{
	ret->mode = gm_get_mode(in);
	return gm_get_addrs(in, family, &ret->src);
}

struct addr gm_get_group(struct state_in *in)
{
	struct addr group = state_get_addr(in);

	if (!addr_is_multicast(&group) || addr_is_local_group(&group))
		state_set_bad(in);
	return group;
}

enum gm_version gm_get_version(struct state_in *in, enum family family)
{
	uint8_t v = state_get_u8(in);

	if (v >= (family == FAMILY_IPV4 ? GM_V1 : GM_V2) && v <= GM_V3)
		return (enum gm_version)v;
	state_set_bad(in);
	return GM_V3;
}

enum gm_mode gm_get_mode(struct state_in *in)
{
	uint8_t v = state_get_u8(in);

	if (v == GM_INCLUDE || v == GM_EXCLUDE)
		return (enum gm_mode)v;
	state_set_bad(in);
	return GM_INCLUDE;
}

mono_t gm_get_deadline(struct state_in *in)
{
	mono_t t = state_get_time(in);

	if (!mono_is_set(t))
		state_set_bad(in);
	return t;
}

mono_t gm_get_timer(struct state_in *in)
{
	mono_t t = state_get_time(in);

	if (t.ns == MONO_NEVER.ns)
		state_set_bad(in);
	return t;
}

void gm_get_older(struct state_in *in, enum family family, mono_t ret[_GM_VERSION_N])
{
	ret[GM_V1] = gm_get_timer(in);
	ret[GM_V2] = gm_get_timer(in);
	if (family == FAMILY_IPV6 && mono_is_set(ret[GM_V1]))
		state_set_bad(in);
}

void gm_put_params(struct state_out *o, const struct gm_params *p)
{
	state_put_u8(o, p->robustness);
	state_put_u32(o, p->query_interval_ms);
}

void gm_get_params(struct state_in *in, struct gm_params *p)
{
	p->robustness = state_get_u8(in);
	p->query_interval_ms = state_get_up_to(in, MAX_INTERVAL_MS);
}
