/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A scrape as text: the families of metrics in the order of their table, from the copy
 * that scrape.c has made. Samples of a family are together, as both formats require.
 */

#include "control/show/scrape_priv.h"

#include "base/cleanup.h"
#include "build_config.h"
#include "control/show/health.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define ENTRIES_PER_SLICE 512

static void one(struct scrape *s, enum metric id, uint64_t value)
{
	metrics_begin(&s->m, id);
	metrics_sample(&s->m);
	metrics_uint(&s->m, value);
}

static void one_ns(struct scrape *s, enum metric id, uint64_t ns)
{
	metrics_begin(&s->m, id);
	metrics_sample(&s->m);
	metrics_ns(&s->m, ns);
}

/* A sample with one label. */
static void labelled(struct scrape *s, const char *label, const char *value, uint64_t n)
{
	metrics_sample(&s->m);
	metrics_label(&s->m, label, value);
	metrics_uint(&s->m, n);
}

/* ---- the daemon ---- */

static bool is_healthy(struct app *app)
{
	json_t *health = health_json(app, view_now(app), false);
	bool ok = json_is_true(json_object_get(health, "ok"));

	json_decref(health);
	return ok;
}

static void write_versions(struct scrape *s)
{
	const struct dataplane *dp = view_dataplane(s->app);
	struct utsname un = {0};

	uname(&un);
	metrics_begin(&s->m, METRIC_BUILD);
	metrics_sample(&s->m);
	metrics_label(&s->m, "version", RINGCAST_VERSION);
	metrics_label(&s->m, "release", un.release);
	metrics_label(&s->m, "machine", un.machine);
	metrics_uint(&s->m, 1);
	metrics_begin(&s->m, METRIC_DATAPLANE);
	metrics_sample(&s->m);
	metrics_label(&s->m, "transmit", dataplane_transmit(dp, NULL));
	metrics_label(&s->m, "receive", dataplane_receive(dp, NULL));
	metrics_label(
		&s->m, "receive_offload", dataplane_receive_offload(dp) ? "on" : "off");
	metrics_uint(&s->m, 1);
}

static void write_daemon_state(struct scrape *s)
{
	struct app *app = s->app;

	one(s, METRIC_HEALTHY, is_healthy(app));
	metrics_begin(&s->m, METRIC_CONFIG_RELOADS);
	labelled(s, "result", "taken", view_counts(app)->n_reloads);
	labelled(s, "result", "refused", view_counts(app)->n_reloads_refused);
	one(s, METRIC_CONFIG_LAST_RELOAD_SUCCESSFUL, !view_counts(app)->reload_refused);
}

static void write_process(struct scrape *s)
{
	one_ns(s, METRIC_PROCESS_START_TIME, s->self.started_ns);
	one_ns(s, METRIC_PROCESS_CPU, s->self.cpu_ns);
	if (s->self.resident >= 0)
		one(s, METRIC_PROCESS_RESIDENT_MEMORY, (uint64_t)s->self.resident);
	if (s->self.n_fds >= 0)
		one(s, METRIC_PROCESS_OPEN_FDS, (uint64_t)s->self.n_fds);
	one(s, METRIC_PROCESS_MAX_FDS, s->self.max_fds);
}

static void write_daemon(struct scrape *s, enum metric id)
{
	view_selfstat(s->app, &s->self);
	write_versions(s);
	write_daemon_state(s);
	write_process(s);
}

/* ---- interfaces ---- */

#define for_each_port(s, p)                                                            \
	for (struct scrape_port *p = (s)->port; p < (s)->port + (s)->n_ports; p++)

static void label_port(struct scrape *s, const struct scrape_port *p)
{
	metrics_sample(&s->m);
	metrics_label(&s->m, "interface", p->name);
}

/* A sample of an interface with one label more. */
static void pair(struct scrape *s, const struct scrape_port *p, const char *label,
	const char *value, uint64_t n)
{
	label_port(s, p);
	metrics_label(&s->m, label, value);
	metrics_uint(&s->m, n);
}

