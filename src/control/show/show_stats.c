/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show stats", see show.h: what became of every frame and every message. */

#include "base/cleanup.h"
#include "build_config.h"
#include "control/show/show.h"
#include "control/show/show_answer.h"

#include <malloc.h>

static json_t *verdicts_json(const uint64_t v[_VERDICT_N])
{
	json_t *o = json_object();

	for (unsigned i = 0; i < _VERDICT_N; i++)
		json_put_count(o, verdict_name((enum verdict)i), v[i]);
	return o;
}

/* How copies of single datagrams were combined into messages, and why these are not
 * longer. */
static json_t *joining_json(const struct dataplane_stats *s)
{
	json_t *ends = json_object();

	for (unsigned e = 0; e < _JOINED_N; e++)
		json_put_count(
			ends, joined_end_name((enum joined_end)e), s->run_end[e]);
	return json_pack("{sI sI so}", "datagrams",
		(json_int_t)s->count[THREAD_COUNT_JOINABLE], "messages",
		(json_int_t)s->count[THREAD_COUNT_JOINED], "ends", ends);
}

static void add_verdicts(struct app *app, unsigned port, uint64_t sum[_VERDICT_N])
{
	struct dataplane_port_stats s;

	dataplane_port_stats(view_dataplane(app), port, &s);
	for (unsigned i = 0; i < _VERDICT_N; i++)
		sum[i] += s.verdict[i];
}

static json_t *port_stats_json(struct app *app, const struct proxy_port *pp)
{
	json_t *o = json_pack("{so}", "name", json_of_text(pp->name));
	struct dataplane_port_stats s;

	dataplane_port_stats(view_dataplane(app), pp->port, &s);
	for (unsigned i = 0; i < _PORT_COUNT_N; i++)
		json_put_count(o, port_count_name((enum port_count)i), s.count[i]);
	json_object_set_new(o, "verdicts", verdicts_json(s.verdict));
	return o;
}

static json_t *control_json(struct app *app)
{
	json_t *o = json_object(), *bad = json_object(), *notes = json_object(),
	       *fragments = json_object();
	uint64_t n_bad[_GM_BAD_N] = {0};
	struct mcsock_stats total = {0};

	for (unsigned i = 0; i < PORT_MAX; i++)
		view_socket_stats(app, i, &total);
	proxy_ports_for_each (view_instances(app)->port, pp)
		for (unsigned i = 0; i < _GM_BAD_N; i++)
			n_bad[i] += pp->n_bad[i];
	for (unsigned i = GM_OK + 1; i < _GM_BAD_N; i++)
		json_put_count(bad, gm_bad_name((enum gm_bad)i), n_bad[i]);
	for (unsigned i = NOTE_QUERIER_WON; i < _NOTE_N; i++)
		json_put_count(
			notes, note_name((enum note)i), view_counts(app)->n_notes[i]);
	for (unsigned i = 0; i < _REASSEMBLE_N; i++)
		json_put_count(fragments, reassemble_name((enum reassemble_result)i),
			total.fragment[i]);
	for (unsigned i = 0; i < _MCSOCK_COUNT_N; i++)
		json_put_count(
			o, mcsock_count_name((enum mcsock_count)i), total.count[i]);
	json_put_count(o, "effects_lost", view_counts(app)->n_effects_lost);
	json_put_count(o, "netlink_overruns", view_netlink_overruns(app));
	json_object_set_new(o, "bad", bad);
	json_object_set_new(o, "fragments", fragments);
	json_object_set_new(o, "notes", notes);
	return o;
}

static void put_thread_counts(
	json_t *o, const uint64_t *count, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		json_put_count(o, thread_count_name((enum thread_count)i), count[i]);
}

static json_t *worker_json(struct app *app, unsigned i)
{
	struct dataplane_thread_stats s;
	json_t *o;

	dataplane_thread_stats(view_dataplane(app), i, &s);
	o = json_pack("{si so sI ss}", "thread", (int)i, "cpu",
		s.cpu < 0 ? json_null() : json_integer(s.cpu), "cpu_ms",
		(json_int_t)(s.cpu_ns / NS_PER_MS), "transmit",
		s.io_uring ? "io_uring" : "sendmmsg");
	put_thread_counts(o, s.count, 0, THREAD_COUNT_BLOCKS);
	json_put_count(o, "copies", s.copies);
	put_thread_counts(o, s.count, THREAD_COUNT_BLOCKS, _THREAD_COUNT_N);
	return o;
}

