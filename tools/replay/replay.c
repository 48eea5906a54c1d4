/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * ringcast-replay feeds captured membership messages to the protocol core under virtual
 * time and prints what it would do. It serves for debugging and for bug reports: no
 * privileges, no sockets, the same output every time. Time is that of the capture;
 * timers that fall between two packets run between them. A jump of the clock, backwards
 * or by more than a day, is reported and skipped.
 */

#include "base/cleanup.h"
#include "build_config.h"
#include "control/proto/igmp.h"
#include "control/proto/mld.h"
#include "control/proto/reassemble.h"
#include "control/proxy/instances.h"
#include "tools/replay/capture_file.h"
#include "tools/replay/quality_report.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_INPUTS 16
/* If the clock was set while the capture ran, the replay would take years of
 * queries. */
#define MAX_GAP_NS (24 * 3600 * NS_PER_SEC)
/* times near 0 mean that a timer does not run */
#define START_MS 1000000

static const char default_config[] =
	"phyint wan upstream\n"
	"phyint lan downstream altnet 0.0.0.0/0 altnet ::/0\n";

struct replay {
	struct instances *instances;
	struct config *cfg;
	struct iface_table ifaces;
	struct effects fx;
	struct gm_scratch *scratch;
	struct capture *input[MAX_INPUTS];
	char input_name[MAX_INPUTS][IFNAMSIZ];
	struct reassemble pieces[MAX_INPUTS][_FAMILY_N];
	unsigned n_inputs;
	mono_t now;
	mono_t stamp; /* of the last packet */
	unsigned n_packets, n_accepted;
	bool quiet; /* no line for refused packets */
};

static void usage(FILE *f)
{
	fputs("Usage: ringcast-replay [-c CONFIG] [-a IF=ADDR/LEN]... [-t SECONDS] [-s SEED]\n"
	      "                       [-q] {FILE | IF=FILE...}\n"
	      "       ringcast-replay --quality [--json] FILE...\n"
	      "Feed captured IGMP and MLD messages to the protocol core and print what it does;\n"
	      "or measure the quality of the captured streams.\n"
	      "\n"
	      "  IF=FILE         packets of FILE (pcap, pcapng) arrive on interface IF;\n"
	      "                  a FILE alone is read on the interface \"lan\"; write\n"
	      "                  ./IF=FILE when that is the name of a file\n"
	      "  -c CONFIG       configuration; default: upstream \"wan\", downstream \"lan\"\n"
	      "                  that accepts every sender\n"
	      "  -a IF=ADDR/LEN  address of an interface, IPv4 or IPv6 (default for a family that\n"
	      "                  is not named: upstream 198.51.100.2/24 and fe80::2/64, others\n"
	      "                  192.0.2.254/24 and fe80::fe/64)\n"
	      "  -t SECONDS      continue for this long after the last packet (default 300)\n"
	      "  -s SEED         seed of the random delays (default 1)\n"
	      "  -q              do not report packets that are not membership messages\n"
	      "  --quality       streams of FILE: loss, continuity, gaps; see ringcast-replay(1)\n"
	      "  --json          the same with every counter, for programs\n"
	      "  -V, -h          version, this text\n",
		f);
}

static double seconds(const struct replay *r, mono_t t)
{
	return (double)(t.ns - mono_from_ms(START_MS).ns) / 1e9;
}

static void print_effects(struct replay *r, mono_t now)
{
	effects_for_each (&r->fx, e) {
		char line[4096];

		effect_format(e, line, sizeof(line));
		printf("%12.6f   %s\n", seconds(r, now), line);
	}
	effects_clear(&r->fx);
}

static void run_until(struct replay *r, mono_t t)
{
	for (;;) {
		mono_t at = instances_deadline(r->instances);

		if (!mono_due(at, t))
			return;
		instances_tick(r->instances, at, &r->fx);
		print_effects(r, at);
	}
}

/* Advances the time to the next packet by the difference of the time stamps. */
static void pass_time(struct replay *r, mono_t stamp)
{
	int64_t gap = stamp.ns - r->stamp.ns;

	r->stamp = stamp;
	if (gap < 0 || gap > MAX_GAP_NS)
		printf("%12.6f the clock of the capture jumps by %.0f s\n",
			seconds(r, r->now), (double)gap / 1e9);
	if (gap > MAX_GAP_NS)
		gap = MAX_GAP_NS;
	if (gap > 0)
		r->now = mono_add_ns(r->now, gap);
	run_until(r, r->now);
}

