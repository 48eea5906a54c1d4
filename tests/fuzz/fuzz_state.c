/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The state for the next process (live upgrade), with faults: a history of reports,
 * then edits of the bytes of the state. The checksum is corrected, so that the edits
 * reach the code that reads them. Whether the state is accepted or refused, the proxy
 * must then be consistent, accept a report, and have no timer that stays due. Without
 * an edit the state must be accepted. After a long silence no state is left.
 */

#include "home.h"

#include "fuzz.h"

#include <errno.h>

#define N_LANS	   2
#define N_REPORTS  12
#define N_EDITS	   16
#define STATE_HEAD 40 /* bytes of the header, see base/state.c */
#define SILENCE_MS 5200000

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return setenv("CMOCKA_TEST_ABORT", "1", 1);
}

static void report(struct home *h, struct rd *in)
{
	unsigned what = rd_u8(in), who = rd_u8(in), lan = 1 + who / 8 % N_LANS;
	struct addr src[3] = {sim_source(h->sim, 1), sim_source(h->sim, 2 + who % 3)};
	struct gm_record rec = {
		.type = (enum gm_record_type)(GM_IS_IN + what % 6),
		.group = what & 64 ? sim_ssm(h->sim, 1)
				   : sim_group(h->sim, what / 8 % 4),
		.src = src,
		.n_src = who / 32 % 3,
	};
	struct gm_msg msg = {
		.kind = GM_REPORT,
		.family = h->sim->family,
		.version = what & 128 ? GM_V2 : GM_V3,
		.from = sim_station(h->sim, h->lan[lan - 1], 10 + who % 4),
		.rec = &rec,
		.n_rec = 1,
	};

	if (msg.version == GM_V2) {
		rec.n_src = 0;
		rec.type = what & 1 ? GM_TO_IN : GM_IS_EX;
	}
	sim_proxy_input(h->proxy, lan == 1 ? "lan1" : "lan2", &msg);
}

/* Makes one change after the header. Returns false if it made none. */
static bool edit(struct state_out *s, struct rd *in)
{
	unsigned how = rd_u8(in);
	size_t n = s->n - STATE_HEAD, at, len;

	if (n == 0)
		return false;
	at = STATE_HEAD + rd_u16be(in) % n;
	len = 1 + how / 8 % 32;
	if (len > s->n - at)
		len = s->n - at;
	switch (how % 8) {
	case 0: /* cut off */
		s->n = at;
		return true;
	case 1: /* left out */
		memmove(s->buf + at, s->buf + at + len, s->n - at - len);
		s->n -= len;
		return true;
	case 2: /* duplicated */
		for (size_t i = 0; i < len; i++)
			state_put_u8(s, 0);
		memmove(s->buf + at + len, s->buf + at, s->n - at - len);
		return true;
	case 3:
		memset(s->buf + at, rd_u8(in), len);
		return true;
	case 4:
		s->buf[at] = (uint8_t)(s->buf[at] + 1);
		return true;
	default:
		s->buf[at] ^= (uint8_t)(1u << how / 8 % 8);
		return true;
	}
}

static void go_on(struct home *h, struct rd *in, bool changed)
{
	sim_proxy_check(h->proxy);
	report(h, in);
	sim_proxy_check(h->proxy);
	sim_run(h->sim, rd_u8(in) * 100);
	sim_proxy_check(h->proxy);
	sim_run(h->sim, SILENCE_MS);
	sim_proxy_check(h->proxy);
	fuzz_assert(changed || sim_proxy_empty(h->proxy));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	unsigned what = rd_u8(&in);
	struct home h = home_new(what & 1 ? FAMILY_IPV6 : FAMILY_IPV4,
		&(struct home_params){
			.n_lans = N_LANS, .no_querier = true, .seed = what + 1u});
	struct state_out state;
	bool changed = false;
	int r;

	for (unsigned i = 0; i < 1 + what / 4 % N_REPORTS; i++)
		report(&h, &in);
	if (what & 2)
		sim_run(h.sim, rd_u8(&in) * 50);
	sim_proxy_export(h.proxy, &state);
	for (unsigned i = 0; i < N_EDITS && fuzz_more(&in); i++)
		changed |= edit(&state, &in);
	fuzz_assert(state_out_seal(&state) == 0);
	r = sim_proxy_take_over(h.proxy, state.buf, state.n);
	fuzz_assert(r == 0 || (r == -EINVAL && changed));
	state_out_deinit(&state);
	go_on(&h, &in, changed);
	home_free(&h);
	return 0;
}
