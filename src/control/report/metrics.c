/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Metrics as text, see metrics.h. Both formats have the same samples; they differ in
 * the names of families (Prometheus calls a counter by the name of its samples), in the
 * types they know, in units, and in the end mark. When memory runs out, nothing more is
 * written and `failed` is set, so callers do not have to check each call. Pure.
 */

#include "control/report/metrics.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct metrics_family metrics_family[_METRIC_N] = {
#define X(id, type, name, labels, help) [id] = {"ringcast_" name, METRICS_##type, help},
#include "control/report/metrics_list.h"
#undef X
};

void metrics_deinit(struct metrics *m)
{
	free(m->buf);
	*m = (struct metrics){.format = m->format};
}

static bool metrics_reserve(struct metrics *m, size_t n)
{
	if (!m->failed)
		m->failed = array_reserve(m->buf, m->cap, m->len + n, 16384) < 0;
	return !m->failed;
}

static void metrics_put(struct metrics *m, const char *s, size_t n)
{
	if (!metrics_reserve(m, n))
		return;
	memcpy(m->buf + m->len, s, n);
	m->len += n;
}

static void put_string(struct metrics *m, const char *s)
{
	metrics_put(m, s, strlen(s));
}

/* ---- families ---- */

static const struct {
	char name[12], ending[8];
} types[] = {
	[METRICS_GAUGE] = {"gauge", ""},
	[METRICS_COUNTER] = {"counter", "_total"},
	[METRICS_INFO] = {"info", "_info"},
	[METRICS_HISTOGRAM] = {"histogram", ""},
};

const char *metrics_type_name(enum metrics_type type)
{
	return types[type].name;
}

const char *metrics_ending(enum metrics_type type)
{
	return types[type].ending;
}

/* Returns the unit in which the name of a family ends, or NULL if it has none. */
static const char *unit_in(const char *name)
{
	static const char unit[][8] = {"seconds", "bytes", "ratio"};
	const char *end = strrchr(name, '_') + 1;

	for (size_t i = 0; i < array_len(unit); i++)
		if (strcmp(end, unit[i]) == 0)
			return unit[i];
	return NULL;
}

static void metrics_describe(struct metrics *m, const char *what, const char *text)
{
	put_string(m, "# ");
	put_string(m, what);
	put_string(m, " ");
	put_string(m, m->family->name);
	if (m->format == METRICS_PROMETHEUS)
		put_string(m, types[m->family->type].ending);
	put_string(m, " ");
	put_string(m, text);
	put_string(m, "\n");
}

void metrics_begin(struct metrics *m, enum metric id)
{
	const struct metrics_family *f = &metrics_family[id];
	enum metrics_type type = f->type;
	const char *unit = unit_in(f->name);

	/* a type that only OpenMetrics has */
	if (type == METRICS_INFO && m->format == METRICS_PROMETHEUS)
		type = METRICS_GAUGE;
	m->family = f;
	metrics_describe(m, "HELP", f->help);
	metrics_describe(m, "TYPE", types[type].name);
	if (unit && m->format == METRICS_OPENMETRICS)
		metrics_describe(m, "UNIT", unit);
}

void metrics_end(struct metrics *m)
{
	if (m->format == METRICS_OPENMETRICS)
		put_string(m, "# EOF\n");
}

/* ---- samples ---- */

void metrics_sample_of(struct metrics *m, const char *with)
{
	put_string(m, m->family->name);
	put_string(m, with);
	m->in_labels = false;
}

void metrics_sample(struct metrics *m)
{
	metrics_sample_of(m, types[m->family->type].ending);
}

static void put_escaped(struct metrics *m, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	char hex[8];

	while (*s) {
		size_t n = utf8_length(s, SIZE_MAX);

		if (n == 0) {
			snprintf(hex, sizeof(hex), "\\\\x%02x", *s++);
			put_string(m, hex);
			continue;
		}
		if (*s == '\n')
			put_string(m, "\\n");
		else if (*s == '"')
			put_string(m, "\\\"");
		else if (*s == '\\')
			put_string(m, "\\\\");
		else
			metrics_put(m, (const char *)s, n);
		s += n;
	}
}

void metrics_label(struct metrics *m, const char *name, const char *value)
{
	metrics_put(m, m->in_labels ? "," : "{", 1);
	m->in_labels = true;
	put_string(m, name);
	metrics_put(m, "=\"", 2);
	put_escaped(m, value);
	metrics_put(m, "\"", 1);
}

void metrics_label_uint(struct metrics *m, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	metrics_label(m, name, text);
}

struct metrics_span metrics_labels(const struct metrics *m)
{
	size_t at = m->len;

	if (m->failed || !m->in_labels)
		return (struct metrics_span){0};
	/* a name has no brace */
	while (at > 0 && m->buf[at - 1] != '\n')
		at--;
	at += (size_t)((char *)memchr(m->buf + at, '{', m->len - at) - (m->buf + at));
	return (struct metrics_span){.at = at, .len = m->len - at};
}

