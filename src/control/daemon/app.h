/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The daemon as one object: configuration, interfaces, router, membership sockets, data
 * plane, control socket, all on one event loop. main.c makes it and runs it, show.c
 * reads it.
 */

#include "base/log/log.h"
#include "control/daemon/tap.h"
#include "control/proxy/router.h"
#include "control/proxy/streams.h"
#include "control/report/metrics.h"
#include "control/report/rate.h"
#include "control/show/monitor.h"
#include "control/sys/ctl.h"
#include "control/sys/listen.h"
#include "control/sys/loop.h"
#include "control/sys/mcsock.h"
#include "control/sys/netlink.h"
#include "control/sys/proctext.h"
#include "control/sys/rival.h"
#include "control/sys/sensor.h"
#include "dataplane/thread/dataplane.h"

/* exit statuses of the daemon */
enum {
	APP_EXIT_OK = 0,
	APP_EXIT_USAGE = 1,
	APP_EXIT_CONFIG = 2,
	APP_EXIT_CAPABILITY = 3,
	APP_EXIT_FAILURE = 4,
	APP_EXIT_UPGRADE = 5, /* the service manager is to start the next one at once */
};

struct app_options {
	const char *config_path;
	const char *control_socket; /* NULL: from the file, else the built-in path */
	bool foreground;
	bool log_to_stderr; /* -d: whatever the file says */
	/* what holds unless the file says something else */
	enum log_sink log_sink;
	enum log_level log_level;
	bool log_level_given;	   /* -v: the file says nothing */
	struct listen_fds *handed; /* by the process before; emptied; may be NULL */
};

enum app_link {
	APP_LINK_UNKNOWN,
	APP_LINK_UP,
	APP_LINK_DOWN,
	APP_LINK_GONE,
};

/* what app_notice.c has logged, so that it is said once */
struct app_notice {
	char name[IFNAMSIZ]; /* of the port that it was said of */
	bool upstream;
	enum app_link link, link_said;
	unsigned link_born, link_said_born; /* of the interface, then */
	unsigned link_changes;		    /* since it was said how the link is */
	mono_t link_at;			    /* when to say it, if there is any change */
	int master;
	int socket_error, data_error;
	size_t short_ring;
	unsigned born;
	uint32_t carrier_downs;
};

/* what those who follow events were told of a link, each change at once */
struct app_told {
	char name[IFNAMSIZ]; /* of the port */
	bool present, up;
	unsigned born;
};

struct app_port {
	struct app *app;
	unsigned number;
	struct mcsock *sock[_FAMILY_N];
	int handed[_FAMILY_N];	  /* sockets of the process before; -1: none */
	int ifindex;		  /* that the sockets are bound to */
	int error;		  /* errno why a socket is missing, 0: none */
	struct app_notice notice; /* what was said about it */
	struct app_told told;
	struct sensor *sensor[_FAMILY_N]; /* of other forwarders; NULL: none */
	int sensor_error[_FAMILY_N];	  /* errno why one is missing */
	int sensor_ifindex;		  /* that they are bound to; 0: none */
	struct flood_port flood;
	struct flood_limit flood_limit;
	mono_t flood_say_at[_FLOOD_CAUSE_N]; /* not before, once more in the log */
	struct mcsock_stats closed;	     /* sums of sockets that are gone */
	struct log_limit limit[_NOTE_N]; /* so that no port hides another's troubles */
	struct log_limit send_limit, bad_limit, notice_limit, link_limit, source_limit;
};

struct app_rival {
	struct rival rival;
	mono_t since;
	bool harmful; /* it has some interface of ours, or may have */
};

/* other multicast daemons, app_rival.c */
/* Looking at what the kernel holds for programs: the files are read in pieces. */
struct kernel_look {
	bool on;
	bool again; /* something changed meanwhile */
	enum family family;
	unsigned file; /* that is being read */
	struct proctext text[2];
};

struct app_rivals {
	struct app *app;
	bool started;
	int proc; /* /proc, opened before a chroot */
	struct app_rival v[RIVAL_MAX];
	size_t n;
	uint64_t evidence;
	mono_t looked_at, look_at;
	mono_t rest;		/* not before that: the last look was work */
	struct log_limit limit; /* any local user can say that it is a ringcastd */
	uint32_t token;
	char name[RIVAL_TEXT]; /* of the socket that shows others what we have */
	struct loop_fd fd;     /* that socket; -1: none */
};

