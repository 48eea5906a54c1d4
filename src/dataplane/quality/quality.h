/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The quality of one stream (source, group, destination port), measured from its
 * datagrams: how they arrive, the sequence numbers of RTP, the continuity counters and
 * tables of MPEG-TS. Pure: it has no clock and no memory of its own, and keeps nothing
 * of a payload.
 *
 * The caller gives each datagram with its time, and reads counters and results. A
 * struct quality has fixed size (less than 4.5 KiB) and one writer. What it learns is
 * bounded: 96 PIDs, 32 PMTs and 32 clocks; packets beyond that are only counted.
 *
 * One fault is counted once, in the layer in which it happened. A gap in the RTP
 * sequence is `rtp_missing`, and continuity is not judged across it; a continuity error
 * inside of intact RTP was there before the sender. Without RTP, the continuity
 * counters are the only sign of loss.
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
	QUALITY_UNKNOWN, /* only its arrival is judged */
	QUALITY_TS,	 /* MPEG-TS in UDP */
	QUALITY_RTP_TS,	 /* MPEG-TS in RTP, payload type 33 (RFC 2250) */
	QUALITY_RTP,	 /* RTP with something else */
	QUALITY_FEC,	 /* FEC (SMPTE 2022-1); only arrival is judged */
	_QUALITY_KIND_N,
};

/* Counters, since quality_init(). The names of quality_count_name() are those of the
 * members in lower case. */
enum quality_count {
	QUALITY_DATAGRAMS,
	QUALITY_BYTES,	     /* of UDP payload */
	QUALITY_MEDIA_BYTES, /* without RTP headers, padding, duplicates; of a TS packet
				188 bytes */
	QUALITY_TRUNCATED,   /* datagrams of which not all was captured: their TS
				packets were not looked at */
	QUALITY_MISFITS,     /* datagrams that are not of the stream's kind */
	QUALITY_KIND_CHANGES,
	QUALITY_TIME_STEPS, /* datagrams with an earlier time than the one before; they
			       are taken to have its time */

	/* arrival */
	QUALITY_SILENT_GAPS,   /* longer than 3 times the usual spacing and than 20 ms,
				  up to 1 s; see quality_arrival.c [TR] */
	QUALITY_OUTAGES,       /* more than 1 s without a datagram [TR] */
	QUALITY_SECONDS,       /* complete ones, from the first datagram */
	QUALITY_ERROR_SECONDS, /* of these, with a fault, or in which an outage had lasted
				  for more than 1 s [TR]. Faults are RTP lost, misfits,
				  continuity, sync bytes, transport errors */

	/* RTP */
	QUALITY_RTP_MISSING,	/* sequence numbers that were skipped [RTP A.1] */
	QUALITY_RTP_REORDERED,	/* of these, came within 100 numbers; lost is the
				   difference */
	QUALITY_RTP_DUPLICATED, /* came again within 100 numbers */
	QUALITY_RTP_RESTARTS, /* two in a row continued elsewhere: 3,000 or more ahead,
				   100 or more behind [RTP A.1] */
	QUALITY_RTP_SSRC_CHANGES, /* two in a row of another SSRC */
	QUALITY_RTP_SKIPPED,	  /* fit into no sequence: the first of the two in a row
					above, and lone ones */
	QUALITY_RTP_TIMESTAMP_JUMPS, /* time stamp against arrival by 1 s or more; not in
					the jitter */
	QUALITY_RTP_CONTROL,	     /* RTCP on the same port [RFC 5761 4] */

	/* MPEG-TS */
	QUALITY_TS_PACKETS,
	QUALITY_TS_NULL,	/* packets of PID 0x1fff; nothing else of them counts */
	QUALITY_TS_SYNC_BYTES,	/* packets without 0x47 [DVB 1.2] */
	QUALITY_TS_SYNC_LOSSES, /* two in a row; over after five good ones, which until
					then are not looked at [DVB 1.1] */
	QUALITY_TS_CONTINUITY,	/* continuity errors [TS 2.4.3.3, DVB 1.4] */
	QUALITY_TS_MISSING,	/* packets that these mean, modulo 16 */
	QUALITY_TS_DUPLICATES,	/* legal: the second of two equal packets */
	QUALITY_TS_SIGNALLED,	/* packets with discontinuity_indicator [TS 2.4.3.5] */
	QUALITY_TS_TRANSPORT_ERRORS, /* transport_error_indicator; nothing else of the
					packet counts [DVB 2.1] */
	QUALITY_TS_SCRAMBLED,	     /* packets */
	QUALITY_TS_PAT,		     /* sections with table_id 0 */
	QUALITY_TS_PAT_LATE,	     /* gaps of more than 0.5 s [DVB 1.3] */
	QUALITY_TS_PAT_CRC,  /* of sections that fit into a packet [DVB 2.2]; not
					in TS_PAT */
	QUALITY_TS_PMT,	     /* sections with table_id 2 on PIDs of the PAT */
	QUALITY_TS_PMT_LATE, /* gaps of more than 0.5 s, of each PID [DVB 1.5] */
	QUALITY_TS_PCR,
	QUALITY_TS_PCR_DISCONTINUITIES, /* a step outside of 0 to 100 ms without
				 discontinuity_indicator [DVB 2.3b], which is also more
				 than 100 ms off the arrival: loss does not count again */
	QUALITY_TS_RANDOM_ACCESS,	/* packets with random_access_indicator */
	QUALITY_TS_UNWATCHED, /* packets of PIDs beyond the 96, of programs beyond the 32
				 or of clocks beyond the 32, as far as that mattered */
	_QUALITY_COUNT_N,
};

