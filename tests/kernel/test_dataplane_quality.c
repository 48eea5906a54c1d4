/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The quality of streams, measured by the threads: faults that are put into streams on
 * a real interface are counted exactly, on both families, by one and two threads, in
 * super-frames, and across a pause of the threads. The results are read with the
 * functions that the daemon uses.
 */

#include "dataplane_fixture.h"

#define N_STREAMS 6
#define N_PLAYED  400
#define PIECE	  20
#define TV_LEN	  (7 * 188)

struct stream {
	struct lab_packet packet;
	char group[40];
	unsigned cc;
	uint64_t sent, faults, missing;
};

static struct stream stream[N_STREAMS];

static void join_streams(struct lab *l)
{
	closep(&l->counter);
	l->counter = lab_counter("up0");
	for (unsigned i = 0; i < N_STREAMS; i++) {
		struct stream *s = &stream[i];

		*s = (struct stream){.packet = i % 2 ? packet6 : packet4};
		snprintf(s->group, sizeof(s->group),
			i % 2 ? "ff0e::5:%u" : "239.5.5.%u", i);
		s->packet.group = s->group;
		s->packet.payload = TV_LEN;
		join(l, s->group, DA);
	}
}

/* Seven TS packets of one PID. */
static void make_payload(struct stream *s, uint8_t *p)
{
	for (unsigned i = 0; i < 7; i++, p += 188) {
		memset(p, (int)(s->cc * 7), 188);
		p[0] = 0x47;
		p[1] = 1;
		p[2] = 0;
		p[3] = (uint8_t)(0x10 | (s->cc++ & 15));
	}
	s->sent++;
}

/* `n` datagrams get lost. */
static void lose(struct stream *s, unsigned n)
{
	s->cc += 7 * n;
	s->faults++;
	s->missing += 7 * n % 16;
}

static void play_piece(struct lab *l, unsigned first, unsigned n)
{
	for (unsigned k = first; k < first + n; k++)
		for (unsigned i = 0; i < N_STREAMS; i++) {
			struct stream *s = &stream[i];
			size_t len;

			if (s->sent && (k + i * 7) % 50 == 49)
				lose(s, 1 + (k / 50) % 3);
			len = lab_frame(l->buf, &s->packet, l->mac);
			make_payload(s, l->buf + len - TV_LEN);
			lab_send(l->inject, l->buf, len);
		}
}

struct arrivals {
	int counter;
	uint64_t n, expected;
};

static bool have_arrived(void *arg)
{
	struct arrivals *a = arg;

	a->n += lab_arrived(a->counter);
	return a->n >= a->expected;
}

/* All datagrams arrive, in order, however slow the machine is: they pass the queue of
 * one processor, which is empty again after each piece. */
static void play(struct lab *l, unsigned n)
{
	cpu_set_t before;

	lab_stay(&before);
	for (unsigned k = 0; k < n; k += PIECE) {
		unsigned piece = k + PIECE < n ? PIECE : n - k;
		struct arrivals a = {l->counter, .expected = piece * N_STREAMS};

		lab_arrived(l->counter);
		play_piece(l, k, piece);
		assert_true(lab_wait(have_arrived, &a));
	}
	lab_move(&before);
}

static uint64_t n_sent(void)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < N_STREAMS; i++)
		n += stream[i].sent;
	return n;
}

/* More than the rings can hold at once. */
static void play_slowly(struct lab *l, unsigned n)
{
	for (; n > 0; n -= PIECE) {
		play(l, PIECE);
		wait_verdict(l, UP, VERDICT_FORWARDED, n_sent());
	}
}

/* What the views say about a group. */
struct found {
	unsigned n;
	struct quality_view v;
};

static void find(void *arg, const struct quality_view *v)
{
	struct found *f = arg;

	f->v = *v;
	f->n++;
}

static struct found look(struct lab *l, const char *group)
{
	struct addr g = a(group);
	struct found f = {0};

