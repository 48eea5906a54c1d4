/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Log lines, see log.h. Edge code: the only file that knows where lines go. A line is
 * formatted into a buffer on the stack and leaves with one write() or one syslog(), so
 * that lines of several threads do not mix.
 */

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#define LINE_MAX_LEN 1024

static struct {
	_Atomic int level;
	_Atomic int sink;
} state = {.level = LOG_LEVEL_WARNING, .sink = LOG_SINK_STDERR};

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
	if (sink == LOG_SINK_SYSLOG)
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	else if (sink == LOG_SINK_BOTH)
		openlog(ident, LOG_PID | LOG_NDELAY | LOG_PERROR, LOG_DAEMON);
	state.sink = sink;
	state.level = level;
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

/* names of interfaces and files may hold anything but must not forge lines */
static void mask_control(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
	}
}

_printf_(3, 0) static void write_line(
	enum log_level level, uint64_t hidden, const char *format, va_list ap)
{
	bool to_stderr = state.sink == LOG_SINK_STDERR;
	char line[LINE_MAX_LEN];
	size_t n = 0;

	if (to_stderr)
		n = clamp_written(
			snprintf(line, sizeof(line), "%s: ", levels[level].name),
			sizeof(line));
	n += clamp_written(
		vsnprintf(line + n, sizeof(line) - n, format, ap), sizeof(line) - n);
	if (hidden > 0)
		n += clamp_written(snprintf(line + n, sizeof(line) - n,
					   " (%llu similar lines suppressed)",
					   (unsigned long long)hidden),
			sizeof(line) - n);
	mask_control(line);
	if (!to_stderr) {
		syslog(levels[level].priority, "%s", line);
		return;
	}
	line[n] = '\n'; /* in place of the terminator */
	if (write(STDERR_FILENO, line, n + 1) < 0)
		return; /* nobody is left to tell */
}

void log_write(enum log_level level, const char *format, ...)
{
	int saved = errno;
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, format);
	write_line(level, 0, format, ap);
	va_end(ap);
	errno = saved;
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
	/* a full bucket fills no further: the next token counts from now */
	if (limit->tokens == limit->burst)
		limit->since = now;
	limit->tokens--;
	*ret_hidden = limit->hidden;
	limit->hidden = 0;
	return true;
}

void log_limited(struct log_limit *limit, mono_t now, enum log_level level,
	const char *format, ...)
{
	int saved = errno;
	uint64_t hidden;
	va_list ap;

	if (!log_enabled(level) || !log_limit_take(limit, now, &hidden))
		return;
	va_start(ap, format);
	write_line(level, hidden, format, ap);
	va_end(ap);
	errno = saved;
}
