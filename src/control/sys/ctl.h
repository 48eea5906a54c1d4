/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The control socket: a Unix stream socket with a line protocol. One request line, one
 * reply: a JSON document on one line. What cannot be answered gets {"error": "..."}.
 * Several clients at once, none of which can hold up the daemon: everything is
 * non-blocking. In each round of the loop one client has its turn, and a turn is one
 * request or one bounded piece of a long answer. A client whose answer is under way or
 * not yet read gets no further turn: its next requests wait in its socket.
 *
 * The reply of some commands is followed by a stream of bytes that ends when the client
 * half-closes. Such a client does not lose the connection when it is slow: what has no
 * room is refused to the writer.
 */

#include "control/sys/loop.h"

#include <jansson.h>

#define CTL_DEFAULT_PATH "/run/ringcast.sock"
/* of the service, which may write only in its own directory */
#define CTL_SERVICE_PATH "/run/ringcast/ringcast.sock"
/* bytes of a request line, with its newline: a filter may be long */
#define CTL_MAX_REQUEST 16384
/* bytes of a reply that is made at once */
#define CTL_MAX_PENDING (4 << 20)
/* A reply in pieces: the next one is made when fewer bytes wait for the client. */
#define CTL_ANSWER_ROOM (64 << 10)
/* One more, and a client is dropped: of the user with the most clients, root and the
 * starter left out, the one that has been idle longest. Of root and the starter one is
 * dropped only where all are theirs. */
#define CTL_MAX_CLIENTS 16
/* Of these, some are for root and the starter alone, and each other user has a few.
 * Where the places are taken, the oldest stream of the user with the most of them ends,
 * root and the starter left out, if the newcomer is one of those two or has fewer. */
#define CTL_MAX_STREAMS	     8
#define CTL_STREAMS_KEPT     2
#define CTL_STREAMS_PER_USER 4
/* bytes that wait for the client of a stream */
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

/* A reply that is made in pieces, embedded in its owner. Whatever happens between two
 * pieces, the line as a whole is to be a JSON document. */
struct ctl_answer {
	const struct ctl_answer_ops *ops;
	struct client *client; /* internal */
	bool failed;	       /* internal: a piece is missing */
};

struct ctl_answer_ops {
	/* Write the next piece with the functions below, in a fraction of a
	 * millisecond. 1: there is more, 0 if that was all, -errno: it cannot be
	 * finished. */
	int (*piece)(struct ctl_answer *a);
	/* It is complete, or the client has gone: may free it. */
	void (*closed)(struct ctl_answer *a);
};

/* What cannot be written for want of memory ends the answer, and the connection with it
 * once a part of the line is out: a line that is complete is a JSON document. */
void ctl_answer_write(struct ctl_answer *a, const char *text, size_t len);
/* takes the value; NULL when out of memory */
void ctl_answer_json(struct ctl_answer *a, json_t *value);

/* The name may have several words. `args` is what follows it, without surrounding
 * space, "" when there is nothing. Returns a new reference; NULL when out of memory.
 * `stream`, in place of `fn`, also gives a stream, unless its reply is an error.
 * `answer`, in place of `fn`, gives a reply in pieces, or an error as its result; NULL
 * without an answer: out of memory. A command that is CTL_READ but with some arguments
 * has `changes`, which knows them. */
struct ctl_command {
	const char *name;
	json_t *(*fn)(void *ctx, const char *args);
	json_t *(*stream)(void *ctx, const char *args, struct ctl_stream **ret);
	json_t *(*answer)(void *ctx, const char *args, struct ctl_answer **ret);
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
/* MONO_UNSET while some client has something to do, else MONO_NEVER; takes NULL. */
mono_t ctl_deadline(const struct ctl *ctl);
/* The turn of one client, the next one in a circle that has something to do; to be
 * called once in a round, after the round's other work. Takes NULL. */
void ctl_tick(struct ctl *ctl);

struct ctl_stats {
	unsigned n_clients;
	size_t pending; /* bytes of answers that they have not read */
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