static json_t *workers_json(struct app *app)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < dataplane_threads(view_dataplane(app)); i++)
		json_array_append_new(list, worker_json(app, i));
	return list;
}

static json_t *balance_json(struct app *app)
{
	struct balance_sums s;
	struct balance_result r;
	char text[BALANCE_TEXT_LEN];

	dataplane_sums(view_dataplane(app), &s);
	r = balance_check(&view_memory(app)->balance, view_now(app), &s);
	return json_pack("{sb ss sb s{sI sI sI sI sI sI sI} s{sI sI sI sI sI sI}}",
		"ok", (int)r.ok, "text", balance_format(&s, &r, text), "closing",
		(int)s.closing, "frames", "ring_packets", (json_int_t)s.ring_packets,
		"ring_drops", (json_int_t)s.ring_drops, "forwarded",
		(json_int_t)s.forwarded, "dropped", (json_int_t)s.dropped, "abandoned",
		(json_int_t)s.abandoned, "waiting", (json_int_t)r.waiting, "missing",
		(json_int_t)r.frames_missing, "copies", "due", (json_int_t)s.due,
		"fragments", (json_int_t)s.fragments, "sent", (json_int_t)s.sent,
		"refused", (json_int_t)s.refused, "under_way", (json_int_t)r.under_way,
		"missing", (json_int_t)r.copies_missing);
}

/* null if the C library does not tell */
static json_t *heap_json(void)
{
#if HAVE_MALLINFO2
	struct mallinfo2 m = mallinfo2();

	return json_integer((json_int_t)(m.uordblks + m.hblkhd));
#else
	return json_null();
#endif
}

struct stats_answer {
	struct show_answer a;
	struct show_ports ports;
};

static json_t *rest_json(struct app *app, const uint64_t sum[_VERDICT_N])
{
	struct dataplane_stats s;
	const char *why, *transmit = dataplane_transmit(view_dataplane(app), &why);
	const char *why_receive,
		*receive = dataplane_receive(view_dataplane(app), &why_receive);
	json_t *o = json_pack("{so}", "heap_bytes", heap_json()), *rest;

	dataplane_stats(view_dataplane(app), &s);
	put_thread_counts(o, s.count, 0, _THREAD_COUNT_N);
	rest = json_pack("{sI sI sI ss ss ss sb ss si sI so so so so so so}",
		"local_packets", (json_int_t)s.local_packets, "local_errors",
		(json_int_t)s.local_errors, "fib_entries",
		(json_int_t)fib_size(dataplane_fib(view_dataplane(app))), "transmit",
		transmit, "transmit_reason", why, "receive", receive, "receive_offload",
		(int)dataplane_receive_offload(view_dataplane(app)), "receive_reason",
		why_receive, "threads", (int)dataplane_threads(view_dataplane(app)),
		"uptime_ms",
		(json_int_t)mono_ms_since(view_started(app), view_now(app)), "balance",
		balance_json(app), "verdicts", verdicts_json(sum), "joining",
		joining_json(&s), "workers", workers_json(app), "control",
		control_json(app), "rivals", view_rivals(app));
	json_object_update(o, rest);
	json_decref(rest);
	return o;
}

/* The ports come last, but the sums of their counters come before, so the sums are
 * computed first. */
static int show_stats_piece(struct ctl_answer *answer)
{
	struct stats_answer *t = container_of(answer, struct stats_answer, a.answer);
	struct app *app = t->a.app;

	if (show_first(&t->a)) {
		uint64_t sum[_VERDICT_N] = {0};

		proxy_ports_for_each (view_instances(app)->port, pp)
			add_verdicts(app, pp->port, sum);
		show_open(&t->a, rest_json(app, sum));
		show_begin(&t->a, ",\"ports\":[");
	}
	for (int work = SHOW_WORK; work > 0; work -= 8 * SHOW_ROW) {
		const struct proxy_port *pp = show_next_port(app, &t->ports, NULL);

		if (!pp) {
			show_end(&t->a, "]}");
			return 0;
		}
		show_item(&t->a, port_stats_json(app, pp));
	}
	return 1;
}

json_t *show_stats(void *ctx, const char *args, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {show_stats_piece, show_answer_closed};

	(void)show_answer_new(ctx, &ops, sizeof(struct stats_answer), ret);
	return NULL;
}
