/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Live upgrade: another process takes over the sockets and the state, doc/upgrade.md.
 *
 * The old process stops its data plane, writes its state into a memfd and gives it to
 * the service manager, with its receive sockets, its sockets for membership messages
 * and its control socket. Then it ends without sending anything, and the manager starts
 * the new process. Packets that arrive meanwhile wait in the sockets. Only the manager
 * gets the descriptors, and nothing stops before it is known that the manager keeps
 * them.
 *
 * The new process finds them in LISTEN_FDS. It makes its ports from its own
 * configuration, takes over state and sockets of unchanged ports, and applies
 * differences as after a reload. It ignores a state that it does not understand.
 */

#include "control/daemon/app_priv.h"

#include "base/cleanup.h"
#include "build_config.h"
#include "control/sys/sdnotify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define STATE_NAME   "state"
#define CONTROL_NAME "control"
#define MAX_AGE_MS   120000 /* an older state is out of date */
/* no process can change the state while another reads it */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

#define TAG_APP	      1
#define TAG_ROUTER    2
#define TAG_DATAPLANE 3
#define TAG_PORT      4
#define TAG_QUALITY   5

/* ---- writing ---- */

struct gift {
	struct inherit_fds fds; /* duplicates */
	int error;
};

static void give(void *ctx, const char *name, int fd)
{
	struct gift *g = ctx;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	int r = copy < 0 ? -errno : inherit_add(&g->fds, name, copy);

	if (r < 0 && g->error == 0)
		g->error = r;
}

static void socket_name(char buf[LISTEN_NAME_MAX], unsigned family, unsigned port)
{
	snprintf(buf, LISTEN_NAME_MAX, "%s-%u", family == FAMILY_IPV4 ? "igmp" : "mld",
		port);
}

static void put_app_port(
	const struct app *app, unsigned port, struct state_out *o, struct gift *g)
{
	const struct app_port *ap = &app->port[port];
	size_t at = state_begin(o, TAG_PORT);
	struct mcsock_stats sum = {0};

	view_socket_stats(app, port, &sum);
	state_put_text(o, app_port_name(app, port));
	state_put_u32(o, port);
	state_put_counts(o, sum.count, _MCSOCK_COUNT_N);
	state_put_counts(o, sum.fragment, _REASSEMBLE_N);
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
	state_put_u64(o, app->count.n_effects_lost);
	state_put_counts(o, app->count.n_notes, _NOTE_N);
	proxy_ports_for_each (app->instances->port, pp)
		put_app_port(app, pp->port, o, g);
	state_end(o, at);
}

static void put_all(struct app *app, struct state_out *o, struct gift *g)
{
	size_t at;

	put_app(app, o, g);
	at = state_begin(o, TAG_ROUTER);
	instances_export(app->instances, o);
	state_end(o, at);
	at = state_begin(o, TAG_DATAPLANE);
	dataplane_export(app->dp, o, give, g);
	state_end(o, at);
	at = state_begin(o, TAG_QUALITY);
	app_quality_export(app, o);
	state_end(o, at);
	give(g, CONTROL_NAME, ctl_fd(app->ctl));
}

