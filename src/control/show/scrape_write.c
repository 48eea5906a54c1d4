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

static void write_daemon(struct scrape *s)
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

/* Writes the number at `offset` in struct scrape_port for each interface. */
static void per_port(struct scrape *s, enum metric id, size_t offset)
{
	metrics_begin(&s->m, id);
	for_each_port (s, p) {
		uint64_t v;

		memcpy(&v, (const char *)p + offset, sizeof(v));
		label_port(s, p);
		metrics_uint(&s->m, v);
	}
}

#define PER_PORT(s, id, field)                                                         \
	do {                                                                           \
		_Static_assert(sizeof(((struct scrape_port *)NULL)->field) == 8, "");  \
		per_port(s, id, offsetof(struct scrape_port, field));                  \
	} while (0)

static void write_interfaces(struct scrape *s)
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
	PER_PORT(s, METRIC_INTERFACE_PRESENT, present);
	PER_PORT(s, METRIC_INTERFACE_UP, up);
	PER_PORT(s, METRIC_INTERFACE_ERROR, error);
	PER_PORT(s, METRIC_INTERFACE_MTU, mtu);
}

static void write_traffic(struct scrape *s)
{
	PER_PORT(s, METRIC_INTERFACE_RECEIVE_PACKETS,
		stats.count[PORT_COUNT_RX_PACKETS]);
	PER_PORT(s, METRIC_INTERFACE_RECEIVE_BYTES, stats.count[PORT_COUNT_RX_BYTES]);
	PER_PORT(s, METRIC_INTERFACE_TRANSMIT_PACKETS,
		stats.count[PORT_COUNT_TX_PACKETS]);
	PER_PORT(s, METRIC_INTERFACE_TRANSMIT_BYTES, stats.count[PORT_COUNT_TX_BYTES]);
	PER_PORT(s, METRIC_INTERFACE_TRANSMIT_MESSAGES,
		stats.count[PORT_COUNT_TX_MESSAGES]);
}

static void write_verdicts(
	struct scrape *s, enum metric id, unsigned first, unsigned end)
{
	metrics_begin(&s->m, id);
	for_each_port (s, p) {
		for (unsigned v = first; v < end; v++)
			pair(s, p, "verdict", verdict_name((enum verdict)v),
				p->stats.verdict[v]);
	}
}

static void write_frames(struct scrape *s)
{
	write_verdicts(s, METRIC_FRAMES, 0, _VERDICT_FRAME_N);
}

static void write_copies_dropped(struct scrape *s)
{
	write_verdicts(s, METRIC_COPIES_DROPPED, _VERDICT_FRAME_N, _VERDICT_N);
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

static void write_rings(struct scrape *s)
{
	PER_PORT(s, METRIC_RING_PACKETS, stats.count[PORT_COUNT_RING_PACKETS]);
	PER_PORT(s, METRIC_RING_DROPS, stats.count[PORT_COUNT_RING_DROPS]);
	PER_PORT(s, METRIC_RING_FREEZES, stats.count[PORT_COUNT_RING_FREEZES]);
	per_ring(s, METRIC_RING_SIZE);
}

static void write_queues(struct scrape *s)
{
	per_ring(s, METRIC_RING_USED);
	PER_PORT(s, METRIC_TRANSMIT_QUEUE, tx_used);
	PER_PORT(s, METRIC_TRANSMIT_QUEUE_LIMIT, tx_limit);
}

/* ---- threads ---- */

static void write_histogram(
	struct scrape *s, const char *frame, const struct dataplane_delay *d)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		char bound[24] = "+Inf";

		n += d->bucket[i];
		if (i + 1 < LATENCY_BUCKETS)
			snprintf(bound, sizeof(bound), "%.9g",
				(double)latency_bound_us(i) / 1e6);
		metrics_sample_of(&s->m, "_bucket");
		metrics_label(&s->m, "frame", frame);
		metrics_label(&s->m, "le", bound);
		metrics_uint(&s->m, n);
	}
	metrics_sample_of(&s->m, "_count");
	metrics_label(&s->m, "frame", frame);
	metrics_uint(&s->m, n);
	metrics_sample_of(&s->m, "_sum");
	metrics_label(&s->m, "frame", frame);
	metrics_ns(&s->m, d->sum_ns);
}