	dataplane_quality(l->dp, &g, find, &f);
	return f;
}

static bool is_all_seen(void *arg)
{
	struct lab *l = arg;

	dataplane_control_sleep();
	dataplane_control_wake();
	for (unsigned i = 0; i < N_STREAMS; i++)
		if (look(l, stream[i].group).v.count[QUALITY_DATAGRAMS] <
			stream[i].sent)
			return false;
	return true;
}

static void check_counts(struct lab *l)
{
	assert_true(lab_wait(is_all_seen, l));
	for (unsigned i = 0; i < N_STREAMS; i++) {
		const struct stream *s = &stream[i];
		struct found f = look(l, s->group);
		const uint64_t *c = f.v.count;

		assert_int_equal(f.n, 1);
		assert_int_equal(f.v.kind, QUALITY_TS);
		assert_int_equal(f.v.stream.port, UP);
		assert_int_equal(f.v.stream.dport, 5000);
		assert_int_equal(c[QUALITY_DATAGRAMS], s->sent);
		assert_int_equal(c[QUALITY_TS_PACKETS], 7 * s->sent);
		assert_int_equal(c[QUALITY_TS_CONTINUITY], s->faults);
		assert_int_equal(c[QUALITY_TS_MISSING], s->missing);
		assert_int_equal(c[QUALITY_TIME_STEPS], 0);
		assert_int_equal(c[QUALITY_TRUNCATED] + c[QUALITY_MISFITS], 0);
	}
}

static void faults_are_counted(void **state)
{
	for (unsigned threads = 1; threads <= 2; threads++) {
		struct lab *l = *state;

		start(l, threads, RING_SIZE);
		join_streams(l);
		play_slowly(l, N_PLAYED);
		check_counts(l);
		apply(l); /* a new plan with the same ports, as in a reload */
		play_slowly(l, N_PLAYED);
		check_counts(l);
		l->dp = dataplane_free(l->dp);
	}
}

/* The frames that come while no thread runs are read by control, in another ring with
 * TPACKET_V3, and go to the analysers of the threads. */
static void a_pause_is_seen_by_nobody(void **state)
{
	for (unsigned threads = 1; threads <= 2; threads++) {
		struct lab *l = *state;

		start(l, threads, RING_SIZE);
		join_streams(l);
		play(l, 60);
		for (unsigned i = 0; i < 3; i++) {
			play(l, 60);
			dataplane_pause(l->dp);
			play(l, 60);
			assert_int_equal(dataplane_resume(l->dp), 0);
			play(l, 60);
		}
		check_counts(l);
		l->dp = dataplane_free(l->dp);
	}
}

static void a_paused_plane_has_published_all(void **state)
{
	struct lab *l = *state;
	uint64_t forwarded, seen = 0;

	start(l, 2, RING_SIZE);
	join_streams(l);
	play(l, 100);
	dataplane_pause(l->dp);
	forwarded = verdict_of(l, UP, VERDICT_FORWARDED);
	for (unsigned i = 0; i < N_STREAMS; i++)
		seen += look(l, stream[i].group).v.count[QUALITY_DATAGRAMS];
	assert_int_equal(seen, forwarded);
	assert_int_equal(dataplane_resume(l->dp), 0);
}

static void super_frames_are_counted_by_datagram(void **state)
{
	struct lab *l = *state;
	struct stream *s = &stream[0];
	uint8_t payload[20 * TV_LEN];
	int fd;

	lab_ip("addr add 192.0.2.7/24 dev up1");
	start(l, 1, RING_SIZE);
	if (!dataplane_receive_offload(l->dp))
		skip();
	join_streams(l);
	fd = lab_udp_sender("up1", "192.0.2.7");
	for (unsigned k = 0; k < 10; k++) {
		if (k)
			lose(s, 1);
		for (unsigned n = 0; n < 20; n++)
			make_payload(s, payload + n * TV_LEN);
		if (!lab_udp_send(fd, s->group, payload, sizeof(payload), TV_LEN))
			skip();
	}
	close(fd);
	assert_true(lab_wait(is_all_seen, l));
	assert_int_equal(look(l, s->group).v.count[QUALITY_DATAGRAMS], 200);
	assert_int_equal(look(l, s->group).v.count[QUALITY_BYTES], 200 * TV_LEN);
	assert_int_equal(look(l, s->group).v.count[QUALITY_TS_CONTINUITY], 9);
}