/* Returns a descriptor of a file in memory with the state, or -errno. */
static int write_state_file(const struct state_out *o)
{
	_cleanup_(closep) int fd =
		memfd_create("ringcast-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
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
	return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : take_fd(&fd);
}

/* Stops, and collects what the next process needs. Returns 0 or -errno; on failure
 * everything continues. */
static int prepare(struct app *app, struct gift *g)
{
	struct state_out o;
	int fd, r;

	*g = (struct gift){0};
	/* effects of this round so far */
	app_execute(app, loop_now(app->loop));
	dataplane_pause(app->dp);
	state_out_init(&o, loop_now(app->loop), loop_system_now(app->loop));
	put_all(app, &o, g);
	r = state_out_seal(&o);
	if (r == 0)
		r = g->error;
	fd = r < 0 ? r : write_state_file(&o);
	if (fd >= 0)
		r = inherit_add(&g->fds, STATE_NAME, fd);
	else
		r = fd;
	state_out_deinit(&o);
	return r;
}

static void keep_running(struct app *app, int r)
{
	log_err("cannot hand over the sockets, this process continues: %s",
		strerror(-r));
	r = dataplane_resume(app->dp);
	if (r < 0)
		log_err("cannot start the data plane again: %s", strerror(-r));
}

static void leave_to_next(struct app *app)
{
	log_notice("another process takes over");
	app->exit_status = APP_EXIT_UPGRADE;
	app->stopping = true;
	loop_stop(app->loop);
}

static int store_all(const struct gift *g)
{
	int r = 0;

	for (size_t i = 0; i < g->fds.n && r == 0; i++)
		r = sdnotify_store(g->fds.v[i].name, g->fds.v[i].fd);
	if (r == 0)
		r = sdnotify_barrier();
	return r < 0 ? r : sdnotify_status("handing over to a new process");
}

static void forget_all(const struct inherit_fds *fds)
{
	for (size_t i = 0; i < fds->n; i++)
		(void)sdnotify_forget(fds->v[i].name);
}

/* Why no process can take over, and what a restart costs. */
static json_t *no_manager(const struct app *app, int r)
{
	const char *why = strerror(-r);

	if (r == -ENOTCONN)
		why = "no service manager has started this daemon";
	else if (r == -EPERM)
		why = "the service manager keeps no descriptors; a unit of systemd needs "
		      "FileDescriptorStoreMax=4096";
	else if (r == -ETIME)
		why = "the service manager does not answer";
	return ctl_error(
		"no process can take over without a gap: %s. The daemon continues. "
		"Restart it for the new program: streams then stop until their "
		"hosts answer, for up to %g s (query-response-interval)",
		why, app->cfg->gm.response_interval_ms / 1000.0);
}

json_t *app_upgrade(void *ctx, const char *args)
{
	struct app *app = ctx;
	struct gift g = {0};
	int r;

	if (*args)
		return ctl_error("upgrade takes no argument");
	if (app->stopping)
		return ctl_error("the daemon is stopping");
	r = sdnotify_can_store();
	if (r < 0)
		return no_manager(app, r);
	r = prepare(app, &g);
	if (r == 0)
		r = store_all(&g);
	if (r == 0) {
		leave_to_next(app);
	} else {
		forget_all(&g.fds);
		keep_running(app, r);
	}
	inherit_deinit(&g.fds);
	return r < 0
		? ctl_error("cannot hand over the sockets, the daemon continues: %s",
			  strerror(-r))
		: json_pack("{sb si}", "ok", 1, "pid", (int)getpid());
}

/* ---- reading ---- */

static int app_upgrade_take(void *ctx, const char *name)
{
	struct app *app = ctx;

	return inherit_take(app->options.handed, name);
}

static void app_upgrade_get_port(struct app *app, struct state_in *in)
{
	struct mcsock_stats sum = {0};
	const struct proxy_port *pp;
	struct app_port *ap;
	char ifname[IFNAMSIZ];
	unsigned number;

	state_get_text(in, ifname, sizeof(ifname));
	number = state_get_up_to(in, PORT_MAX - 1);
	state_get_counts(in, sum.count, _MCSOCK_COUNT_N);
	state_get_counts(in, sum.fragment, _REASSEMBLE_N);
	pp = proxy_port_named(app->instances->port, ifname);
	if (state_is_bad(in) || !pp)
		return;
	ap = &app->port[pp->port];
	ap->closed = sum;
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		char name[LISTEN_NAME_MAX];

		socket_name(name, f, number);
		closep(&ap->handed[f]);
		ap->handed[f] = app_upgrade_take(app, name);
	}
}

