/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Summary of the receiver, as text and as JSON. Times are milliseconds. */

#include "tools/gen/gen_receive.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static double ms(int64_t ns)
{
	return (double)ns / 1e6;
}

static uint64_t n_socket_drops(const struct receiver *r)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < r->n_sock; i++)
		n += r->sock[i].n_drops;
	return n;
}

static json_t *json_count(const struct gen_count *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "received",
		(json_int_t)c->n_received, "bytes", (json_int_t)c->n_bytes, "lost",
		(json_int_t)c->n_lost, "duplicate", (json_int_t)c->n_duplicate,
		"reordered", (json_int_t)c->n_reordered, "corrupt",
		(json_int_t)c->n_corrupt, "foreign", (json_int_t)c->n_foreign);
}

static json_t *json_ms(int64_t ns, bool known)
{
	return known ? json_real(ms(ns)) : json_null();
}

static json_t *json_stream(const struct receiver *r, const struct gen_stream *s)
{
	struct gen_count c = gen_stream_count(s);
	char group[ADDR_STRLEN], source[ADDR_STRLEN];
	json_t *j = json_count(&c);

	json_object_set_new(j, "group", json_string(addr_format(&s->key.group, group)));
	json_object_set_new(j, "port", json_integer(s->key.port));
	json_object_set_new(
		j, "source", json_string(addr_format(&s->key.source, source)));
	json_object_set_new(j, "source_port", json_integer(s->key.source_port));
	json_object_set_new(j, "stream", json_integer(s->key.stream));
	json_object_set_new(j, "first_ms", json_real(ms(s->first_ns - r->join_ns)));
	json_object_set_new(j, "last_ms", json_real(ms(s->last_ns - r->join_ns)));
	return j;
}

static void print_json(
	const struct receiver *r, double seconds, struct gen_stream **v, size_t n)
{
	const struct gen_latency *l = &r->track.latency;
	struct gen_count total = gen_track_total(&r->track);
	json_t *j = json_count(&total), *streams = json_array(), *latency = json_null();

	if (l->n)
		latency = json_pack("{s:I, s:f, s:f, s:f, s:f}", "n", (json_int_t)l->n,
			"min", ms(l->min), "p50", ms(gen_latency_percentile(l, 50)),
			"p99", ms(gen_latency_percentile(l, 99)), "max", ms(l->max));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(streams, json_stream(r, v[i]));
	json_object_set_new(j, "role", json_string("receiver"));
	json_object_set_new(j, "seconds", json_real(seconds));
	json_object_set_new(j, "join_ms", json_real(ms(r->joined_ns - r->join_ns)));
	json_object_set_new(
		j, "first_ms", json_ms(r->first_ns - r->join_ns, r->first_ns));
	json_object_set_new(
		j, "socket_drops", json_integer((json_int_t)n_socket_drops(r)));
	json_object_set_new(j, "latency_ms", latency);
	if (r->leave_ns) {
		json_object_set_new(
			j, "after_leave", json_integer((json_int_t)r->n_after));
		json_object_set_new(j, "leave_to_last_ms",
			json_ms(r->last_after_ns - r->leave_ns, r->n_after));
	}
	json_object_set_new(j, "streams", streams);
	json_dumpf(j, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(j);
}

static void print_counts(const struct gen_count *c)
{
	uint64_t sent = c->n_received - c->n_duplicate - c->n_corrupt - c->n_foreign +
		c->n_lost;

	printf("received %llu, lost %llu (%.3f %%), duplicate %llu, reordered %llu, "
	       "corrupt %llu, foreign %llu\n",
		(unsigned long long)c->n_received, (unsigned long long)c->n_lost,
		sent ? 100.0 * (double)c->n_lost / (double)sent : 0.0,
		(unsigned long long)c->n_duplicate, (unsigned long long)c->n_reordered,
		(unsigned long long)c->n_corrupt, (unsigned long long)c->n_foreign);
}

static void print_text(
	const struct receiver *r, double seconds, struct gen_stream **v, size_t n)
{
	const struct gen_latency *l = &r->track.latency;
	struct gen_count total = gen_track_total(&r->track);
	uint64_t drops = n_socket_drops(r);
	char group[ADDR_STRLEN], source[ADDR_STRLEN];

	print_counts(&total);
	if (r->first_ns)
		printf("first datagram %.3f ms after the join, %.3f s in all\n",
			ms(r->first_ns - r->join_ns), seconds);
	else
		printf("no datagram in %.3f s\n", seconds);
	if (l->n)
		printf("latency min %.3f, p50 %.3f, p99 %.3f, max %.3f ms\n",
			ms(l->min), ms(gen_latency_percentile(l, 50)),
			ms(gen_latency_percentile(l, 99)), ms(l->max));
	if (drops)
		printf("this receiver was too slow for %llu datagrams\n",
			(unsigned long long)drops);
	if (r->leave_ns)
		printf("after the leave %llu datagrams, the last one after %.3f ms\n",
			(unsigned long long)r->n_after,
			ms(r->last_after_ns - r->leave_ns));
	for (size_t i = 0; i < n; i++) {
		struct gen_count c = gen_stream_count(v[i]);

		printf("  %s port %u from %s port %u: ",
			addr_format(&v[i]->key.group, group), v[i]->key.port,
			addr_format(&v[i]->key.source, source), v[i]->key.source_port);
		print_counts(&c);
	}
}

void gen_print_receiver(const struct receiver *r, double seconds)
{
	size_t n = 0;
	struct gen_stream **v = gen_track_sorted(&r->track, &n);

	if (r->o->json)
		print_json(r, seconds, v, n);
	else
		print_text(r, seconds, v, n);
	free(v);
}
