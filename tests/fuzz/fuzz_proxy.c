/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The whole control core under virtual time. The input chooses reports, queries, links
 * that go and come, other addresses and configurations, live upgrades, cleared groups,
 * streams and copies of other forwarders, and passing time. The network is that of the
 * simulations: a provider's router that receives every report, and LANs. After each
 * step the forwarding table, the merged database and the upstream records must follow
 * from the states of the LANs, no timer may stay due, and repeating a report or an
 * upgrade at once changes nothing. After a long silence no state is left.
 */

#include "home.h"
#include "snapshot.h"

#include "fuzz.h"

#define N_LANS	  3
#define N_GROUPS  6 /* the last two are source-specific */
#define N_SOURCES 8
#define N_STEPS	  120
/* longer than any membership interval that the queries below can cause */
#define SILENCE_MS 5200000

static const char *const configs[] = {"", "fast-leave", "max-sources 3\nmax-groups 4",
	"timers rfc3376\nrobustness 3", "quickleave\nmax-sources 4",
	"refresh-interval 60\nlast-member-query-count 1",
	"blacklist 239.1.0.2/32\nblacklist ff0e::2/128",
	"always-querier\nquery-interval 20\nquery-response-interval 1"};

struct run {
	struct home h;
	struct rd in;
	unsigned n_lans; /* in the configuration in force */
	unsigned config;
	bool up[N_LANS + 1];
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return setenv("CMOCKA_TEST_ABORT", "1", 1);
}

static const char *lan_name(unsigned lan)
{
	static const char *const names[] = {"wan", "lan1", "lan2", "lan3"};

	return names[lan];
}

static struct addr group_of(struct run *r, unsigned n)
{
	return n >= N_GROUPS - 2 ? sim_ssm(r->h.sim, n) : sim_group(r->h.sim, n);
}

static size_t read_sources(struct run *r, struct addr v[N_SOURCES])
{
	unsigned bits = rd_u8(&r->in);
	size_t n = 0;

	for (unsigned i = 0; i < N_SOURCES; i++)
		if (bits & 1u << i)
			v[n++] = sim_source(r->h.sim, i + 1);
	return n;
}

static struct addr sender_of(struct run *r, unsigned lan, unsigned n)
{
	struct sim_link *link = lan ? r->h.lan[lan - 1] : r->h.wan;

	return sim_station(r->h.sim, link, n);
}

static enum gm_version version_of(struct run *r, unsigned n)
{
	if (n % 8 >= 2)
		return GM_V3;
	return r->h.sim->family == FAMILY_IPV4 ? (enum gm_version)(GM_V1 + n % 8)
					       : GM_V2;
}

/* ---- one step each ---- */

/* Equal messages at the same instant: the second one changes nothing, unless with a
 * limit the first one has made room for it. */
static void say_again(struct run *r, unsigned lan, const struct gm_msg *msg)
{
	uint64_t changes = r->h.proxy->n_fib_changes;
	_cleanup_(freep) char *before = snapshot(r->h.proxy, false), *after = NULL;
	size_t said = r->h.wan->n_seen;

	sim_proxy_input(r->h.proxy, lan_name(lan), msg);
	after = snapshot(r->h.proxy, false);
	fuzz_assert(strcmp(before, after) == 0);
	fuzz_assert(r->h.proxy->n_fib_changes == changes);
	fuzz_assert(r->h.wan->n_seen == said);
}

static void step_report(struct run *r, unsigned op)
{
	unsigned what = rd_u8(&r->in), who = rd_u8(&r->in), lan = 1 + op % N_LANS;
	struct addr src[3][N_SOURCES];
	struct gm_record rec[3];
	struct gm_msg msg = {
		.kind = GM_REPORT,
		.family = r->h.sim->family,
		.version = version_of(r, who >> 5),
		.from = sender_of(r, lan, 10 + who % 6),
		.rec = rec,
		.n_rec = 1,
	};

	if (msg.version == GM_V3 && what >= 250)
		msg.n_rec = 3;
	for (size_t i = 0; i < msg.n_rec; i++) {
		rec[i] = (struct gm_record){
			.type = (enum gm_record_type)(GM_IS_IN + what / 8 % 6),
			.group = group_of(r, (what + i) % N_GROUPS),
			.src = src[i],
		};
		if (msg.version < GM_V3)
			rec[i].type = msg.version == GM_V2 && (what & 8) ? GM_TO_IN
									 : GM_IS_EX;
		else
			rec[i].n_src = read_sources(r, src[i]);
	}
	sim_proxy_input(r->h.proxy, lan_name(lan), &msg);
	if (msg.n_rec == 1 && r->config < 2 && (who & 8))
		say_again(r, lan, &msg);
}

