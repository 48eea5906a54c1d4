/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that the files of the daemon share. app.c has its life cycle; each other
 * app_*.c has one subject, which is named below at its functions. */

#include "control/daemon/app.h"

#include "control/config/host_names.h"
#include "control/daemon/captures.h"
#include "control/proxy/instances.h"
#include "control/proxy/streams.h"
#include "control/report/metrics.h"
#include "control/report/rate.h"
#include "control/show/monitor.h"
#include "control/show/view.h"
#include "control/sys/ctl.h"
#include "control/sys/http_share.h"
#include "control/sys/inherit.h"
#include "control/sys/loop.h"
#include "control/sys/mcsock.h"
#include "control/sys/netlink.h"
#include "control/sys/proctext.h"
#include "control/sys/rival_claim.h"
#include "control/sys/sensor.h"
#include "dataplane/thread/dataplane.h"

enum app_link {
	APP_LINK_UNKNOWN,
	APP_LINK_UP,
	APP_LINK_DOWN,
	APP_LINK_GONE,
};

/* What app_notice.c has logged about a port, so that it logs each change once. */
struct app_notice {
	char name[IFNAMSIZ]; /* name of the port in these lines */
	bool upstream;
	enum app_link link, link_said;	    /* the last state; the one logged last */
	unsigned link_born, link_said_born; /* iface.born in these two states */
	unsigned link_changes;		    /* changes since the state was logged */
	mono_t link_at;			    /* when to log them, if there are any */
	int master;
	int socket_error, data_error;
	size_t short_ring;
	unsigned born;
	uint32_t carrier_downs;
};

/* The last event about a link. Clients that follow events get each change at once. */
struct app_told {
	char name[IFNAMSIZ]; /* name of the port */
	bool present, up;
	unsigned born;
};

struct app_port {
	struct app *app;
	unsigned number;
	struct mcsock *sock[_FAMILY_N];
	int handed[_FAMILY_N]; /* sockets of the previous process, or -1 */
	int ifindex;	       /* the interface that the sockets are bound to */
	int error;	       /* errno of the socket that could not be opened, or 0 */
	struct app_notice notice;
	struct app_told told;
	/* sensors for other forwarders, or NULL; the errno of one that could not be
	 * opened; and the interface that they are bound to, or 0 */
	struct sensor *sensor[_FAMILY_N];
	int sensor_error[_FAMILY_N];
	int sensor_ifindex;
	struct admission_port admission;
	struct admission_limit admission_limit;
	/* the next line about a flood with this cause is not logged before this time */
	mono_t admission_say_at[_FLOOD_CAUSE_N];
	struct mcsock_stats closed; /* sums over the sockets that were closed */
};

/* Limits of the log lines about a port. Each port has its own, so that a noisy port
 * does not hide the lines about another one. They are not in struct app_port, because
 * unused ports should take no memory. */
struct app_limits {
	bool ready;
	struct log_limit note[_NOTE_N];
	struct log_limit send, bad, notice, link, source;
};

struct app_rival {
	struct rival rival;
	mono_t since;
	bool harmful; /* it uses an interface of ours, or perhaps does */
};

/* State of reading the kernel's groups, whose files are read in pieces. */
struct kernel_look {
	bool on;
	bool again; /* something changed since the reading began, so read again */
	enum family family;
	unsigned file; /* number of the file that is being read */
	struct proctext text[2];
};

/* Other multicast daemons on this host, see app_rival.c. */
struct app_rivals {
	struct app *app;
	bool started;
	int proc; /* /proc, opened before a chroot */
	struct app_rival v[RIVAL_MAX];
	size_t n;
	uint64_t evidence;
	mono_t looked_at, look_at; /* the last search, and the next one */
	mono_t rest; /* no search before this time, because the last was expensive */
	struct log_limit limit; /* programs can start and end at any rate */
	uint32_t token;
	struct rival_claim claim; /* the socket that tells others our interfaces */
	struct loop_fd fd;	  /* that socket in the loop, if it could be opened */
	/* Messages to that socket are ignored until this time, because strangers flood
	 * it. MONO_NEVER if they are read. */
	mono_t deaf_until;
};

/* A listener for HTTP. One that is off is all zero, except retry_at. */
struct app_listener {
	struct http *http; /* NULL if it is off or could not be opened */
	struct http_share share;
	uint16_t port;	 /* the only port that may be bound, or 0 if none may */
	int error;	 /* -errno of the last failure to open it, which was logged */
	mono_t retry_at; /* when to try again, or MONO_NEVER */
};

