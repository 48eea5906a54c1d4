/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Log lines, see log.h. Knows where lines go. A line is formatted into a buffer on the
 * stack. It leaves with one write(), one datagram to the logger (log_syslog.c) or one
 * entry of the journal (log_journal.c), so that lines of several threads do not mix.
 */

#include "base/log/log.h"

#include "base/log/log_journal.h"
#include "base/log/log_syslog.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#define LINE_MAX_LEN 1024

static struct {
	const char *_Atomic ident;
	_Atomic int level;
	_Atomic int sink;
	_Atomic bool marked; /* stderr goes to the journal, which reads "<4>text" */
} state = {.ident = "ringcast", .level = LOG_LEVEL_WARNING, .sink = LOG_SINK_STDERR};

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", LOG_ERR},
	[LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
	[LOG_LEVEL_NOTICE] = {"notice", LOG_NOTICE},
	[LOG_LEVEL_INFO] = {"info", LOG_INFO},
	[LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

void log_open(const char *ident, enum log_sink sink, enum log_level level)
{
	state.ident = ident;
	state.level = level;
	log_syslog_open(); /* in case that this sink is chosen later */
	(void)log_set_sink(sink);
}

void log_close(void)
{
	log_syslog_close();
}

enum log_sink log_default_sink(void)
{
	return log_journal_works() && log_journal_is_stream(STDERR_FILENO)
		? LOG_SINK_JOURNAL
		: LOG_SINK_STDERR;
}

int log_set_sink(enum log_sink sink)
{
	if (sink == LOG_SINK_JOURNAL && !log_journal_works())
		return -EOPNOTSUPP;
	state.marked = log_journal_is_stream(STDERR_FILENO);
	state.sink = sink;
	return 0;
}

void log_root_changed(void)
{
	/* the stream of stderr stays open */
	if (state.sink == LOG_SINK_JOURNAL && !log_journal_works())
		(void)log_set_sink(LOG_SINK_STDERR);
}

void log_set_level(enum log_level level)
{
	state.level = level;
}

enum log_level log_get_level(void)
{
	return (enum log_level)atomic_load_explicit(&state.level, memory_order_relaxed);
}

const char *log_level_name(enum log_level level)
{
	return levels[level].name;
}

int log_level_parse(const char *s, enum log_level *ret_level)
{
	for (size_t i = LOG_LEVEL_ERROR; i < array_len(levels); i++) {
		if (strcasecmp(s, levels[i].name) == 0) {
			*ret_level = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

static size_t clamp_written(int n, size_t size)
{
	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}

/* names of interfaces and files can have any bytes, which must not forge lines */
static void mask_control(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
	}
}

/* a line that is being built */
struct text {
	char line[LINE_MAX_LEN];
	size_t n;
};

static void log_append(struct text *t, const char *format, ...) _printf_(2, 3);
static void log_append(struct text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	t->n += clamp_written(
		vsnprintf(t->line + t->n, sizeof(t->line) - t->n, format, ap),
		sizeof(t->line) - t->n);
	va_end(ap);
}

static void append_about(struct text *t, const struct log_about *about)
{
	const char *colon = about->interface ? ":" : "";
	const struct {
		const char *word, *value;
	} part[] = {
		{"group", about->group},
		{"source", about->source},
		{"host", about->host},
	};
	bool any = false;

	if (about->interface)
		log_append(t, "%s", about->interface);
	for (size_t i = 0; i < array_len(part); i++) {
		if (!part[i].value)
			continue;
		log_append(t, "%s%s%s %s", any ? "" : colon,
			any || about->interface ? " " : "", part[i].word,
			part[i].value);
		any = true;
	}
	if (any || about->interface)
		log_append(t, ": ");
}

static void send_line(enum log_level level, const struct text *t,
	const struct log_about *about, uint64_t hidden)
{
	struct log_entry entry = {.ident = state.ident,
		.priority = levels[level].priority,
		.message = t->line,
		.about = about,
		.hidden = hidden};
	char line[LINE_MAX_LEN + 16]; /* and the level, and the newline */
	int n;

	if (state.sink == LOG_SINK_SYSLOG || state.sink == LOG_SINK_BOTH) {
		log_syslog_send(state.ident, levels[level].priority, t->line);
		if (state.sink == LOG_SINK_SYSLOG)
			return;
	}
	if (state.sink == LOG_SINK_JOURNAL && log_journal_send(&entry) == 0)
		return;
	if (state.marked)
		n = snprintf(line, sizeof(line), "<%d>%s\n", levels[level].priority,
			t->line);
	else
		n = snprintf(
			line, sizeof(line), "%s: %s\n", levels[level].name, t->line);
	if (write(STDERR_FILENO, line, clamp_written(n, sizeof(line))) < 0)
		return; /* there is no place left to report it */
}

_printf_(4, 0) static void write_line(enum log_level level,
	const struct log_about *about, uint64_t hidden, const char *format, va_list ap)
{
	struct text t = {.n = 0};

	if (about)
		append_about(&t, about);
	t.n += clamp_written(vsnprintf(t.line + t.n, sizeof(t.line) - t.n, format, ap),
		sizeof(t.line) - t.n);
	if (about && about->error)
		log_append(&t, ": %s", strerror(about->error));
	if (hidden > 0)
		log_append(&t, " (%llu similar lines suppressed)",
			(unsigned long long)hidden);
	mask_control(t.line);
	send_line(level, &t, about, hidden);
}

bool log_limit_take(struct log_limit *limit, mono_t now, uint64_t *ret_hidden)
{
	int64_t step = mono_from_ms(limit->interval_ms).ns;
	int64_t elapsed = now.ns - limit->since.ns;

	if (!limit->started || step == 0 || elapsed / step >= limit->burst) {
		limit->started = true;
		limit->tokens = limit->burst;
		limit->since = now;
	} else if (elapsed >= step) {
		uint64_t tokens = limit->tokens + (uint64_t)(elapsed / step);

		limit->tokens = tokens < limit->burst ? (uint32_t)tokens : limit->burst;
		limit->since = mono_add_ns(limit->since, elapsed / step * step);
	}
	if (limit->tokens == 0) {
		limit->hidden++;
		return false;
	}
	/* a full bucket gains no tokens, so the next one counts from now */
	if (limit->tokens == limit->burst)
		limit->since = now;
	limit->tokens--;
	*ret_hidden = limit->hidden;
	limit->hidden = 0;
	return true;
}

void log_limited(struct log_limit *limit, mono_t now, enum log_level level,
	const struct log_about *about, const char *format, ...)
{
	int saved = errno;
	uint64_t hidden = 0;
	va_list ap;

	if (!log_enabled(level) || (limit && !log_limit_take(limit, now, &hidden)))
		return;
	va_start(ap, format);
	write_line(level, about, hidden, format, ap);
	va_end(ap);
	errno = saved;
}
