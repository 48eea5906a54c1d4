/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of the daemon share: app.c (life cycle), app_io.c (sockets, effects),
 * app_force.c (versions that the kernel is held to),
 * app_later.c (last words), app_kernel.c (what the kernel says on upstreams),
 * app_streams.c (streams in the log),
 * app_config.c (reading and reloading), app_notice.c (what is said once),
 * app_refusals.c (what was refused), app_rival.c (other daemons), app_forwarder.c
 * (other forwarders), app_metrics.c (metrics and health), app_monitor.c (events),
 * app_upgrade.c (handing over),
 * app_confine.c (privileges, files, system calls). */

#include "control/daemon/app.h"

#define APP_RETRY_MS 1000 /* between attempts to open what could not be opened */

/* Log which interfaces of the configuration are not there. */
void app_warn_missing(const struct app *app, const struct config *cfg);

/* Bring ports, sockets and data plane into line with interfaces and configuration `cfg`
 * (app->cfg or its successor). Effects stay in app->fx until app_execute. */
void app_sync(struct app *app, mono_t now, const struct config *cfg);
/* Give the data plane a new port plan; what fails is tried again. */
void app_sync_plan(struct app *app, mono_t now);
/* Open what could not be opened before; moves retry_at. */
void app_retry(struct app *app, mono_t now);
/* Do what the core has decided, in order, and forget it. */
void app_execute(struct app *app, mono_t now);
/* mcsock_tick() of all sockets; moves sockets_at. */
void app_tick_sockets(struct app *app, mono_t now);
void app_close_ports(struct app *app);
/* Log what is new about the ports: errors of sockets, bridges that took one, interfaces
 * for which there is no port. */
void app_notice(struct app *app);
/* What could not be said then; moves notice_at. */
void app_notice_tick(struct app *app, mono_t now);
/* Each round: frames are sent in another way than was said. Cheap. */
void app_notice_transmit(struct app *app);

/* The log: what is worth a line, at a limited rate. `from` NULL: not known. */
void app_log_note(struct app *app, mono_t now, const struct effect *e);
void app_log_effects(struct app *app, mono_t now);
void app_log_message(struct app *app, mono_t now, const struct proxy_port *pp,
	const struct addr *from, size_t len, enum gm_bad bad);
void app_log_limited(struct app *app, mono_t now, struct app_port *ap,
	const struct flood_host *who, enum flood_cause cause);
void app_log_sampled(struct app *app, mono_t now, const struct app_port *ap,
	const struct flood_host *who);
void app_log_fragment(struct app *app, mono_t now, struct app_port *ap,
	const struct flood_host *who, enum reassemble_result why);
/* "02:00:00:00:00:10 (10.1.0.10)", or the IP address alone */
#define APP_HOST_STRLEN (ADDR_STRLEN + 24)
/* Has somebody met this limit of messages within the last minute? */
bool app_is_struck(const struct app_port *ap, enum flood_cause cause, mono_t now);
const char *app_format_host(const struct flood_host *who, char buf[APP_HOST_STRLEN]);
/* Sink and level as the file `cfg` and the command line say; `old` is the file before,
 * NULL at the start: what it does not change stays as somebody may have set it since.
 */
void app_log_configure(
	const struct app *app, const struct config *old, const struct config *cfg);

/* Messages that are sent later, whatever becomes of the port: `packet` as for
 * mcsock_send(). 0 or -errno */
int app_later_add(struct app *app, mono_t at, const struct mcsock *s,
	const void *packet, size_t len, const struct addr *to);
mono_t app_later_deadline(const struct app *app); /* MONO_NEVER: there is none */
void app_later_tick(struct app *app, mono_t now);
void app_later_free(struct app *app);

/* app_kernel.c: the groups that the kernel holds for programs of this host. */
void app_kernel_look(struct app *app, mono_t now);
void app_kernel_tick(struct app *app, mono_t now);
mono_t app_kernel_deadline(const struct app *app);
/* Something has been sent or changed: look again soon. */
void app_kernel_stir(struct app *app, mono_t now);
void app_kernel_heard(struct app *app, unsigned port, enum family family,
	const void *data, size_t len);
void app_kernel_free(struct app *app);

/* Read which versions the kernel is told to speak upstream; true: another one than
 * before, and the ports are to be synchronised again. Logs it. */
