/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that the files of the daemon share. app.c has its life cycle; each other
 * app_*.c has one subject, which is named below at its functions. */

#include "control/daemon/app.h"

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

/* what app_notice.c has logged, so that each thing is logged once */
struct app_notice {
	char name[IFNAMSIZ]; /* of the port that the lines were about */
	bool upstream;
	enum app_link link, link_said;
	unsigned link_born, link_said_born; /* of the interface at those times */
	unsigned link_changes;		    /* since the state of the link was logged */
	mono_t link_at;			    /* when to log a change, if there is one */
	int master;
	int socket_error, data_error;
	size_t short_ring;
	unsigned born;
	uint32_t carrier_downs;
};

/* what the followers of events were told of a link, each change at once */
struct app_told {
	char name[IFNAMSIZ]; /* of the port */
	bool present, up;
	unsigned born;
};

struct app_port {
	struct app *app;
	unsigned number;
	struct mcsock *sock[_FAMILY_N];
	int handed[_FAMILY_N];	  /* sockets of the previous process; -1 means none */
	int ifindex;		  /* that the sockets are bound to */
	int error;		  /* errno why a socket is missing, 0 means none */
	struct app_notice notice; /* what was logged about it */
	struct app_told told;
	struct sensor *sensor[_FAMILY_N]; /* of other forwarders; NULL means none */
	int sensor_error[_FAMILY_N];	  /* errno why one is missing */
	int sensor_ifindex;		  /* that they are bound to; 0 means none */
	struct admission_port admission;
	struct admission_limit admission_limit;
	mono_t admission_say_at[_FLOOD_CAUSE_N]; /* no further line before this time */
	struct mcsock_stats closed;		 /* sums of sockets that are gone */
};

/* Limits of the log lines about a port, so that no port hides another's troubles. They
 * are not in struct app_port, because unused ports should take no memory. */
struct app_limits {
	bool ready;
	struct log_limit note[_NOTE_N];
	struct log_limit send, bad, notice, link, source;
};

struct app_rival {
	struct rival rival;
	mono_t since;
	bool harmful; /* it has some interface of ours, or may have */
};

/* State of reading the kernel's groups, whose files are read in pieces. */
struct kernel_look {
	bool on;
	bool again; /* something changed meanwhile */
	enum family family;
	unsigned file; /* that is being read */
	struct proctext text[2];
};

/* other multicast daemons, app_rival.c */
struct app_rivals {
	struct app *app;
	bool started;
	int proc; /* /proc, opened before a chroot */
	struct app_rival v[RIVAL_MAX];
	size_t n;
	uint64_t evidence;
	mono_t looked_at, look_at;
	mono_t rest;		/* no new search before this time, because the last one
				 * was expensive */
	struct log_limit limit; /* programs come and go */
	uint32_t token;
	struct rival_claim claim; /* the socket that shows others which interfaces we
				   * have */
	struct loop_fd fd;	  /* that socket; not added without one */
	mono_t deaf_until;	  /* messages are ignored until then, because strangers
				   * flood it; MONO_NEVER if they are read */
};

/* What listens for HTTP. All zero means off, except retry_at. */
struct app_listener {
	struct http *http; /* NULL means off, or not available at present */
	struct http_share share;
	uint16_t port;	 /* the only one that may be bound; 0 means none */
	int error;	 /* why it is not available: -errno that was logged */
	mono_t retry_at; /* MONO_NEVER: nothing to try */
};