static void write_interfaces(struct scrape *s, enum metric id)
{
	metrics_begin(&s->m, METRIC_INTERFACE);
	for_each_port (s, p) {
		label_port(s, p);
		metrics_label(&s->m, "role", config_role_word(p->role));
		metrics_label(&s->m, "transmit", p->transmit);
		if (*p->proxy)
			metrics_label(&s->m, "proxy", p->proxy);
		metrics_uint(&s->m, 1);
	}
}

static void write_verdicts(struct scrape *s, enum metric id)
{
	unsigned first = id == METRIC_FRAMES ? 0 : _VERDICT_FRAME_N;
	unsigned end = id == METRIC_FRAMES ? _VERDICT_FRAME_N : _VERDICT_N;

	metrics_begin(&s->m, id);
	for_each_port (s, p) {
		for (unsigned v = first; v < end; v++)
			pair(s, p, "verdict", verdict_name((enum verdict)v),
				p->stats.verdict[v]);
	}
}

/* ---- queues ---- */

/* One sample for each ring that is open now. */
static void per_ring(struct scrape *s, enum metric id)
{
	metrics_begin(&s->m, id);
	for_each_port (s, p) {
		for (unsigned f = 0; f < _FAMILY_N; f++)
			for (unsigned t = 0;
				t < dataplane_threads(view_dataplane(s->app)); t++) {
				struct dataplane_queue q;

				dataplane_ring_queue(view_dataplane(s->app), p->number,
					(enum family)f, t, &q);
				if (!q.open)
					continue;
				label_port(s, p);
				metrics_label(&s->m, "family", family_name(f));
				metrics_label_uint(&s->m, "thread", t);
				if (id == METRIC_RING_SIZE)
					metrics_uint(&s->m, q.bytes);
				else
					metrics_real(&s->m, q.used);
			}
	}
}

/* ---- threads ---- */

static void write_delay(struct scrape *s, enum metric id)
{
	static const char *const frame[][3] = {{"frame", "oldest"}, {"frame", "newest"}};
	double bound_s[LATENCY_BUCKETS - 1];
	struct dataplane_delay delay[2];

	for (unsigned i = 0; i < LATENCY_BUCKETS - 1; i++)
		bound_s[i] = (double)latency_bound_us(i) / 1e6;
	dataplane_delay(view_dataplane(s->app), &delay[0], &delay[1]);
	metrics_begin(&s->m, METRIC_FORWARD_DELAY);
	for (unsigned i = 0; i < 2; i++)
		metrics_histogram(&s->m, frame[i], delay[i].bucket, bound_s,
			LATENCY_BUCKETS, delay[i].sum_ns);
}

static void per_thread(struct scrape *s, enum metric id, size_t offset)
{
	metrics_begin(&s->m, id);
	for (unsigned i = 0; i < dataplane_threads(view_dataplane(s->app)); i++) {
		struct dataplane_thread_stats t;
		uint64_t v;

		dataplane_thread_stats(view_dataplane(s->app), i, &t);
		memcpy(&v, (const char *)&t + offset, sizeof(v));
		metrics_sample(&s->m);
		metrics_label_uint(&s->m, "thread", i);
		metrics_uint(&s->m, v);
	}
}

static void write_thread_cpu(struct scrape *s, enum metric id)
{
	metrics_begin(&s->m, METRIC_THREAD_CPU);
	metrics_sample(&s->m);
	metrics_label(&s->m, "thread", "control");
	metrics_ns(&s->m, s->self.thread_cpu_ns);
	for (unsigned i = 0; i < dataplane_threads(view_dataplane(s->app)); i++) {
		struct dataplane_thread_stats t;

		dataplane_thread_stats(view_dataplane(s->app), i, &t);
		metrics_sample(&s->m);
		metrics_label_uint(&s->m, "thread", i);
		metrics_ns(&s->m, t.cpu_ns);
	}
}

#define THREAD(member) offsetof(struct dataplane_thread_stats, member)

