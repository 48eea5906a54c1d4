/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A file that fault.c and its driver, tests/lib/faults.py, have both mapped. The driver
 * sets which calls must fail while the program runs, and reads which did. Numbers are
 * in the processor's byte order. Addresses are those of the program, which must run
 * without address randomization if they are compared between runs.
 */

#include <stdint.h>

#define FAULT_KINDS  128
#define FAULT_NAME   32 /* bytes of a name, with the terminator */
#define FAULT_SITES  8192
#define FAULT_FRAMES 12

enum fault_mode {
	FAULT_OFF,
	FAULT_RECORD, /* record each place that makes a call */
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
	/* which calls: of this kind and place; 0 matches any */
	uint32_t kind;
	uint64_t site;
	/* the nth of them fails, counted from 1, and the next times - 1 */
	uint32_t nth, times;
	int32_t error;	  /* errno, or 0 for the usual one of the function */
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
