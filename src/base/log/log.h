/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Log lines to stderr, to syslog or to the journal, one line per call. Pure code never
 * logs. Lines that a remote host can trigger are limited by a struct log_limit.
 *
 *   error    the daemon cannot do its job
 *   warning  something is lost, but the daemon continues
 *   notice   state that an operator wants in the journal
 *   info     few lines
 *   debug    any number of lines
 *
 * The state is static, because a process has one stderr and one syslog connection. Any
 * thread may write and change the level.
 */

#include "base/cleanup.h"
#include "base/mono.h"

enum log_level {
	LOG_LEVEL_ERROR = 1,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_sink {
	LOG_SINK_STDERR = 1, /* "warning: text", or "<4>text" into the journal */
	LOG_SINK_SYSLOG,     /* facility daemon, with the process id */
	LOG_SINK_BOTH,	     /* syslog, and the same lines on stderr */
	LOG_SINK_JOURNAL,    /* entries with fields */
};

/* Sets the sink and the level. Before the first call they are stderr and warning.
 * `ident` is borrowed for the life of the process. May be called again to change the
 * sink, but only before the daemon confines itself. */
void log_open(const char *ident, enum log_sink sink, enum log_level level);
void log_close(void); /* closes what log_open() has opened */
/* Returns the journal if stderr leads to it, as in a service of systemd, else
 * stderr. */
enum log_sink log_default_sink(void);
/* Changes only the sink. Returns -EOPNOTSUPP, and changes nothing, if the journal is
 * not built in or does not listen. */
int log_set_sink(enum log_sink sink);
/* The root directory has changed: checks whether the journal can still be reached. */
void log_root_changed(void);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
static inline bool log_enabled(enum log_level level)
{
	return level <= log_get_level();
}

const char *log_level_name(enum log_level level); /* "error", "warning", ... */
int log_level_parse(const char *s, enum log_level *ret_level); /* 0, -EINVAL */

/* Control characters in the text become '?', long lines are cut; errno is preserved. */
#define log_write(level, ...) log_about(level, NULL, __VA_ARGS__)

#define log_err(...)	log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)	log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)	log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* The subject of a line. It is written before the text, for example "lan1: group
 * 239.1.2.3 host 10.0.0.1: ", and into fields of the journal. Members without a value
 * are NULL or 0. */
struct log_about {
	const char *interface;
	const char *group, *source;
	const char *host;  /* sender of the message */
	const char *cause; /* a stable key, only for the journal */
	int error;	   /* errno; its text is added at the end of the line */
};

#define log_about(level, about, ...)                                                   \
	log_limited(NULL, MONO_UNSET, level, about, __VA_ARGS__)

/* A token bucket for `burst` lines at once and one more each `interval_ms`. Suppressed
 * lines are counted, and the next line that is written tells their number. */
struct log_limit {
	uint32_t burst, interval_ms;
	bool started;
	uint32_t tokens;
	mono_t since;	 /* tokens were added up to this time */
	uint64_t hidden; /* lines suppressed since the last one that was written */
};

#define LOG_LIMIT(n, ms) ((struct log_limit){.burst = (n), .interval_ms = (ms)})

/* Takes a token. Returns true, with the number of lines suppressed before, or false if
 * there is no token. */
bool log_limit_take(struct log_limit *limit, mono_t now, uint64_t *ret_hidden);

/* Writes a line if the bucket has a token, or if `limit` is NULL. A line below the
 * current level takes none. */
void log_limited(struct log_limit *limit, mono_t now, enum log_level level,
	const struct log_about *about, const char *format, ...) _printf_(5, 6);
