/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Shared by fault.c and its driver, tests/lib/faults.py: a file that both have mapped.
 * The driver sets what must fail while the program runs, and reads what failed. Numbers
 * are in the processor's byte order; addresses are those of the program, which must run
 * without address randomization if they are compared between runs.
 */

#include <stdint.h>

#define FAULT_KINDS  128
#define FAULT_NAME   32 /* bytes of a name, with the terminator */
#define FAULT_SITES  8192
#define FAULT_FRAMES 12

enum fault_mode {
	FAULT_OFF,
	FAULT_RECORD, /* note each place that calls */
	FAULT_INJECT,
};

/* A place: the function and up to FAULT_FRAMES callers. */
struct fault_site {
	uint64_t hash; /* 0 if free */
	uint32_t kind, count;
	uint64_t frame[FAULT_FRAMES]; /* return addresses, 0 at the end */
};

struct fault_shared {
	uint32_t mode; /* enum fault_mode */
	/* which calls: of this kind from this place; 0 matches any */
	uint32_t kind;
	uint64_t site;
	/* the nth of them fails, counted from 1, and times - 1 that follow */
	uint32_t nth, times;
	int32_t error;	  /* errno; 0 means the usual one of the function */
	uint32_t n_kinds; /* written by the program when main begins */
	uint32_t count;	  /* calls that matched so far */
	uint32_t failed;  /* of these, those that failed */
	uint32_t failed_kind;
	int32_t failed_error;
	int64_t monotonic_ns; /* added to these clocks, in any mode */
	int64_t realtime_ns;
	uint64_t frame[FAULT_FRAMES]; /* of the first that failed */
	char name[FAULT_KINDS][FAULT_NAME];
	struct fault_site table[FAULT_SITES];
};