static void print_message(const struct gm_msg *msg)
{
	unsigned version = gm_version_number(msg->family, msg->version);
	const char *mld = msg->family == FAMILY_IPV4 ? "" : "mld";
	char buf[ADDR_STRLEN];

	if (msg->kind == GM_QUERY) {
		printf("query %sv%u %s", mld, version,
			addr_is_any(&msg->query.group)
				? "general"
				: addr_format(&msg->query.group, buf));
		if (msg->query.n_src)
			printf(" with %zu sources", msg->query.n_src);
	} else {
		static const char *const type[] = {
			"", "is_in", "is_ex", "to_in", "to_ex", "allow", "block"};

		printf("report %sv%u", mld, version);
		for (size_t i = 0; i < msg->n_rec; i++) {
			const struct gm_record *rec = &msg->rec[i];

			printf(" %s %s {", type[rec->type],
				addr_format(&rec->group, buf));
			for (size_t s = 0; s < rec->n_src; s++)
				printf("%s%s", s ? "," : "",
					addr_format(&rec->src[s], buf));
			printf("}");
		}
	}
	printf(" from %s", addr_format(&msg->from, buf));
}

static enum gm_bad decode(const struct proxy_port *pp, const struct capture_packet *p,
	struct gm_scratch *scratch, struct gm_msg *ret)
{
	bool v4 = p->family == FAMILY_IPV4;
	bool strict = v4 ? pp && pp->cfg->require_router_alert
			 : !pp || pp->cfg->mld_router_alert == CONFIG_ALERT_REQUIRE;
	struct gm_rules rules = {strict, strict, 0};

	return (v4 ? igmp_decode : mld_decode)(p->ip, p->len, &rules, scratch, ret);
}

static void message(struct replay *r, const char *name, const struct capture_packet *p)
{
	const struct iface *i = iface_by_name(&r->ifaces, name);
	struct proxy_port *pp =
		i ? instances_port_by_index(r->instances, i->ifindex) : NULL;
	struct gm_msg msg;
	enum gm_bad bad = GM_BAD_SHORT;

	if (p->ip)
		bad = decode(pp, p, r->scratch, &msg);
	if (bad != GM_OK) {
		if (pp)
			proxy_input_bad(pp->proxy, pp->port, bad);
		if (!r->quiet)
			printf("%12.6f %s < refused: %s\n", seconds(r, r->now), name,
				p->ip ? gm_bad_name(bad) : "no IP packet");
		return;
	}
	msg.mac = p->from;
	printf("%12.6f %s < ", seconds(r, r->now), name);
	print_message(&msg);
	bad = pp ? proxy_input(pp->proxy, r->now, pp->port, &msg, &r->fx) : GM_BAD_ROLE;
	printf(bad == GM_OK ? "\n" : ": refused: %s\n", gm_bad_name(bad));
	r->n_accepted += bad == GM_OK;
	print_effects(r, r->now);
	run_until(r, r->now);
}

static void packet(struct replay *r, unsigned input, const struct capture_packet *p)
{
	static const struct gm_mac none;
	const char *name = r->input_name[input];
	_cleanup_(freep) uint8_t *whole = NULL;
	struct capture_packet mended = *p;
	enum reassemble_result result;
	struct reassemble_piece piece;

	pass_time(r, p->at);
	r->n_packets++;
	if (!p->ip || !reassemble_parse(p->family, p->ip, p->len, &piece)) {
		message(r, name, p);
		return;
	}
	piece.host.mac = p->from;
	piece.host.has_mac = !gm_mac_eq(&p->from, &none);
	result = reassemble_add(
		&r->pieces[input][p->family], r->now, &piece, &whole, &mended.len);
	printf("%12.6f %s < fragment: %s\n", seconds(r, r->now), name,
		reassemble_name(result));
	mended.ip = whole;
	if (result == REASSEMBLE_WHOLE)
		message(r, name, &mended);
}

