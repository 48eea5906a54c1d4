/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A watch (quality_watch.h), the clock of its thread, and datagrams for it. */

#include "dataplane/quality/quality_watch.h"
#include "test.h"

#define MS	  (1000 * 1000)
#define REAL_NS	  (INT64_C(1700000000) * NS_PER_SEC) /* at monotonic 0 */
#define BUDGET	  1000
#define N_STREAMS 64
#define TV_LEN	  (7 * 188)

static struct quality_watch *w;
static int64_t at_ns;	  /* monotonic */
static int64_t clock_set; /* by how much, later */
static const struct addr source = ADDR_V4(10, 0, 0, 1);

static inline int begin_as(enum quality_mode mode)
{
	at_ns = 100 * NS_PER_SEC;
	clock_set = 0;
	return quality_watch_new(mode, N_STREAMS, BUDGET, &w);
}

static inline int begin(void **state)
{
	return begin_as(QUALITY_MODE_AUTO);
}

static inline int end(void **state)
{
	w = quality_watch_free(w);
	return 0;
}

static inline struct addr group_of(unsigned g)
{
	return ADDR_V4(239, 1, (uint8_t)(g >> 8), (uint8_t)g);
}

static inline void burst_begins(void)
{
	quality_watch_begin(w,
		&(struct quality_moment){
			{at_ns - 100}, {at_ns + 100}, REAL_NS + at_ns + clock_set});
}

static inline int64_t real(int64_t ns)
{
	return REAL_NS + ns + clock_set;
}

/* Seven packets of a PID, or six after one with a PAT. */
static inline const uint8_t *television(unsigned *cc, bool pat, bool random)
{
	static const uint8_t section[] = {0x47, 0x40, 0, 0x10, 0, 0x00, 0xb0, 0x0d,
		0x00, 0x01, 0xc1, 0x00, 0x00, 0x00, 0x01, 0xf0, 0x00, 0x2a, 0xb1, 0x04,
		0xb2};
	static uint8_t buf[TV_LEN];
	static unsigned serial, n_pat;

	memset(buf, 0xff, sizeof(buf));
	for (unsigned i = 0; i < 7; i++) {
		uint8_t *p = buf + i * 188ul;
		uint8_t head[] = {0x47, 1, 0, (uint8_t)(0x10 | (*cc & 15))};

		serial++;
		memcpy(p, head, sizeof(head));
		memcpy(p + 12, &serial, sizeof(serial));
		if (i == 0 && pat) {
			memcpy(p, section, sizeof(section));
			p[3] |= n_pat++ & 15;
			continue;
		}
		if (i == 1 && random) {
			p[3] |= 0x20;
			p[4] = 1;
			p[5] = 0x40;
		}
		(*cc)++;
	}
	return buf;
}

/* A datagram of a group, in a burst of its own. */
static inline void tv(unsigned g, unsigned *cc)
{
	struct addr group = group_of(g);

	burst_begins();
	quality_watch_flow(w, 3, &source, &group);
	quality_watch_datagram(
		w, 5000, television(cc, false, false), TV_LEN, real(at_ns));
	quality_watch_end(w);
}

static inline void pass(int64_t ms)
{
	at_ns += ms * MS;
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