/* The files of host-names, as they were when they were read. */
struct app_hosts {
	struct host_names names;
	struct host_file {
		ino_t inode; /* 0 means that there is none */
		off_t size;
		struct timespec changed; /* also by a change of its rights */
	} file[CONFIG_HOST_FILES_MAX];
	mono_t look_at;
};

struct app {
	struct app_options options;
	int config_dir; /* directory of the file, opened before a chroot for reloads */
	struct config *cfg; /* the configuration in force */
	struct iface_table ifaces;
	struct instances *instances;
	struct effects fx; /* effects of the present round of the loop */
	struct loop *loop;
	struct netlink *netlink;
	struct mcsock_rx *rx;
	struct gm_scratch scratch;
	struct ctl *ctl;
	struct captures *captures;
	struct monitor monitor;
	struct app_listener metrics, web_listener;
	struct web *web;       /* the page, or NULL if it is off */
	struct scrape *scrape; /* the scrape that is being written, or NULL */
	bool scrape_wanted;    /* memory for `scrape` was short, so try again */
	enum metrics_format scrape_format;
	struct selfstat selfstat;
	struct channels *channels; /* names of channels, or NULL if there are none */
	struct app_hosts hosts;	   /* names of viewers, see app_hosts.c */
	uint64_t memory; /* bytes of the machine or container: memory_size() */
	struct view_counts count;
	struct view_memory views;
	bool files_confined; /* Landlock restricts the files that can be opened */
	char *socket_path;   /* owned */
	struct dataplane *dp;
	struct app_port port[PORT_MAX];
	struct app_limits limits[PORT_MAX]; /* use app_limits(), which prepares them */
	struct app_rivals rivals;
	struct app_quality *quality; /* see app_quality.c; NULL with `quality off` */
	/* the groups that the kernel holds for programs of this host, see
	 * app_kernel.c */
	struct kgroups kernel[_FAMILY_N];
	struct kernel_look kernel_look;
	mono_t kernel_looked; /* the last reading, or MONO_UNSET */
	mono_t kernel_rest; /* no reading before this, because the last was expensive */
	mono_t kernel_at;   /* the next reading, if any group is wanted then */
	uint64_t kernel_frames;	 /* frames that had been received at the last reading */
	bool plan_stale;	 /* the port plan does not know the last reading yet */
	bool uring_works;	 /* as it was logged last */
	char *left_out;		 /* names without a port, as logged, or NULL; owned */
	mono_t forced_at;	 /* when the kernel's forced versions were read */
	struct app_later *later; /* messages that wait to be sent, the next one first */
	mono_t retry_at;	 /* when to try again to open what failed */
	bool links_unsure;	 /* the interfaces must be read again */
	bool ports_unsure;	 /* a port could not be brought into line: try again */
	mono_t sensors_at;	 /* when to read the sensors, or MONO_NEVER */
	struct portset sensed;	 /* ports that have a sensor or should have one */
	struct streams streams;	 /* the streams that were logged as present */
	struct fib_cursor streams_at; /* how far the entries have been read */
	uint64_t streams_frames; /* frames that had been received at the last reading */
	mono_t streams_due;
	/* No client or log wanted to know streams until now, so the streams that
	 * already flow are not logged as new. */
	bool streams_late;
	mono_t notice_at;   /* when to log a change of a link that was postponed */
	mono_t sockets_at;  /* when app_tick_sockets() is due */
	mono_t watchdog_at; /* next sign of life to the service manager */
	bool stopping;
	int exit_status;
	struct refusals reports; /* refused reports of hosts, by `enum note` */
	/* Sources that must not send are looked for at refusals_at, and also after new
	 * refusals of datagrams, but then not before refusals_next. */
	mono_t refusals_at, refusals_next;
	uint64_t n_refusals; /* datagrams that had been refused at the last reading */
	struct {
		unsigned port;
		struct addr source;
	} said[64]; /* the refused sources that were logged last */
	size_t next_said;
	struct log_limit streams_limit, sample_limit, debug_limit;
	mono_t started;
};

#define APP_RETRY_MS 1000 /* between attempts to open what could not be opened */

