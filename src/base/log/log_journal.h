/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Log lines as entries of the systemd journal, with a field for each thing that a line
 * is about, so that "journalctl RINGCAST_GROUP=239.1.2.3" finds it. Internal to log.c
 * and its test.
 */

#include "base/log/log.h"

#include <sys/uio.h>

/* the socket of the journal */
#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

#define LOG_JOURNAL_FIELDS   12
#define LOG_JOURNAL_TEXT_LEN 4096

struct log_entry {
	const char *ident;
	int priority; /* of syslog(3) */
	const char *message;
	const struct log_about *about; /* NULL if it has no subject */
	uint64_t hidden; /* number of similar lines that were suppressed */
};

/* Builds fields for sd_journal_sendv(); they point into `text`, which has
 * LOG_JOURNAL_TEXT_LEN bytes. Returns their number. */
int log_journal_fields(
	const struct log_entry *e, char *text, struct iovec field[LOG_JOURNAL_FIELDS]);

/* Is the journal built in, and does it listen? */
bool log_journal_works(void);
/* Is the descriptor a stream into the journal (systemd.exec(5), $JOURNAL_STREAM)? */
bool log_journal_is_stream(int fd);
/* Returns 0 or -errno. */
int log_journal_send(const struct log_entry *e);