static void step_query(struct run *r, unsigned lan)
{
	static const uint32_t intervals[] = {0, 1000, 125000, 600000};
	static const uint8_t robustness[] = {0, 1, 2, 7};
	unsigned what = rd_u8(&r->in), who = rd_u8(&r->in);
	struct addr src[N_SOURCES];
	struct gm_msg msg = {
		.kind = GM_QUERY,
		.family = r->h.sim->family,
		.version = version_of(r, who >> 5),
		.from = sender_of(r, lan, who & 8 ? 200 : 1 + who % 4),
		.notes = who & 16 ? GM_NOTE_UNICAST : 0,
		.query = {.group = addr_any(r->h.sim->family),
			.max_resp_ms = what & 64 ? 1000 : 10000,
			.src = src},
	};

	if (msg.version == GM_V3) {
		msg.query.qrv = robustness[what % 4];
		msg.query.qqi_ms = intervals[what / 4 % 4];
		msg.query.suppress = what & 16;
	}
	if (what & 32 && msg.version != GM_V1) {
		msg.query.group = group_of(r, fuzz_below(&r->in, N_GROUPS));
		if (msg.version == GM_V3)
			msg.query.n_src = read_sources(r, src);
	}
	sim_proxy_input(r->h.proxy, lan_name(lan), &msg);
}

static void step_link(struct run *r, unsigned op)
{
	unsigned lan = op % (N_LANS + 1);

	r->up[lan] = !r->up[lan];
	sim_proxy_link(r->h.proxy, lan_name(lan), r->up[lan]);
}

static void step_config(struct run *r, unsigned op)
{
	r->config = fuzz_below(&r->in, array_len(configs));
	r->n_lans = op % 4 ? N_LANS : 1;
	sim_proxy_reload(r->h.proxy, sim_config(configs[r->config], r->n_lans));
}

/* While the wan is down, only a reload checks the spoken version, and this counts as a
 * reload. */
static void step_upgrade(struct run *r)
{
	_cleanup_(freep) char *before = NULL, *after = NULL;

	if (!r->up[0])
		return;
	before = snapshot(r->h.proxy, true);
	sim_proxy_upgrade(r->h.proxy);
	after = snapshot(r->h.proxy, true);
	fuzz_assert(strcmp(before, after) == 0);
}

/* Packets of the provider, followed by copies that others send on a LAN, once a
 * second. */
static void step_data(struct run *r)
{
	unsigned what = rd_u8(&r->in), lan = 1 + what % N_LANS;
	unsigned n = 1 + what / 64 * 3;
	struct sim_proxy *x = r->h.proxy;
	struct sim_data d = {
		.group = group_of(r, what / 4 % 4 + (what & 128 ? 2 : 0)),
		.src = sim_source(r->h.sim, 1 + what / 16 % 3),
	};

	while (n-- > 0) {
		d.from = (struct gm_mac){{2, 0xff}};
		x->node.ops->data(&x->node, 0, &d);
		d.from = (struct gm_mac){{2, (uint8_t)lan, [5] = 1 + what % 8}};
		x->node.ops->data(&x->node, lan, &d);
		sim_proxy_check(x);
		sim_run(r->h.sim, 1000);
	}
}

static void step_clear(struct run *r)
{
	unsigned what = rd_u8(&r->in);
	struct addr group = group_of(r, what % N_GROUPS);

	sim_proxy_doubt(r->h.proxy, lan_name(what / 8 % (N_LANS + 1)), &group);
}

static void step_wait(struct run *r, unsigned op)
{
	static const uint16_t units[] = {1, 10, 100, 1000};

	sim_run(r->h.sim, (int64_t)rd_u8(&r->in) * units[op % array_len(units)]);
}

static void step(struct run *r)
{
	unsigned op = rd_u8(&r->in), arg = op / 16;

	switch (op % 16) {
	default:
		step_report(r, arg);
		break;
	case 8:
	case 9:
		step_query(r, 1 + arg % N_LANS);
		break;
	case 10:
		step_query(r, 0);
		break;
	case 11:
	case 12:
	case 13:
		step_wait(r, arg);
		break;
	case 14:
		step_link(r, arg);
		break;
	case 15:
		if (arg < 8)
			step_config(r, arg);
		else if (arg < 11)
			step_data(r);
		else if (arg < 13)
			step_upgrade(r);
		else if (arg == 15)
			step_clear(r);
		else
			sim_proxy_readdress(r->h.proxy, lan_name(1 + arg % N_LANS),
				5 + rd_u8(&r->in) % 3);
		break;
	}
}

static void end_in_silence(struct run *r)
{
	for (unsigned i = 0; i <= N_LANS; i++)
		if (!r->up[i])
			sim_proxy_link(r->h.proxy, lan_name(i), true);
	sim_run(r->h.sim, SILENCE_MS);
	fuzz_assert(sim_proxy_empty(r->h.proxy));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = {.in = rd_init(data, size), .n_lans = N_LANS};
	unsigned what = rd_u8(&r.in);

	r.config = what / 4 % array_len(configs);
	r.h = home_new(what & 1 ? FAMILY_IPV6 : FAMILY_IPV4,
		&(struct home_params){.n_lans = N_LANS,
			.no_querier = true,
			.config = configs[r.config],
			.seed = what + 1u});
	for (unsigned i = 0; i <= N_LANS; i++)
		r.up[i] = true;
	for (unsigned i = 0; i < N_STEPS && fuzz_more(&r.in); i++) {
		step(&r);
		sim_proxy_check(r.h.proxy);
	}
	if (what & 2)
		end_in_silence(&r);
	home_free(&r.h);
	return 0;
}