/* Logs which interfaces of the configuration do not exist. */
void app_warn_missing(const struct app *app, const struct config *cfg);

/* Brings ports, sockets and data plane into line with the interfaces and with `cfg`,
 * which is app->cfg or its successor. Effects stay in app->fx until app_execute(). */
void app_sync(struct app *app, mono_t now, const struct config *cfg);
/* Gives the data plane a new port plan. Ports that cannot be opened are tried again
 * later. */
void app_sync_plan(struct app *app, mono_t now);
/* Tries again to open what could not be opened; moves retry_at. */
void app_retry(struct app *app, mono_t now);
/* Executes the effects in app->fx in order, and clears the list. */
void app_execute(struct app *app, mono_t now);
/* Calls mcsock_tick() for all sockets; moves sockets_at. */
void app_tick_sockets(struct app *app, mono_t now);
void app_close_ports(struct app *app);
/* Logs what has changed about the ports: socket errors, ports that a bridge has taken,
 * interfaces for which no port number was free. */
void app_notice(struct app *app);
/* Logs the lines that app_notice() had to postpone; moves notice_at. */
void app_notice_tick(struct app *app, mono_t now);
/* Once per round: logs that io_uring has stopped working. Cheap. */
void app_notice_transmit(struct app *app);

/* Log events that are worth a line, at a limited rate. */
void app_log_note(struct app *app, mono_t now, const struct effect *e);
void app_log_effects(struct app *app, mono_t now);
/* Logs a message if it is faulty, or if there was no memory for it. `from` is NULL if
 * the sender is not known. */
void app_log_message(struct app *app, mono_t now, const struct proxy_port *pp,
	const struct addr *from, size_t len, enum gm_bad bad);
struct app_limits *app_limits(struct app *app, unsigned port);
/* for mcsock_ops; ctx is a struct app_port */
void app_log_limited(void *ctx, const struct mcsock_limited *what);
void app_log_sampled(void *ctx, const struct admission_host *who);
void app_log_fragment(
	void *ctx, const struct admission_host *who, enum reassemble_result why);
/* "02:00:00:00:00:10 (10.1.0.10)", or the IP address alone */
const char *app_format_host(
	const struct admission_host *who, char buf[VIEW_HOST_STRLEN]);
/* "12 messages refused and 3 used in part within 4 s" */
const char *app_format_struck(
	const struct admission_struck *s, mono_t now, char buf[VIEW_STRUCK_STRLEN]);
/* Sets sink and level as the file `cfg` and the command line say. `old` is the previous
 * file, or NULL at the start. Settings that are equal in both files stay as they are,
 * because ringcastctl may have changed them since. */
void app_log_configure(
	const struct app *app, const struct config *old, const struct config *cfg);

/* Sends a message at the time `at`, even if the port is gone by then. The packet and
 * the address are copied; they are as for mcsock_send(). Returns 0 or -errno. */
int app_later_add(struct app *app, mono_t at, const struct mcsock *s,
	const void *packet, size_t len, const struct addr *to);
mono_t app_later_deadline(const struct app *app); /* MONO_NEVER if there is none */
void app_later_tick(struct app *app, mono_t now);
void app_later_free(struct app *app);

/* app_kernel.c: the groups that the kernel holds for programs of this host. */
void app_kernel_look(struct app *app, mono_t now);
void app_kernel_tick(struct app *app, mono_t now);
mono_t app_kernel_deadline(const struct app *app);
/* Something has been sent or changed: look again soon. */
void app_kernel_stir(struct app *app, mono_t now);
/* for mcsock_ops.own; ctx is a struct app_port */
void app_kernel_heard(void *ctx, enum family family, const void *data, size_t len);
void app_kernel_free(struct app *app);

/* Reads which versions the kernel is set to speak upstream. If one has changed, logs it
 * and returns true; the ports must then be synchronised. */
bool app_force_look(struct app *app, mono_t now);
/* Once per round: reads them again every few seconds. Cheap. */
void app_force_tick(struct app *app, mono_t now);

/* app_streams.c: logs streams that arrive and end. app_streams_stir() says that
 * something has changed. */
void app_streams_stir(struct app *app, mono_t now);
void app_streams_tick(struct app *app, mono_t now);

/* app_quality.c: verdicts and history of streams, and zaps. app_quality_stir() says
 * that something has changed. app_quality_new() returns 0, also with `quality off`, or
 * -ENOMEM. */