/* the input whose next packet is the earliest */
static int next_input(const struct replay *r)
{
	int best = -1;

	for (unsigned i = 0; i < r->n_inputs; i++) {
		const struct capture_packet *p = capture_peek(r->input[i]);

		if (p &&
			(best < 0 ||
				mono_before(p->at, capture_peek(r->input[best])->at)))
			best = (int)i;
	}
	return best;
}

/* ---- set-up ---- */

/* one more address; the interface is made with its first */
static int add_address(struct replay *r, const char *name, const char *prefix_text)
{
	const struct iface *known = iface_by_name(&r->ifaces, name);
	struct iface link = {.ifindex = known ? known->ifindex : (int)r->ifaces.n + 1,
		.mtu = 1500,
		.up = true,
		.multicast = true,
		.arphrd = 1};
	struct iface_addr ia = {0};
	char text[PREFIX_STRLEN];

	snprintf(link.name, sizeof(link.name), "%s", name);
	snprintf(text, sizeof(text), "%s", prefix_text);
	if (prefix_parse(text, &ia.subnet, NULL) < 0)
		return -EINVAL;
	*strchrnul(text, '/') = '\0';
	addr_parse(text, &ia.addr);
	if (iface_link(&r->ifaces, &link) < 0 ||
		iface_addr_set(&r->ifaces, link.ifindex, &ia) < 0)
		return -ENOMEM;
	return 0;
}

static bool has_family(const struct replay *r, const char *name, enum family family)
{
	const struct iface *i = iface_by_name(&r->ifaces, name);

	for (size_t n = 0; i && n < i->n_addr; n++)
		if (addr_family(&i->addr[n].addr) == family)
			return true;
	return false;
}

static int add_default_addresses(struct replay *r)
{
	for (size_t i = 0; i < r->cfg->n_iface; i++) {
		static const char *const address[_FAMILY_N][2] = {
			[FAMILY_IPV4] = {"192.0.2.254/24", "198.51.100.2/24"},
			[FAMILY_IPV6] = {"fe80::fe/64", "fe80::2/64"},
		};
		const struct config_iface *ci = &r->cfg->iface[i];

		if (ci->role == CONFIG_ROLE_DISABLED)
			continue;
		for (unsigned f = 0; f < _FAMILY_N; f++) {
			bool upstream = ci->role == CONFIG_ROLE_UPSTREAM;
			int e = 0;

			if (!has_family(r, ci->name, (enum family)f))
				e = add_address(r, ci->name, address[f][upstream]);
			if (e < 0)
				return e;
		}
	}
	return 0;
}

static int read_config(struct replay *r, const char *path)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int e;

	if (path) {
		FILE *f = fopen(path, "re");

		if (!f || getdelim(&text, &(size_t){0}, '\0', f) < 0) {
			fprintf(stderr, "ringcast-replay: %s: %s\n", path,
				strerror(errno));
			if (f)
				fclose(f);
			return -EIO;
		}
		fclose(f);
	}
	len = strlen(path ? text : default_config);
	e = config_parse(path ? text : default_config, len, &r->cfg);
	for (size_t i = 0; e >= 0 && i < r->cfg->n_message; i++)
		fprintf(stderr, "%s:%u:%u: %s\n", path ? path : "(default)",
			r->cfg->message[i].line, r->cfg->message[i].column,
			r->cfg->message[i].text);
	return e == 0 ? 0 : -EINVAL;
}

/* The '=' of IF=FILE, or NULL if the word is the name of a file. A file may have a '='
 * in its name, so the text before it must be a possible name of an interface. */
static const char *separator(const struct replay *r, const char *arg)
{
	const char *eq = strchr(arg, '=');
	char name[IFNAMSIZ];

	if (!eq || (size_t)(eq - arg) >= sizeof(name) ||
		memchr(arg, '/', (size_t)(eq - arg)))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(eq - arg), arg);
	return iface_by_name(&r->ifaces, name) || access(arg, F_OK) < 0 ? eq : NULL;
}