/* One PID. A packet is compared with the one before it on its PID only if both have
 * the same epoch: nothing happened between them that makes the comparison void. */
struct quality_pid {
	uint16_t pid;
	uint8_t cc;
	uint8_t flags;
	uint32_t epoch;
	uint32_t mark;	 /* bytes 12 to 15 of the last packet with payload */
	uint16_t errors; /* continuity errors, up to 65,535 */
	uint8_t clock;	 /* place in clock[], if flags say so */
};

struct quality_ts {
	uint16_t packet_size; /* 188 or 204 */
	uint8_t bad, good;    /* sync bytes in a row */
	bool lost;	      /* of synchronisation */
	bool late;	      /* the PAT: this gap is counted */
	uint8_t n_pids, n_pmts, n_clocks;
	uint8_t recent; /* place in pid[] */
	bool has_pat;
	uint8_t pat_version;
	uint16_t pat_stream;
	uint32_t epoch;
	mono_t pat_at;
	mono_t first_pat_at, first_random_at; /* or MONO_UNSET */
	int64_t pat_gap_ns, pmt_gap_ns;	      /* the longest, or the one that lasts */
	struct quality_pid pid[128];	      /* hashed; not all are used */
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
	uint16_t highest, next; /* sequence numbers; next: of a new sequence */
	bool begun, has_next, has_transit;
	uint32_t since; /* numbers since the first, at most 128 */
	uint32_t transit, jitter, jitter_max;
	uint32_t clock_rate; /* 0 means not known: no jitter */
	uint64_t seen[2];    /* by number modulo 128 */
};

struct quality_arrival {
	mono_t first, last, second_end;
	int64_t gap_max_ns; /* the longest, or the one that lasts */
	int64_t usual_ns;   /* spacing; 0 until it is known */
	int64_t silent_ns;  /* a longer gap is a silent one */
	int64_t peak_ns;    /* longest gap of this second */
	double ns_per_byte; /* of the media, in a second without silence; 0 as above */
	double vb_min, vb_max; /* virtual buffer of this second, in ns */
	uint64_t second_bytes; /* media, in this second */
	uint64_t rate;	       /* bytes of media in the last complete second */
	uint64_t loss_before;  /* media packets lost until this second */
	int64_t faults_before;
	bool silent, error; /* in this second */
	bool in_outage;	    /* it lasts, and is counted */
	int64_t df_ns, df_max_ns;
	uint64_t mlr, mlr_max;
};

struct quality {
	enum quality_kind kind;
	uint8_t misfits; /* in a row */
	bool started;
	bool rests; /* see quality_resume(): until the next datagram */
	uint64_t count[_QUALITY_COUNT_N];
	struct quality_arrival arrival;
	struct quality_rtp rtp;
	struct quality_ts ts;
};

/* Nothing has to be released. */
void quality_init(struct quality *q);

/*
 * The next datagram. `payload` is what follows the UDP header: `captured` bytes that
 * can be read, of `len` in the datagram; captured <= len. `at` is when it arrived, not
 * earlier than 0. Returns true if this has completed a second: a good moment to copy
 * the counters for readers.
 */
bool quality_datagram(struct quality *q, const uint8_t *payload, size_t captured,
	size_t len, mono_t at);

/* No datagram came until `now`. Gaps that last are counted once, and results are
 * brought up to date. Returns as quality_datagram(). */
bool quality_until(struct quality *q, mono_t now);

/* The next datagram continues the stream after a pause that proves nothing, because
 * nobody wanted the stream, or because the clock was set. The pause counts neither as a
 * gap nor as loss, continuity and ages begin again, and the second that was cut short
 * is not counted. Counters are kept. Until the next datagram quality_until() does
 * nothing. */
void quality_resume(struct quality *q);

/* What follows from the state. */
struct quality_result {
	uint64_t rtp_lost;
	int64_t jitter_ns,
		jitter_max_ns;	  /* -1 if the clock rate is not known [RTP A.8] */
	int64_t df_ns, df_max_ns; /* delay factor of the last complete second and the
				     largest; -1 if none is known [MDI 3.1] */
	uint64_t mlr, mlr_max;	  /* media loss rate: RTP numbers skipped, or TS packets
				     missing, in these seconds [MDI 3.2] */
	uint64_t rate_bps;	  /* of the media, in the last complete second */
	int64_t length_ns;	  /* from the first to the last datagram, with pauses */
};
void quality_result(const struct quality *q, struct quality_result *ret);

/* Static texts: "ts_continuity"; "MPEG-TS in RTP". */
const char *quality_count_name(enum quality_count c);
const char *quality_kind_name(enum quality_kind k);

/* Continuity errors by PID: returns the place after the next PID that has some, from
 * place `at` on, or 0 at the end. */
unsigned quality_next_pid(
	const struct quality *q, unsigned at, uint16_t *ret_pid, uint16_t *ret_errors);