int app_quality_new(struct app *app, uint64_t seed);
void app_quality_free(struct app *app);
void app_quality_reload(struct app *app);
void app_quality_stir(struct app *app, mono_t now);
void app_quality_tick(struct app *app, mono_t now);
mono_t app_quality_deadline(const struct app *app);
/* Returns a bit for each of the first 64 records of a report: its sender is a tracked
 * member of that group. While no client follows events, this is only known of records
 * that join or leave. Pass it to app_quality_report() and app_monitor_report() after
 * the report was handled. */
uint64_t app_members(const struct app *app, mono_t now, const struct proxy_port *pp,
	const struct gm_msg *msg);
void app_quality_report(struct app *app, mono_t now, const struct proxy_port *pp,
	const struct gm_msg *msg, uint64_t members);
/* Notes that an EFFECT_REPORT was executed. */
void app_quality_sent(struct app *app, const struct effect *e);
/* Notes that the last member of the group on a port has gone. */
void app_quality_gone(struct app *app, unsigned port, const struct addr *group);
/* Notes that a forwarding entry of the group has no output any more. */
void app_quality_ended(struct app *app, const struct addr *group);
void app_quality_export(struct app *app, struct state_out *o);
/* Logs and leaves out what cannot be read. */
void app_quality_import(struct app *app, struct state_in *in);

/* app_refusals.c: records refusals and logs some of them. app_refusals_changed() says
 * that a membership has changed. */
void app_refusals_note(struct app *app, mono_t now, const struct effect *e);
void app_refusals_changed(struct app *app, mono_t now);
void app_refusals_tick(struct app *app, mono_t now);
mono_t app_refusals_deadline(const struct app *app);

/* app_captures.c: gives the messages that were received and sent to the captures.
 * app_tap_new() returns 0 or -ENOMEM. */
int app_tap_new(struct app *app);
void app_tap_received(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len);
void app_tap_sent(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len);

/* app_monitor.c: events for the clients that follow them. `name` is a key that never
 * changes; `value` is 0 if the event has no value. */
void app_monitor_note(struct app *app, mono_t now, const char *name,
	const struct log_about *about, const char *text, uint32_t value);
void app_monitor_reload(struct app *app, bool ok);
/* Emits events for the ports that have changed. */
void app_monitor_ports(struct app *app, mono_t now);
/* Emits events for the hosts that have joined or left since `before`. */
void app_monitor_report(struct app *app, mono_t now, const struct proxy_port *pp,
	const struct gm_msg *msg, uint64_t before);

/* app_rival.c: other multicast daemons. Call `init` before privileges are given up,
 * `start` when there are ports, `ports` after the ports have changed, and `routing`
 * when the kernel reports a change of its multicast routing. */
void app_rival_init(struct app *app);
void app_rival_start(struct app *app, uint32_t token);
void app_rival_stop(struct app *app);
void app_rival_ports(struct app *app);
void app_rival_routing(void *ctx); /* for netlink_ops */
/* Searches for them. Without `thorough`, the programs are searched only if the other
 * evidence has changed. */
void app_rival_look(struct app *app, mono_t now, bool thorough);
void app_rival_tick(struct app *app, mono_t now);
mono_t app_rival_deadline(const struct app *app);

/* app_forwarder.c: other forwarders. Call `sync` after each round. */
void app_forwarder_sync(struct app *app, mono_t now);
void app_forwarder_tick(struct app *app, mono_t now);
void app_forwarder_close(struct app *app);

/* app_confine.c: gives up rights that are no longer needed. Both functions log. */
/* Gives up the user, capabilities and files. Returns an exit status. */
int app_confine(struct app *app);
/* Restricts the system calls. Call it when everything has been opened. */
void app_confine_calls(const struct app *app);
/* Returns how to send: as the file says, but `transmit auto` does not use io_uring if
 * that could not be confined. Logs the result. */
enum config_transmit app_choose_transmit(const struct app *app);
/* Does the file exist without the daemon's user being allowed to read it? */
bool app_config_is_private(const struct app *app);

/* app_channels.c: reads the file of `channel-names`, at the start and with each reload.
 * If the file cannot be used, that is logged and the present names stay. `old` is the
 * previous configuration, or NULL at the start. */