static void write_threads(struct scrape *s, enum metric id)
{
	static const struct {
		enum metric id;
		size_t offset;
	} row[] = {
		{METRIC_THREAD_ASLEEP, THREAD(asleep)},
		{METRIC_THREAD_TURNS, THREAD(count[THREAD_COUNT_TURNS])},
		{METRIC_THREAD_WAKEUPS, THREAD(count[THREAD_COUNT_WAKEUPS])},
		{METRIC_THREAD_BURSTS, THREAD(count[THREAD_COUNT_BURSTS])},
		{METRIC_THREAD_BLOCKS, THREAD(count[THREAD_COUNT_BLOCKS])},
		{METRIC_THREAD_BLOCK_TIMEOUTS,
			THREAD(count[THREAD_COUNT_BLOCK_TIMEOUTS])},
		{METRIC_THREAD_FRAMES, THREAD(count[THREAD_COUNT_FRAMES])},
		{METRIC_THREAD_COPIES, THREAD(copies)},
	};

	for (size_t i = 0; i < array_len(row); i++)
		per_thread(s, row[i].id, row[i].offset);
}

/* ---- forwarding entries ---- */

static void write_table(struct scrape *s, enum metric id)
{
	struct fib *fib = dataplane_fib(view_dataplane(s->app));

	one(s, METRIC_ENTRIES, fib_size(fib));
	one(s, METRIC_ENTRIES_MEMORY, fib_bytes(fib));
	one(s, METRIC_ENTRIES_TRUNCATED, s->top.n_offered - s->top.n);
	one(s, METRIC_STREAMS, s->n_streams_known);
	one(s, METRIC_STREAMS_TRUNCATED, s->n_streams_known - s->n_streams);
}

static void entry_labels(struct scrape *s, struct metrics_entry *e)
{
	char text[ADDR_STRLEN];
	const char *proxy, *channel;

	if (e->labels.len) {
		metrics_labels_again(&s->m, e->labels);
		return;
	}
	proxy = instances_name(view_instances(s->app), e->proxy);
	metrics_label(&s->m, "group", addr_format(&e->group, text));
	metrics_label(&s->m, "source",
		addr_is_any(&e->source) ? "*" : addr_format(&e->source, text));
	if (*proxy)
		metrics_label(&s->m, "proxy", proxy);
	channel = channels_name(view_channels(s->app), &e->group, &e->source);
	if (channel)
		metrics_label(&s->m, "channel", channel);
	e->labels = metrics_labels(&s->m);
}

bool scrape_write_entries(struct scrape *s)
{
	static const struct {
		enum metric id;
		size_t offset;
	} row[] = {
		{METRIC_ENTRY_RECEIVE_PACKETS, offsetof(struct metrics_entry, packets)},
		{METRIC_ENTRY_RECEIVE_BYTES, offsetof(struct metrics_entry, bytes)},
		{METRIC_ENTRY_WRONG_INPUT, offsetof(struct metrics_entry, wrong)},
		{METRIC_ENTRY_OUTPUTS, offsetof(struct metrics_entry, n_out)},
	};
	size_t n = s->top.n;
	size_t per_row = (n + ENTRIES_PER_SLICE - 1) / ENTRIES_PER_SLICE;
	size_t i = per_row ? s->part % per_row * ENTRIES_PER_SLICE : 0;
	size_t end = i + ENTRIES_PER_SLICE, k = per_row ? s->part / per_row : s->part;

	if (k >= array_len(row))
		return false;
	if (i == 0)
		metrics_begin(&s->m, row[k].id);
	for (; i < end && i < n; i++) {
		struct metrics_entry *e = topn_get(&s->top, i);
		uint64_t v;

		if (metrics_top_is_double(&s->top, i))
			continue;
		memcpy(&v, (const char *)e + row[k].offset, sizeof(v));
		metrics_sample(&s->m);
		entry_labels(s, e);
		metrics_uint(&s->m, v);
	}
	return true;
}

/* ---- membership ---- */

static void of_family(struct scrape *s, const struct scrape_port *p, enum family f)
{
	label_port(s, p);
	metrics_label(&s->m, "family", family_name(f));
}