static void write_delay(struct scrape *s)
{
	struct dataplane_delay oldest, newest;

	dataplane_delay(view_dataplane(s->app), &oldest, &newest);
	metrics_begin(&s->m, METRIC_FORWARD_DELAY);
	write_histogram(s, "oldest", &oldest);
	write_histogram(s, "newest", &newest);
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

static void write_thread_states(struct scrape *s)
{
	unsigned n = dataplane_threads(view_dataplane(s->app));
	struct dataplane_thread_stats t;

	metrics_begin(&s->m, METRIC_THREAD_CPU);
	metrics_sample(&s->m);
	metrics_label(&s->m, "thread", "control");
	metrics_ns(&s->m, s->self.thread_cpu_ns);
	for (unsigned i = 0; i < n; i++) {
		dataplane_thread_stats(view_dataplane(s->app), i, &t);
		metrics_sample(&s->m);
		metrics_label_uint(&s->m, "thread", i);
		metrics_ns(&s->m, t.cpu_ns);
	}
	metrics_begin(&s->m, METRIC_THREAD_ASLEEP);
	for (unsigned i = 0; i < n; i++) {
		dataplane_thread_stats(view_dataplane(s->app), i, &t);
		metrics_sample(&s->m);
		metrics_label_uint(&s->m, "thread", i);
		metrics_uint(&s->m, t.asleep);
	}
}

#define THREAD(member) offsetof(struct dataplane_thread_stats, member)

static void write_threads(struct scrape *s)
{
	static const struct {
		enum metric id;
		size_t offset;
	} row[] = {
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

static void write_table(struct scrape *s)
{
	struct fib *fib = dataplane_fib(view_dataplane(s->app));

	one(s, METRIC_ENTRIES, fib_size(fib));
	one(s, METRIC_ENTRIES_MEMORY, fib_bytes(fib));
	one(s, METRIC_ENTRIES_TRUNCATED, metrics_top_n_truncated(&s->top));
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

bool scrape_write_entries(struct scrape *s, unsigned part)
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
	size_t n = metrics_top_n(&s->top);
	size_t per_row = (n + ENTRIES_PER_SLICE - 1) / ENTRIES_PER_SLICE;
	size_t i = per_row ? part % per_row * ENTRIES_PER_SLICE : 0;
	size_t end = i + ENTRIES_PER_SLICE, k = per_row ? part / per_row : part;

	if (k >= array_len(row))
		return false;
	if (i == 0)
		metrics_begin(&s->m, row[k].id);
	for (; i < end && i < n; i++) {
		struct metrics_entry *e = metrics_top_get(&s->top, i);
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

/* Writes the number at `offset` in struct scrape_port for each downstream. A limit of 0
 * means no limit and is written as infinity. */
static void per_lan(struct scrape *s, enum metric id, size_t offset, bool is_limit)
{
	metrics_begin(&s->m, id);
	for_each_port (s, p) {
		uint64_t v;

		if (p->role != CONFIG_ROLE_DOWNSTREAM)
			continue;
		memcpy(&v, (const char *)p + offset, sizeof(v));
		label_port(s, p);
		if (is_limit)
			metrics_real(&s->m, v ? (double)v : INFINITY);
		else
			metrics_uint(&s->m, v);
	}
}

#define LAN(member) offsetof(struct scrape_port, member)

static void write_members(struct scrape *s)
{
	per_lan(s, METRIC_GROUPS, LAN(n_groups), false);
	per_lan(s, METRIC_GROUPS_LIMIT, LAN(max_groups), true);
	per_lan(s, METRIC_GROUP_SOURCES, LAN(n_sources), false);
	per_lan(s, METRIC_GROUP_SOURCES_LIMIT, LAN(max_sources), true);
	per_lan(s, METRIC_GROUP_HOSTS, LAN(n_hosts), false);
	per_lan(s, METRIC_GROUP_HOSTS_LIMIT, LAN(max_hosts), true);
	per_lan(s, METRIC_MEMBERSHIP_REFUSED, LAN(n_refused), false);
}

/* Calls `fn` for each port of a role and each of its families. */
static void per_family(struct scrape *s, enum metric id, enum config_role role,
	void (*fn)(struct scrape *s, enum metric id, const struct scrape_port *p,
		enum family f))
{
	metrics_begin(&s->m, id);
	for_each_port (s, p) {
		for (unsigned f = 0; f < _FAMILY_N; f++)
			if (p->role == role && view_instances(s->app)->family[f])
				fn(s, id, p, (enum family)f);
	}
}

static void of_family(struct scrape *s, const struct scrape_port *p, enum family f)
{
	label_port(s, p);
	metrics_label(&s->m, "family", family_name(f));
}

static void querier_state(
	struct scrape *s, enum metric id, const struct scrape_port *p, enum family f)
{
	for (unsigned i = QUERIER_DOWN; i <= QUERIER_STANDBY; i++) {
		of_family(s, p, f);
		metrics_label(
			&s->m, "state", querier_state_name((enum querier_state)i));
		metrics_uint(&s->m, p->querier[f].state == i);
	}
}

static void querier_value(
	struct scrape *s, enum metric id, const struct scrape_port *p, enum family f)
{
	const struct querier *q = &p->querier[f];

	of_family(s, p, f);
	if (id == METRIC_QUERIER_INTERVAL)
		metrics_ns(&s->m, q->qi_ms * (uint64_t)NS_PER_MS);
	else if (id == METRIC_QUERIER_VERSION)
		metrics_uint(&s->m, gm_version_number(f, q->rules.version));
	else if (id == METRIC_QUERIER_ROBUSTNESS)
		metrics_uint(&s->m, q->rv);
	else if (id == METRIC_QUERIER_QUERIES_SENT)
		metrics_uint(&s->m, q->n_queries_sent);
	else if (id == METRIC_FORWARDING_STANDBY)
		metrics_uint(&s->m, p->n_standby[f]);
	else if (id == METRIC_FORWARDING_DOUBLE)
		metrics_uint(&s->m, p->n_double[f]);
	else
		metrics_uint(&s->m, q->n_queries_heard);
}

static void write_queriers(struct scrape *s)
{
	enum config_role lan = CONFIG_ROLE_DOWNSTREAM;

	per_family(s, METRIC_QUERIER_STATE, lan, querier_state);
	per_family(s, METRIC_QUERIER_VERSION, lan, querier_value);
	per_family(s, METRIC_QUERIER_ROBUSTNESS, lan, querier_value);
	per_family(s, METRIC_QUERIER_INTERVAL, lan, querier_value);
	per_family(s, METRIC_QUERIER_QUERIES_SENT, lan, querier_value);
	per_family(s, METRIC_QUERIER_QUERIES_HEARD, lan, querier_value);
	per_family(s, METRIC_FORWARDING_STANDBY, lan, querier_value);
	per_family(s, METRIC_FORWARDING_DOUBLE, lan, querier_value);
}

static void upstream_value(
	struct scrape *s, enum metric id, const struct scrape_port *p, enum family f)
{
	const struct upstream_family *h = &p->host[f];
	mono_t now = view_now(s->app);

	if (id == METRIC_UPSTREAM_LAST_QUERY && !mono_is_set(h->last_query))
		return;
	of_family(s, p, f);
	if (id == METRIC_UPSTREAM_LAST_QUERY)
		metrics_ns(&s->m, (uint64_t)(now.ns - h->last_query.ns));
	else if (id == METRIC_UPSTREAM_GROUPS)
		metrics_uint(&s->m, h->n_groups);
	else if (id == METRIC_UPSTREAM_VERSION)
		metrics_uint(&s->m, gm_version_number(f, h->version));
	else if (id == METRIC_UPSTREAM_QUERIES)
		metrics_uint(&s->m, h->n_queries);
	else
		metrics_uint(&s->m, h->n_reports_sent);
}

static void write_upstreams(struct scrape *s)
{
	enum config_role wan = CONFIG_ROLE_UPSTREAM;

	per_family(s, METRIC_UPSTREAM_GROUPS, wan, upstream_value);
	per_family(s, METRIC_UPSTREAM_VERSION, wan, upstream_value);
	per_family(s, METRIC_UPSTREAM_QUERIES, wan, upstream_value);
	per_family(s, METRIC_UPSTREAM_REPORTS_SENT, wan, upstream_value);
	per_family(s, METRIC_UPSTREAM_LAST_QUERY, wan, upstream_value);
}

/* ---- messages ---- */

static void write_messages(struct scrape *s)
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

static void write_packets(struct scrape *s)
{
	metrics_begin(&s->m, METRIC_CONTROL_MESSAGES_ODD);
	for_each_port (s, p) {
		for (unsigned i = 0; i < _GM_ODD_N; i++)
			pair(s, p, "oddity", gm_odd_name((enum gm_odd)i), p->n_odd[i]);
	}
	PER_PORT(s, METRIC_CONTROL_RECEIVED, control.count[MCSOCK_COUNT_RECEIVED]);
	PER_PORT(s, METRIC_CONTROL_SENT, control.count[MCSOCK_COUNT_SENT]);
	metrics_begin(&s->m, METRIC_CONTROL_ERRORS);
	for_each_port (s, p) {
		pair(s, p, "direction", "receive",
			p->control.count[MCSOCK_COUNT_RECEIVE_ERRORS]);
		pair(s, p, "direction", "send",
			p->control.count[MCSOCK_COUNT_SEND_ERRORS]);
	}
	PER_PORT(s, METRIC_CONTROL_DROPPED, control.count[MCSOCK_COUNT_DROPPED]);
	PER_PORT(s, METRIC_CONTROL_LIMITED, control.count[MCSOCK_COUNT_LIMITED]);
	PER_PORT(s, METRIC_CONTROL_RECORDS_LIMITED,
		control.count[MCSOCK_COUNT_RECORDS_LIMITED]);
	PER_PORT(s, METRIC_CONTROL_SAMPLED, control.count[MCSOCK_COUNT_SAMPLED]);
	metrics_begin(&s->m, METRIC_CONTROL_FRAGMENTS);
	for_each_port (s, p) {
		for (unsigned i = 0; i < _REASSEMBLE_N; i++)
			pair(s, p, "result", reassemble_name((enum reassemble_result)i),
				p->control.fragment[i]);
	}
}

static void write_control_queues(struct scrape *s)
{
	static const enum metric id[] = {
		METRIC_CONTROL_QUEUE, METRIC_CONTROL_QUEUE_LIMIT};

	for (unsigned i = 0; i < array_len(id); i++) {
		metrics_begin(&s->m, id[i]);
		for_each_port (s, p) {
			for (unsigned f = 0; f < _FAMILY_N; f++) {
				if (!p->family[f])
					continue;
				of_family(s, p, (enum family)f);
				metrics_uint(&s->m,
					i == 0 ? p->queue[f] : p->queue_limit[f]);
			}
		}
	}
}

static void write_events(struct scrape *s)
{
	const struct app *app = s->app;

	metrics_begin(&s->m, METRIC_NOTES);
	for (unsigned i = NOTE_QUERIER_WON; i < _NOTE_N; i++)
		labelled(s, "note", note_name((enum note)i),
			view_counts(app)->n_notes[i]);
	one(s, METRIC_EFFECTS_LOST, view_counts(app)->n_effects_lost);
	one(s, METRIC_NETLINK_OVERRUNS, view_netlink_overruns(app));
}

static void write_clients(struct scrape *s)
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

scrape_write_fn *const scrape_write[] = {
	write_daemon,
	write_interfaces,
	write_traffic,
	write_frames,
	write_copies_dropped,
	write_rings,
	write_queues,
	write_delay,
	write_thread_states,
	write_threads,
	write_table,
	write_members,
	write_queriers,
	write_upstreams,
	write_messages,
	write_packets,
	write_control_queues,
	write_events,
	write_clients,
};
const unsigned scrape_n_write = array_len(scrape_write);

void scrape_write_end(struct scrape *s)
{
	one(s, METRIC_SCRAPES, view_memory(s->app)->n_scrapes);
	one_ns(s, METRIC_SCRAPE_DURATION, s->cost_ns);
	one_ns(s, METRIC_SCRAPE_LONGEST_SLICE, s->longest_ns);
	metrics_end(&s->m);
}