struct app {
	struct app_options options;
	int config_dir;	    /* directory of the file; reload works inside a chroot */
	struct config *cfg; /* in force */
	struct iface_table ifaces;
	struct router *router;
	struct effects fx; /* of the round */
	struct loop *loop;
	struct netlink *netlink;
	struct mcsock_rx *rx;
	struct gm_scratch *scratch;
	struct ctl *ctl;
	struct tap *tap;
	struct monitor *monitor;
	struct http *http;     /* NULL: off, or not to be had now */
	int http_error;	       /* why not: -errno that was logged */
	mono_t http_retry_at;  /* MONO_NEVER: nothing to try */
	uint16_t metrics_port; /* the only one that may be bound; 0: none */
	struct scrape *scrape; /* under way, for `http` */
	bool scrape_wanted;    /* `scrape` is NULL then: for lack of memory */
	enum metrics_format scrape_format;
	struct selfstat *selfstat;
	struct health *health;
	uint64_t n_scrapes;
	uint64_t n_reloads, n_reloads_refused;
	bool reload_refused; /* the last one was */
	bool files_confined; /* by Landlock */
	char *socket_path;
	struct dataplane *dp;
	struct balance balance;	   /* of its counters */
	struct rate_table rates;   /* of forwarding entries */
	struct fib_cursor reading; /* of their counters, by show_mfc.c */
	unsigned n_reading;	   /* answers that wait for it */
	struct app_port port[PORT_MAX];
	struct app_rivals rivals;
	struct kgroups kernel[_FAMILY_N]; /* what it holds for programs of this host */
	struct kernel_look kernel_look;	  /* that is under way */
	mono_t kernel_looked;		  /* MONO_UNSET: never yet */
	mono_t kernel_rest;		  /* not before that: the last one was work */
	mono_t kernel_at;		  /* look again then, if any group is wanted */
	uint64_t kernel_frames;		  /* had been received when it was looked at */
	bool plan_stale;		  /* the port plan does not know of it yet */
	const char *transmit;		  /* the way that was logged last; static */
	char *left_out;	  /* names without a port, as they were logged; NULL: none */
	mono_t forced_at; /* the kernel's versions were read */
	struct app_later *later; /* messages to be sent, the next one first */
	mono_t retry_at;	 /* something could not be opened: try again then */
	bool links_unsure;	 /* the interfaces are to be read again */
	bool ports_unsure;	 /* the ports are not what they should be */
	mono_t sensors_at; /* next turn of the sensors; MONO_NEVER: there is none */
	struct streams streams;	      /* as the log knows them */
	struct fib_cursor streams_at; /* how far the entries have been looked at */
	uint64_t streams_frames;      /* received when they were, the last time */
	mono_t streams_due;
	mono_t notice_at;   /* something about a link could not be said yet */
	mono_t sockets_at;  /* mcsock_tick() of all */
	mono_t watchdog_at; /* next sign of life to the service manager */
	bool stopping;
	int exit_status;
	struct refusals reports; /* of hosts, by `enum note` */
	mono_t refusals_at;	 /* look for sources that may not send */
	mono_t refusals_next;	 /* and not before, unless it is due */
	uint64_t n_refusals;	 /* of datagrams, at the last look */
	struct {
		unsigned port;
		struct addr source;
	} said[64]; /* the last of them that were logged */
	size_t next_said;
	uint64_t n_notes[_NOTE_N];
	uint64_t n_effects_lost;
	bool fib_unsure; /* some of them may have been meant for the table */
	struct log_limit streams_limit, sample_limit, debug_limit;
	mono_t started;
};

/* Everything up to the running loop. Logs what is wrong; the value is the exit status,
 * APP_EXIT_OK with *ret_app set. */
int app_new(const struct app_options *options, struct app **ret_app);
struct app *app_free(struct app *app); /* takes and returns NULL */
/* Runs until SIGTERM or SIGINT; exit status. */
int app_run(struct app *app);

/* a file that is of no use */
struct app_refused {
	struct config *cfg; /* with errors, owned; NULL: it was not even read */
	int error;	    /* -errno of reading it */
};

/* Read the file (`dir` is its directory, `path` its name as the user wrote it) and log
 * its messages. NULL: unusable, *ret_status is the exit status, and *ret_refused says
 * more, unless that is NULL. */
struct config *app_read_config(
	int dir, const char *path, int *ret_status, struct app_refused *ret_refused);

/* The group of control-group, which must be there, else a line in the log and an exit
 * status. APP_EXIT_OK without one, and *ret_gid is (gid_t)-1. */
int app_find_group(const char *path, const struct config *cfg, gid_t *ret_gid);

/* After a start that went well: no more lines to the terminal as well as to syslog. */
void app_log_started(const struct app *app);
/* Back to the level of the file and the command line. */
void app_log_default_level(const struct app *app);

/* Adds those of all sockets that the port has had. */
void app_socket_stats(const struct app *app, unsigned port, struct mcsock_stats *sum);

/* Read the file again and use it, or keep the running configuration. *ret_messages, if
 * wanted, is a JSON array of what there is to say. True: in use. */
bool app_reload(struct app *app, json_t **ret_messages);

/* Add to the text of a configuration, which may grow, what the kernel's settings make
 * of it. */
void app_force_comment(const struct app *app, char **text);

/* Other multicast daemons, as they are now. */
json_t *app_rivals_json(struct app *app);

/* Control command: follow events, see app_monitor.c. */
json_t *app_monitor_open(void *ctx, const char *args, struct ctl_stream **ret);

/* Control command: another process takes over, see app_upgrade.c. */
json_t *app_upgrade(void *ctx, const char *args);
