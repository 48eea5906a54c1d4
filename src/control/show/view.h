/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The part of the daemon that views may see. Views know only the name of `struct app`.
 * Everything that these functions return belongs to the daemon. It is valid until the
 * view returns to the event loop; ports, entries and the configuration may change
 * afterwards. Implemented by daemon/app_view.c and its neighbours.
 */

#include "base/mono.h"
#include "base/refusals.h"
#include "control/config/channels.h"
#include "control/config/config.h"
#include "control/proto/admission.h"
#include "control/proto/effect.h"
#include "control/proxy/instances.h"
#include "control/report/rate.h"
#include "control/show/selfstat.h"
#include "control/sys/ctl.h"
#include "control/sys/http.h"
#include "control/sys/mcsock.h"
#include "control/upstream/kgroups.h"
#include "dataplane/forward/balance.h"
#include "dataplane/thread/dataplane.h"

#include <jansson.h>

struct app;
struct config_text;
struct health_thread;
struct stream_log;
struct zaps;

/* Counters of the daemon itself. */
struct view_counts {
	uint64_t n_reloads, n_reloads_refused;
	bool reload_refused; /* the last reload was refused */
	uint64_t n_notes[_NOTE_N];
	uint64_t n_effects_lost;
	bool fib_unsure; /* some lost effects may have been for the forwarding table */
};

/* State of views between requests, which the daemon keeps for them. */
struct view_memory {
	struct balance balance;	   /* of frames and copies */
	struct rate_table rates;   /* of forwarding entries */
	struct fib_cursor reading; /* of their counters */
	unsigned n_reading;	   /* answers that wait for this reading */
	uint64_t n_scrapes;
	/* what the last check of the health has seen of each thread; NULL until a
	 * client asks */
	struct health_thread *health;
};

/* The sockets of a port. */
struct view_port {
	int error;		     /* errno of the socket that is missing, or 0 */
	bool socket[_FAMILY_N];	     /* there is a socket */
	bool sensor[_FAMILY_N];	     /* there is a sensor of other forwarders */
	int sensor_error[_FAMILY_N]; /* errno why the sensor is missing, or 0 */
	uint32_t queue[_FAMILY_N], queue_limit[_FAMILY_N]; /* bytes */
};

mono_t view_now(const struct app *app);	    /* of the event loop */
mono_t view_started(const struct app *app); /* of this process or an earlier one */
const struct config *view_config(const struct app *app);
const char *view_config_path(const struct app *app); /* as the user wrote it */
/* names of channels, or NULL if there are none */
const struct channels *view_channels(const struct app *app);
/* the name of a viewer, or NULL; may read files that have changed */
const char *view_host_name(struct app *app, const struct addr *host);
const struct iface_table *view_ifaces(const struct app *app);
const struct instances *view_instances(const struct app *app);
struct dataplane *view_dataplane(const struct app *app);
const struct view_counts *view_counts(const struct app *app);
struct view_memory *view_memory(struct app *app);
/* the quality of streams and the zaps, or NULL if that is off; their times are those of
 * view_system_now() */
const struct stream_log *view_streams(const struct app *app);
const struct zaps *view_zaps(const struct app *app);
mono_t view_system_now(const struct app *app);
/* refused messages of hosts, by `enum note` */
const struct refusals *view_reports(const struct app *app);
/* groups that the kernel holds on upstreams for programs of this host */
const struct kgroups *view_kernel(const struct app *app, enum family family);

struct view_port view_port(const struct app *app, unsigned port);
/* Adds the counters of all membership sockets that the port has had so far. */
void view_socket_stats(const struct app *app, unsigned port, struct mcsock_stats *sum);
/* Has a host met this limit of messages within the last minute? *ret describes the host
 * and the consequence. */
#define VIEW_HOST_STRLEN   (ADDR_STRLEN + 24)
#define VIEW_STRUCK_STRLEN 128
struct view_struck {
	char host[VIEW_HOST_STRLEN];   /* the last host that has met the limit */
	char done[VIEW_STRUCK_STRLEN]; /* what happens to messages meanwhile */
};
bool view_is_struck(const struct app *app, unsigned port, enum admission_cause cause,
	struct view_struck *ret);
/* Finds the last datagram of the entry's group whose source must not send on the
 * interface where it came in. Returns false if there was none, or if other datagrams
 * have come since. */
bool view_refused_sender(
	struct app *app, const struct fib_view *v, struct refusal *ret);
/* Returns [{"source", "in"}, ...]: some of the refused datagrams that members wait for.
 * A new reference, or NULL when out of memory. */
json_t *view_refused_senders(struct app *app);
/* Returns the other multicast daemons at present. May search for them first. A new
 * reference, or NULL when out of memory. */
json_t *view_rivals(struct app *app);
/* Appends to the text of a configuration what the kernel's settings change of it. */
void view_force_comment(const struct app *app, struct config_text *text);

uint64_t view_netlink_overruns(const struct app *app);
void view_ctl_stats(const struct app *app, struct ctl_stats *ret);
void view_http_stats(const struct app *app, struct http_stats *ret);
void view_selfstat(const struct app *app, struct selfstat_values *ret);