struct app {
	struct app_options options;
	int config_dir;	    /* directory of the file; reload works inside a chroot */
	struct config *cfg; /* in force */
	struct iface_table ifaces;
	struct instances *instances;
	struct effects fx; /* of the round */
	struct loop *loop;
	struct netlink *netlink;
	struct mcsock_rx *rx;
	struct gm_scratch *scratch;
	struct ctl *ctl;
	struct captures *captures;
	struct monitor *monitor;
	struct app_listener metrics, web_listener;
	struct web *web;       /* the page; NULL means off */
	struct scrape *scrape; /* under way, for `metrics` */
	bool scrape_wanted;    /* `scrape` is NULL, because memory was short */
	enum metrics_format scrape_format;
	struct selfstat *selfstat;
	struct channels *channels; /* names; NULL means none */
	struct app_hosts *hosts;   /* names of viewers, app_hosts.c; NULL means none */
	uint64_t memory;	   /* of the machine or container, see memory_size() */
	struct view_counts count;
	struct view_memory views;
	bool files_confined; /* by Landlock */
	char *socket_path;
	struct dataplane *dp;
	struct balance balance;	 /* of its counters */
	struct rate_table rates; /* of forwarding entries */
	struct app_port port[PORT_MAX];
	struct app_limits limits[PORT_MAX]; /* by app_limits() only */
	struct app_rivals rivals;
	struct app_quality *quality; /* of streams, app_quality.c; NULL means off */
	struct kgroups kernel[_FAMILY_N]; /* what it holds for programs of this host */
	struct kernel_look kernel_look;	  /* that is under way */
	mono_t kernel_looked;		  /* MONO_UNSET means never yet */
	mono_t kernel_rest;		  /* no new reading before this time, because
					   * the last one was expensive */
	mono_t kernel_at;		  /* look again then, if any group is wanted */
	uint64_t kernel_frames;		  /* frames received at the last reading */
	bool plan_stale;		  /* the port plan does not know of it yet */
	const char *transmit;		  /* the way that was logged last; static */
	char *left_out;	  /* names without a port, as they were logged; NULL means
			   * none */
	mono_t forced_at; /* the kernel's versions were read */
	struct app_later *later; /* messages to be sent, the next one first */
	mono_t retry_at;	 /* when to try again to open what failed */
	bool links_unsure;	 /* the interfaces must be read again */
	bool ports_unsure;	 /* the ports are not what they should be */
	mono_t sensors_at; /* next turn of the sensors; MONO_NEVER if there are none */
	struct portset
		sensed; /* ports with a sensor, or where one could not be opened */
	struct streams streams;	      /* as the log knows them */
	struct fib_cursor streams_at; /* how far the entries have been looked at */
	uint64_t streams_frames;      /* frames received at the last look */
	mono_t streams_due;
	bool streams_late;  /* no client or log wanted streams before, so those that
			     * flow are not new */
	mono_t notice_at;   /* when to log a change of a link that was postponed */
	mono_t sockets_at;  /* mcsock_tick() of all */
	mono_t watchdog_at; /* next sign of life to the service manager */
	bool stopping;
	int exit_status;
	struct refusals reports; /* of hosts, by `enum note` */
	mono_t refusals_at;	 /* when to look for sources that may not send */
	mono_t refusals_next;	 /* not before this time, unless refusals_at is due */
	uint64_t n_refusals;	 /* of datagrams, at the last look */
	struct {
		unsigned port;
		struct addr source;
	} said[64]; /* the last of them that were logged */
	size_t next_said;
	struct log_limit streams_limit, sample_limit, debug_limit;
	mono_t started;
};

#define APP_RETRY_MS 1000 /* between attempts to open what could not be opened */

/* Log which interfaces of the configuration are not there. */
void app_warn_missing(const struct app *app, const struct config *cfg);

/* Bring ports, sockets and data plane into line with interfaces and configuration `cfg`
 * (app->cfg or its successor). Effects stay in app->fx until app_execute. */
void app_sync(struct app *app, mono_t now, const struct config *cfg);
/* Give the data plane a new port plan. Ports that cannot be opened are tried again
 * later. */
void app_sync_plan(struct app *app, mono_t now);
/* Open what could not be opened before; moves retry_at. */
void app_retry(struct app *app, mono_t now);
/* Executes the effects of the core in order, and clears the list. */
void app_execute(struct app *app, mono_t now);
/* mcsock_tick() of all sockets; moves sockets_at. */
void app_tick_sockets(struct app *app, mono_t now);
void app_close_ports(struct app *app);
/* Logs news about the ports: socket errors, ports that a bridge has taken, interfaces
 * that found no port number. */
void app_notice(struct app *app);
/* The lines that app_notice() had to postpone; moves notice_at. */
void app_notice_tick(struct app *app, mono_t now);
/* Once per round: logs a change of the transmit method. Cheap. */
void app_notice_transmit(struct app *app);

/* Logs events that are worth a line, at a limited rate. `from` is NULL if not known. */
void app_log_note(struct app *app, mono_t now, const struct effect *e);
void app_log_effects(struct app *app, mono_t now);
void app_log_message(struct app *app, mono_t now, const struct proxy_port *pp,
	const struct addr *from, size_t len, enum gm_bad bad);