static void querier_states(struct scrape *s, const struct scrape_port *p, enum family f)
{
	for (unsigned i = QUERIER_DOWN; i <= QUERIER_STANDBY; i++) {
		of_family(s, p, f);
		metrics_label(
			&s->m, "state", querier_state_name((enum querier_state)i));
		metrics_uint(&s->m, p->family[f].querier == i);
	}
}

static void write_queriers(struct scrape *s, enum metric id)
{
	metrics_begin(&s->m, METRIC_QUERIER_STATE);
	for_each_port (s, p) {
		for (enum family f = 0; f < _FAMILY_N; f++)
			if (p->family[f].enabled && p->role == CONFIG_ROLE_DOWNSTREAM)
				querier_states(s, p, f);
	}
}

/* ---- messages ---- */

static void write_messages(struct scrape *s, enum metric id)
{
	static const char *const kind[] = {"query", "report"};

	metrics_begin(&s->m, METRIC_CONTROL_MESSAGES);
	for_each_port (s, p) {
		for (unsigned k = 0; k < array_len(kind); k++)
			for (unsigned v = GM_V1; v < _GM_VERSION_N; v++) {
				label_port(s, p);
				metrics_label(&s->m, "type", kind[k]);
				metrics_label_uint(&s->m, "version", v);
				metrics_uint(&s->m, p->n_received[v][k]);
			}
	}
	metrics_begin(&s->m, METRIC_CONTROL_MESSAGES_BAD);
	for_each_port (s, p) {
		for (unsigned i = GM_OK + 1; i < _GM_BAD_N; i++)
			pair(s, p, "reason", gm_bad_name((enum gm_bad)i), p->n_bad[i]);
	}
}

static void write_oddities(struct scrape *s, enum metric id)
{
	metrics_begin(&s->m, METRIC_CONTROL_MESSAGES_ODD);
	for_each_port (s, p) {
		for (unsigned i = 0; i < _GM_ODD_N; i++)
			pair(s, p, "oddity", gm_odd_name((enum gm_odd)i), p->n_odd[i]);
	}
}

static void write_errors(struct scrape *s, enum metric id)
{
	metrics_begin(&s->m, METRIC_CONTROL_ERRORS);
	for_each_port (s, p) {
		pair(s, p, "direction", "receive",
			p->control.count[MCSOCK_COUNT_RECEIVE_ERRORS]);
		pair(s, p, "direction", "send",
			p->control.count[MCSOCK_COUNT_SEND_ERRORS]);
	}
}

static void write_fragments(struct scrape *s, enum metric id)
{
	metrics_begin(&s->m, METRIC_CONTROL_FRAGMENTS);
	for_each_port (s, p) {
		for (unsigned i = 0; i < _REASSEMBLE_N; i++)
			pair(s, p, "result", reassemble_name((enum reassemble_result)i),
				p->control.fragment[i]);
	}
}

static void write_events(struct scrape *s, enum metric id)
{
	const struct app *app = s->app;

	metrics_begin(&s->m, METRIC_NOTES);
	for (unsigned i = NOTE_QUERIER_WON; i < _NOTE_N; i++)
		labelled(s, "note", note_name((enum note)i),
			view_counts(app)->n_notes[i]);
	one(s, METRIC_EFFECTS_LOST, view_counts(app)->n_effects_lost);
	one(s, METRIC_NETLINK_OVERRUNS, view_netlink_overruns(app));
}

static void write_clients(struct scrape *s, enum metric id)
{
	struct http_stats http;
	struct ctl_stats ctl;

	view_ctl_stats(s->app, &ctl);
	view_http_stats(s->app, &http);
	one(s, METRIC_CTL_CLIENTS, ctl.n_clients);
	one(s, METRIC_CTL_PENDING, ctl.pending);
	one(s, METRIC_HTTP_CONNECTIONS, http.n_connections);
	metrics_begin(&s->m, METRIC_HTTP_REQUESTS);
	for (unsigned i = 0; i < HTTP_CODES; i++) {
		metrics_sample(&s->m);
		metrics_label_uint(&s->m, "code", http_code[i]);
		metrics_uint(&s->m, http.n_answers[i]);
	}
	one(s, METRIC_HTTP_EVICTED, http.n_evicted);
}