void app_channels_read(struct app *app, const struct config *old);
/* app_hosts.c: reads the files of `host-names`, at the start and with each reload. A
 * file that cannot be used is logged. */
void app_hosts_read(struct app *app);
void app_hosts_free(struct app *app);
/* Reads a whole file of names, whose path is relative to the directory of the
 * configuration unless it is absolute. Returns 0 with a text that the caller frees,
 * -EINVAL if it is not a plain file, -EFBIG if it is longer than `max` bytes, or
 * another -errno. */
int app_read_names(const struct app *app, const char *path, size_t max, char **ret_text,
	size_t *ret_len);
/* Returns what to do about such an error. */
const char *app_names_advice(const struct app *app, int error);

/* app_http.c: the listeners of metrics-listen and web-listen. A build without
 * libmicrohttpd has app_no_http.c instead of this file, app_metrics.c and app_web.c.
 * They listen where app->cfg says, now or as soon as that is possible: a busy port does
 * not prevent forwarding. */
/* Returns false, with an error in the log, if the file at `path` asks for a listener
 * that this build does not have. */
bool app_http_possible(const char *path, const struct config *cfg);
void app_http_start(struct app *app);
void app_http_stop(struct app *app);
/* The configuration in force has replaced `old`. */
void app_http_reload(struct app *app, const struct config *old);
mono_t app_http_deadline(const struct app *app);
void app_http_tick(struct app *app, mono_t now);
/* What both have in common. `text` is the value of their keyword, or NULL. Listens at
 * the address in `text`, if its port is l->port. Returns true, with the address, if it
 * has begun to listen. Logs a failure once; APP_RETRY_MS later it is worth another
 * call, unless only a restart helps (see l->retry_at). */
bool app_listener_open(struct app *app, struct app_listener *l, const char *text,
	const struct http_options *options, const struct http_ops *ops,
	struct endpoint *ret_at);
/* Returns the port of the address in `text` if it is not l->port, which takes a
 * restart, or else 0. */
unsigned app_listener_new_port(const struct app_listener *l, const char *text);
/* Closes the listener. The caller must have dropped what `share` is making. */
void app_listener_close(struct app_listener *l);

/* app_web.c: the page of web-listen and the JSON for it. */
void app_web_listen(struct app *app);
void app_web_stop(struct app *app);
void app_web_reload(struct app *app, const struct config *old);
mono_t app_web_deadline(const struct app *app);
void app_web_tick(struct app *app, mono_t now);
/* Streams, members or links have changed: pages that are open ask again. Cheap. */
void app_web_stir(struct app *app, mono_t now);
/* An event that the page remembers; `name` is static. */
void app_web_event(struct app *app, const char *name, const struct log_about *about,
	const char *text);
json_t *app_web_page(void *ctx, const char *args); /* the command "page" */

/* app_metrics.c: the listener of metrics-listen and what it serves. */
void app_metrics_listen(struct app *app);
void app_metrics_stop(struct app *app);
void app_metrics_reload(struct app *app, const struct config *old);
mono_t app_metrics_deadline(const struct app *app);
void app_metrics_tick(struct app *app, mono_t now);
/* Opens and closes membership sockets as the ports need them. Returns true if one could
 * not be opened. */
bool app_sync_sockets(struct app *app);
/* Does the work of app_sync() for the first time, with what the previous process has
 * handed over, if there was one. */
void app_take_over(struct app *app, mono_t now);
/* Has the data plane received frames since the last call? *before is the caller's
 * memory of the last count. */
bool app_datagrams_arrive(struct app *app, uint64_t *before);

extern const struct ctl_command app_commands[];	      /* ends with a NULL name */
json_t *app_clear_group(void *ctx, const char *args); /* the command "clear group" */

/* Returns the name of a port for messages; borrowed. */
const char *app_port_name(const struct app *app, unsigned port);

/* Sets the log level of the file and the command line again. */
void app_log_default_level(const struct app *app);

/* Reads the file again and uses it, or keeps the running configuration. *ret_messages,
 * unless NULL, becomes a JSON array of messages. Returns true if the file is in use. */
bool app_reload(struct app *app, json_t **ret_messages);

/* Control command: follow events, see app_monitor.c. */
json_t *app_monitor_open(void *ctx, const char *args, struct ctl_stream **ret);

/* Control command: another process takes over, see app_upgrade.c. */
json_t *app_upgrade(void *ctx, const char *args);
