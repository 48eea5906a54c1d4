/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that the files of a scrape share: scrape.c reads the daemon's state
 * slice by slice, scrape_write.c writes it. */

#include "control/report/metrics_top.h"
#include "control/show/scrape.h"
#include "control/show/selfstat.h"
#include "control/show/view.h"
#include "control/sys/http.h"

/* A copy of what is known of one interface, which may vanish between two slices. */
struct scrape_port {
	unsigned number;
	char name[IFNAMSIZ], proxy[CONFIG_INSTANCE_MAX];
	enum config_role role;
	uint64_t present, up, error, mtu; /* the first three are 0 or 1 */
	const char *transmit;		  /* static */
	struct dataplane_port_stats stats;
	uint64_t tx_used, tx_limit;
	/* membership */
	struct mcsock_stats control;
	bool family[_FAMILY_N]; /* there is a socket of the family */
	uint32_t queue[_FAMILY_N], queue_limit[_FAMILY_N];
	uint64_t n_received[_GM_VERSION_N][2], n_bad[_GM_BAD_N];
	uint64_t n_odd[_GM_ODD_N];
	/* downstream */
	uint64_t n_groups, n_sources, n_hosts, n_refused;
	uint64_t max_groups, max_sources, max_hosts;
	struct querier querier[_FAMILY_N];
	uint64_t n_standby[_FAMILY_N], n_double[_FAMILY_N];
	/* upstream */
	struct upstream_family host[_FAMILY_N];
};

struct scrape_stream;

struct scrape {
	struct app *app;
	struct metrics m;
	unsigned step;		  /* index into the table of steps in scrape.c */
	unsigned part;		  /* where the step continues */
	struct scrape_port *port; /* the existing ports, in their order */
	unsigned n_ports;
	size_t pos; /* where the walk over a port's groups continues */
	struct metrics_top top;
	struct scrape_stream *stream; /* copies of streams */
	size_t n_streams, n_streams_known;
	struct selfstat_values self;
	uint64_t cost_ns, longest_ns;
};

/* Functions that write some families each, in a fraction of a millisecond. */
typedef void scrape_write_fn(struct scrape *s);
extern scrape_write_fn *const scrape_write[];
extern const unsigned scrape_n_write;
/* Writes a part of one family of forwarding entries. Returns false when all parts are
 * done. */
bool scrape_write_entries(struct scrape *s, unsigned part);
/* scrape_streams.c: copies the streams, and writes the metrics of streams and of zaps, in
 * the same way. */
bool scrape_read_streams(struct scrape *s);
bool scrape_write_streams(struct scrape *s, unsigned part);
bool scrape_write_zaps(struct scrape *s, unsigned part);
/* Writes the metrics of the scrape itself, and the end mark. */
void scrape_write_end(struct scrape *s);
