/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Control socket server, see ctl.h. Clients are ringcastctl, or `echo show mfc | nc
 * -U`. Logs nothing: a client gets its own errors, and errors of binding the socket are
 * returned.
 */

#include "control/sys/ctl.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/places.h"
#include "control/sys/proctext.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG		  16
#define STREAM_LAST_WORDS (64 << 10) /* more room, for the last bytes of a stream */

struct client {
	struct loop_fd fd; /* fd is -1 if the slot is free */
	struct ctl *ctl;
	uid_t uid;     /* of the user that has connected */
	mono_t active; /* last time that bytes went in or out */
	bool full;     /* the last reply did not fit */
	bool closing;  /* reads nothing more; closes when the output is written */
	size_t n_in;
	char in[CTL_MAX_REQUEST];
	char *out; /* owned; output that waits, from out_pos to n_out */
	size_t out_pos, n_out, cap_out;
	struct ctl_stream *stream; /* NULL if it asks and we answer */
	int64_t stream_number;	   /* ascending in the order of their beginning */
	struct ctl_answer *answer; /* the one that is being written, or NULL */
	bool begun;		   /* some of it has been written */
	bool line;		   /* `in` has a request */
};

struct ctl {
	struct loop_fd fd;
	struct loop *loop;
	const struct ctl_command *commands; /* borrowed */
	void *ctx;
	const char *path;      /* borrowed */
	uid_t starter, nobody; /* `nobody` represents all users without a number here */
	int spare;   /* spare descriptor, used to turn clients away when none is left */
	size_t turn; /* the client that is first checked for the next turn */
	int64_t n_streams; /* streams that have begun */
	dev_t dev;	   /* of the file we made */
	ino_t ino;
	struct client client[CTL_MAX_CLIENTS];
};

json_t *ctl_error(const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* the client's text may be quoted, and JSON must be UTF-8 */
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
	}
	return json_pack("{s:s}", "error", text);
}

static void close_stream(struct client *c)
{
	struct ctl_stream *s = take_ptr(c->stream);

	if (!s)
		return;
	s->client = NULL;
	s->ops->closed(s);
}

static void close_answer(struct client *c)
{
	struct ctl_answer *a = take_ptr(c->answer);

	if (a)
		a->ops->closed(a);
}

static void client_drop(struct client *c)
{
	close_stream(c);
	close_answer(c);
	loop_del(&c->fd);
	closep(&c->fd.fd);
	free(c->out);
	*c = (struct client){.fd.fd = -1, .ctl = c->ctl};
}

static size_t client_pending(const struct client *c)
{
	return c->n_out - c->out_pos;
}