void metrics_labels_again(struct metrics *m, struct metrics_span span)
{
	if (span.len == 0 || !metrics_reserve(m, span.len))
		return;
	memcpy(m->buf + m->len, m->buf + span.at, span.len);
	m->len += span.len;
	m->in_labels = true;
}

static void put_value(struct metrics *m, const char *text)
{
	if (m->in_labels)
		metrics_put(m, "}", 1);
	metrics_put(m, " ", 1);
	put_string(m, text);
	metrics_put(m, "\n", 1);
	m->in_labels = false;
}

void metrics_uint(struct metrics *m, uint64_t value)
{
	char text[24], *p = text + sizeof(text) - 1;

	*p = '\0';
	do {
		*--p = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	put_value(m, p);
}

void metrics_ns(struct metrics *m, uint64_t ns)
{
	char text[40];

	snprintf(text, sizeof(text), "%llu.%09llu",
		(unsigned long long)(ns / 1000000000),
		(unsigned long long)(ns % 1000000000));
	put_value(m, text);
}

void metrics_real(struct metrics *m, double value)
{
	char text[40];

	if (value > 1e300)
		put_value(m, "+Inf");
	else {
		snprintf(text, sizeof(text), "%.9g", value);
		put_value(m, text);
	}
}

static void labelled_sample(
	struct metrics *m, const char *ending, const char *const *labels)
{
	metrics_sample_of(m, ending);
	for (; *labels; labels += 2)
		metrics_label(m, labels[0], labels[1]);
}

void metrics_histogram(struct metrics *m, const char *const *labels,
	const uint64_t *bucket, const double *bound_s, size_t n, uint64_t sum_ns)
{
	uint64_t count = 0;

	for (size_t i = 0; i < n; i++) {
		char bound[24] = "+Inf";

		count += bucket[i];
		if (i + 1 < n)
			snprintf(bound, sizeof(bound), "%.9g", bound_s[i]);
		labelled_sample(m, "_bucket", labels);
		metrics_label(m, "le", bound);
		metrics_uint(m, count);
	}
	labelled_sample(m, "_count", labels);
	metrics_uint(m, count);
	labelled_sample(m, "_sum", labels);
	metrics_ns(m, sum_ns);
}

/* ---- negotiation (RFC 9110 12.5.1) ---- */

static bool is_blank_http(char c)
{
	return c == ' ' || c == '\t';
}

/* The next part of `*s` up to a comma or semicolon, without the space around it; *s is
 * then after the part. Quotes have no meaning here: no value that matters has any. */
static size_t part_of_header(const char **s, const char **ret)
{
	const char *start = *s + strspn(*s, " \t");
	size_t n = strcspn(start, ",;");

	*s = start + n;
	while (n > 0 && is_blank_http(start[n - 1]))
		n--;
	*ret = start;
	return n;
}

static bool is(const char *s, size_t n, const char *word)
{
	return n == strlen(word) && strncasecmp(s, word, n) == 0;
}

/* "0.75" -> 750; anything else counts as 0 */
static unsigned weight_of_type(const char *s, size_t n)
{
	unsigned unit = 100, q = 0;

	if (n == 0 || (s[0] != '0' && s[0] != '1') || (n > 1 && s[1] != '.'))
		return 0;
	q = s[0] == '1' ? 1000 : 0;
	for (size_t i = 2; i < n && unit; i++, unit /= 10) {
		if (s[i] < '0' || s[i] > '9')
			return 0;
		q += unit * (unsigned)(s[i] - '0');
	}
	return q > 1000 ? 1000 : q;
}

struct wish {
	bool openmetrics, text;
	unsigned q;
};

static void read_parameter(struct wish *w, const char *s, size_t n)
{
	if (n > 2 && strncasecmp(s, "q=", 2) == 0)
		w->q = weight_of_type(s + 2, n - 2);
	/* there is one version of each that we write */
	if (n > 8 && strncasecmp(s, "version=", 8) == 0) {
		w->openmetrics &=
			is(s + 8, n - 8, "1.0.0") || is(s + 8, n - 8, "0.0.1");
		w->text &= is(s + 8, n - 8, "0.0.4");
	}
}

enum metrics_format metrics_negotiate(const char *accept)
{
	unsigned openmetrics = 0, text = 0;

	while (accept && *accept) {
		struct wish w = {.q = 1000};
		const char *s;
		size_t n = part_of_header(&accept, &s);

		w.openmetrics = is(s, n, "application/openmetrics-text");
		w.text =
			is(s, n, "text/plain") || is(s, n, "text/*") || is(s, n, "*/*");
		while (*accept == ';') {
			accept++;
			n = part_of_header(&accept, &s);
			read_parameter(&w, s, n);
		}
		if (w.openmetrics && w.q > openmetrics)
			openmetrics = w.q;
		if (w.text && w.q > text)
			text = w.q;
		accept += *accept == ',';
	}
	return openmetrics > 0 && openmetrics >= text ? METRICS_OPENMETRICS
						      : METRICS_PROMETHEUS;
}

const char *metrics_content_type(enum metrics_format format)
{
	return format == METRICS_OPENMETRICS
		? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		: "text/plain; version=0.0.4; charset=utf-8";
}
