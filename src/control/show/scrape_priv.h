/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that the files of a scrape share: scrape.c reads the daemon's state
 * slice by slice, scrape_write.c writes it. */

#include "control/report/metrics_top.h"
#include "control/show/scrape.h"
#include "control/show/selfstat.h"
#include "control/show/view.h"
#include "control/sys/http.h"

#define SCRAPE_NONE UINT64_MAX /* a number that is not there */

/* Its membership in a family. */
struct scrape_family {
	bool enabled;
	uint64_t queue, queue_limit; /* of its socket, or SCRAPE_NONE */
	uint64_t version, n_queries_heard;
	/* downstream */
	enum querier_state querier;
	uint64_t robustness, interval_ns, n_queries_sent, n_standby, n_double;
	/* upstream */
	uint64_t n_groups, n_reports_sent;
	uint64_t query_age_ns; /* SCRAPE_NONE before the first query */
};

/* A copy of the facts about one interface, which may vanish between two slices. */
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
	struct scrape_family family[_FAMILY_N];
	uint64_t n_received[_GM_VERSION_N][2], n_bad[_GM_BAD_N];
	uint64_t n_odd[_GM_ODD_N];
	/* downstream */
	uint64_t n_groups, n_sources, n_hosts, n_refused;
	uint64_t max_groups, max_sources, max_hosts;
};

struct scrape_stream;

struct scrape {
	struct app *app;
	struct metrics m;
	unsigned step;		  /* index into the table of steps in scrape.c */
	unsigned part;		  /* where the step continues */
	struct scrape_port *port; /* the existing ports, in their order */
	unsigned n_ports;
	struct table_cursor at; /* where the walk over a port's groups continues */
	struct topn top;	/* see metrics_top.h */
	struct scrape_stream *stream; /* copies of streams */
	size_t n_streams, n_streams_known;
	struct selfstat_values self;
	uint64_t cost_ns, longest_ns;
};

/* The steps of a scrape. Each call does one part in a fraction of a millisecond, and
 * returns true if it must be called again with the next part. */
/* Copies the streams. */
bool scrape_read_streams(struct scrape *s);
/* Writes metrics. */
bool scrape_write_families(struct scrape *s);
bool scrape_write_entries(struct scrape *s);
bool scrape_write_streams(struct scrape *s);
bool scrape_write_zaps(struct scrape *s);
/* Writes the metrics of the scrape itself, and the end mark. */
bool scrape_write_end(struct scrape *s);
