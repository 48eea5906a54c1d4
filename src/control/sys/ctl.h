/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The control socket: a Unix stream socket with a line protocol. Each request line gets
 * one reply: a JSON document on one line. A request that cannot be answered gets
 * {"error": "..."}. There can be several clients. No client can block the daemon,
 * because everything is non-blocking. In each round of the loop one client has its
 * turn, which is one request or one bounded piece of a long answer. While a client
 * still has a part of its answer to read, it gets no further turn, and its next
 * requests wait in its socket.
 *
 * The reply of some commands is followed by a stream of bytes that ends when the client
 * half-closes its connection. A client that reads its stream slowly keeps its
 * connection, but ctl_stream_write() refuses data for which there is no room.
 */

#include "control/sys/loop.h"

#include <jansson.h>

#define CTL_DEFAULT_PATH "/run/ringcast.sock"
/* the path in the service, which can write only in its own directory */
#define CTL_SERVICE_PATH "/run/ringcast/ringcast.sock"
/* the most bytes of a request line with its newline; a filter may be long */
#define CTL_MAX_REQUEST 16384
/* the most bytes of a reply that is not made in pieces */
#define CTL_MAX_PENDING (4 << 20)
/* The next piece of a reply is made when fewer bytes than this wait for the client. */
#define CTL_ANSWER_ROOM (64 << 10)
/* If one more client connects, another one is dropped: the client that has been idle
 * longest, of the user with the most clients. A client of root or of the user that has
 * started the daemon (the starter) is dropped only if all clients are theirs. */
#define CTL_MAX_CLIENTS 16
/* CTL_STREAMS_KEPT of these places are reserved for root and the starter, and no other
 * user has more than CTL_STREAMS_PER_USER. If all are taken, a newcomer that is root or
 * the starter, or has fewer streams, replaces the oldest stream of the user with the
 * most streams. The streams of root and the starter are never replaced. */
#define CTL_MAX_STREAMS	     8
#define CTL_STREAMS_KEPT     2
#define CTL_STREAMS_PER_USER 4
/* the most bytes that wait for the client of a stream */
#define CTL_MAX_STREAM_PENDING (2 << 20)

struct ctl;
struct client;

/* The right that a command needs. A client has the rights of the user that has
 * connected, as the kernel says, even if another process uses the connection later. */
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
	/* The reply was written, and the stream may begin. May be NULL. */
	void (*opened)(struct ctl_stream *s);
	/* The client or the daemon ends the stream. Writes its last bytes. */
	void (*ending)(struct ctl_stream *s);
	void (*closed)(struct ctl_stream *s); /* the client has gone; may free it */
};

/* Writes all bytes and returns true. If too many bytes wait for the client, it writes
 * nothing and returns false. Never blocks and never calls back. */
bool ctl_stream_write(struct ctl_stream *s, const void *buf, size_t len);

/* A reply that is made in pieces, embedded in its owner. All pieces together must be a
 * JSON document, whatever changes between two pieces. */
struct ctl_answer {
	const struct ctl_answer_ops *ops;
	/* internal: takes the text; returns 0 or -1 */
	int (*append)(const char *text, size_t len, void *arg);
	void *arg;
	bool failed; /* internal: a piece is missing */
};

struct ctl_answer_ops {
	/* Writes the next piece with the functions below, in a fraction of a
	 * millisecond. Returns 1 if there is more, 0 if that was all, or -errno if the
	 * answer cannot be finished. */
	int (*piece)(struct ctl_answer *a);
	/* The answer is complete, or the client has gone. May free it. */
	void (*closed)(struct ctl_answer *a);
};

/* Lack of memory ends the answer. If a part of the line is already written, the
 * connection also ends, so a complete line is always a JSON document. */
void ctl_answer_write(struct ctl_answer *a, const char *text, size_t len);
/* Writes a value and takes the reference. NULL means that there was no memory for
 * it. */
void ctl_answer_json(struct ctl_answer *a, json_t *value);

/* Make an answer that does not go to a client of the socket. Its text goes to `append`,
 * which returns 0 or -1. ctl_answer_piece() makes the next piece. It returns 1 if there
 * is more, or closes the answer and returns 0 if that was all, or -errno. */
void ctl_answer_begin(struct ctl_answer *a,
	int (*append)(const char *text, size_t len, void *arg), void *arg);
int ctl_answer_piece(struct ctl_answer *a);

/* A command has one of three functions. `args` is what follows its name, without
 * surrounding space, or "" if nothing follows.
 *
 * `fn` returns the reply as a new reference, or NULL when out of memory. `stream`
 * returns the reply in the same way, and also a stream unless the reply is an error.
 * `answer` returns NULL and a reply in pieces, or an error and no pieces; NULL without
 * pieces means that it is out of memory. */
struct ctl_command {
	/* one or several words */
	const char *name;
	json_t *(*fn)(void *ctx, const char *args);
	json_t *(*stream)(void *ctx, const char *args, struct ctl_stream **ret);
	json_t *(*answer)(void *ctx, const char *args, struct ctl_answer **ret);
	enum ctl_right right;
	/* NULL, or says of a command that is CTL_READ whether these arguments need
	 * CTL_CHANGE */
	bool (*changes)(const char *args);
};

/* Returns the commands with their rights: a list of {"command", "right", "arguments"},
 * where "arguments" is the right that some arguments need. A new reference, or NULL
 * when out of memory. */
json_t *ctl_list(const struct ctl_command *commands);

/* Returns {"error": "..."} with a formatted text, as a new reference, or NULL when out
 * of memory. */
json_t *ctl_error(const char *format, ...)
	__attribute__((__format__(__printf__, 1, 2)));

/* Listens at `path`, with mode 0660. Replaces a socket file without a listener.
 * `handed` is a socket that another process has made listen at `path`, or -1. It is
 * used in place of a new one if it is that, and else closed. Returns 0, -EADDRINUSE if
 * the file has a listener, -EEXIST if there is a file of another kind, or another
 * -errno. `commands` ends with a NULL name and is borrowed, like `path`. The starter is
 * the real user of the calling process. */
int ctl_new(struct loop *loop, const char *path, int handed,
	const struct ctl_command *commands, void *ctx, struct ctl **ret_ctl);
/* Returns the process that began to listen at `path`, or 0 if there is none, if it has
 * ended since then (live upgrade), or if it is not visible in this PID namespace. */
pid_t ctl_listener(const char *path);
/* Returns MONO_UNSET while some client has something to do, else MONO_NEVER. `ctl`
 * may be NULL. */
mono_t ctl_deadline(const struct ctl *ctl);
/* Gives a turn to the next client that has something to do. Call it once per round,
 * after the other work of the round. `ctl` may be NULL. */
void ctl_tick(struct ctl *ctl);

struct ctl_stats {
	unsigned n_clients;
	size_t pending; /* bytes of answers that they have not read */
};
void ctl_stats(const struct ctl *ctl, struct ctl_stats *ret);
int ctl_fd(const struct ctl *ctl); /* the listening socket, borrowed */
/* Gives the socket file to a group. Returns 0, -EPERM if the process is neither root
 * nor a member of the group, or another -errno. */
int ctl_set_group(struct ctl *ctl, gid_t gid);
/* Closes all clients. The file stays and the next start replaces it, because a confined
 * daemon cannot remove files. */
struct ctl *ctl_free(struct ctl *ctl);
