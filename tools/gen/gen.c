/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * ringcast-gen: multicast sender and receiver, to test an installation from end to end
 * without other software. This file reads the options; gen_send.c and gen_receive.c do
 * the work. The short options are those of the small test script that users of
 * multicast proxies know: sender by default, -r makes it the receiver.
 */

#include "tools/gen/gen.h"

#include "base/sys/clock.h"
#include "build_config.h"
#include "tools/gen/gen_payload.h"

#include <errno.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

volatile sig_atomic_t gen_stop;

static const char usage_text[] =
	"usage: ringcast-gen [send|receive] -m GROUP [OPTION]...\n"
	"\n"
	"Sends multicast datagrams, or joins and receives them. Default role: sender.\n"
	"\n"
	"  -m, --multicast-addr GROUP  IPv4 or IPv6 group\n"
	"  -p, --multicast-port PORT   UDP port (1234)\n"
	"  -r, --receiver              receive; the same as the word 'receive'\n"
	"  -l, --listen-addr ADDR      use the interface that has this address\n"
	"      --interface IF          use this interface\n"
	"      --groups N              N consecutive groups, beginning with GROUP\n"
	"      --ports N               N consecutive ports, beginning with PORT\n"
	"      --seconds S             stop after S seconds (decimals allowed)\n"
	"      --json                  print the summary as JSON\n"
	"  -h, --help    -V, --version\n"
	"\n"
	"Sender:\n"
	"  -t, --ttl N                 TTL or hop limit (2)\n"
	"      --source ADDR           send from this address\n"
	"      --rate N                datagrams per second, of all groups together (10);\n"
	"                              0 sends as fast as possible\n"
	"      --count N               stop after N datagrams\n"
	"      --size BYTES            UDP payload, 32 to 65507 (1316)\n"
	"      --ts                    payload in the form of MPEG-TS null packets;\n"
	"                              the size must be a multiple of 188\n"
	"\n"
	"Receiver:\n"
	"  -s, --source-filter ADDR    join for this source only (SSM); may be repeated\n"
	"      --exclude ADDR          join for all sources except this; may be repeated\n"
	"      --expect N              end with status 0 after N datagrams, 1 if they do\n"
	"                              not come\n"
	"      --idle-exit S           end when nothing came for S seconds after the first\n"
	"      --leave-after S         leave the groups after S seconds and watch on the\n"
	"                              wire how long they still come (needs CAP_NET_RAW)\n"
	"      --print-latency         one line for each datagram; latencies are right when\n"
	"                              the sender runs on the same machine\n"
	"\n"
	"Exit status: 0 done, 1 --expect not met, 2 wrong usage, 4 failure.\n";

enum {
	OPT_INTERFACE = 256,
	OPT_SOURCE,
	OPT_RATE,
	OPT_COUNT,
	OPT_SIZE,
	OPT_SECONDS,
	OPT_GROUPS,
	OPT_PORTS,
	OPT_JSON,
	OPT_TS,
	OPT_IDLE_EXIT,
	OPT_EXPECT,
	OPT_PRINT_LATENCY,
	OPT_LEAVE_AFTER,
	OPT_EXCLUDE,
};

static const struct option long_options[] = {
	{"multicast-addr", required_argument, NULL, 'm'},
	{"multicast-port", required_argument, NULL, 'p'},
	{"listen-addr", required_argument, NULL, 'l'},
	{"source-filter", required_argument, NULL, 's'},
	{"ttl", required_argument, NULL, 't'},
	{"receiver", no_argument, NULL, 'r'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"interface", required_argument, NULL, OPT_INTERFACE},
	{"source", required_argument, NULL, OPT_SOURCE},
	{"rate", required_argument, NULL, OPT_RATE},
	{"count", required_argument, NULL, OPT_COUNT},
	{"size", required_argument, NULL, OPT_SIZE},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"groups", required_argument, NULL, OPT_GROUPS},
	{"ports", required_argument, NULL, OPT_PORTS},
	{"json", no_argument, NULL, OPT_JSON},
	{"ts", no_argument, NULL, OPT_TS},
	{"idle-exit", required_argument, NULL, OPT_IDLE_EXIT},
	{"expect", required_argument, NULL, OPT_EXPECT},
	{"print-latency", no_argument, NULL, OPT_PRINT_LATENCY},
	{"leave-after", required_argument, NULL, OPT_LEAVE_AFTER},
	{"exclude", required_argument, NULL, OPT_EXCLUDE},
	{NULL},
};

int64_t gen_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int gen_fail(const char *what)
{
	fprintf(stderr, "ringcast-gen: %s: %s\n", what, strerror(errno));
	return GEN_EXIT_FAILURE;
}

