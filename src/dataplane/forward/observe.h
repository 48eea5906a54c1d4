/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Shows the datagrams of a burst to the analysers of its streams (quality_watch.h). It
 * shows the flows that have outputs, with their datagrams as they came in, and a
 * super-frame datagram by datagram. A datagram whose TTL is used up also counts,
 * because it has arrived. Pure.
 */

#include "dataplane/forward/replicate.h"
#include "dataplane/quality/quality_watch.h"

/* Shows all flows. Call it between quality_watch_begin() and quality_watch_end(), while
 * the job's frames exist. */
void observe_burst(const struct replicate_job *job, struct quality_watch *w);
/* Shows one flow. */
void observe_flow(
	const struct replicate_job *job, unsigned flow, struct quality_watch *w);
