/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The client's end of the control socket, shared by the commands of ringcastctl:
 * connect, send a line, read the answer. Messages for the user go to stderr here, so
 * that all commands explain the same troubles in the same words.
 */

#include <jansson.h>
#include <stdbool.h>

/* exit statuses of ringcastctl */
enum {
	CTL_EXIT_OK = 0,
	CTL_EXIT_USAGE = 1,
	CTL_EXIT_UNREACHABLE = 1,
	CTL_EXIT_DAEMON = 4, /* the daemon answered with an error */
};

/* what the options before the command have said */
struct ctl_context {
	const char *path; /* of the control socket */
	bool as_json;
};

/* The socket when none is named: that of the environment, else the first at which a
 * daemon answers, its own default or that of the service. */
const char *ctl_client_default_path(void);

/* Descriptor of a connection, or -errno after a message. The caller closes it. */
int ctl_client_connect(const char *path);

/* Send `request` (no newline) and read one line; malloc'ed, without its newline. NULL
 * after a message. Several requests may use one connection. */
char *ctl_client_line(int fd, const char *path, const char *request);

/* The same, as an object; a reply {"error": ...} is printed and counts as a failure.
 * CTL_EXIT_OK with a new reference in *ret_reply, or another exit status. */
int ctl_client_request(
	int fd, const char *path, const char *request, json_t **ret_reply);
