/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The client's end of the control socket, shared by the commands of ringcastctl:
 * connect, send a line, read the answer. Messages for the user go to stderr here, so
 * that all commands report the same failures in the same words.
 *
 * Another program may answer, and its answer is only data. For root, the other side
 * must be root or the owner of the directory of the socket. Texts for people pass
 * through printable().
 */

#include "tools/ctl/ctl_rows.h"
#include "tools/ctl/text_table.h"

#include <jansson.h>
#include <stdbool.h>

/* exit statuses of ringcastctl */
enum {
	CTL_EXIT_OK = 0,
	CTL_EXIT_USAGE = 1,
	CTL_EXIT_UNREACHABLE = 1,
	CTL_EXIT_DAEMON = 4, /* the daemon answered with an error */
};

/* A ringcastd never sends a longer line, except those that are read row by row. */
#define CTL_CLIENT_LINE_MAX ((size_t)512 << 20)

/* values of the options before the command */
struct ctl_context {
	const char *path; /* of the control socket */
	bool as_json;
	bool pretty;	       /* JSON over several lines */
	bool all;	       /* counters that are zero also */
	struct text_view view; /* of tables */
};

/* The socket to use if none is named: $RINGCAST_SOCKET, else the first of the daemon's
 * default and that of the service at which a daemon answers. */
const char *ctl_client_default_path(void);

/* Descriptor of a connection, or -errno after a message. The caller closes it. */
int ctl_client_connect(const char *path);

/* Send `request` (no newline) and read one line; malloc'ed, without its newline. NULL
 * after a message. Several requests may use one connection. */
char *ctl_client_line(int fd, const char *path, const char *request);

/* The line as JSON, or NULL and *ret_error, which may be NULL. All its strings are safe
 * for a terminal, and have line breaks only where "text" of the reply is a whole text;
 * with `as_json` they are as the daemon has sent them. */
json_t *ctl_client_parse(const char *line, bool as_json, json_error_t *ret_error);
/* Prints on stderr the text of an error reply, or why the line was not a reply. */
void ctl_client_complain(const json_t *reply, const json_error_t *error);
/* Print a reply, or the line that it was, as JSON on standard output. Characters that a
 * terminal would obey are written as escapes. */
void ctl_client_print_json(
	const struct ctl_context *ctx, const json_t *reply, const char *line);

/* Send and read, as an object; a reply {"error": ...} is printed and counts as a
 * failure. CTL_EXIT_OK with a new reference in *ret_reply, or another exit status. */
int ctl_client_request(int fd, const char *path, const char *request, bool as_json,
	json_t **ret_reply);

/* The same, row by row; `rows` is set up by the caller and emptied here. *ret_reply is
 * the rest of the reply. With rows->json an error of the daemon is printed there alone,
 * as it is. */
int ctl_client_rows(int fd, const char *path, const char *request,
	struct ctl_rows *rows, json_t **ret_reply);
/* Makes a row safe for a terminal. */
void ctl_client_clean_row(json_t *row);

/* The same in parts, for callers that must not block and have their own screen. They
 * print nothing. ctl_client_open() returns a descriptor or -errno, -EPERM if the other
 * side is not trusted; ctl_client_send() returns 0 or -errno. */
int ctl_client_open(const char *path);
int ctl_client_send(int fd, const char *request);
/* A reply that arrives in parts; all zero at the beginning. Returns 1 if `line` is
 * complete, 0 if more must come, or -errno. */
struct ctl_reply {
	char *line; /* owned; without its newline when it is complete */
	size_t n, cap;
};
int ctl_client_receive(int fd, struct ctl_reply *r);
/* Waits until the other end closes. Returns 0, or -errno; -EAGAIN if it does not
 * close. */
int ctl_client_drain(int fd);
void ctl_client_forget(struct ctl_reply *r);
/* Asks for a stream. After CTL_EXIT_OK its bytes follow on `fd`. */
int ctl_client_stream(int fd, const char *path, const char *request);
