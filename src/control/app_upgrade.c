/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Live upgrade: another process takes over the sockets and the state, doc/upgrade.md.
 *
 * The one that goes stops its data plane, writes its state into a memfd and gives it
 * away with its receive sockets, its sockets for membership messages and its control
 * socket: to the service manager, which starts the next process with them (command
 * "upgrade store"), or to ringcastctl, which does (command "upgrade hand-over"). Then
 * it ends without a word to anybody. What arrives meanwhile waits in the sockets.
 *
 * The one that comes has LISTEN_FDS either way. It makes its ports from its own
 * configuration, takes state and sockets for those that are still the same, and does
 * what is different as after a reload. A state that it does not understand it leaves.
 */

#include "control/app_priv.h"

#include "base/cleanup.h"
#include "build_config.h"
#include "control/json.h"
#include "control/service.h"
#include "control/show.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define STATE_NAME	"state"
#define CONTROL_NAME	"control"
#define MAX_AGE_MS	120000 /* a state that is older tells of other times */
#define FDS_PER_MESSAGE 64     /* the kernel takes 253 */
#define TAKEN_WAIT_MS	10000

#define TAG_APP	      1
#define TAG_ROUTER    2
#define TAG_DATAPLANE 3
#define TAG_PORT      4

/* ---- writing ---- */

struct gift {
	struct listen_fds fds; /* duplicates */
	int error;
};

static void give(void *ctx, const char *name, int fd)
{
	struct gift *g = ctx;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	int r = copy < 0 ? -errno : listen_add(&g->fds, name, copy);

	if (r < 0 && g->error == 0)
		g->error = r;
}

static void socket_name(char buf[LISTEN_NAME_MAX], unsigned family, unsigned port)
{
	snprintf(buf, LISTEN_NAME_MAX, "%s-%u", family == FAMILY_IPV4 ? "igmp" : "mld",
		port);
}

static void put_port(
	const struct app *app, unsigned port, struct state_out *o, struct gift *g)
{
	const struct app_port *ap = &app->port[port];
	size_t at = state_begin(o, TAG_PORT);
	struct mcsock_stats sum = {0};

	app_socket_stats(app, port, &sum);
	state_put_text(o, app_port_name(app, port));
	state_put_u32(o, port);
	state_put_u64(o, sum.received);
	state_put_u64(o, sum.sent);
	state_put_u64(o, sum.send_errors);
	state_put_u64(o, sum.receive_errors);
	state_put_u64(o, sum.truncated);
	state_put_u64(o, sum.dropped);
	state_put_u64(o, sum.limited);
	state_put_u64(o, sum.silenced);
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		char name[LISTEN_NAME_MAX];

		socket_name(name, f, port);
		if (ap->sock[f])
			give(g, name, mcsock_fd(ap->sock[f]));
	}
	state_end(o, at);
}

static void put_app(const struct app *app, struct state_out *o, struct gift *g)
{
	size_t at = state_begin(o, TAG_APP);

	state_put_text(o, RINGCAST_VERSION);
	state_put_time(o, app->started);
	state_put_u64(o, app->n_effects_lost);
	state_put_u32(o, _NOTE_N);
	for (unsigned i = 0; i < _NOTE_N; i++)
		state_put_u64(o, app->n_notes[i]);
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (app->router->port[i])
			put_port(app, i, o, g);
	state_end(o, at);
}

static void put_all(struct app *app, struct state_out *o, struct gift *g)
{
	size_t at;

	put_app(app, o, g);
	at = state_begin(o, TAG_ROUTER);
	router_export(app->router, o);
	state_end(o, at);
	at = state_begin(o, TAG_DATAPLANE);
	dataplane_export(app->dp, o, give, g);
	state_end(o, at);
	give(g, CONTROL_NAME, ctl_fd(app->ctl));
}

