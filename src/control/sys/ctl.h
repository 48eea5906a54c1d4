/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The control socket: a Unix stream socket with a line protocol. Each request line gets
 * one reply: a JSON document on one line. A request that cannot be answered gets
 * {"error": "..."}. There can be several clients, and none of them can block the
 * daemon: everything is non-blocking. In each round of the loop one client has its
 * turn, and a turn is one request or one bounded piece of a long answer. A client whose
 * answer is under way or not yet read gets no further turn: its next requests wait in
 * its socket.
 *
 * The reply of some commands is followed by a stream of bytes that ends when the client
 * half-closes. Such a client keeps its connection if it is slow: data without room is
 * refused to the writer.
 */

#include "control/sys/loop.h"

#include <jansson.h>

#define CTL_DEFAULT_PATH "/run/ringcast.sock"
/* of the service, which can write only in its own directory */
#define CTL_SERVICE_PATH "/run/ringcast/ringcast.sock"
/* bytes of a request line, with its newline: a filter may be long */
#define CTL_MAX_REQUEST 16384
/* bytes of a reply that is not made in pieces */
#define CTL_MAX_PENDING (4 << 20)
/* A reply in pieces: the next one is made when fewer bytes wait for the client. */
#define CTL_ANSWER_ROOM (64 << 10)
/* If one more connects, a client is dropped. Root and the starter aside, it is the
 * longest idle client of the user with the most clients. A client of root or the
 * starter is dropped only if all are theirs. */
#define CTL_MAX_CLIENTS 16
/* Some of these places are reserved for root and the starter, and each other user has a
 * few. If all are taken, and the newcomer is root or the starter or has fewer streams,
 * the oldest stream of the user with the most of them ends; root and the starter are
 * exempt. */
#define CTL_MAX_STREAMS	     8
#define CTL_STREAMS_KEPT     2
#define CTL_STREAMS_PER_USER 4
/* bytes that wait for the client of a stream */
#define CTL_MAX_STREAM_PENDING (2 << 20)

struct ctl;
struct client;

/* The right that a command needs. The kernel tells who a client is: the user that has
 * connected, even if another process holds the connection later. */
enum ctl_right {
	/* only root and the user that has started the daemon; the default of a row */
	CTL_CHANGE,
	CTL_READ, /* every user that can connect */
};

/* A stream, embedded in its owner. */
struct ctl_stream {
	const struct ctl_stream_ops *ops;
	struct client *client; /* internal */
};

struct ctl_stream_ops {
	void (*opened)(struct ctl_stream *s); /* the reply is written: begin */
	/* The client or the daemon ends it: write the last bytes. */
	void (*ending)(struct ctl_stream *s);
	void (*closed)(struct ctl_stream *s); /* the client has gone; may free it */
};

/* Writes all of it and returns true, or nothing and returns false if too much is
 * waiting. Never blocks and never calls back. */
bool ctl_stream_write(struct ctl_stream *s, const void *buf, size_t len);

/* A reply that is made in pieces, embedded in its owner. The whole line must be a JSON
 * document, whatever changes between two pieces. */
struct ctl_answer {
	const struct ctl_answer_ops *ops;
	/* internal: where its text goes, 0 or -1 */
	int (*append)(const char *text, size_t len, void *arg);
	void *arg;
	bool failed; /* internal: a piece is missing */
};

struct ctl_answer_ops {
	/* Write the next piece with the functions below, in a fraction of a
	 * millisecond. Returns 1 if there is more, 0 if that was all, or -errno if it
	 * cannot be finished. */
	int (*piece)(struct ctl_answer *a);
	/* It is complete, or the client has gone. May free it. */
	void (*closed)(struct ctl_answer *a);
};

/* Lack of memory ends the answer. If a part of the line is already written, the
 * connection also ends, so a complete line is always a JSON document. */
void ctl_answer_write(struct ctl_answer *a, const char *text, size_t len);
/* takes the value; NULL when out of memory */
void ctl_answer_json(struct ctl_answer *a, json_t *value);

/* An answer that is made for somebody else than a client of the socket: its text goes
 * to `append`, which returns 0 or -1. ctl_answer_piece() makes the next piece; 1 if
 * there is more, 0 if that was all, or -errno. After any but 1 the answer is closed. */
void ctl_answer_begin(struct ctl_answer *a,
	int (*append)(const char *text, size_t len, void *arg), void *arg);
int ctl_answer_piece(struct ctl_answer *a);

/* The name may have several words. `args` is what follows it, without surrounding
 * space, "" if there is nothing. Returns a new reference; NULL when out of memory.
 * `stream`, instead of `fn`, also gives a stream, unless its reply is an error.
 * `answer`, instead of `fn`, gives a reply in pieces, or an error as its result; NULL
 * without an answer means out of memory. A command that is CTL_READ except with some
 * arguments has `changes`, which recognises them. */
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

/* Bind `path` with mode 0660. A socket file without a listener is replaced. Returns
 * -EADDRINUSE if it has a listener, -EEXIST if there is a file of another kind, or
 * another -errno. `commands` ends with a NULL name and is borrowed, like `path`. The
 * real user of the calling process is the one that has started the daemon. */
int ctl_new(struct loop *loop, const char *path, const struct ctl_command *commands,
	void *ctx, struct ctl **ret_ctl);
/* MONO_UNSET while some client has something to do, else MONO_NEVER; takes NULL. */
mono_t ctl_deadline(const struct ctl *ctl);
/* Gives a turn to the next client that has something to do. Call it once per round,
 * after the other work of the round. Takes NULL. */
void ctl_tick(struct ctl *ctl);

struct ctl_stats {
	unsigned n_clients;
	size_t pending; /* bytes of answers that they have not read */
};
void ctl_stats(const struct ctl *ctl, struct ctl_stats *ret);
/* The same with a socket that another process has made listen at `path`. On failure
 * `fd` stays the caller's; -EINVAL if it is another socket. */
int ctl_adopt(struct loop *loop, const char *path, int fd,
	const struct ctl_command *commands, void *ctx, struct ctl **ret_ctl);
int ctl_fd(const struct ctl *ctl);
/* Give the socket file to a group. Returns 0, -EPERM if the process is neither root nor
 * a member of it, or another -errno. */
int ctl_set_group(struct ctl *ctl, gid_t gid);
/* Closes all clients. Returns NULL. The file stays and the next start replaces it,
 * because a confined daemon cannot remove files. */
struct ctl *ctl_free(struct ctl *ctl);
