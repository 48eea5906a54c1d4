/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The daemon: puts the parts together and runs the loop. A round of the loop: input (a
 * message, an interface event, a command, a deadline) goes into the router, whose
 * effects are executed at the end of the round (app_io.c).
 */

#include "control/daemon/app_priv.h"

#include "base/cleanup.h"
#include "base/cpulist.h"
#include "build_config.h"
#include "control/config/config_text.h"
#include "control/show/selfstat.h"
#include "control/sys/memory.h"
#include "control/sys/privdrop.h"
#include "control/sys/sdnotify.h"
#include "dataplane/forward/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

/* ---- hooks of the loop ---- */

static mono_t deadline(void *ctx)
{
	const struct app *app = ctx;
	mono_t at = mono_min(app->retry_at, app->sockets_at);

	at = mono_min(at, mono_min(app->sensors_at, app->notice_at));
	at = mono_min(at, mono_min(app->streams_due, app_quality_deadline(app)));
	at = mono_min(at, app_rival_deadline(app));
	at = mono_min(at, app_http_deadline(app));
	at = mono_min(at, ctl_deadline(app->ctl));
	at = mono_min(at, mono_min(app->watchdog_at, app_kernel_deadline(app)));
	at = mono_min(at, app_refusals_deadline(app));
	at = mono_min(at,
		mono_min(app_later_deadline(app), captures_deadline(app->captures)));
	return app->stopping ? at : mono_min(at, instances_deadline(app->instances));
}

static void sign_of_life(struct app *app, mono_t now)
{
	int64_t ms = sdnotify_watchdog_ms();

	sdnotify_watchdog();
	app->watchdog_at = ms ? mono_add_ms(now, ms) : MONO_NEVER;
}

static void tick(void *ctx, mono_t now)
{
	struct app *app = ctx;

	if (mono_due(app->retry_at, now) && !app->stopping)
		app_retry(app, now);
	if (mono_due(app->sockets_at, now))
		app_tick_sockets(app, now);
	app_notice_tick(app, now);
	app_streams_tick(app, now);
	app_quality_tick(app, now);
	app_forwarder_tick(app, now);
	app_refusals_tick(app, now);
	app_rival_tick(app, now);
	app_http_tick(app, now);
	if (mono_due(app->watchdog_at, now))
		sign_of_life(app, now);
	if (!app->stopping)
		app_kernel_tick(app, now);
	if (!app->stopping)
		instances_tick(app->instances, now, &app->fx);
	app_later_tick(app, now);
	captures_tick(app->captures, now);
	ctl_tick(app->ctl);
}

static void round_end(void *ctx, mono_t now)
{
	struct app *app = ctx;

	app_notice_transmit(app);
	app_force_tick(app, now);
	if (app->fx.n)
		app_web_stir(app, now);
	app_execute(app, now);
	app_forwarder_sync(app, now);
	if (app->stopping && !app->later)
		loop_stop(app->loop);
}

static void log_summary(struct app *app)
{
	struct dataplane_stats s;

	dataplane_stats(app->dp, &s);
	log_notice(
		"%zu groups, %zu forwarding entries, %llu frames received, transmit by %s",
		instances_n_groups(app->instances), fib_size(dataplane_fib(app->dp)),
		(unsigned long long)s.count[THREAD_COUNT_FRAMES],
		dataplane_transmit(app->dp, NULL));
	proxy_ports_for_each (app->instances->port, pp) {
		struct dataplane_port_stats ps;

		dataplane_port_stats(app->dp, pp->port, &ps);
		log_about(LOG_LEVEL_NOTICE, &(struct log_about){.interface = pp->name},
			"%s, %s, %llu packets in, %llu out", config_role_word(pp->role),
			pp->up ? "up" : "down",
			(unsigned long long)ps.count[PORT_COUNT_RX_PACKETS],
			(unsigned long long)ps.count[PORT_COUNT_TX_PACKETS]);
	}
}

/* The loop continues until the leaves have been repeated, but receives nothing. */
static void begin_stop(struct app *app)
{
	app->stopping = true;
	log_notice("stopping: leaving all groups upstream");
	sdnotify_stopping("leaving all groups upstream");
	app_kernel_look(app, loop_now(app->loop));
	instances_shutdown(app->instances, loop_now(app->loop), &app->fx);
}

static void on_signal(void *ctx, int signo)
{
	struct app *app = ctx;

	switch (signo) {
	case SIGHUP:
		if (!app->stopping)
			app_reload(app, NULL);
		break;
	case SIGUSR1:
		log_summary(app);
		break;
	default: /* SIGTERM, SIGINT */
		if (app->stopping)
			loop_stop(app->loop);
		else
			begin_stop(app);
	}
}

