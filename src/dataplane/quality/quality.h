/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The quality of one stream (source, group, destination port). It is measured from the
 * arrival of its datagrams, the sequence numbers of RTP, and the continuity counters
 * and tables of MPEG-TS. Pure: it has no clock and no memory of its own, and keeps
 * nothing of a payload.
 *
 * The caller gives each datagram with its time, and reads counters and results. A
 * struct quality has fixed size (less than 4.5 KiB) and one writer. What it learns is
 * bounded: 96 PIDs, 32 PMTs and 32 clocks; packets beyond that are only counted.
 *
 * One fault is counted once, in the layer in which it happened. A gap in the RTP
 * sequence is `rtp_missing`, and continuity is not judged across it. A continuity error
 * inside intact RTP was therefore in the stream before it was sent as RTP. Without RTP,
 * the continuity counters are the only sign of loss.
 *
 * Sources: [RTP] RFC 3550, [FEC] SMPTE 2022-1, [TS] ISO/IEC 13818-1, [DVB] ETSI TR 101
 * 290, [MDI] RFC 4445, [TR] Broadband Forum TR-135.
 */

#include "base/mono.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUALITY_PIDS   96
#define QUALITY_PMTS   32
#define QUALITY_CLOCKS 32

enum quality_kind {
	QUALITY_UNKNOWN, /* something else, of which only the arrival is judged */
	QUALITY_TS,	 /* MPEG-TS in UDP */
	QUALITY_RTP_TS,	 /* MPEG-TS in RTP, payload type 33 (RFC 2250) */
	QUALITY_RTP,	 /* RTP with something else */
	QUALITY_FEC,	 /* FEC (SMPTE 2022-1); only arrival is judged */
	_QUALITY_KIND_N,
};

/* Counters since quality_init(). Each member says what it counts. The names of
 * quality_count_name() are those of the members in lower case. */
enum quality_count {
	QUALITY_DATAGRAMS,
	QUALITY_BYTES,	     /* bytes of UDP payload */
	QUALITY_MEDIA_BYTES, /* without RTP headers, padding and duplicates; a TS packet
				counts as 188 bytes */
	QUALITY_TRUNCATED,   /* datagrams that were captured in part, so their TS
				packets were not looked at */
	QUALITY_MISFITS,     /* datagrams that are not of the stream's kind */
	QUALITY_KIND_CHANGES,
	QUALITY_TIME_STEPS, /* datagrams with an earlier time than the previous one; the
			       previous time is used for them */

	/* arrival */
	QUALITY_SILENT_GAPS,   /* gaps that are longer than 20 ms and than 3 times the
				  usual spacing, but not than 1 s; see
				  quality_arrival.c [TR] */
	QUALITY_OUTAGES,       /* times of more than 1 s without a datagram [TR] */
	QUALITY_SECONDS,       /* complete seconds, from the first datagram on */
	QUALITY_ERROR_SECONDS, /* complete seconds with a fault (RTP lost, misfits,
				  continuity, sync bytes, transport errors), or with a
				  moment at which an outage had lasted for 1 s [TR] */

	/* RTP */
	QUALITY_RTP_MISSING,	/* sequence numbers that were skipped [RTP A.1] */
	QUALITY_RTP_REORDERED,	/* skipped numbers that came within 100 numbers; the
				   others are lost */
	QUALITY_RTP_DUPLICATED, /* numbers that came again within 100 numbers */
	QUALITY_RTP_RESTARTS, /* new sequences: two packets in a row were 3,000 or more
				   ahead, or 100 or more behind [RTP A.1] */
	QUALITY_RTP_SSRC_CHANGES, /* two packets in a row had another SSRC */
	QUALITY_RTP_SKIPPED,	  /* packets that fit into no sequence: single ones, and
					the first of the two that begin a new one */
	QUALITY_RTP_TIMESTAMP_JUMPS, /* the time stamp differed from the arrival by 1 s
					or more; that does not count as jitter */
	QUALITY_RTP_CONTROL,	     /* packets of RTCP on the same port [RFC 5761 4] */