static int get_app(struct app *app, struct state_in *in, char version[64])
{
	struct state_in section;
	uint32_t tag;

	state_get_text(in, version, 64);
	app->started = state_get_time(in);
	app->count.n_effects_lost = state_get_u64(in);
	state_get_counts(in, app->count.n_notes, _NOTE_N);
	while (state_get_section(in, &tag, &section)) {
		if (tag == TAG_PORT)
			app_upgrade_get_port(app, &section);
		if (state_is_bad(&section))
			return -EINVAL;
	}
	return state_is_bad(in) ? -EINVAL : 0;
}

static int get_app_sections(struct app *app, mono_t now, struct state_in *in)
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
			r = instances_import(app->instances, now, &section, &app->fx);
		else if (tag == TAG_DATAPLANE)
			r = dataplane_import(
				app->dp, &section, app_upgrade_take, app, &why);
		else if (tag == TAG_QUALITY)
			app_quality_import(app, &section);
	}
	if (r == 0 && state_is_bad(in))
		r = -EINVAL;
	if (r == 0)
		log_notice("taking over from version %s with %zu groups, %lld ms after "
			   "it stopped",
			version, instances_n_groups(app->instances),
			(long long)mono_ms_since(in->written, now));
	if (*why)
		log_notice("the receive rings are created again: %s", why);
	return r;
}

/* Starts without a state, after a faulty one. */
static void start_over(struct app *app)
{
	bool family[_FAMILY_N];
	struct instances *fresh;

	memcpy(family, app->instances->family, sizeof(family));
	if (instances_new(family, rng_next(&app->instances->rng), &fresh) < 0)
		return;
	fresh->memory = app->memory;
	instances_free(app->instances);
	app->instances = fresh;
	effects_clear(&app->fx);
	app->started = loop_now(app->loop);
}

/* Makes the ports of the new configuration, then reads their state. */
static int restore(struct app *app, mono_t now, struct state_in *in)
{
	int r = instances_sync(app->instances, now, app->cfg, &app->ifaces, &app->fx);

	if (r < 0)
		return r;
	/* first queries, which will not be needed */
	effects_clear(&app->fx);
	r = get_app_sections(app, now, in);
	if (r < 0)
		return r;
	/* sockets and table first, because the data plane begins with waiting
	 * packets */
	app_sync_sockets(app);
	app_execute(app, now);
	return 0;
}

static enum state_bad map_state(
	int fd, mono_t now, struct state_in *in, void **ret_map, size_t *ret_len)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	*ret_map = NULL;
	/* only a file in memory has seals */
	if (seals < 0 || (seals & SEALS) != SEALS)
		return STATE_FOREIGN;
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
		r = restore(app, now, &in);
		if (r < 0)
			log_warn("the state that was handed over cannot be used (%s); "
				 "starting without it",
				strerror(-r));
	}
	if (map)
		munmap(map, len);
	return bad == STATE_OK && r == 0;
}

void app_take_over(struct app *app, mono_t now)
{
	_cleanup_(closep) int fd = app_upgrade_take(app, STATE_NAME);
	int r;

	/* after a crash of ours the next process must not trust it, because we continue
	 * to read the rings from here */
	if (fd >= 0)
		(void)sdnotify_forget(STATE_NAME);
	if (fd >= 0 && !take_over(app, now, fd))
		start_over(app);
	app_sync(app, now, app->cfg);
	app_execute(app, now);
	r = dataplane_resume(app->dp);
	if (r < 0)
		log_err("cannot start the threads of the data plane: %s", strerror(-r));
	if (fd >= 0)
		log_notice(
			"%u receive sockets taken over", dataplane_n_adopted(app->dp));
	/* the manager would also hand them to a process that starts after a crash */
	if (sdnotify_is_managed() && app->options.handed)
		forget_all(app->options.handed);
	for (unsigned i = 0; i < PORT_MAX; i++)
		for (unsigned f = 0; f < _FAMILY_N; f++) {
			closep(&app->port[i].handed[f]);
			app->port[i].handed[f] = -1;
		}
	if (app->options.handed)
		inherit_deinit(app->options.handed);
}