struct addr gen_group(const struct gen_options *o, uint32_t i)
{
	struct addr a = o->group;
	uint32_t low = (uint32_t)a.b[12] << 24 | (uint32_t)a.b[13] << 16 |
		(uint32_t)a.b[14] << 8 | a.b[15];

	low += i % o->n_groups;
	for (int k = 15; k >= 12; k--, low >>= 8)
		a.b[k] = (uint8_t)low;
	return a;
}

uint16_t gen_port(const struct gen_options *o, uint32_t i)
{
	return (uint16_t)(o->port + i / o->n_groups);
}

socklen_t gen_sockaddr(const struct addr *a, uint16_t port, unsigned ifindex,
	struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (addr_is_v4(a)) {
		struct sockaddr_in *sin = (struct sockaddr_in *)ret;

		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		memcpy(&sin->sin_addr, addr_v4_bytes(a), 4);
		return sizeof(*sin);
	}
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ret;

	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	memcpy(&sin6->sin6_addr, a->b, 16);
	sin6->sin6_scope_id = ifindex;
	return sizeof(*sin6);
}

struct addr gen_addr_of(const struct sockaddr_storage *ss, uint16_t *ret_port)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)ss;
	const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;
	struct addr a;

	if (ss->ss_family == AF_INET) {
		*ret_port = ntohs(sin->sin_port);
		return addr_from_v4(&sin->sin_addr);
	}
	*ret_port = ntohs(sin6->sin6_port);
	memcpy(a.b, &sin6->sin6_addr, 16);
	return a;
}

static bool parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || v < min || v > max) {
		fprintf(stderr,
			"ringcast-gen: '%s' is not a number from %llu to %llu\n", text,
			(unsigned long long)min, (unsigned long long)max);
		return false;
	}
	*ret = v;
	return true;
}

static bool parse_decimal(const char *text, double *ret)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= 0 && v <= 1e9)) {
		fprintf(stderr, "ringcast-gen: '%s' is not a number from 0 to 1e9\n",
			text);
		return false;
	}
	*ret = v;
	return true;
}

static bool parse_addr(const char *text, struct addr *ret)
{
	if (addr_parse(text, ret) == 0)
		return true;
	fprintf(stderr, "ringcast-gen: '%s' is not an address\n", text);
	return false;
}

static bool parse_filter(const char *text, struct addr *list, size_t *n)
{
	if (*n == GEN_MAX_FILTER) {
		fprintf(stderr, "ringcast-gen: more than %d sources\n", GEN_MAX_FILTER);
		return false;
	}
	return parse_addr(text, &list[(*n)++]);
}

static bool parse_interface(const char *name, unsigned *ret)
{
	*ret = if_nametoindex(name);
	if (*ret == 0)
		fprintf(stderr, "ringcast-gen: no interface '%s'\n", name);
	return *ret != 0;
}