	/* MPEG-TS */
	QUALITY_TS_PACKETS,
	QUALITY_TS_NULL,       /* packets of PID 0x1fff, which are only counted */
	QUALITY_TS_SYNC_BYTES, /* packets that do not begin with 0x47 [DVB 1.2] */
	/* Two such packets came in a row. Packets are not analysed until five good ones
	 * have come [DVB 1.1]. */
	QUALITY_TS_SYNC_LOSSES,
	QUALITY_TS_CONTINUITY, /* continuity errors [TS 2.4.3.3, DVB 1.4] */
	QUALITY_TS_MISSING,    /* packets that were lost by these errors, modulo 16 */
	QUALITY_TS_DUPLICATES, /* the second of two equal packets, which is legal */
	QUALITY_TS_SIGNALLED,  /* packets with discontinuity_indicator [TS 2.4.3.5] */
	QUALITY_TS_TRANSPORT_ERRORS, /* packets with transport_error_indicator, of which
					nothing else counts [DVB 2.1] */
	QUALITY_TS_SCRAMBLED,	     /* scrambled packets */
	QUALITY_TS_PAT,		     /* sections with table_id 0 */
	QUALITY_TS_PAT_LATE, /* gaps of more than 0.5 s between them [DVB 1.3] */
	QUALITY_TS_PAT_CRC,  /* sections of the PAT with a wrong CRC, if they fit
					into a packet; not in TS_PAT [DVB 2.2] */
	QUALITY_TS_PMT,	     /* sections with table_id 2 on PIDs of the PAT */
	QUALITY_TS_PMT_LATE, /* gaps of more than 0.5 s on one PID [DVB 1.5] */
	QUALITY_TS_PCR,
	/* Steps of the PCR outside of 0 to 100 ms without discontinuity_indicator [DVB
	 * 2.3b]. The step must also differ from the arrival by more than 100 ms, so
	 * that a loss does not count again. */
	QUALITY_TS_PCR_DISCONTINUITIES,
	/* Packets where a decoder can begin: with random_access_indicator, or the first
	 * one of a picture that needs no other one, see quality_picture.c. */
	QUALITY_TS_RANDOM_ACCESS,
	/* Packets that could not be analysed, because there was no room for their PID,
	 * program or clock (QUALITY_PIDS, QUALITY_PMTS, QUALITY_CLOCKS). */
	QUALITY_TS_UNWATCHED,
	_QUALITY_COUNT_N,
};

/* One PID. A packet is compared with the previous one of its PID only if both have the
 * same epoch. The epoch changes when the two can no longer be compared. */
struct quality_pid {
	uint16_t pid;
	uint8_t cc;
	uint8_t flags;
	uint32_t epoch;
	uint32_t mark;	 /* bytes 12 to 15 of the last packet with payload */
	uint16_t errors; /* continuity errors, up to 65,535 */
	uint8_t clock;	 /* its place in clock[], if the flags say that it has one */
	uint8_t video;	 /* an enum ts_video, from the PMT */
};

struct quality_ts {
	uint16_t packet_size; /* 188 or 204 */
	uint8_t bad, good;    /* wrong and right sync bytes in a row */
	bool lost;	      /* synchronisation is lost */
	bool late;	      /* the present gap of the PAT was counted as late */
	uint8_t n_pids, n_pmts, n_clocks;
	uint8_t recent; /* place in pid[] of the last packet */
	bool has_pat;
	uint8_t pat_version;
	uint16_t pat_stream;
	uint32_t epoch;
	mono_t pat_at;
	mono_t first_pat_at, first_random_at; /* or MONO_UNSET */
	int64_t pat_gap_ns, pmt_gap_ns; /* the longest gaps, also unfinished ones */
	struct quality_pid pid[128];	/* a hash table of QUALITY_PIDS at most */
	struct quality_pmt {
		mono_t at;
		uint16_t pid;
		bool late;
	} pmt[QUALITY_PMTS];
	struct quality_clock {
		mono_t at;
		uint64_t pcr; /* 27 MHz; UINT64_MAX means that none is known */
	} clock[QUALITY_CLOCKS];
};

