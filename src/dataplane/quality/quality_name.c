/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Names of the counters and kinds, as JSON and documents have them. */

#include "base/cleanup.h"
#include "dataplane/quality/quality_priv.h"

static const char *const count_names[_QUALITY_COUNT_N] = {
	[QUALITY_DATAGRAMS] = "datagrams",
	[QUALITY_BYTES] = "bytes",
	[QUALITY_MEDIA_BYTES] = "media_bytes",
	[QUALITY_TRUNCATED] = "truncated",
	[QUALITY_MISFITS] = "misfits",
	[QUALITY_KIND_CHANGES] = "kind_changes",
	[QUALITY_TIME_STEPS] = "time_steps",
	[QUALITY_SILENT_GAPS] = "silent_gaps",
	[QUALITY_OUTAGES] = "outages",
	[QUALITY_SECONDS] = "seconds",
	[QUALITY_ERROR_SECONDS] = "error_seconds",
	[QUALITY_RTP_MISSING] = "rtp_missing",
	[QUALITY_RTP_REORDERED] = "rtp_reordered",
	[QUALITY_RTP_DUPLICATED] = "rtp_duplicated",
	[QUALITY_RTP_RESTARTS] = "rtp_restarts",
	[QUALITY_RTP_SSRC_CHANGES] = "rtp_ssrc_changes",
	[QUALITY_RTP_SKIPPED] = "rtp_skipped",
	[QUALITY_RTP_TIMESTAMP_JUMPS] = "rtp_timestamp_jumps",
	[QUALITY_RTP_CONTROL] = "rtp_control",
	[QUALITY_TS_PACKETS] = "ts_packets",
	[QUALITY_TS_NULL] = "ts_null",
	[QUALITY_TS_SYNC_BYTES] = "ts_sync_bytes",
	[QUALITY_TS_SYNC_LOSSES] = "ts_sync_losses",
	[QUALITY_TS_CONTINUITY] = "ts_continuity",
	[QUALITY_TS_MISSING] = "ts_missing",
	[QUALITY_TS_DUPLICATES] = "ts_duplicates",
	[QUALITY_TS_SIGNALLED] = "ts_signalled",
	[QUALITY_TS_TRANSPORT_ERRORS] = "ts_transport_errors",
	[QUALITY_TS_SCRAMBLED] = "ts_scrambled",
	[QUALITY_TS_PAT] = "ts_pat",
	[QUALITY_TS_PAT_LATE] = "ts_pat_late",
	[QUALITY_TS_PAT_CRC] = "ts_pat_crc",
	[QUALITY_TS_PMT] = "ts_pmt",
	[QUALITY_TS_PMT_LATE] = "ts_pmt_late",
	[QUALITY_TS_PCR] = "ts_pcr",
	[QUALITY_TS_PCR_DISCONTINUITIES] = "ts_pcr_discontinuities",
	[QUALITY_TS_RANDOM_ACCESS] = "ts_random_access",
	[QUALITY_TS_UNWATCHED] = "ts_unwatched",
};

const char *quality_count_name(enum quality_count c)
{
	return count_names[c];
}

const char *quality_kind_name(enum quality_kind k)
{
	static const char *const names[_QUALITY_KIND_N] = {
		[QUALITY_UNKNOWN] = "unknown",
		[QUALITY_TS] = "MPEG-TS",
		[QUALITY_RTP_TS] = "MPEG-TS in RTP",
		[QUALITY_RTP] = "RTP",
		[QUALITY_FEC] = "2022-1 FEC",
	};

	return names[k];
}

unsigned quality_next_pid(
	const struct quality *q, unsigned at, uint16_t *ret_pid, uint16_t *ret_errors)
{
	for (; at < array_len(q->ts.pid); at++) {
		if (q->ts.pid[at].errors == 0)
			continue;
		*ret_pid = q->ts.pid[at].pid;
		*ret_errors = q->ts.pid[at].errors;
		return at + 1;
	}
	return 0;
}