static bool client_write(struct client *c)
{
	while (client_pending(c) > 0) {
		ssize_t n = send(c->fd.fd, c->out + c->out_pos, client_pending(c),
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->active = loop_now(c->ctl->loop);
		c->out_pos += (size_t)n;
	}
	if (c->stream) {
		c->out_pos = c->n_out = 0;
		return true;
	}
	/* large replies are rare, so do not keep their memory */
	free(c->out);
	c->out = NULL;
	c->out_pos = c->n_out = c->cap_out = 0;
	return true;
}

/* jansson's output callback: 0, or -1 to stop */
static int client_append(const char *buf, size_t len, void *arg)
{
	struct client *c = arg;
	size_t max = c->stream ? CTL_MAX_STREAM_PENDING : CTL_MAX_PENDING;

	if (c->stream && c->closing)
		max += STREAM_LAST_WORDS;

	c->full = client_pending(c) + len > max;
	if (c->full)
		return -1;
	if (c->n_out + len > c->cap_out && c->out_pos > 0) {
		memmove(c->out, c->out + c->out_pos, client_pending(c));
		c->n_out -= c->out_pos;
		c->out_pos = 0;
	}
	if (array_reserve(c->out, c->cap_out, c->n_out + len, 4096) < 0)
		return -1;
	memcpy(c->out + c->n_out, buf, len);
	c->n_out += len;
	return 0;
}

/* Returns false if too much already waits for the client, or if there is no memory. */
static bool client_reply(struct client *c, const json_t *reply)
{
	static const char no_memory[] = "{\"error\":\"out of memory\"}";
	static const char too_large[] = "{\"error\":\"the reply is too large\"}";
	size_t before = client_pending(c);
	int r;

	if (!reply)
		r = client_append(no_memory, sizeof(no_memory) - 1, c);
	else
		r = json_dump_callback(reply, client_append, c, JSON_COMPACT);
	if (r < 0 && before == 0) {
		c->n_out = c->out_pos;
		r = c->full ? client_append(too_large, sizeof(too_large) - 1, c)
			    : client_append(no_memory, sizeof(no_memory) - 1, c);
	}
	return r == 0 && client_append("\n", 1, c) == 0;
}

void ctl_answer_write(struct ctl_answer *a, const char *text, size_t len)
{
	if (a->append(text, len, a->arg) < 0)
		a->failed = true;
}

static int append_json(const char *buf, size_t len, void *arg)
{
	struct ctl_answer *a = arg;

	ctl_answer_write(a, buf, len);
	return a->failed ? -1 : 0;
}

void ctl_answer_json(struct ctl_answer *a, json_t *value)
{
	if (!value ||
		json_dump_callback(
			value, append_json, a, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		a->failed = true;
	json_decref(value);
}

void ctl_answer_begin(struct ctl_answer *a,
	int (*append)(const char *text, size_t len, void *arg), void *arg)
{
	a->append = append;
	a->arg = arg;
	a->failed = false;
}

int ctl_answer_piece(struct ctl_answer *a)
{
	int r = a->ops->piece(a);

	if (a->failed)
		r = -ENOMEM;
	if (r <= 0)
		a->ops->closed(a);
	return r;
}

static int answer_append(const char *text, size_t len, void *arg)
{
	struct client *c = arg;
	int r = client_append(text, len, c);

	c->begun |= r == 0;
	return r;
}

/* The next piece of the answer. False if the client must be dropped. */
static bool client_piece(struct client *c)
{
	int r = ctl_answer_piece(c->answer);

	if (r > 0)
		return true;
	c->answer = NULL;
	if (r < 0)
		return !c->begun && client_reply(c, NULL);
	return client_append("\n", 1, c) == 0;
}

static json_t *open_answer(
	struct client *c, const struct ctl_command *k, const char *args)
{
	json_t *error = k->answer(c->ctl->ctx, args, &c->answer);

	c->begun = false;
	if (c->answer)
		ctl_answer_begin(c->answer, answer_append, c);
	return error;
}

static const struct ctl_command *find_command(
	const struct ctl *ctl, const char *line, const char **ret_args)
{
	for (const struct ctl_command *k = ctl->commands; k->name; k++) {
		size_t n = strlen(k->name);

		if (strncmp(line, k->name, n) == 0 &&
			(line[n] == '\0' || line[n] == ' ')) {
			*ret_args = line + n + strspn(line + n, " ");
			return k;
		}
	}
	return NULL;
}

json_t *ctl_list(const struct ctl_command *commands)
{
	static const char *const name[] = {
		[CTL_CHANGE] = "change", [CTL_READ] = "read"};
	json_t *list = json_array();

	for (const struct ctl_command *k = commands; k->name; k++)
		json_array_append_new(list,
			json_pack("{ss ss ss}", "command", k->name, "right",
				name[k->right], "arguments",
				name[k->changes ? CTL_CHANGE : k->right]));
	return list;
}

/* In a user namespace, the kernel shows all users without a number there as the same
 * user. That user has no rights, even if the daemon itself runs as it. */
static bool may_change(const struct client *c)
{
	return c->uid == 0 || (c->uid == c->ctl->starter && c->uid != c->ctl->nobody);
}

/* Returns NULL if the client may use the command, else the error to answer. */
static json_t *refusal(
	const struct client *c, const struct ctl_command *k, const char *args)
{
	bool reads = k->right == CTL_READ && !(k->changes && k->changes(args));
	const struct ctl *ctl = c->ctl;
	char starter[64] = "";

	if (reads || may_change(c))
		return NULL;
	if (ctl->starter != 0 && ctl->starter != ctl->nobody)
		snprintf(starter, sizeof(starter),
			" and uid %u, which has started the daemon,",
			(unsigned)ctl->starter);
	return ctl_error(
		"uid %u%s is not allowed to '%s%s%.32s': only root%s is; run the command as "
		"that user (sudo ringcastctl ...)",
		(unsigned)c->uid,
		c->uid == ctl->nobody ? ", nobody or unknown to the daemon's namespace,"
				      : "",
		k->name, *args ? " " : "", args, starter);
}

/* Clients with a stream, or without one; returns their number. */
static size_t list_places(
	const struct ctl *ctl, bool streams, struct place ret[CTL_MAX_CLIENTS])
{
	size_t n = 0;

	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++) {
		const struct client *c = &ctl->client[i];

		if (c->fd.fd < 0 || (c->stream != NULL) != streams)
			continue;
		ret[n++] = (struct place){.number = i,
			.uid = c->uid,
			.root = may_change(c),
			.since = streams ? c->stream_number : c->active.ns};
	}
	return n;
}

/* NULL if the client may have a stream; *ret_victim is then the stream that must end
 * for it, if any. */
static json_t *refuse_stream(struct client *c, struct client **ret_victim)
{
	static const struct places rule = {.max = CTL_MAX_STREAMS,
		.kept = CTL_STREAMS_KEPT,
		.per_user = CTL_STREAMS_PER_USER};
	struct ctl *ctl = c->ctl;
	struct place v[CTL_MAX_CLIENTS];
	size_t n = list_places(ctl, true, v);
	const struct place *victim;
	bool root = may_change(c);

	switch (places_find(&rule, v, n, c->uid, root, &victim)) {
	case PLACE_FREE:
		break;
	case PLACE_MADE:
		*ret_victim = &ctl->client[victim->number];
		break;
	case PLACE_USER_MAX:
		return ctl_error(
			"uid %u has %d streams already, and a user may have no "
			"more; end one of them (capture, monitor)",
			(unsigned)c->uid, CTL_STREAMS_PER_USER);
	case PLACE_FULL:
		return ctl_error("there are %zu streams already%s; end one of them "
				 "(capture, monitor)",
			n, root ? "" : ", and other places are kept for root");
	}
	return NULL;
}

/* Writes the rest, as far as the kernel accepts it. */
static void end_stream(struct client *c)
{
	if (!c->stream || c->closing)
		return;
	c->closing = true;
	c->stream->ops->ending(c->stream);
	(void)client_write(c);
}

/* The handler agrees by giving its stream; without a reply there is no stream. */
static json_t *open_stream(
	struct client *c, const struct ctl_command *k, const char *args)
{
	struct ctl_stream *s = NULL;
	struct client *victim = NULL;
	json_t *reply = refuse_stream(c, &victim);

	if (reply)
		return reply;
	reply = k->stream(c->ctl->ctx, args, &s);
	c->stream = s;
	c->stream_number = c->ctl->n_streams++;
	if (s)
		s->client = c;
	if (!reply)
		close_stream(c);
	if (c->stream && victim) {
		end_stream(victim);
		client_drop(victim);
	}
	return reply;
}

/* One request line, without its newline. False if the client must be dropped. */
static bool client_request(struct client *c, char *line)
{
	const struct ctl_command *k;
	size_t n = strlen(line);
	const char *args;
	json_t *reply;
	bool ok;

	while (n > 0 && strchr(" \t\r", line[n - 1]))
		line[--n] = '\0';
	line += strspn(line, " \t");
	k = find_command(c->ctl, line, &args);
	if (!k)
		reply = ctl_error("unknown command '%s'", line);
	else if (!(reply = refusal(c, k, args)))
		reply = k->stream   ? open_stream(c, k, args)
			: k->answer ? open_answer(c, k, args)
				    : k->fn(c->ctl->ctx, args);
	ok = c->answer ? client_piece(c) : client_reply(c, reply);
	json_decref(reply);
	if (ok && c->stream && c->stream->ops->opened)
		c->stream->ops->opened(c->stream);
	return ok;
}

/* Checks what `in` has. Returns false if the client must be dropped. */
static bool client_look(struct client *c)
{
	static const char too_long[] = "{\"error\":\"the request line is too long\"}\n";

	c->line = memchr(c->in, '\n', c->n_in) != NULL;
	if (c->line || c->n_in < sizeof(c->in))
		return true;
	c->n_in = 0;
	c->closing = true;
	return client_append(too_long, sizeof(too_long) - 1, c) == 0;
}

/* The first request of `in`. False if the client must be dropped. */
static bool client_line(struct client *c)
{
	char *newline = memchr(c->in, '\n', c->n_in);
	size_t n;

	*newline = '\0';
	if (!client_request(c, c->in))
		return false;
	n = (size_t)(newline + 1 - c->in);
	/* a client that gets a stream sends no further requests */
	c->n_in = c->stream ? 0 : c->n_in - n;
	memmove(c->in, c->in + n, c->n_in);
	return client_look(c);
}

/* A client is read only when no output waits for it. */
static bool is_heard(const struct client *c)
{
	return !c->closing && !c->line && !c->answer;
}

/* Does an answer continue, or does a request wait? */
static bool is_busy(const struct client *c)
{
	return c->line || c->answer;
}

/* False if the client must be dropped. */
static bool client_read(struct client *c)
{
	ssize_t n =
		recv(c->fd.fd, c->in + c->n_in, sizeof(c->in) - c->n_in, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->active = loop_now(c->ctl->loop);
	if (n == 0) {
		c->closing = true;
		if (c->stream)
			c->stream->ops->ending(c->stream);
		return true;
	}
	c->n_in += (size_t)n;
	if (!c->stream)
		return client_look(c);
	c->n_in = 0;
	return true;
}

/* Is called after each step for the client: writes, and chooses the events to wait
 * for. */
static void client_settle(struct client *c, bool ok)
{
	uint32_t want = 0;

	if (ok)
		ok = client_write(c);
	if (is_heard(c))
		want |= EPOLLIN;
	if (client_pending(c) > 0)
		want |= EPOLLOUT;
	if (!ok || (want == 0 && !is_busy(c)) || loop_change(&c->fd, want) < 0)
		client_drop(c);
}

static void on_client(struct loop_fd *f, uint32_t events)
{
	struct client *c = container_of(f, struct client, fd);
	bool ok = true;

	if (is_heard(c) && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		ok = client_read(c);
	else if (!is_busy(c) && (events & (EPOLLHUP | EPOLLERR)))
		ok = false; /* the client has gone without reading the rest */
	client_settle(c, ok);
}

static bool has_turn(const struct client *c)
{
	if (c->fd.fd < 0 || c->stream)
		return false;
	return c->answer ? client_pending(c) < CTL_ANSWER_ROOM
			 : c->line && client_pending(c) == 0;
}

mono_t ctl_deadline(const struct ctl *ctl)
{
	for (size_t i = 0; ctl && i < CTL_MAX_CLIENTS; i++)
		if (has_turn(&ctl->client[i]))
			return MONO_UNSET;
	return MONO_NEVER;
}

void ctl_tick(struct ctl *ctl)
{
	for (size_t i = 0; ctl && i < CTL_MAX_CLIENTS; i++) {
		size_t number = (ctl->turn + i) % CTL_MAX_CLIENTS;
		struct client *c = &ctl->client[number];

		if (!has_turn(c))
			continue;
		ctl->turn = number + 1;
		client_settle(c, c->answer ? client_piece(c) : client_line(c));
		return;
	}
}

bool ctl_stream_write(struct ctl_stream *s, const void *buf, size_t len)
{
	struct client *c = s->client;
	bool waits;

	if (!c)
		return false;
	waits = client_pending(c) > 0;
	if (client_append(buf, len, c) < 0)
		return false;
	if (!waits)
		loop_change(&c->fd, c->closing ? EPOLLOUT : EPOLLIN | EPOLLOUT);
	return true;
}

/* The client without a stream that has been idle longest, of any user. There are fewer
 * streams than slots, so there is one. */
static struct client *idle_longest(struct ctl *ctl)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < CTL_MAX_CLIENTS; i++) {
		struct client *c = &ctl->client[i];

		if (!c->stream && (!oldest || mono_before(c->active, oldest->active)))
			oldest = c;
	}
	assert(oldest);
	return oldest;
}

/* A free slot, if necessary that of another client. */
static struct client *client_slot(struct ctl *ctl)
{
	struct place v[CTL_MAX_CLIENTS];
	const struct place *greediest;
	struct client *victim;
	size_t n;

	for (size_t i = 0; i < CTL_MAX_CLIENTS; i++)
		if (ctl->client[i].fd.fd < 0)
			return &ctl->client[i];
	n = list_places(ctl, false, v);
	greediest = places_greediest(v, n);
	victim = greediest ? &ctl->client[greediest->number] : idle_longest(ctl);
	client_drop(victim);
	return victim;
}

/* Without a free descriptor the client would wait and the loop would spin, so accept it
 * and close it. */
static void turn_away(struct ctl *ctl)
{
	int fd;

	closep(&ctl->spare);
	fd = accept4(ctl->fd.fd, NULL, NULL, SOCK_CLOEXEC);
	closep(&fd);
	ctl->spare = fcntl(ctl->fd.fd, F_DUPFD_CLOEXEC, 0);
}

/* The overflow uid of user_namespaces(7). */
static uid_t read_nobody(void)
{
	char text[16];
	size_t n = proctext_short(
		AT_FDCWD, "/proc/sys/kernel/overflowuid", text, sizeof(text));

	return n > 0 ? (uid_t)strtoul(text, NULL, 10) : 65534;
}

static uid_t peer_uid(const struct ctl *ctl, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? ctl->nobody
									: peer.uid;
}

static void on_connect(struct loop_fd *f, uint32_t events)
{
	struct ctl *ctl = container_of(f, struct ctl, fd);
	int fd = accept4(f->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c;

	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		turn_away(ctl);
	if (fd < 0)
		return;
	c = client_slot(ctl);
	c->fd.fd = fd;
	c->fd.fn = on_client;
	c->uid = peer_uid(ctl, fd);
	c->active = loop_now(ctl->loop);
	if (loop_add(ctl->loop, &c->fd) < 0)
		client_drop(c);
}

pid_t ctl_listener(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	_cleanup_(closep) int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred cred;
	socklen_t len = sizeof(cred);
	char proc[32];

	if (fd < 0 || strlen(path) >= sizeof(sun.sun_path))
		return 0;
	strcpy(sun.sun_path, path);
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return 0;
	snprintf(proc, sizeof(proc), "/proc/%d", (int)cred.pid);
	return access(proc, F_OK) == 0 ? cred.pid : 0;
}

/* Removes a file that is in the way. Returns 0 if it was removed. */
static int remove_stale_socket(const struct sockaddr_un *sun)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (lstat(sun->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	/* connect() refuses other files with the errno of a dead socket */
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 ||
		errno == EAGAIN)
		return -EADDRINUSE;
	if (errno != ECONNREFUSED)
		return -errno;
	return unlink(sun->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/* The mode comes from the umask, because a later chmod would leave a gap. */
static int bind_0660(int fd, const struct sockaddr_un *sun)
{
	mode_t old = umask(0117);
	int r = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 ? -errno : 0;

	umask(old);
	return r;
}

/* Remembers which file is ours. */
static int know_file(struct ctl *ctl)
{
	struct stat st;

	if (lstat(ctl->path, &st) < 0)
		return -errno;
	ctl->dev = st.st_dev;
	ctl->ino = st.st_ino;
	ctl->spare = fcntl(ctl->fd.fd, F_DUPFD_CLOEXEC, 0);
	return ctl->spare < 0 ? -errno : 0;
}

static int ctl_open_socket(struct ctl *ctl)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int r;

	if (strlen(ctl->path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, ctl->path);
	ctl->fd.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ctl->fd.fd < 0)
		return -errno;
	r = bind_0660(ctl->fd.fd, &sun);
	if (r == -EADDRINUSE) {
		r = remove_stale_socket(&sun);
		if (r == 0)
			r = bind_0660(ctl->fd.fd, &sun);
	}
	if (r == 0)
		r = know_file(ctl);
	if (r < 0)
		return r;
	return listen(ctl->fd.fd, BACKLOG) < 0 ? -errno : 0;
}

static void ctl_freep(struct ctl **ctl)
{
	ctl_free(*ctl);
}

static struct ctl *alloc(struct loop *loop, const char *path,
	const struct ctl_command *commands, void *ctx)
{
	struct ctl *ctl = calloc(1, sizeof(*ctl));

	if (!ctl)
		return NULL;
	ctl->loop = loop;
	ctl->path = path;
	ctl->commands = commands;
	ctl->ctx = ctx;
	ctl->starter = getuid();
	ctl->nobody = read_nobody();
	ctl->fd.fn = on_connect;
	ctl->fd.fd = ctl->spare = -1;
	for (size_t i = 0; i < CTL_MAX_CLIENTS; i++) {
		ctl->client[i].fd.fd = -1;
		ctl->client[i].ctl = ctl;
	}
	return ctl;
}

/* does the socket listen at the path? */
static bool is_listening_at(int fd, const char *path)
{
	struct sockaddr_un sun = {0};
	socklen_t len = sizeof(sun) - 1, size = sizeof(int);
	int on = 0, type = 0;

	return getsockname(fd, (struct sockaddr *)&sun, &len) == 0 &&
		sun.sun_family == AF_UNIX && strcmp(sun.sun_path, path) == 0 &&
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on &&
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
		type == SOCK_STREAM;
}

int ctl_new(struct loop *loop, const char *path, int handed,
	const struct ctl_command *commands, void *ctx, struct ctl **ret_ctl)
{
	_cleanup_(ctl_freep) struct ctl *ctl = alloc(loop, path, commands, ctx);
	int r = 0;

	if (!ctl) {
		closep(&handed);
		return -ENOMEM;
	}
	ctl->fd.fd = handed;
	if (!is_listening_at(handed, path) || know_file(ctl) < 0) {
		/* it would be taken for the socket of another daemon */
		closep(&ctl->fd.fd);
		ctl->fd.fd = -1;
		r = ctl_open_socket(ctl);
	}
	if (r == 0)
		r = loop_add(loop, &ctl->fd);
	if (r == 0)
		*ret_ctl = take_ptr(ctl);
	return r;
}

void ctl_stats(const struct ctl *ctl, struct ctl_stats *ret)
{
	*ret = (struct ctl_stats){0};
	for (size_t i = 0; i < CTL_MAX_CLIENTS; i++) {
		if (ctl->client[i].fd.fd < 0)
			continue;
		ret->n_clients++;
		ret->pending += client_pending(&ctl->client[i]);
	}
}

int ctl_set_group(struct ctl *ctl, gid_t gid)
{
	/* through a descriptor, so that it is the file that was checked */
	_cleanup_(closep) int fd = open(ctl->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != ctl->dev || st.st_ino != ctl->ino)
		return -ESTALE;
	if (st.st_gid == gid)
		return 0;
	return fchownat(fd, "", (uid_t)-1, gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int ctl_fd(const struct ctl *ctl)
{
	return ctl->fd.fd;
}

struct ctl *ctl_free(struct ctl *ctl)
{
	if (!ctl)
		return NULL;
	for (size_t i = 0; i < CTL_MAX_CLIENTS; i++) {
		end_stream(&ctl->client[i]);
		client_drop(&ctl->client[i]);
	}
	loop_del(&ctl->fd);
	closep(&ctl->fd.fd);
	closep(&ctl->spare);
	free(ctl);
	return NULL;
}