static int open_input(struct replay *r, const char *arg)
{
	const char *eq = separator(r, arg);
	const char *path = eq ? eq + 1 : arg;
	char error[256];

	if (r->n_inputs == MAX_INPUTS) {
		fprintf(stderr, "ringcast-replay: there are more than %d files\n",
			MAX_INPUTS);
		return -EINVAL;
	}
	if (eq)
		memcpy(r->input_name[r->n_inputs], arg, (size_t)(eq - arg));
	else
		memcpy(r->input_name[r->n_inputs], "lan", 4);
	r->input[r->n_inputs] = capture_open(path, error, sizeof(error));
	if (!r->input[r->n_inputs]) {
		fprintf(stderr, "ringcast-replay: %s: %s\n", path, error);
		return -EINVAL;
	}
	r->n_inputs++;
	return 0;
}

static void replay_deinit(struct replay *r)
{
	for (unsigned i = 0; i < r->n_inputs; i++) {
		capture_close(r->input[i]);
		for (unsigned f = 0; f < _FAMILY_N; f++)
			reassemble_deinit(&r->pieces[i][f]);
	}
	instances_free(r->instances);
	config_free(r->cfg);
	iface_table_deinit(&r->ifaces);
	effects_deinit(&r->fx);
	free(r->scratch);
}

static int replay_all(struct replay *r, uint64_t seed, int64_t tail_ms)
{
	static const bool family[_FAMILY_N] = {
		[FAMILY_IPV4] = true, [FAMILY_IPV6] = true};
	int i = next_input(r);

	r->scratch = malloc(sizeof(*r->scratch));
	if (!r->scratch || instances_new(family, seed, &r->instances) < 0)
		return 1;
	r->now = mono_from_ms(START_MS);
	if (i >= 0)
		r->stamp = capture_peek(r->input[i])->at;
	instances_sync(r->instances, r->now, r->cfg, &r->ifaces, &r->fx);
	for (unsigned p = 0; p < PORT_MAX; p++)
		if (r->instances->port[p])
			printf("port %u is %s\n", p, r->instances->port[p]->name);
	print_effects(r, r->now);
	for (; i >= 0; i = next_input(r)) {
		packet(r, (unsigned)i, capture_peek(r->input[i]));
		capture_next(r->input[i]);
	}
	run_until(r, mono_add_ms(r->now, tail_ms));
	printf("%u packets, %u messages used, %zu groups at the end\n", r->n_packets,
		r->n_accepted, instances_n_groups(r->instances));
	return 0;
}

struct options {
	const char *config;
	uint64_t seed;
	double tail_s;
	bool quality, json;
};

/* returns -1 to continue, else the exit status */
static int parse(struct replay *r, struct options *o, int argc, char **argv)
{
	static const struct option names[] = {{"quality", no_argument, NULL, 'Q'},
		{"json", no_argument, NULL, 'J'}, {0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:a:t:s:qVh", names, NULL)) != -1) {
		char *eq;

		switch (opt) {
		case 'c':
			o->config = optarg;
			break;
		case 'a':
			eq = strchr(optarg, '=');
			if (eq)
				*eq = '\0';
			if (!eq || add_address(r, optarg, eq + 1) < 0) {
				fputs("ringcast-replay: -a wants IF=ADDR/LEN\n",
					stderr);
				return 1;
			}
			break;
		case 't':
			o->tail_s = strtod(optarg, NULL);
			break;
		case 's':
			o->seed = strtoull(optarg, NULL, 0);
			break;
		case 'q':
			r->quiet = true;
			break;
		case 'Q':
			o->quality = true;
			break;
		case 'J':
			o->json = true;
			break;
		case 'V':
			printf("ringcast-replay %s\n", RINGCAST_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 1;
		}
	}
	if (optind < argc && (o->quality || !o->json))
		return -1;
	usage(stderr);
	return 1;
}

int main(int argc, char **argv)
{
	_cleanup_(replay_deinit) struct replay r = {0};
	struct options o = {.seed = 1, .tail_s = 300};
	int status = parse(&r, &o, argc, argv);

	if (status >= 0)
		return status;
	if (o.quality)
		return quality_report(argv + optind, o.json);
	if (read_config(&r, o.config) < 0)
		return 2;
	if (add_default_addresses(&r) < 0)
		return 1;
	for (int i = optind; i < argc; i++)
		if (open_input(&r, argv[i]) < 0)
			return 1;
	return replay_all(&r, o.seed, (int64_t)(o.tail_s * 1000));
}