static void resumed(void *ctx, mono_t now, int64_t ms)
{
	struct app *app = ctx;

	if (app->stopping)
		return;
	log_notice(
		"nothing ran for %lld seconds (a stop, a suspended or moved machine): "
		"asking the hosts and reporting upstream again",
		(long long)(ms / 1000));
	instances_resume(app->instances, now, &app->fx);
}

static void before_sleep(void *ctx)
{
	dataplane_control_sleep();
}

static void after_sleep(void *ctx)
{
	dataplane_control_wake();
}

static void interfaces_changed(void *ctx)
{
	struct app *app = ctx;

	if (!app->stopping)
		app_sync(app, loop_now(app->loop), app->cfg);
}

/* The table stays as it is until the interfaces have been read again. */
static void interfaces_spoilt(void *ctx)
{
	struct app *app = ctx;

	app->links_unsure = true;
	app->retry_at =
		mono_min(app->retry_at, mono_add_ms(loop_now(app->loop), APP_RETRY_MS));
}

/* ---- start ---- */

static uint64_t random_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		log_warn(
			"no random numbers from the kernel; hash tables are predictable");
	return seed;
}

/* Checks the requirements of the daemon. */
static int check_capability(void)
{
	_cleanup_(closep) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		return APP_EXIT_OK;
	if (errno != EPERM && errno != EAFNOSUPPORT) {
		log_err("cannot open a packet socket: %s", strerror(errno));
		return APP_EXIT_FAILURE;
	}
	if (errno == EPERM)
		log_err("missing capability CAP_NET_RAW: packet sockets are not permitted; "
			"start as root, or give it the capability (setcap cap_net_raw+ep, "
			"AmbientCapabilities=CAP_NET_RAW, docker run --cap-add NET_RAW)");
	else
		log_err("the kernel has no packet sockets (CONFIG_PACKET)");
	return APP_EXIT_CAPABILITY;
}

