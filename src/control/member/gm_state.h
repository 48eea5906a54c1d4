/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Reads and writes the parts that the states of mgroup, upstream and querier have in
 * common: versions, groups and source lists. A reader that finds a faulty value marks
 * the state as bad (base/state.h). Pure. */

#include "base/state.h"
#include "control/proto/gm_msg.h"
#include "control/proto/gm_params.h"

void gm_put_mac(struct state_out *o, const struct gm_mac *mac);
struct gm_mac gm_get_mac(struct state_in *in);
void gm_put_filter(struct state_out *o, const struct gm_filter *f);
/* The sources must belong to the family and be sorted, without duplicates. Pass a
 * filter that is zero or valid; it is valid afterwards. Returns 0 or -ENOMEM. */
int gm_get_filter(struct state_in *in, enum family family, struct gm_filter *ret);
int gm_get_addrs(struct state_in *in, enum family family, struct addrset *ret);

/* a group that may have a membership; link-local groups have none */
struct addr gm_get_group(struct state_in *in);
/* a version of the family; MLD has no GM_V1 */
enum gm_version gm_get_version(struct state_in *in, enum family family);
enum gm_mode gm_get_mode(struct state_in *in);
/* a time that is set, or never */
mono_t gm_get_deadline(struct state_in *in);
/* a future time, or unset */
mono_t gm_get_timer(struct state_in *in);
/* until when an older host or querier counts as present: [GM_V1] and [GM_V2] are set */
void gm_get_older(struct state_in *in, enum family family, mono_t ret[_GM_VERSION_N]);

/* the configured values, which the values in force are compared with */
void gm_put_params(struct state_out *o, const struct gm_params *p);
void gm_get_params(struct state_in *in, struct gm_params *p);