static bool set_u32(const char *text, uint64_t min, uint64_t max, uint32_t *ret)
{
	uint64_t v;

	if (!parse_count(text, min, max, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* Returns false after a message. */
static bool set_option(struct gen_options *o, int option, const char *arg)
{
	uint32_t v;

	switch (option) {
	case 'm':
		return parse_addr(arg, &o->group);
	case 'p':
		if (!set_u32(arg, 1, 65535, &v))
			return false;
		o->port = (uint16_t)v;
		return true;
	case 't':
		if (!set_u32(arg, 0, 255, &v))
			return false;
		o->ttl = (uint8_t)v;
		return true;
	case 'l':
		o->has_listen = true;
		return parse_addr(arg, &o->listen);
	case 's':
		return parse_filter(arg, o->include, &o->n_include);
	case OPT_EXCLUDE:
		return parse_filter(arg, o->exclude, &o->n_exclude);
	case 'r':
		return o->receiver = true;
	case OPT_INTERFACE:
		return parse_interface(arg, &o->ifindex);
	case OPT_SOURCE:
		o->has_source = true;
		return parse_addr(arg, &o->source);
	case OPT_RATE:
		return parse_decimal(arg, &o->rate);
	case OPT_COUNT:
		return parse_count(arg, 1, UINT64_MAX, &o->count);
	case OPT_SIZE:
		return set_u32(arg, GEN_PAYLOAD_MIN, GEN_PAYLOAD_MAX, &o->size);
	case OPT_SECONDS:
		return parse_decimal(arg, &o->seconds);
	case OPT_GROUPS:
		return set_u32(arg, 1, GEN_MAX_STREAM, &o->n_groups);
	case OPT_PORTS:
		return set_u32(arg, 1, GEN_MAX_STREAM, &o->n_ports);
	case OPT_JSON:
		return o->json = true;
	case OPT_TS:
		return o->ts = true;
	case OPT_IDLE_EXIT:
		return parse_decimal(arg, &o->idle_exit);
	case OPT_EXPECT:
		return parse_count(arg, 1, UINT64_MAX, &o->expect);
	case OPT_PRINT_LATENCY:
		return o->print_latency = true;
	case OPT_LEAVE_AFTER:
		return parse_decimal(arg, &o->leave_after);
	default:
		return false; /* getopt has said why */
	}
}

/* Finds the interface that has the address of -l. */
static bool find_listen(struct gen_options *o)
{
	struct ifaddrs *list, *i;

	if (!o->has_listen || o->ifindex)
		return true;
	if (getifaddrs(&list) < 0)
		return false;
	for (i = list; i && !o->ifindex; i = i->ifa_next) {
		struct sockaddr_storage ss = {0};
		struct addr have;
		uint16_t port;

		if (!i->ifa_addr || i->ifa_addr->sa_family != gen_af(&o->listen))
			continue;
		memcpy(&ss, i->ifa_addr,
			addr_is_v4(&o->listen) ? sizeof(struct sockaddr_in)
					       : sizeof(struct sockaddr_in6));
		have = gen_addr_of(&ss, &port);
		if (addr_eq(&have, &o->listen))
			o->ifindex = if_nametoindex(i->ifa_name);
	}
	freeifaddrs(list);
	if (!o->ifindex)
		fprintf(stderr, "ringcast-gen: no interface has the address of -l\n");
	return o->ifindex != 0;
}

static const char *find_contradiction(const struct gen_options *o)
{
	struct addr last = gen_group(o, o->n_groups - 1);
	enum family family = addr_family(&o->group);

	if (!addr_is_multicast(&o->group))
		return "-m needs a multicast address";
	if (!addr_is_multicast(&last) || addr_cmp(&last, &o->group) < 0)
		return "--groups goes beyond the last multicast address";
	if (o->port + o->n_ports - 1 > 65535)
		return "--ports goes beyond 65535";
	if ((uint64_t)o->n_groups * o->n_ports > GEN_MAX_STREAM)
		return "groups times ports is more than 65536";
	if (o->ts && o->size % GEN_TS_PACKET)
		return "with --ts the size must be a multiple of 188";
	if (o->n_include && o->n_exclude)
		return "-s and --exclude contradict each other";
	for (size_t i = 0; i < o->n_include; i++)
		if (addr_family(&o->include[i]) != family)
			return "-s and -m are of different families";
	for (size_t i = 0; i < o->n_exclude; i++)
		if (addr_family(&o->exclude[i]) != family)
			return "--exclude and -m are of different families";
	if (o->has_source && addr_family(&o->source) != family)
		return "--source and -m are of different families";
	return NULL;
}

static int usage_error(const char *what)
{
	if (what)
		fprintf(stderr, "ringcast-gen: %s\n", what);
	fprintf(stderr, "Try 'ringcast-gen --help'.\n");
	return GEN_EXIT_USAGE;
}

static void on_signal(int signal)
{
	gen_stop = 1;
}

int main(int argc, char **argv)
{
	struct gen_options o = {
		.port = 1234,
		.ttl = 2,
		.rate = 10,
		.size = GEN_DEFAULT_SIZE,
		.n_groups = 1,
		.n_ports = 1,
	};
	struct sigaction sa = {.sa_handler = on_signal};
	const char *wrong;
	int c;

	while ((c = getopt_long(argc, argv, "m:p:l:s:t:rhV", long_options, NULL)) >=
		0) {
		if (c == 'h') {
			fputs(usage_text, stdout);
			return GEN_EXIT_OK;
		}
		if (c == 'V') {
			printf("ringcast-gen %s\n", RINGCAST_VERSION);
			return GEN_EXIT_OK;
		}
		if (!set_option(&o, c, optarg))
			return usage_error(NULL);
	}
	if (optind < argc && strcmp(argv[optind], "receive") == 0)
		o.receiver = true;
	else if (optind < argc && strcmp(argv[optind], "send") != 0)
		return usage_error("the role must be 'send' or 'receive'");
	if (optind + 1 < argc)
		return usage_error("too many words");
	wrong = find_contradiction(&o);
	if (wrong)
		return usage_error(wrong);
	if (!find_listen(&o))
		return GEN_EXIT_FAILURE;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	return o.receiver ? gen_receive(&o) : gen_send(&o);
}