int app_open_dir_of(const char *path)
{
	_cleanup_(freep) char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (slash)
		slash[slash == dir] = '\0';
	return open(slash ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Logs in one line what the system supports. */
static void log_choices(const struct dataplane *dp, uint32_t ring_size)
{
	char buf[CONFIG_SECONDS_STRLEN];
	const char *receive, *why_receive, *transmit, *why;

	receive = dataplane_receive(dp, &why_receive);
	transmit = dataplane_transmit(dp, &why);
	log_notice(
		"data plane: %u thread(s), receive by %s into rings of %s%s%s%s, transmit "
		"by %s%s%s",
		dataplane_threads(dp), receive, config_format_bytes(ring_size, buf),
		dataplane_receive_offload(dp) ? " with super-frames" : "",
		*why_receive ? ": " : "", why_receive, transmit, *why ? ": " : "", why);
}

/* A processor may be offline, or not available to the container. */
static void warn_of_cpus(struct app *app, size_t n_cpu)
{
	for (unsigned i = 0; n_cpu && i < dataplane_threads(app->dp); i++) {
		struct dataplane_thread_stats s;

		dataplane_thread_stats(app->dp, i, &s);
		if (s.cpu < 0)
			log_warn("thread %u cannot run on its processor of "
				 "\"cpu-affinity %s\"; it runs anywhere",
				i, app->cfg->cpu_affinity);
	}
}

static int start_dataplane(struct app *app)
{
	static const enum dataplane_transmit transmit[] = {
		[CONFIG_TRANSMIT_AUTO] = DATAPLANE_TX_AUTO,
		[CONFIG_TRANSMIT_SENDMMSG] = DATAPLANE_TX_SENDMMSG,
		[CONFIG_TRANSMIT_IO_URING] = DATAPLANE_TX_IO_URING,
	};
	static const enum coalesce_mode coalesce[] = {
		[CONFIG_COALESCE_OFF] = COALESCE_OFF,
		[CONFIG_COALESCE_EXACT] = COALESCE_EXACT,
		[CONFIG_COALESCE_ON] = COALESCE_ON,
	};
	static const enum quality_mode quality[] = {
		[CONFIG_QUALITY_OFF] = QUALITY_MODE_OFF,
		[CONFIG_QUALITY_AUTO] = QUALITY_MODE_AUTO,
		[CONFIG_QUALITY_ON] = QUALITY_MODE_ON,
	};
	static const enum dataplane_latency latency[] = {
		[CONFIG_LATENCY_LOW] = DATAPLANE_LATENCY_LOW,
		[CONFIG_LATENCY_BALANCED] = DATAPLANE_LATENCY_BALANCED,
		[CONFIG_LATENCY_THROUGHPUT] = DATAPLANE_LATENCY_THROUGHPUT,
		[CONFIG_LATENCY_AUTO] = DATAPLANE_LATENCY_AUTO,
	};
	unsigned cpu[CPULIST_MAX];
	struct dataplane_config dc = {
		.coalesce = coalesce[app->cfg->coalesce],
		.threads = app->cfg->threads,
		.cpu = cpu,
		.n_cpu = app->cfg->cpu_affinity
			? cpulist_parse(app->cfg->cpu_affinity, cpu)
			: 0,
		.ring_size = app->cfg->ring_size ? app->cfg->ring_size
						 : collect_ring(app->memory),
		.transmit = transmit[app_choose_transmit(app)],
		.latency = latency[app->cfg->latency],
		.collect_ms = app->cfg->collect_ms,
		.receive_offload = app->cfg->receive_offload,
		.quality = quality[app->cfg->quality],
		.memory = app->memory,
		.seed = random_seed(),
	};
	int r = dataplane_new(&dc, &app->dp);

	if (r == -EOPNOTSUPP) {
		log_err("transmit io_uring: the kernel or its policy refuses io_uring; write "
			"\"transmit auto\" or \"transmit sendmmsg\"");
		return APP_EXIT_CAPABILITY;
	}
	if (r < 0) {
		log_err("cannot start the data plane: %s", strerror(-r));
		return APP_EXIT_FAILURE;
	}
	log_choices(app->dp, dc.ring_size);
	warn_of_cpus(app, dc.n_cpu);
	return APP_EXIT_OK;
}

/* A kernel without IPv6, or started with ipv6.disable=1, has no hosts to serve. */
static bool kernel_has_ipv6(void)
{
	_cleanup_(closep) int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 || errno != EAFNOSUPPORT)
		return true;
	log_notice("the kernel has no IPv6; IPv4 only");
	return false;
}

static int start_proxy(struct app *app)
{
	const bool family[_FAMILY_N] = {
		[FAMILY_IPV4] = true, [FAMILY_IPV6] = kernel_has_ipv6()};
	struct netlink_ops ops = {.changed = interfaces_changed,
		.routing_changed = app_rival_routing,
		.spoilt = interfaces_spoilt,
		.ctx = app};
	int r = instances_new(family, random_seed(), &app->instances);

	if (r == 0)
		app->instances->memory = app->memory;
	rate_table_init(&app->views.rates, random_seed());
	streams_init(&app->streams, random_seed());
	if (r == 0)
		r = app_quality_new(app, random_seed());
	if (r == 0)
		r = mcsock_rx_new(random_seed(), &app->rx);
	if (r == 0)
		r = netlink_new(app->loop, &app->ifaces, &ops, &app->netlink);
	if (r < 0) {
		log_err("cannot read the interfaces: %s", strerror(-r));
		return APP_EXIT_FAILURE;
	}
	return APP_EXIT_OK;
}

static int give_ctl(struct app *app, gid_t gid)
{
	int r = gid == (gid_t)-1 ? 0 : ctl_set_group(app->ctl, gid);

	if (r == 0)
		return APP_EXIT_OK;
	log_err("%s: cannot give the control socket to the group %s: %s%s",
		app->socket_path, app->cfg->control_group, strerror(-r),
		r == -EPERM ? "; start as root, or as a member of the group" : "");
	return APP_EXIT_FAILURE;
}

/* " (pid 4711)", or nothing for 0. */
static const char *name_pid(pid_t pid, char buf[24])
{
	*buf = '\0';
	if (pid)
		snprintf(buf, 24, " (pid %d)", (int)pid);
	return buf;
}

static int start_ctl(struct app *app)
{
	const char *path = app->options.control_socket;
	struct inherit_fds *handed = app->options.handed;
	char pid[24];
	gid_t gid;
	int r = app_find_group(app->options.config_path, app->cfg, &gid);

	if (r != APP_EXIT_OK)
		return r;
	if (!path)
		path = app->cfg->control_socket ? app->cfg->control_socket
						: CTL_DEFAULT_PATH;
	app->socket_path = strdup(path); /* the configuration may change */
	r = app->socket_path ? app_tap_new(app) : -ENOMEM;
	if (r == 0)
		r = ctl_new(app->loop, app->socket_path,
			handed ? inherit_take(handed, "control") : -1, app_commands,
			app, &app->ctl);
	if (r == 0)
		return give_ctl(app, gid);
	if (r == -EADDRINUSE)
		log_err("%s: another ringcastd%s answers there; stop it or use -s",
			path, name_pid(ctl_listener(path), pid));
	else
		log_err("%s: cannot open the control socket: %s", path, strerror(-r));
	return APP_EXIT_FAILURE;
}

static int app_start(struct app *app)
{
	struct loop_ops ops = {
		.deadline = deadline,
		.tick = tick,
		.round_end = round_end,
		.signal = on_signal,
		.before_sleep = before_sleep,
		.after_sleep = after_sleep,
		.resumed = resumed,
		.ctx = app,
	};
	int status = check_capability();
	int r;

	if (status != APP_EXIT_OK)
		return status;
	app->config_dir = app_open_dir_of(app->options.config_path);
	app_rival_init(app);
	app->cfg = app_read_config(
		app->config_dir, app->options.config_path, &status, NULL);
	if (!app->cfg)
		return status;
	app_log_configure(app, NULL, app->cfg);
	r = privdrop_raise_nofile();
	if (r < 0)
		log_info("cannot raise the limit of open files: %s", strerror(-r));
	r = loop_new(&ops, &app->loop);
	if (r < 0) {
		log_err("cannot make the event loop: %s", strerror(-r));
		return APP_EXIT_FAILURE;
	}
	/* confinement hides the control groups */
	app->memory = memory_size("");
	/* the socket file is made while the process still has the rights */
	status = start_ctl(app);
	if (status == APP_EXIT_OK) {
		app->selfstat = selfstat_open();
		app_http_start(app);
		status = app_confine(app);
	}
	if (status == APP_EXIT_OK)
		status = start_dataplane(app);
	if (status == APP_EXIT_OK)
		status = start_proxy(app);
	if (status != APP_EXIT_OK)
		return status;
	app_confine_calls(app);
	app->started = loop_now(app->loop);
	app_warn_missing(app, app->cfg);
	app_channels_read(app, NULL);
	app_hosts_read(app);
	app_take_over(app, app->started);
	app_rival_start(app, (uint32_t)random_seed());
	return APP_EXIT_OK;
}

static void init_port(struct app *app, unsigned number)
{
	struct app_port *ap = &app->port[number];

	ap->app = app;
	ap->number = number;
	for (unsigned f = 0; f < _FAMILY_N; f++)
		ap->handed[f] = -1;
}

int app_new(const struct app_options *options, struct app **ret_app)
{
	struct app *app = calloc(1, sizeof(*app));
	int status;

	if (!app) {
		log_err("out of memory");
		return APP_EXIT_FAILURE;
	}
	app->options = *options;
	app->config_dir = -1;
	app->selfstat.statm = -1;
	app->rivals.proc = app->rivals.fd.fd = -1;
	app->retry_at = MONO_NEVER;
	app->metrics.retry_at = MONO_NEVER;
	app->web_listener.retry_at = MONO_NEVER;
	app->sockets_at = MONO_NEVER;
	app->notice_at = MONO_NEVER;
	app->streams_due = MONO_NEVER;
	app->streams_limit = LOG_LIMIT(20, 3000);
	app->sensors_at = MONO_NEVER;
	app->watchdog_at = MONO_NEVER;
	app->kernel_at = MONO_NEVER;
	app->refusals_at = MONO_NEVER;
	app->debug_limit = LOG_LIMIT(1000, 5);
	app->sample_limit = LOG_LIMIT(10, 6000);
	for (unsigned i = 0; i < PORT_MAX; i++)
		init_port(app, i);
	status = app_start(app);
	if (status != APP_EXIT_OK) {
		app_free(app);
		return status;
	}
	*ret_app = app;
	return APP_EXIT_OK;
}

int app_run(struct app *app)
{
	int r;

#if HAVE_MALLOC_TRIM
	/* making the filter of system calls leaves a third of the heap unused */
	malloc_trim(0);
#endif
	sign_of_life(app, loop_now(app->loop));
	sdnotify_ready("forwarding");
	r = loop_run(app->loop);
	if (r < 0) {
		log_err("the event loop failed: %s", strerror(-r));
		return APP_EXIT_FAILURE;
	}
	return app->exit_status;
}

struct app *app_free(struct app *app)
{
	if (!app)
		return NULL;
	app_http_stop(app);
	selfstat_close(&app->selfstat);
	free(app->views.health);
	app->ctl = ctl_free(app->ctl);
	app->captures = captures_free(app->captures);
	app_rival_stop(app);
	app_later_free(app);
	free(app->socket_path);
	free(app->left_out);
	app->netlink = netlink_free(app->netlink);
	app_forwarder_close(app);
	app_close_ports(app);
	app->rx = mcsock_rx_free(app->rx);
	app->instances = instances_free(app->instances);
	app->dp = dataplane_free(app->dp);
	rate_table_deinit(&app->views.rates);
	streams_deinit(&app->streams);
	app_quality_free(app);
	app_kernel_free(app);
	app->channels = channels_free(app->channels);
	app_hosts_free(app);
	iface_table_deinit(&app->ifaces);
	effects_deinit(&app->fx);
	app->loop = loop_free(app->loop);
	config_free(app->cfg);
	if (app->config_dir >= 0)
		close(app->config_dir);
	free(app);
	return NULL;
}
