/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which frames of a burst the analysers of streams see, and which bytes of these
 * frames. */

#include "dataplane/forward/observe.h"

#include "forward_fixture.h"

static struct quality_watch *w;
static struct quality_view seen[16];
static unsigned n_seen;

static int setup_watch(void **state)
{
	return setup(state) < 0 ? -1 : quality_watch_new(QUALITY_MODE_ON, 32, 1000, &w);
}

static int teardown_watch(void **state)
{
	w = quality_watch_free(w);
	return teardown(state);
}

static void see(void *arg, const struct quality_view *v)
{
	assert_in_range(n_seen, 0, array_len(seen) - 1);
	seen[n_seen++] = *v;
}

static void observe(void)
{
	struct quality_moment now = {{9 * NS_PER_SEC}, {9 * NS_PER_SEC}, NS_PER_SEC};
	struct replicate_job job;

	forward_burst(fw, &burst, plan, fib, &tx, &job);
	replicate_serve_all(fw->replicator, &job, &tx);
	quality_watch_begin(w, &now);
	observe_burst(&job, w);
	quality_watch_end(w);
	quality_watch_flush(w);
	burst_clear(&burst);
	n_pool = 0;
	n_seen = 0;
	quality_watch_views(w, NULL, see, NULL);
}

static const struct quality_view *of(const char *group, uint16_t dport)
{
	struct addr g = a(group);

	for (unsigned i = 0; i < n_seen; i++)
		if (addr_eq(&seen[i].stream.group, &g) && seen[i].stream.dport == dport)
			return &seen[i];
	return NULL;
}

static void only_what_is_forwarded(void **state)
{
	members(NULL, GRP, "12");
	members(NULL, "239.9.9.9", "");
	members(NULL, "ff0e::9", "3");
	udp(0, STREAM, GRP, 100);
	udp(0, STREAM, GRP, 100);
	udp_ttl(0, STREAM, GRP, 1); /* it has arrived */
	udp(0, STREAM, "239.9.9.9", 100);
	udp(0, STREAM, "239.9.9.10", 100);
	udp(0, "2001:db8::9", "ff0e::9", 100);
	udp(1, "192.168.1.9", "239.7.7.7", 100);
	observe();
	assert_int_equal(n_seen, 2);
	assert_int_equal(of(GRP, 5000)->count[QUALITY_DATAGRAMS], 3);
	assert_int_equal(of(GRP, 5000)->count[QUALITY_BYTES], 250);
	assert_int_equal(of("ff0e::9", 5000)->count[QUALITY_DATAGRAMS], 1);
	assert_int_equal(of("ff0e::9", 5000)->stream.port, 0);
}

static void super_frames_are_cut(void **state)
{
	struct packet *p = next_packet();
	struct frame f;

	members(NULL, GRP, "12");
	packet_v4(p, STREAM, GRP, 3 * 1316 + 188);
	f = packet_frame(p);
	f.gso_size = 1316;
	f.csum_not_ready = true;
	memset(p->b + 28, 0, 3 * 1316 + 188);
	for (unsigned i = 0; i < 22; i++)
		p->b[28 + i * 188] = 0x47;
	burst_add(&burst, 0, &f);
	observe();
	assert_int_equal(n_seen, 1);
	assert_int_equal(seen[0].kind, QUALITY_TS);
	assert_int_equal(seen[0].count[QUALITY_DATAGRAMS], 4);
	assert_int_equal(seen[0].count[QUALITY_BYTES], 3 * 1316 + 188);
	assert_int_equal(seen[0].count[QUALITY_TS_PACKETS], 22);
}

/* A datagram that is shorter than its packet, one whose length field is too large, one
 * without payload, and packets that are not UDP. */
static void lengths(void **state)
{
	static const struct {
		unsigned udp_len, bytes;
	} t[] = {{108, 100}, {58, 50}, {9, 1}, {8, 0}, {7, 100}, {2000, 100}, {0, 100}};
	unsigned bytes = 0;
	struct packet *p;

	members(NULL, GRP, "1");
	for (unsigned i = 0; i < array_len(t); i++) {
		p = next_packet();
		packet_v4(p, STREAM, GRP, 100);
		packet_put16(p, 24, t[i].udp_len);
		arrives(0, p);
		bytes += t[i].bytes;
	}
	p = next_packet();
	packet_v4(p, STREAM, GRP, 100);
	p->b[9] = 47;
	packet_seal(p);
	arrives(0, p);
	p = next_packet();
	packet_v4(p, STREAM, GRP, 0);
	packet_put16(p, 2, 24); /* half of a UDP header */
	p->len = 24;
	packet_seal(p);
	arrives(0, p);
	observe();
	assert_int_equal(n_seen, 1);
	assert_int_equal(seen[0].count[QUALITY_DATAGRAMS], array_len(t));
	assert_int_equal(seen[0].count[QUALITY_BYTES], bytes);
}

static void fragments_are_not_judged(void **state)
{
	members(NULL, GRP, "1");
	for (unsigned i = 0; i < 3; i++) {
		struct packet *p = next_packet();

		packet_v4(p, STREAM, GRP, 96);
		packet_put16(p, 6, i == 2 ? 26 : 0x2000 | i * 13);
		packet_seal(p);
		arrives(0, p);
	}
	observe();
	assert_int_equal(n_seen, 1);
	assert_int_equal(seen[0].stream.dport, 5000);
	assert_int_equal(seen[0].fragments, 3);
	assert_int_equal(seen[0].count[QUALITY_DATAGRAMS], 0);
}

static void many_flows(void **state)
{
	char group[32];

	for (unsigned i = 0; i < 12; i++) {
		snprintf(group, sizeof(group), "239.1.1.%u", i);
		members(NULL, group, i % 4 ? "12" : "");
		for (unsigned n = 0; n <= i; n++)
			udp(0, STREAM, group, 10);
	}
	observe();
	assert_int_equal(n_seen, 9);
	assert_int_equal(of("239.1.1.11", 5000)->count[QUALITY_DATAGRAMS], 12);
	assert_int_equal(of("239.1.1.1", 5000)->count[QUALITY_DATAGRAMS], 2);
}

#define WATCHED(fn) cmocka_unit_test_setup_teardown(fn, setup_watch, teardown_watch)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCHED(only_what_is_forwarded),
		WATCHED(super_frames_are_cut),
		WATCHED(lengths),
		WATCHED(fragments_are_not_judged),
		WATCHED(many_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