struct app_limits *app_limits(struct app *app, unsigned port);
void app_log_limited(struct app *app, mono_t now, struct app_port *ap,
	const struct mcsock_limited *what);
void app_log_sampled(struct app *app, mono_t now, const struct app_port *ap,
	const struct admission_host *who);
void app_log_fragment(struct app *app, mono_t now, struct app_port *ap,
	const struct admission_host *who, enum reassemble_result why);
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

/* A message that is sent later, even if the port is gone by then; `packet` as for
 * mcsock_send(). Returns 0 or -errno. */
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
void app_kernel_heard(struct app *app, unsigned port, enum family family,
	const void *data, size_t len);
void app_kernel_free(struct app *app);

/* Reads which versions the kernel is set to speak upstream. If one has changed, logs it
 * and returns true; the ports must then be synchronised. */
bool app_force_look(struct app *app, mono_t now);
/* Once per round: reads them again every few seconds. Cheap. */
void app_force_tick(struct app *app, mono_t now);

/* app_streams.c: logs streams that arrive and end. `stir`: something has changed. */
void app_streams_stir(struct app *app, mono_t now);
void app_streams_tick(struct app *app, mono_t now);

/* app_quality.c: verdicts and history of streams, zaps. `stir`: something has
 * changed. */
/* 0, also with `quality off`, or -ENOMEM. */
int app_quality_new(struct app *app, uint64_t seed);
void app_quality_free(struct app *app);
void app_quality_reload(struct app *app);
void app_quality_stir(struct app *app, mono_t now);
void app_quality_tick(struct app *app, mono_t now);
mono_t app_quality_deadline(const struct app *app);
/* A bit for each of the first 64 records of a report that join or leave: was its sender
 * a tracked member? app_quality_report() is called when the report was handled. */
uint64_t app_quality_members(const struct app *app, mono_t now,
	const struct proxy_port *pp, const struct gm_msg *msg);
void app_quality_report(struct app *app, mono_t now, const struct proxy_port *pp,
	const struct gm_msg *msg, uint64_t members);
/* An EFFECT_REPORT was executed. */
void app_quality_sent(struct app *app, const struct effect *e);
/* The last member of a port has gone; an entry of the group gets no output any more. */
void app_quality_gone(struct app *app, unsigned port, const struct addr *group);
void app_quality_ended(struct app *app, const struct addr *group);
void app_quality_export(struct app *app, struct state_out *o);
/* What cannot be read is left out, and logged. */
void app_quality_import(struct app *app, struct state_in *in);

/* app_refusals.c: records refusals and logs some of them. `changed` is called when a
 * membership has changed. */
void app_refusals_note(struct app *app, mono_t now, const struct effect *e);
void app_refusals_changed(struct app *app, mono_t now);
void app_refusals_tick(struct app *app, mono_t now);
mono_t app_refusals_deadline(const struct app *app);
/* Are frames from there forwarded, if their source is one that may send there? */
bool app_receives(const struct proxy_port *pp);

/* Captures: messages that came and went. */
int app_tap_new(struct app *app);
void app_tap_received(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len);
void app_tap_sent(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len);

/* app_monitor.c: events for the clients that follow them. `name` is a key that never
 * changes; `value` is 0 if there is none. */
void app_monitor_note(struct app *app, mono_t now, const char *name,
	const struct log_about *about, const char *text, uint32_t value);
void app_monitor_reload(struct app *app, bool ok);
/* Ports may have changed. */
void app_monitor_ports(struct app *app, mono_t now);
/* Is the host a tracked member of the group? */
bool app_is_member(const struct proxy_port *pp, mono_t now, const struct addr *group,
	const struct addr *host);
/* A bit for each of the first 64 records of a report: is its sender a tracked member of
 * that group? 0 while no client follows. app_monitor_report() reports what has changed
 * since `before`. */
uint64_t app_monitor_members(const struct app *app, mono_t now,
	const struct proxy_port *pp, const struct gm_msg *msg);
void app_monitor_report(struct app *app, mono_t now, const struct proxy_port *pp,
	const struct gm_msg *msg, uint64_t before);

/* Other multicast daemons. Call `init` before privileges are given up, `start` when
 * there are ports, `ports` after they have changed, and `routing` when the kernel
 * reports a change of its multicast routing. */