struct quality_rtp {
	uint32_t ssrc, next_ssrc;
	/* the highest sequence number; the next one of a sequence that may begin */
	uint16_t highest, next;
	bool begun, has_next, has_transit;
	uint32_t since; /* numbers since the sequence began, at most 128 */
	uint32_t transit, jitter, jitter_max;
	uint32_t clock_rate; /* in Hz, or 0 if not known; then there is no jitter */
	uint64_t seen[2];    /* a bit for each number, modulo 128 */
};

struct quality_arrival {
	mono_t first, last, second_end;
	int64_t gap_max_ns;    /* the longest gap, also an unfinished one */
	int64_t usual_ns;      /* the usual spacing; 0 until it is known */
	int64_t silent_ns;     /* a gap that is longer counts as silent */
	int64_t peak_ns;       /* longest gap of this second, except an outage */
	double ns_per_byte;    /* media in the last second without silence, or 0 */
	double vb_min, vb_max; /* virtual buffer of this second, in ns */
	uint64_t second_bytes; /* bytes of media in this second */
	uint64_t rate;	       /* bytes of media in the last complete second */
	/* media packets that had been lost, and faults, when this second began */
	uint64_t loss_before;
	int64_t faults_before;
	bool silent, error; /* this second had a silent gap; it had an outage */
	bool in_outage;	    /* an outage lasts, and was counted */
	int64_t df_ns, df_max_ns;
	uint64_t mlr, mlr_max;
};

struct quality {
	enum quality_kind kind;
	uint8_t misfits; /* datagrams of another kind in a row */
	bool started;
	bool rests; /* after quality_resume(), until the next datagram */
	uint64_t count[_QUALITY_COUNT_N];
	struct quality_arrival arrival;
	struct quality_rtp rtp;
	struct quality_ts ts;
};

/* Nothing has to be released. */
void quality_init(struct quality *q);

/*
 * Takes the next datagram. `payload` is what follows the UDP header. It has `len`
 * bytes, of which the first `captured` can be read. `at` is when the datagram arrived,
 * not earlier than 0. Returns true if this has completed a second, which is a good
 * moment to copy the counters for readers.
 */
bool quality_datagram(struct quality *q, const uint8_t *payload, size_t captured,
	size_t len, mono_t at);

/* Says that no datagram came until `now`. Counts an unfinished gap, but only once, and
 * brings the results up to date. Returns true if this has completed a second. */
bool quality_until(struct quality *q, mono_t now);

/* Says that the next datagram comes after a pause that proves nothing, because no host
 * wanted the stream, or because the clock was set. The pause counts neither as a gap
 * nor as loss, continuity and ages begin again, and the second that was cut short is
 * not counted. Counters are kept. Until the next datagram quality_until() does
 * nothing. */
void quality_resume(struct quality *q);

/* Results that are calculated from the counters and the state. */
struct quality_result {
	uint64_t rtp_lost;
	/* interarrival jitter, or -1 if the clock rate is not known [RTP A.8] */
	int64_t jitter_ns, jitter_max_ns;
	/* delay factor of the last complete second, and the largest one; -1 if none is
	 * known [MDI 3.1] */
	int64_t df_ns, df_max_ns;
	/* media loss rate of these seconds: RTP numbers that were skipped, or TS
	 * packets that are missing [MDI 3.2] */
	uint64_t mlr, mlr_max;
	uint64_t rate_bps; /* bits of media in the last complete second */
	int64_t length_ns; /* from the first to the last datagram, with pauses */
};
void quality_result(const struct quality *q, struct quality_result *ret);

static inline void quality_add(struct quality *q, enum quality_count c, uint64_t n)
{
	q->count[c] += n;
}

/* Static texts: "ts_continuity"; "MPEG-TS in RTP". */
const char *quality_count_name(enum quality_count c);
const char *quality_kind_name(enum quality_kind k);

/* Walks over the PIDs with continuity errors. Begin with `at` 0. Returns the `at` for
 * the next call, or 0 if there is no further PID; then nothing is written. */
unsigned quality_next_pid(
	const struct quality *q, unsigned at, uint16_t *ret_pid, uint16_t *ret_errors);