/* ---- all families ---- */

/* How a number is written. */
enum form {
	NUMBER,
	SECONDS, /* nanoseconds as seconds */
	LIMIT,	 /* 0 means that there is none, and is written as infinity */
};

/* One or several families that `write` writes, or one with a number of each interface
 * of a role. */
struct family_row {
	enum metric id; /* not used by functions that write only their own families */
	enum config_role role; /* 0 means both */
	bool per_family;
	size_t offset; /* of the number in struct scrape_port, for the first family */
	enum form form;
	void (*write)(struct scrape *s, enum metric id);
};

#define OFFSET(member)                                                                 \
	_Generic(((struct scrape_port *)NULL)->member, uint64_t                        \
		 : offsetof(struct scrape_port, member))
#define ANY(member)	   0, false, OFFSET(member)
#define LAN(member)	   CONFIG_ROLE_DOWNSTREAM, false, OFFSET(member)
#define ANY_FAMILY(member) 0, true, OFFSET(family[0].member)
#define LAN_FAMILY(member) CONFIG_ROLE_DOWNSTREAM, true, OFFSET(family[0].member)
#define WAN_FAMILY(member) CONFIG_ROLE_UPSTREAM, true, OFFSET(family[0].member)

static const struct family_row rows[] = {
	{.write = write_daemon},
	{.write = write_interfaces},
	{METRIC_INTERFACE_PRESENT, ANY(present)},
	{METRIC_INTERFACE_UP, ANY(up)},
	{METRIC_INTERFACE_ERROR, ANY(error)},
	{METRIC_INTERFACE_MTU, ANY(mtu)},
	{METRIC_INTERFACE_RECEIVE_PACKETS, ANY(stats.count[PORT_COUNT_RX_PACKETS])},
	{METRIC_INTERFACE_RECEIVE_BYTES, ANY(stats.count[PORT_COUNT_RX_BYTES])},
	{METRIC_INTERFACE_TRANSMIT_PACKETS, ANY(stats.count[PORT_COUNT_TX_PACKETS])},
	{METRIC_INTERFACE_TRANSMIT_BYTES, ANY(stats.count[PORT_COUNT_TX_BYTES])},
	{METRIC_INTERFACE_TRANSMIT_MESSAGES, ANY(stats.count[PORT_COUNT_TX_MESSAGES])},
	{METRIC_FRAMES, .write = write_verdicts},
	{METRIC_COPIES_DROPPED, .write = write_verdicts},
	{METRIC_RING_PACKETS, ANY(stats.count[PORT_COUNT_RING_PACKETS])},
	{METRIC_RING_DROPS, ANY(stats.count[PORT_COUNT_RING_DROPS])},
	{METRIC_RING_FREEZES, ANY(stats.count[PORT_COUNT_RING_FREEZES])},
	{METRIC_RING_SIZE, .write = per_ring},
	{METRIC_RING_USED, .write = per_ring},
	{METRIC_TRANSMIT_QUEUE, ANY(tx_used)},
	{METRIC_TRANSMIT_QUEUE_LIMIT, ANY(tx_limit)},
	{.write = write_delay},
	{.write = write_thread_cpu},
	{.write = write_threads},
	{.write = write_table},
	{METRIC_GROUPS, LAN(n_groups)},
	{METRIC_GROUPS_LIMIT, LAN(max_groups), LIMIT},
	{METRIC_GROUP_SOURCES, LAN(n_sources)},
	{METRIC_GROUP_SOURCES_LIMIT, LAN(max_sources), LIMIT},
	{METRIC_GROUP_HOSTS, LAN(n_hosts)},
	{METRIC_GROUP_HOSTS_LIMIT, LAN(max_hosts), LIMIT},
	{METRIC_MEMBERSHIP_REFUSED, LAN(n_refused)},
	{.write = write_queriers},
	{METRIC_QUERIER_VERSION, LAN_FAMILY(version)},
	{METRIC_QUERIER_ROBUSTNESS, LAN_FAMILY(robustness)},
	{METRIC_QUERIER_INTERVAL, LAN_FAMILY(interval_ns), SECONDS},
	{METRIC_QUERIER_QUERIES_SENT, LAN_FAMILY(n_queries_sent)},
	{METRIC_QUERIER_QUERIES_HEARD, LAN_FAMILY(n_queries_heard)},
	{METRIC_FORWARDING_STANDBY, LAN_FAMILY(n_standby)},
	{METRIC_FORWARDING_DOUBLE, LAN_FAMILY(n_double)},
	{METRIC_UPSTREAM_GROUPS, WAN_FAMILY(n_groups)},
	{METRIC_UPSTREAM_VERSION, WAN_FAMILY(version)},
	{METRIC_UPSTREAM_QUERIES, WAN_FAMILY(n_queries_heard)},
	{METRIC_UPSTREAM_REPORTS_SENT, WAN_FAMILY(n_reports_sent)},
	{METRIC_UPSTREAM_LAST_QUERY, WAN_FAMILY(query_age_ns), SECONDS},
	{.write = write_messages},
	{.write = write_oddities},
	{METRIC_CONTROL_RECEIVED, ANY(control.count[MCSOCK_COUNT_RECEIVED])},
	{METRIC_CONTROL_SENT, ANY(control.count[MCSOCK_COUNT_SENT])},
	{.write = write_errors},
	{METRIC_CONTROL_DROPPED, ANY(control.count[MCSOCK_COUNT_DROPPED])},
	{METRIC_CONTROL_LIMITED, ANY(control.count[MCSOCK_COUNT_LIMITED])},
	{METRIC_CONTROL_RECORDS_LIMITED,
		ANY(control.count[MCSOCK_COUNT_RECORDS_LIMITED])},
	{METRIC_CONTROL_SAMPLED, ANY(control.count[MCSOCK_COUNT_SAMPLED])},
	{.write = write_fragments},
	{METRIC_CONTROL_QUEUE, ANY_FAMILY(queue)},
	{METRIC_CONTROL_QUEUE_LIMIT, ANY_FAMILY(queue_limit)},
	{.write = write_events},
	{.write = write_clients},
};