void app_rival_init(struct app *app);
void app_rival_start(struct app *app, uint32_t token);
void app_rival_stop(struct app *app);
void app_rival_ports(struct app *app);
void app_rival_routing(struct app *app);
/* with `thorough` at any cost, as after a start or reload */
void app_rival_look(struct app *app, mono_t now, bool thorough);
void app_rival_tick(struct app *app, mono_t now);
mono_t app_rival_deadline(const struct app *app);

/* Other forwarders, app_forwarder.c. `sync` after each round. */
void app_forwarder_sync(struct app *app, mono_t now);
void app_forwarder_tick(struct app *app, mono_t now);
void app_forwarder_close(struct app *app);

/* app_confine.c: gives up rights that are no longer needed. Both functions log. */
int app_confine(struct app *app); /* user, capabilities, files: an exit status */
void app_confine_calls(const struct app *app); /* when everything has been opened */
/* How to send: as the file says; with `transmit auto` without io_uring if that could
 * not be confined. Logs the result. */
enum config_transmit app_choose_transmit(const struct app *app);
/* Does the file exist without the daemon's user being allowed to read it? */
bool app_config_is_private(const struct app *app);

/* app_channels.c: reads the file of `channel-names`, at the start and with each reload.
 * A file that cannot be used is logged, and the names that there are stay. `old` is the
 * previous configuration, or NULL at the start. */
void app_channels_read(struct app *app, const struct config *old);
/* app_hosts.c: reads the files of `host-names`, at the start and with each reload. A
 * file that cannot be used is logged. */
void app_hosts_read(struct app *app);
void app_hosts_free(struct app *app);
/* The whole file `path`, which is relative to the directory `dir` unless it is
 * absolute. 0 with a malloc'ed text, -EFBIG if it is longer than `max`, or another
 * -errno. */
int app_read_file(
	int dir, const char *path, size_t max, char **ret_text, size_t *ret_len);

/* app_http.c: what both listeners have in common. The text is the value of their
 * keyword, or NULL. */
uint16_t app_listener_port(const char *text); /* 0 if there is none */
/* Listens there, if that is the port. Returns true with *ret_at if it does since now;
 * otherwise the failure is logged once, and tried again. */
bool app_listener_open(struct app *app, struct app_listener *l, const char *text,
	const struct http_options *options, const struct http_ops *ops,
	struct endpoint *ret_at);
/* Prepares for another address. Returns false after a warning if the port is another
 * one. */
bool app_listener_may_move(
	const struct app_listener *l, const char *keyword, const char *text);
/* Closes it; what its share is making must be dropped before. */
void app_listener_close(struct app_listener *l);

/* app_web.c: the page of web-listen and the JSON for it. */
void app_web_new(struct app *app);
void app_web_free(struct app *app);
void app_web_listen(struct app *app);
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
int app_metrics_new(struct app *app); /* 0, -ENOMEM */
void app_metrics_free(struct app *app);
/* Listen where app->cfg says, now or when that is possible. */
void app_metrics_listen(struct app *app);
/* The configuration in force has replaced `old`. */
void app_metrics_reload(struct app *app, const struct config *old);
mono_t app_metrics_deadline(const struct app *app);
void app_metrics_tick(struct app *app, mono_t now);
/* Opens and closes membership sockets as the ports need them. Returns true if one could
 * not be opened. */
bool app_sync_sockets(struct app *app);
/* The first app_sync(). Uses what the previous process has handed over, if there was
 * one. */
void app_take_over(struct app *app, mono_t now);
/* Have any been received since the last time? *before is the caller's memory of
 * that. */
bool app_datagrams_arrive(struct app *app, uint64_t *before);

extern const struct ctl_command app_commands[];	      /* ends with a NULL name */
json_t *app_clear_group(void *ctx, const char *args); /* a command */

/* name of a port for messages */
const char *app_port_name(const struct app *app, unsigned port);

/* Back to the level of the file and the command line. */
void app_log_default_level(const struct app *app);

/* Reads the file again and uses it, or keeps the running configuration. *ret_messages,
 * unless NULL, becomes a JSON array of messages. Returns true if the file is in use. */
bool app_reload(struct app *app, json_t **ret_messages);

/* Control command: follow events, see app_monitor.c. */
json_t *app_monitor_open(void *ctx, const char *args, struct ctl_stream **ret);

/* Control command: another process takes over, see app_upgrade.c. */
json_t *app_upgrade(void *ctx, const char *args);
