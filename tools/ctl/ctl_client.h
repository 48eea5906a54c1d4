/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The client's end of the control socket: connect, send a line, read the answer. Unless
 * a function says otherwise, it prints messages about failures to stderr, so that all
 * commands of ringcastctl report them in the same words.
 *
 * Another program may answer, so an answer is only data. If root asks, the other side
 * must be root or the owner of the directory of the socket. Texts for people pass
 * through printable().
 */

#include "control/sys/ctl.h"
#include "tools/ctl/ctl_rows.h"
#include "tools/ctl/text_table.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>

/* Exit statuses of ringcastctl. */
enum {
	CTL_EXIT_OK = 0,
	CTL_EXIT_USAGE = 1,
	CTL_EXIT_UNREACHABLE = 1,
	CTL_EXIT_DAEMON = 4, /* the daemon answered with an error */
};

/* A ringcastd never sends a longer line, except lines that are read row by row. */
#define CTL_CLIENT_LINE_MAX ((size_t)512 << 20)

/* The options before the command. */
struct ctl_context {
	const char *path; /* of the control socket */
	bool as_json;
	bool pretty;	       /* print JSON over several lines */
	bool all;	       /* also print counters that are zero */
	struct text_view view; /* of tables */
};

/* Takes an option of getopt(3) that several commands have: -s, -j, -p, -w, -b, -H.
 * Returns false if `c` is another one. */
bool ctl_client_option(struct ctl_context *ctx, int c);

/* Adds the words to a request. Returns false after a message if it is too long or has
 * line breaks. */
bool ctl_client_add_words(
	char request[CTL_MAX_REQUEST], char *const *words, size_t n_words);

int64_t ctl_client_now_ms(void); /* by CLOCK_MONOTONIC */

/* Returns the socket to use if none is named: $RINGCAST_SOCKET, else the first of the
 * daemon's default and that of the service at which a daemon answers. */
const char *ctl_client_default_path(void);

/* Returns the descriptor of a connection, which the caller closes, or -errno after a
 * message. */
int ctl_client_connect(const char *path);

/* Sends `request`, which has no newline, and reads one line. Returns the line without
 * its newline, which the caller frees, or NULL after a message. Several requests may
 * use one connection. */
char *ctl_client_line(int fd, const char *path, const char *request);

/* Parses the line as JSON. Returns a new reference, or NULL with the reason in
 * *ret_error, unless `ret_error` is NULL. Strings are safe for a terminal, and only
 * "text" of the reply may have line breaks. With `as_json` they are as the daemon has
 * sent them. Prints nothing. */
json_t *ctl_client_parse(const char *line, bool as_json, json_error_t *ret_error);
/* Prints on stderr the text of an error reply, or why the line was not a reply. */
void ctl_client_complain(const json_t *reply, const json_error_t *error);
/* Prints a reply (if `pretty`), or the line from which it was parsed, as JSON on
 * standard output. Characters that a terminal would obey are written as escapes. */
void ctl_client_print_json(
	const struct ctl_context *ctx, const json_t *reply, const char *line);

/* Sends a request and reads an object. A reply {"error": ...} is printed and counts as
 * a failure. Returns CTL_EXIT_OK with a new reference in *ret_reply, or another exit
 * status. */
int ctl_client_request(int fd, const char *path, const char *request, bool as_json,
	json_t **ret_reply);

/* Does the same row by row. The caller sets up `rows`, and this function calls
 * ctl_rows_deinit(). *ret_reply is the reply without the rows. If rows->json is not
 * NULL, an error of the daemon is written only there, as it is. */
int ctl_client_rows(int fd, const char *path, const char *request,
	struct ctl_rows *rows, json_t **ret_reply);
/* Makes a row safe for a terminal. */
void ctl_client_clean_row(json_t *row);

/* ---- the same in parts, for callers that must not block; they print nothing ---- */

/* Returns a descriptor, -EPERM if the other side is not trusted, or another -errno. */
int ctl_client_open(const char *path);
int ctl_client_send(int fd, const char *request); /* 0 or -errno */
/* A reply that arrives in parts; all zero at the beginning. ctl_client_receive()
 * returns 1 if `line` is complete, 0 if more must come, or -errno. */
struct ctl_reply {
	char *line; /* owned; without its newline when it is complete */
	size_t n, cap;
};
int ctl_client_receive(int fd, struct ctl_reply *r);
/* Waits until the other end closes. Returns 0, -EAGAIN if it does not close, or another
 * -errno. */
int ctl_client_drain(int fd);
void ctl_client_forget(struct ctl_reply *r); /* frees the line */
/* Asks for a stream, and prints messages again. Returns CTL_EXIT_OK if the bytes of the
 * stream follow on `fd`, or another exit status. */
int ctl_client_stream(int fd, const char *path, const char *request);

/* For commands that continue until an interrupt: SIGINT and SIGTERM set the variable,
 * but come only while ppoll(2) waits with *ret_waiting. A closed pipe is an error of
 * writing. */
void ctl_client_catch(sigset_t *ret_waiting);
extern volatile sig_atomic_t ctl_client_interrupted;