/* A descriptor of a file in memory with the state, or -errno. */
static int write_state(const struct state_out *o)
{
	_cleanup_(closep) int fd = memfd_create("ringcast-state", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (done < o->n) {
		ssize_t n = write(fd, o->buf + done, o->n - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return take_fd(&fd);
}

/* Stop, and collect what the next process needs. 0 or -errno; on failure everything
 * goes on. */
static int prepare(struct app *app, struct gift *g)
{
	struct state_out o;
	int fd, r;

	*g = (struct gift){0};
	/* what this round has decided so far */
	app_execute(app, loop_now(app->loop));
	dataplane_pause(app->dp);
	state_out_init(&o, loop_now(app->loop), loop_system_now(app->loop));
	put_all(app, &o, g);
	r = state_out_seal(&o);
	if (r == 0)
		r = g->error;
	fd = r < 0 ? r : write_state(&o);
	if (fd >= 0)
		r = listen_add(&g->fds, STATE_NAME, fd);
	else
		r = fd;
	state_out_deinit(&o);
	return r;
}

static void go_on(struct app *app, const char *why, int r)
{
	log_err("the upgrade failed, this process goes on: %s: %s", why, strerror(-r));
	r = dataplane_resume(app->dp);
	if (r < 0)
		log_err("cannot start the data plane again: %s", strerror(-r));
}

static void leave(struct app *app, int status)
{
	log_notice("another process takes over");
	ctl_leave_file(app->ctl);
	app->exit_status = status;
	app->stopping = true;
	loop_stop(app->loop);
}

/* ---- to the service manager ---- */

static int store_all(const struct gift *g)
{
	int r = 0;

	for (size_t i = 0; i < g->fds.n && r == 0; i++)
		r = service_store(g->fds.v[i].name, g->fds.v[i].fd);
	return r < 0 ? r : service_barrier();
}

static void forget_all(const struct listen_fds *fds)
{
	for (size_t i = 0; i < fds->n; i++)
		(void)service_forget(fds->v[i].name);
}

static json_t *store(struct app *app)
{
	struct gift g = {0};
	int r = service_can_store();

	if (r == -ENOTCONN)
		return ctl_error("no service manager has started this daemon");
	if (r == -EPERM)
		return ctl_error("the service manager keeps no descriptors: the unit "
				 "needs FileDescriptorStoreMax=4096");
	if (r < 0)
		return ctl_error(
			"the service manager does not answer: %s", strerror(-r));
	r = prepare(app, &g);
	if (r == 0)
		r = store_all(&g);
	if (r == 0) {
		service_status("handing over to a new process");
		leave(app, APP_EXIT_UPGRADE);
	} else {
		forget_all(&g.fds);
		go_on(app, "cannot hand over the sockets", r);
	}
	listen_deinit(&g.fds);
	return r < 0 ? ctl_error("cannot hand over the sockets: %s", strerror(-r))
		     : json_pack("{sb}", "ok", 1);
}

/* ---- to ringcastctl ---- */

static int send_fds(int to, const struct listen_fd *v, size_t n)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(FDS_PER_MESSAGE * sizeof(int))];
	} control = {0};
	char octet = '+';
	struct iovec iov = {&octet, 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	for (size_t i = 0; i < n; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &v[i].fd, sizeof(int));
	return sendmsg(to, &msg, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* A line with the names, then the descriptors in their order. */
static int send_gift(int to, const struct gift *g)
{
	json_t *names = json_array(), *line;
	_cleanup_(freep) char *text = NULL;
	size_t len, n;
	int r = 0;

	for (size_t i = 0; i < g->fds.n; i++)
		json_array_append_new(names, json_string(g->fds.v[i].name));
	line = json_pack("{so}", "fds", names);
	text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	text[len++] = '\n'; /* in place of the end mark */
	if (send(to, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		return -errno;
	for (size_t i = 0; i < g->fds.n && r == 0; i += n) {
		n = g->fds.n - i < FDS_PER_MESSAGE ? g->fds.n - i : FDS_PER_MESSAGE;
		r = send_fds(to, &g->fds.v[i], n);
	}
	return r;
}

/* Until ringcastctl says that it has everything; from then on it is responsible. */
static int wait_taken(int from)
{
	struct pollfd p = {.fd = from, .events = POLLIN};
	char octet = 0;
	int n;

	do
		n = poll(&p, 1, TAKEN_WAIT_MS);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ETIME;
	return recv(from, &octet, 1, 0) == 1 && octet == '+' ? 0 : -ECONNRESET;
}

static json_t *hand_over(struct app *app)
{
	_cleanup_(closep) int client = ctl_take_client(app->ctl);
	struct timeval wait = {.tv_sec = TAKEN_WAIT_MS / 1000};
	struct gift g = {0};
	int r;

	if (client < 0)
		return ctl_error("%s", strerror(-client));
	r = fcntl(client, F_SETFL, 0) < 0 ? -errno : 0; /* one that may wait */
	setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (r == 0)
		r = prepare(app, &g);
	/* a process in the background has none worth having */
	for (int i = 0; i <= 2 && r == 0 && app->options.foreground; i++) {
		char name[LISTEN_NAME_MAX];

		snprintf(name, sizeof(name), "stdio-%d", i);
		give(&g, name, i);
	}
	if (r == 0)
		r = send_gift(client, &g);
	if (r == 0)
		r = wait_taken(client);
	if (r == 0)
		leave(app, APP_EXIT_OK);
	else
		go_on(app, "ringcastctl did not take the sockets", r);
	listen_deinit(&g.fds);
	return NULL;
}

/* ---- commands ---- */

static json_t *info(const struct app *app)
{
	const struct app_options *o = &app->options;
	json_t *argv = json_array();

	for (int i = 0; i < o->argc; i++)
		json_array_append_new(argv, json_of_text(o->argv[i]));
	return json_pack("{sb ss si so so so si si}", "managed",
		(int)service_is_managed(), "version", RINGCAST_VERSION, "pid",
		(int)getpid(), "argv", argv, "directory", json_of_text(o->directory),
		"config", json_of_text(o->config_path), "uid", (int)o->uid, "gid",
		(int)o->gid);
}

json_t *app_upgrade(void *ctx, const char *args)
{
	struct app *app = ctx;

	if (app->stopping)
		return ctl_error("the daemon is stopping");
	if (strcmp(args, "info") == 0)
		return info(app);
	if (strcmp(args, "store") == 0)
		return store(app);
	if (strcmp(args, "hand-over") == 0)
		return hand_over(app);
	return ctl_error("upgrade what? There are info, store and hand-over; "
			 "\"ringcastctl upgrade\" uses them");
}

/* ---- reading ---- */

static int take(void *ctx, const char *name)
{
	struct app *app = ctx;

	return listen_take(app->options.handed, name);
}

static void get_port(struct app *app, struct state_in *in)
{
	struct mcsock_stats sum = {0};
	char ifname[IFNAMSIZ];
	unsigned number;

	state_get_text(in, ifname, sizeof(ifname));
	number = state_get_up_to(in, PORT_MAX - 1);
	sum.received = state_get_u64(in);
	sum.sent = state_get_u64(in);
	sum.send_errors = state_get_u64(in);
	sum.receive_errors = state_get_u64(in);
	sum.truncated = state_get_u64(in);
	sum.dropped = state_get_u64(in);
	sum.limited = state_get_u64(in);
	sum.silenced = state_get_u64(in);
	for (unsigned i = 0; i < PORT_MAX && !state_is_bad(in); i++) {
		const struct proxy_port *pp = app->router->port[i];
		struct app_port *ap = &app->port[i];

		if (!pp || strcmp(pp->name, ifname) != 0)
			continue;
		ap->closed = sum;
		for (unsigned f = 0; f < _FAMILY_N; f++) {
			char name[LISTEN_NAME_MAX];

			socket_name(name, f, number);
			closep(&ap->handed[f]);
			ap->handed[f] = take(app, name);
		}
	}
}

static int get_app(struct app *app, struct state_in *in, char version[64])
{
	struct state_in section;
	uint32_t tag, n;

	state_get_text(in, version, 64);
	app->started = state_get_time(in);
	app->n_effects_lost = state_get_u64(in);
	n = state_get_up_to(in, 256);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t count = state_get_u64(in);

		if (i < _NOTE_N) /* another version may know other ones */
			app->n_notes[i] = count;
	}
	while (state_get_section(in, &tag, &section)) {
		if (tag == TAG_PORT)
			get_port(app, &section);
		if (state_is_bad(&section))
			return -EINVAL;
	}
	return state_is_bad(in) ? -EINVAL : 0;
}

static int get_sections(struct app *app, mono_t now, struct state_in *in)
{
	struct state_in section;
	const char *why = "";
	char version[64] = "?";
	uint32_t tag;
	int r = 0;

	while (r == 0 && state_get_section(in, &tag, &section)) {
		if (tag == TAG_APP)
			r = get_app(app, &section, version);
		else if (tag == TAG_ROUTER)
			r = router_import(app->router, now, &section, &app->fx);
		else if (tag == TAG_DATAPLANE && !in->used)
			r = dataplane_import(app->dp, &section, take, app, &why);
	}
	if (r == 0 && state_is_bad(in))
		r = -EINVAL;
	if (r == 0)
		log_notice("taking over from version %s with %zu groups, %lld ms after "
			   "it stopped",
			version, router_n_groups(app->router),
			(long long)((now.ns - in->written.ns) / NS_PER_MS));
	if (*why)
		log_notice("the receive rings are made anew: %s", why);
	return r;
}

/* Begin from nothing, after a state that turned out to be faulty. */
static int start_over(struct app *app)
{
	bool family[_FAMILY_N];
	struct router *fresh;
	int r;

	memcpy(family, app->router->family, sizeof(family));
	r = router_new(family, rng_next(&app->router->rng), &fresh);
	if (r < 0)
		return r;
	router_free(app->router);
	app->router = fresh;
	effects_clear(&app->fx);
	app->started = loop_now(app->loop);
	return 0;
}

/* Whoever reads the state after us, because we crash, must not trust the rings. */
static void mark_used(int fd)
{
	static const uint8_t used[4] = {[3] = 1};

	if (pwrite(fd, used, sizeof(used), STATE_USED_OFFSET) != sizeof(used))
		log_info("cannot mark the state as used: %s", strerror(errno));
}

/* The ports as the new configuration has them, then what the state knows of them. */
static int restore(struct app *app, mono_t now, int fd, struct state_in *in)
{
	int r = router_sync(app->router, now, app->cfg, &app->ifaces, &app->fx);

	if (r < 0)
		return r;
	/* first queries, which will not be needed */
	effects_clear(&app->fx);
	r = get_sections(app, now, in);
	if (r < 0)
		return r;
	/* sockets and table first: the data plane begins with what has waited */
	app_sync_sockets(app);
	app_execute(app, now);
	mark_used(fd);
	return 0;
}

static enum state_bad map_state(
	int fd, mono_t now, struct state_in *in, void **ret_map, size_t *ret_len)
{
	struct stat st;

	*ret_map = NULL;
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > STATE_MAX)
		return STATE_FOREIGN;
	*ret_len = (size_t)st.st_size;
	*ret_map = mmap(NULL, *ret_len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (*ret_map == MAP_FAILED) {
		*ret_map = NULL;
		return STATE_FOREIGN;
	}
	return state_in_init(in, *ret_map, *ret_len, now, MAX_AGE_MS);
}

static bool take_over(struct app *app, mono_t now, int fd)
{
	struct state_in in;
	size_t len = 0;
	void *map;
	enum state_bad bad = map_state(fd, now, &in, &map, &len);
	int r = 0;

	if (bad != STATE_OK) {
		log_warn("the state that was handed over %s; starting without it",
			state_bad_text(bad));
	} else {
		r = restore(app, now, fd, &in);
		if (r < 0)
			log_warn("the state that was handed over is of no use (%s); "
				 "starting without it",
				strerror(-r));
	}
	if (map)
		munmap(map, len);
	return bad == STATE_OK && r == 0;
}

void app_take_over(struct app *app, mono_t now)
{
	_cleanup_(closep) int fd = take(app, STATE_NAME);
	int r;

	if (fd >= 0 && !take_over(app, now, fd))
		(void)start_over(app);
	app_sync(app, now, app->cfg);
	app_execute(app, now);
	r = dataplane_resume(app->dp);
	if (r < 0)
		log_err("cannot start the threads of the data plane: %s", strerror(-r));
	if (fd >= 0)
		log_notice(
			"%u receive sockets taken over", dataplane_n_adopted(app->dp));
	/* the manager would hand them to a process that starts after a crash, too */
	if (service_is_managed() && app->options.handed)
		forget_all(app->options.handed);
	for (unsigned i = 0; i < PORT_MAX; i++)
		for (unsigned f = 0; f < _FAMILY_N; f++) {
			closep(&app->port[i].handed[f]);
			app->port[i].handed[f] = -1;
		}
	if (app->options.handed)
		listen_deinit(app->options.handed);
}
