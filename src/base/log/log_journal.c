/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The journal as a sink of log.c, see log_journal.h. Without libsystemd the functions
 * exist and fail.
 */

#include "base/log/log_journal.h"

#include "build_config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#if HAVE_LIBSYSTEMD
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#endif

struct fields {
	char *p, *end;
	struct iovec *v;
	int n;
};

static void log_journal_add(struct fields *f, const char *format, ...) _printf_(2, 3);
static void log_journal_add(struct fields *f, const char *format, ...)
{
	size_t left = (size_t)(f->end - f->p);
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(f->p, left, format, ap);
	va_end(ap);
	if (n < 0 || left == 0 || f->n == LOG_JOURNAL_FIELDS)
		return;
	if ((size_t)n >= left)
		n = (int)left - 1;
	f->v[f->n++] = (struct iovec){.iov_base = f->p, .iov_len = (size_t)n};
	f->p += n;
}

static void add_text(struct fields *f, const char *name, const char *value)
{
	if (value && *value)
		log_journal_add(f, "%s=%s", name, value);
}

int log_journal_fields(
	const struct log_entry *e, char *text, struct iovec field[LOG_JOURNAL_FIELDS])
{
	static const struct log_about nothing;
	const struct log_about *about = e->about ? e->about : &nothing;
	struct fields f = {.p = text, .end = text + LOG_JOURNAL_TEXT_LEN, .v = field};

	log_journal_add(&f, "PRIORITY=%d", e->priority);
	log_journal_add(&f, "SYSLOG_FACILITY=%d", LOG_FAC(LOG_DAEMON));
	log_journal_add(&f, "SYSLOG_IDENTIFIER=%s", e->ident);
	add_text(&f, "RINGCAST_INTERFACE", about->interface);
	add_text(&f, "RINGCAST_GROUP", about->group);
	add_text(&f, "RINGCAST_SOURCE", about->source);
	add_text(&f, "RINGCAST_HOST", about->host);
	add_text(&f, "RINGCAST_CAUSE", about->cause);
	if (about->error)
		log_journal_add(&f, "ERRNO=%d", about->error);
	if (e->hidden)
		log_journal_add(
			&f, "RINGCAST_SUPPRESSED=%llu", (unsigned long long)e->hidden);
	log_journal_add(
		&f, "MESSAGE=%s", e->message); /* the only field that may be long */
	return f.n;
}

bool log_journal_is_stream(int fd)
{
	const char *s = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;
	char end;

	return s && sscanf(s, "%llu:%llu%c", &dev, &ino, &end) == 2 &&
		fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

bool log_journal_works(void)
{
	return HAVE_LIBSYSTEMD && access(LOG_JOURNAL_SOCKET, W_OK) == 0;
}

int log_journal_send(const struct log_entry *e)
{
#if HAVE_LIBSYSTEMD
	struct iovec field[LOG_JOURNAL_FIELDS];
	char text[LOG_JOURNAL_TEXT_LEN];

	return sd_journal_sendv(field, log_journal_fields(e, text, field));
#else
	return -EOPNOTSUPP;
#endif
}