static void write_port_number(struct scrape *s, const struct family_row *row,
	const struct scrape_port *p, enum family f)
{
	uint64_t v;

	memcpy(&v, (const char *)p + row->offset + f * sizeof(p->family[0]), sizeof(v));
	if (v == SCRAPE_NONE)
		return;
	if (row->per_family)
		of_family(s, p, f);
	else
		label_port(s, p);
	if (row->form == SECONDS)
		metrics_ns(&s->m, v);
	else if (row->form == LIMIT)
		metrics_real(&s->m, v ? (double)v : INFINITY);
	else
		metrics_uint(&s->m, v);
}

static void write_port_numbers(struct scrape *s, const struct family_row *row)
{
	metrics_begin(&s->m, row->id);
	for_each_port (s, p) {
		if (row->role && p->role != row->role)
			continue;
		if (!row->per_family)
			write_port_number(s, row, p, 0);
		for (enum family f = 0; row->per_family && f < _FAMILY_N; f++)
			if (p->family[f].enabled)
				write_port_number(s, row, p, f);
	}
}

/* Families of numbers that follow each other are one part. The last row has
 * a function. */
bool scrape_write_families(struct scrape *s)
{
	const struct family_row *row = &rows[s->part];

	if (s->part == array_len(rows))
		return false;
	if (row->write)
		row->write(s, row->id);
	for (; !row->write; row++) {
		write_port_numbers(s, row);
		s->part += !row[1].write;
	}
	return true;
}

bool scrape_write_end(struct scrape *s)
{
	one(s, METRIC_SCRAPES, view_memory(s->app)->n_scrapes);
	one_ns(s, METRIC_SCRAPE_DURATION, s->cost_ns);
	one_ns(s, METRIC_SCRAPE_LONGEST_SLICE, s->longest_ns);
	metrics_end(&s->m);
	return false;
}
