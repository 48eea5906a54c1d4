/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The control socket: a Unix stream socket with a line protocol. One request line, one
 * reply: a JSON document on one line. What cannot be answered gets {"error": "..."}.
 * Several clients at once, none of which can hold up the daemon: everything is
 * non-blocking, and who does not read what he asked for is dropped.
 *
 * The reply of some commands is followed by a stream of octets that ends when the
 * client half-closes. Such a client does not lose the connection when it is slow: what
 * has no room is refused to the writer.
 */

#include "control/loop.h"

#include <jansson.h>

#define CTL_DEFAULT_PATH "/run/ringcast.sock"
/* of the service, which may write only in its own directory */
#define CTL_SERVICE_PATH "/run/ringcast/ringcast.sock"
/* octets of a request line, with its newline: a filter may be long */
#define CTL_MAX_REQUEST 16384
/* octets of replies that wait for one client */
#define CTL_MAX_PENDING (64 << 20)
/* one more, and the one that has been idle longest is dropped */
#define CTL_MAX_CLIENTS 16
#define CTL_MAX_STREAMS 8
/* octets that wait for the client of a stream */
#define CTL_MAX_STREAM_PENDING (2 << 20)

struct ctl;
struct client;

/* Who may give a command. Who a client is says the kernel: the user who has connected,
 * whoever holds the connection later. */
enum ctl_right {
	/* root, and the user that has started the daemon; what a row has that says
	 * nothing */
	CTL_CHANGE,
	CTL_READ, /* everybody who can connect */
};

/* A stream, embedded in its owner. */
struct ctl_stream {
	const struct ctl_stream_ops *ops;
	struct client *client; /* internal */
};

struct ctl_stream_ops {
	void (*opened)(struct ctl_stream *s); /* the reply is out: begin */
	/* The client, or the daemon, ends it: write what comes last. */
	void (*ending)(struct ctl_stream *s);
	void (*closed)(struct ctl_stream *s); /* the client has gone; may free it */
};

/* All of it or, when too much is waiting, nothing: false. Never blocks and never
 * calls back. */
bool ctl_stream_write(struct ctl_stream *s, const void *buf, size_t len);

/* The name may have several words. `args` is what follows it, without surrounding
 * space, "" when there is nothing. Returns a new reference; NULL: out of memory.
 * `stream`, in place of `fn`, also gives a stream, unless its reply is an error. A
 * command that is CTL_READ but with some arguments has `changes`, which knows them. */
struct ctl_command {
	const char *name;
	json_t *(*fn)(void *ctx, const char *args);
	json_t *(*stream)(void *ctx, const char *args, struct ctl_stream **ret);
	enum ctl_right right;
	bool (*changes)(const char *args);
};

/* The commands with their rights: a list of {"command", "right", "arguments"}, where
 * "arguments" is the right that some arguments need. A new reference or NULL. */
json_t *ctl_list(const struct ctl_command *commands);

/* {"error": "..."} with a formatted text, for handlers; NULL when out of memory */
json_t *ctl_error(const char *format, ...)
	__attribute__((__format__(__printf__, 1, 2)));

/* Bind `path` with mode 0660. A socket file that nobody answers on is replaced;
 * -EADDRINUSE: somebody does; -EEXIST: there is a file of another kind; other -errno.
 * `commands` ends with a NULL name and is borrowed, like `path`. The real user of the
 * calling process is the one that has started the daemon. */
int ctl_new(struct loop *loop, const char *path, const struct ctl_command *commands,
	void *ctx, struct ctl **ret_ctl);
struct ctl_stats {
	unsigned n_clients;
	size_t pending; /* octets of answers that they have not read */
};
void ctl_stats(const struct ctl *ctl, struct ctl_stats *ret);
/* The same with a socket that another process has made listen at `path`. `fd` stays the
 * caller's when it fails; -EINVAL: it is another one. */
int ctl_adopt(struct loop *loop, const char *path, int fd,
	const struct ctl_command *commands, void *ctx, struct ctl **ret_ctl);
int ctl_fd(const struct ctl *ctl);
/* Give the socket file to a group. 0, -EPERM: only root and a member of it may, other
 * -errno. */
int ctl_set_group(struct ctl *ctl, gid_t gid);
/* Closes all clients. Returns NULL. The file stays for the next start to replace: a
 * daemon that is confined may remove none. */
struct ctl *ctl_free(struct ctl *ctl);
