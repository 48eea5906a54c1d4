/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Metrics as text, in the format of Prometheus (0.0.4) or of OpenMetrics (1.0.0): a
 * table of all families, and functions that append their samples to a growing buffer.
 * Pure; knows nothing of where the values come from.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metrics_format {
	METRICS_PROMETHEUS = 1,
	METRICS_OPENMETRICS,
};
#define _METRICS_FORMAT_N 3

enum metrics_type {
	METRICS_GAUGE = 1,
	METRICS_COUNTER,   /* samples end in _total */
	METRICS_INFO,	   /* samples end in _info; the value is 1, the labels have
			    * the information */
	METRICS_HISTOGRAM, /* samples end in _bucket, _count and _sum */
};

enum metric {
#define X(id, ...) id,
#include "control/report/metrics_list.h"
#undef X
	_METRIC_N,
};

struct metrics_family {
	/* without the ending that the type adds; the last word may be a unit */
	char name[39];
	uint8_t type;	  /* enum metrics_type */
	const char *help; /* a sentence without its full stop */
};

extern const struct metrics_family metrics_family[_METRIC_N];

struct metrics {
	enum metrics_format format;
	char *buf; /* owned, without a NUL at its end */
	size_t len, cap;
	bool failed; /* memory ran out, so the text is useless */
	const struct metrics_family *family;
	bool in_labels;
};

/* All zero except the format is an empty text. */
void metrics_deinit(struct metrics *m);

/* Writes what comes before the samples of a family. The samples must follow
 * directly. */
void metrics_begin(struct metrics *m, enum metric id);
/* Writes the last line of the text. */
void metrics_end(struct metrics *m);

/* Begin a sample. It continues with labels and ends with one value. */
void metrics_sample(struct metrics *m);
void metrics_sample_of(struct metrics *m, const char *ending); /* "_bucket" ... */
/* Any bytes are a legal value: bytes that are not UTF-8 appear as \xNN. */
void metrics_label(struct metrics *m, const char *name, const char *value);
void metrics_label_uint(struct metrics *m, const char *name, uint64_t value);
void metrics_uint(struct metrics *m, uint64_t value);
void metrics_ns(struct metrics *m, uint64_t ns); /* as seconds */
void metrics_real(struct metrics *m, double value);
/* Writes all samples of a histogram. `labels` has names and their values in turn, and
 * ends with NULL. `bound_s` is in seconds; the last of the `n` buckets has none. */
void metrics_histogram(struct metrics *m, const char *const *labels,
	const uint64_t *bucket, const double *bound_s, size_t n, uint64_t sum_ns);

/* Labels that many samples share. metrics_labels() remembers where the labels of a
 * sample are in the text; call it before the value. metrics_labels_again() writes them
 * in another sample. */
struct metrics_span {
	size_t at, len;
};
struct metrics_span metrics_labels(const struct metrics *m);
void metrics_labels_again(struct metrics *m, struct metrics_span span);

const char *metrics_type_name(enum metrics_type type); /* static: "gauge", ... */
/* Returns what is added to the name of a family in those of its samples: "_total",
 * ... */
const char *metrics_ending(enum metrics_type type);

/* Returns the format for a client with this Accept header, or NULL if it sent none. */
enum metrics_format metrics_negotiate(const char *accept);
const char *metrics_content_type(enum metrics_format format);