static bool is_marked(void *arg)
{
	struct lab *l = arg;

	return look(l, stream[0].group).v.mark == 7;
}

static void a_mark_and_a_restart(void **state)
{
	struct lab *l = *state;
	struct addr g;
	struct found f;

	start(l, 2, RING_SIZE);
	join_streams(l);
	play(l, 50);
	check_counts(l);
	g = a(stream[0].group);
	f = look(l, stream[0].group);
	assert_int_equal(f.v.mark, 0);
	dataplane_quality_mark(l->dp, &g, 7);
	dataplane_quality_restart(l->dp, &g);
	/* lost while nobody wanted it; the other streams have lost it */
	for (unsigned i = 0; i < N_STREAMS; i++) {
		lose(&stream[i], 2);
		if (i == 0) {
			stream[i].faults--;
			stream[i].missing -= 14;
		}
	}
	play(l, 40);
	assert_true(lab_wait(is_marked, l));
	check_counts(l);
	f = look(l, stream[0].group);
	assert_true(mono_is_set(f.v.mark_first));
	assert_true(f.v.mark_first.ns <= f.v.last.ns);
	assert_int_equal(look(l, stream[1].group).v.mark, 0);
}

struct sums {
	uint64_t n;
};

static void add(void *arg, const struct quality_view *v)
{
	((struct sums *)arg)->n++;
}

static void off_means_off(void **state)
{
	struct lab *l = *state;
	struct quality_watch_stats st;
	struct sums sums = {0};
	struct addr g = a(packet4.group);

	quality = QUALITY_MODE_OFF;
	start(l, 2, RING_SIZE);
	quality = 0;
	inject(l, &packet4);
	expect(l, DA, &packet4);
	dataplane_quality_mark(l->dp, &g, 1);
	dataplane_quality_restart(l->dp, &g);
	dataplane_pause(l->dp);
	inject(l, &packet4);
	assert_int_equal(dataplane_resume(l->dp), 0);
	expect(l, DA, &packet4);
	dataplane_quality(l->dp, NULL, add, &sums);
	dataplane_quality_stats(l->dp, &st);
	assert_int_equal(sums.n, 0);
	assert_int_equal(st.max, 0);
}

static bool is_silent(void *arg)
{
	struct lab *l = arg;

	return look(l, packet4.group).v.count[QUALITY_OUTAGES] == 1;
}

/* A sleeping thread wakes up to say so, and then sleeps on. */
static void silence_is_an_outage(void **state)
{
	struct lab *l = *state;
	struct dataplane_stats before, after;

	start(l, 1, RING_SIZE);
	inject(l, &packet4);
	inject(l, &packet4);
	assert_true(lab_wait(is_silent, l));
	assert_int_equal(look(l, packet4.group).v.count[QUALITY_DATAGRAMS], 2);
	dataplane_stats(l->dp, &before);
	while (lab_receive(l->sink[DA], l->buf, sizeof(l->buf), QUIET) > 0)
		;
	dataplane_stats(l->dp, &after);
	assert_int_equal(
		after.count[THREAD_COUNT_WAKEUPS], before.count[THREAD_COUNT_WAKEUPS]);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(faults_are_counted),
		CASE(a_pause_is_seen_by_nobody),
		CASE(a_paused_plane_has_published_all),
		CASE(super_frames_are_counted_by_datagram),
		CASE(a_mark_and_a_restart),
		CASE(off_means_off),
		CASE(silence_is_an_outage),
	};

	return run_in_each_way(cases, array_len(cases));
}