bool app_force_look(struct app *app, mono_t now);
/* Each round: look now and then. Cheap. */
void app_force_tick(struct app *app, mono_t now);

/* app_streams.c: streams that arrive and end, in the log. `stir`: something happens. */
void app_streams_stir(struct app *app, mono_t now);
void app_streams_tick(struct app *app, mono_t now);

/* app_refusals.c: what was refused, and of that what is worth a line. `changed`:
 * members were. */
void app_refusals_note(struct app *app, mono_t now, const struct effect *e);
void app_refusals_changed(struct app *app, mono_t now);
void app_refusals_tick(struct app *app, mono_t now);
mono_t app_refusals_deadline(const struct app *app);
/* Are frames from there forwarded, if their source is one that may send there? */
bool app_receives(const struct proxy_port *pp);
/* The last datagram of the entry's group whose source may not send where it came in;
 * false: none has, or others have come since. */
bool app_refused_sender(struct app *app, const struct fib_view *v, struct refusal *ret);
/* [{"source", "in"}, ...]: some of those that members wait for */
json_t *app_refused_senders(struct app *app);

/* Captures: messages that came and went. */
int app_tap_new(struct app *app);
void app_tap_received(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len);
void app_tap_sent(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len);

/* Events for those who follow them, app_monitor.c; `name` is a key that never changes.
 * `value` 0: none. */
void app_monitor_note(struct app *app, mono_t now, const char *name,
	const struct log_about *about, const char *text, uint32_t value);
void app_monitor_reload(struct app *app, bool ok);
/* Ports may have changed. */
void app_monitor_ports(struct app *app, mono_t now);
/* For which of the first 64 records of a report its sender is a tracked member, as
 * bits; 0 while nobody follows. What has changed since `before` is said afterwards. */
uint64_t app_monitor_members(const struct app *app, mono_t now,
	const struct proxy_port *pp, const struct gm_msg *msg);
void app_monitor_report(struct app *app, mono_t now, const struct proxy_port *pp,
	const struct gm_msg *msg, uint64_t before);

/* Other multicast daemons. `init` before privileges go; `start` when there are ports;
 * `ports` when they have changed, `routing` when the kernel's routing has. */
void app_rival_init(struct app *app);
void app_rival_start(struct app *app, uint32_t token);
void app_rival_stop(struct app *app);
void app_rival_ports(struct app *app);
void app_rival_routing(struct app *app);
/* `thorough`: at any cost, as after a start or reload */
void app_rival_look(struct app *app, mono_t now, bool thorough);
void app_rival_tick(struct app *app, mono_t now);
mono_t app_rival_deadline(const struct app *app);

/* Other forwarders, app_forwarder.c. `sync` after each round. */
void app_forwarder_sync(struct app *app, mono_t now);
void app_forwarder_tick(struct app *app, mono_t now);
void app_forwarder_close(struct app *app);

/* app_confine.c: give up what is not needed any more. Both log. */
int app_confine(struct app *app); /* user, capabilities, files: an exit status */
void app_confine_calls(const struct app *app); /* when everything has been opened */
/* How to send: as the file says, but without rings where they could not be confined and
 * it does not ask for them. Logs which it is. */
enum config_transmit app_choose_transmit(const struct app *app);
/* The file is there, and the daemon's user may not read it. */
bool app_config_is_private(const struct app *app);

/* app_metrics.c: the listener of metrics-listen and what it serves. */
int app_metrics_new(struct app *app); /* 0, -ENOMEM */
void app_metrics_free(struct app *app);
/* Listen where app->cfg says, now or when that is possible. */
void app_metrics_listen(struct app *app);
/* The configuration in force is another than `old`. */
void app_metrics_reload(struct app *app, const struct config *old);
mono_t app_metrics_deadline(const struct app *app);
void app_metrics_tick(struct app *app, mono_t now);
/* Membership sockets as the ports need them; true: something could not be opened. */
bool app_sync_sockets(struct app *app);
/* The first app_sync(), with what the process before has handed over, if there was one.
 */
void app_take_over(struct app *app, mono_t now);
/* Have any been received since the last time? *before is the caller's memory of that.
 */
bool app_datagrams_arrive(struct app *app, uint64_t *before);

/* name of a port for messages */
const char *app_port_name(const struct app *app, unsigned port);
