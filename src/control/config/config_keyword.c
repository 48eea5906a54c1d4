/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The keywords, their ranges, and the search for the word that the user may have meant.
 * The first rows are the keywords of igmpproxy.conf. Ranges of times follow what the
 * fields of RFC 9776 4.1 and RFC 9777 5.1 can carry.
 */

#include "control/config/config_keyword.h"

#include "base/cleanup.h"
#include "base/minmax.h"

#include <string.h>

#define MAX_QUERY_INTERVAL_MS 31744000 /* the largest QQIC, RFC 9776 4.1.7 */
#define MAX_RESPONSE_INTERVAL_MS                                                       \
	3174400 /* the largest Max Resp Code, RFC 9776 4.1.1                           \
		 */

static const char *const revision_words[] = {"rfc9776", "rfc3376", NULL};
static const char *const forward_words[] = {"none", "downstream", "all", NULL};
static const char *const alert_words[] = {"require", "optional", NULL};
static const char *const forwarding_words[] = {"evidence", "querier", "always", NULL};
static const char *const coalesce_words[] = {"off", "exact", "on", NULL};
static const char *const quality_words[] = {"off", "auto", "on", NULL};
static const char *const transmit_words[] = {"auto", "sendmmsg", "io_uring", NULL};
static const char *const log_to_words[] = {"auto", "stderr", "syslog", "journal", NULL};
static const char *const log_level_words[] = {
	"default", "error", "warning", "notice", "info", "debug", NULL};
static const char *const latency_words[] = {
	"low", "balanced", "throughput", "auto", NULL};

#define GLOBAL(n, k, field, ...)                                                       \
	{                                                                              \
		.name = n, .where = CONFIG_GLOBAL, .kind = CONFIG_KIND_##k,            \
		.offset = offsetof(struct config, field),                              \
		.size = sizeof(((struct config *)NULL)->field), __VA_ARGS__            \
	}
#define IFACE(n, k, field, ...)                                                        \
	{                                                                              \
		.name = n, .where = CONFIG_BLOCK, .kind = CONFIG_KIND_##k,             \
		.offset = offsetof(struct config_iface, field),                        \
		.size = sizeof(((struct config_iface *)NULL)->field), __VA_ARGS__      \
	}
#define ROLE(n, role_)                                                                 \
	{                                                                              \
		.name = n, .where = CONFIG_BLOCK_ONLY, .kind = CONFIG_KIND_ROLE,       \
		.offset = offsetof(struct config_iface, role), .lo = role_             \
	}

/* Ordered as config_print writes them: the globals, phyint, the block. */
const struct config_keyword config_keywords[] = {
	GLOBAL("quickleave", FLAG, quickleave),
	GLOBAL("hashtablesize", LENIENT, hashtablesize, .lo = 1, .hi = 536870912,
		.unused = true, .takes = "a number of bytes",
		.unset = "it would have no effect"),
	GLOBAL("defaultdown", FLAG, defaultdown),
	GLOBAL("rescanvif", FLAG, rescanvif),
	GLOBAL("chroot", TEXT, chroot, .fixed = true, .takes = "a directory",
		.unset = "the daemon sees the whole file system"),
	GLOBAL("user", TEXT, user, .fixed = true, .takes = "a user name",
		.unset = "ringcast, or nobody, when root starts the daemon"),
	GLOBAL("seccomp", ON_OFF, seccomp, .fixed = true, .takes = "on or off"),
	GLOBAL("landlock", ON_OFF, landlock, .fixed = true, .takes = "on or off"),
	GLOBAL("timers", CHOICE, gm.revision, .words = revision_words,
		.takes = "rfc9776 or rfc3376"),
	GLOBAL("robustness", NUMBER, gm.robustness, .lo = 1, .hi = 255,
		.takes = "a number from 1 to 255"),
	GLOBAL("query-interval", SECONDS, gm.query_interval_ms, .lo = 1000,
		.hi = MAX_QUERY_INTERVAL_MS, .takes = "seconds"),
	GLOBAL("query-response-interval", SECONDS, gm.response_interval_ms, .lo = 100,
		.hi = MAX_RESPONSE_INTERVAL_MS, .takes = "seconds"),
	GLOBAL("last-member-query-interval", SECONDS, gm.last_member_interval_ms,
		.lo = 100, .hi = MAX_RESPONSE_INTERVAL_MS, .takes = "seconds"),
	GLOBAL("last-member-query-count", NUMBER, gm.last_member_count, .lo = 1,
		.hi = 255, .takes = "a number from 1 to 255"),
	GLOBAL("startup-query-interval", SECONDS, gm.startup_interval_ms, .lo = 100,
		.hi = MAX_QUERY_INTERVAL_MS, .takes = "seconds"),
	GLOBAL("startup-query-count", NUMBER, gm.startup_count, .lo = 1, .hi = 255,
		.takes = "a number from 1 to 255"),
	GLOBAL("refresh-interval", SECONDS, refresh_interval_ms, .lo = 1000,
		.hi = 86400000, .or_zero = true, .takes = "seconds"),
	GLOBAL("forward-from-downstream", CHOICE, forward_from_downstream,
		.words = forward_words, .takes = "none, downstream or all"),
	GLOBAL("ssm-range", SSM, ssm, .takes = "a group prefix, 'default' or 'none'"),
	GLOBAL("threads", NUMBER, threads, .fixed = true, .lo = 1, .hi = 64,
		.or_auto = true, .takes = "a number from 1 to 64, or 'auto'"),
	GLOBAL("cpu-affinity", CPUS, cpu_affinity, .fixed = true,
		.takes = "a list of processors such as 2 or 0,2-5",
		.unset = "the scheduler decides"),
	GLOBAL("ring-size", BYTES, ring_size, .fixed = true, .lo = 64 << 10,
		.hi = 1 << 30, .or_auto = true,
		.takes = "a size such as 8M, or 'auto'"),
	GLOBAL("transmit", CHOICE, transmit, .fixed = true, .words = transmit_words,
		.takes = "auto, sendmmsg or io_uring"),
	GLOBAL("coalesce", CHOICE, coalesce, .fixed = true, .words = coalesce_words,
		.takes = "on, exact or off"),
	GLOBAL("latency", CHOICE, latency, .fixed = true, .words = latency_words,
		.takes = "auto, low, balanced or throughput"),
	GLOBAL("collect-time", SECONDS, collect_ms, .fixed = true, .lo = 1, .hi = 100,
		.takes = "seconds"),
	GLOBAL("receive-offload", ON_OFF, receive_offload, .fixed = true,
		.takes = "on or off"),
	GLOBAL("quality", CHOICE, quality, .fixed = true, .words = quality_words,
		.takes = "auto, on or off"),
	GLOBAL("log-to", CHOICE, log_to, .words = log_to_words,
		.takes = "auto, stderr, syslog or journal"),
	GLOBAL("log-level", CHOICE, log_level, .words = log_level_words,
		.takes = "default, error, warning, notice, info or debug"),
	GLOBAL("control-socket", SOCKET, control_socket, .fixed = true,
		.takes = "a path",
		.unset = "/run/ringcast.sock, or what option -s says"),
	GLOBAL("control-group", TEXT, control_group, .fixed = true,
		.takes = "a group name",
		.unset = "the group that the daemon is started with"),
	GLOBAL("metrics-listen", ENDPOINT, metrics_listen,
		.takes = "ADDRESS:PORT or :PORT, such as 127.0.0.1:9337",
		.unset = "off"),
	GLOBAL("metrics-groups", NUMBER, metrics_groups, .lo = 0,
		.hi = CONFIG_METRICS_GROUPS_MAX,
		.takes = "a number of forwarding entries"),
	GLOBAL("web-listen", ENDPOINT, web_listen,
		.takes = "ADDRESS:PORT or :PORT, such as 192.168.1.1:8080",
		.unset = "off"),
	GLOBAL("web-allow", WEB_ALLOW, web_allow,
		.takes = "a prefix such as 192.168.1.0/24",
		.unset = "this system alone may read the page"),
	GLOBAL("web-names", ON_OFF, web_names, .takes = "on or off"),
	GLOBAL("channel-names", TEXT, channel_names, .takes = "the path of a file",
		.unset = "channels have no names"),
	GLOBAL("host-names", HOST_NAMES, host_names, .takes = "the path of a file",
		.unset = "viewers are shown by their addresses"),
	GLOBAL("quality-memory", BYTES, quality_memory, .lo = 64 << 10, .hi = 1 << 30,
		.or_auto = true, .takes = "a size such as 8M, or 'auto'"),
	GLOBAL("instance", INSTANCE, instance, .takes = "a name"),
	GLOBAL("phyint", PHYINT, iface, .takes = "the name of an interface"),

	ROLE("upstream", CONFIG_ROLE_UPSTREAM),
	ROLE("downstream", CONFIG_ROLE_DOWNSTREAM),
	ROLE("disabled", CONFIG_ROLE_DISABLED),
	IFACE("ratelimit", LENIENT, ratelimit, .lo = 0, .hi = INT32_MAX, .unused = true,
		.takes = "a number"),
	IFACE("threshold", LENIENT, threshold, .lo = 1, .hi = 255,
		.takes = "a number from 1 to 255"),
	IFACE("altnet", ALTNET, altnet, .takes = "a source prefix such as 10.0.0.0/8",
		.unset = "only the networks of the interface"),
	IFACE("whitelist", FILTER, filter, .lo = 1,
		.takes = "a group prefix such as 239.1.0.0/16",
		.unset = "all groups are allowed that no blacklist refuses"),
	IFACE("blacklist", FILTER, filter, .lo = 0,
		.takes = "a group prefix such as 239.255.255.250/32",
		.unset = "no group is refused"),
	IFACE("boundary", BOUNDARY, boundary,
		.takes = "a group prefix such as 239.255.0.0/16", .unset = "no group"),
	IFACE("boundary-scope", NUMBER, boundary_scope, .lo = 2, .hi = 14,
		.takes = "a number from 2 to 14",
		.unset = "8 on an upstream, 2 elsewhere"),
	IFACE("igmp-version", NUMBER, igmp_version, .lo = 1, .hi = 3,
		.takes = "1, 2 or 3"),
	IFACE("mld-version", NUMBER, mld_version, .lo = 1, .hi = 2, .takes = "1 or 2"),
	IFACE("version-fallback", ON_OFF, version_fallback, .takes = "on or off"),
	IFACE("ipv4", ON_OFF, ipv4, .takes = "on or off"),
	IFACE("ipv6", ON_OFF, ipv6, .takes = "on or off"),
	IFACE("fast-leave", FLAG, fast_leave),
	IFACE("require-router-alert", FLAG, require_router_alert),
	IFACE("mld-router-alert", CHOICE, mld_router_alert, .words = alert_words,
		.takes = "require or optional"),
	IFACE("always-querier", FLAG, always_querier),
	IFACE("forwarding", CHOICE, forwarding, .words = forwarding_words,
		.takes = "evidence, querier or always"),
	IFACE("max-groups", NUMBER, max_groups, .lo = 0, .hi = UINT32_MAX,
		.takes = "a number, 0 for no limit"),
	IFACE("max-groups-per-host", NUMBER, max_groups_per_host, .lo = 0,
		.hi = UINT32_MAX, .takes = "a number, 0 for no limit"),
	IFACE("max-sources", NUMBER, max_sources, .lo = 0, .hi = UINT32_MAX,
		.takes = "a number, 0 for no limit"),
	IFACE("message-rate", NUMBER, message_rate, .lo = 0, .hi = 1000000000,
		.takes = "messages per second, 0 for no limit"),
	IFACE("host-message-rate", NUMBER, host_message_rate, .lo = 0, .hi = 1000000000,
		.takes = "messages per second, 0 for no limit"),
	{
		.name = "report-interface",
		.where = CONFIG_BLOCK_ONLY,
		.kind = CONFIG_KIND_IFNAME,
		.offset = offsetof(struct config_iface, report_interface),
		.takes = "the name of an interface",
		.unset = "the interface itself",
	},
};

const size_t config_n_keywords = array_len(config_keywords);
_Static_assert(array_len(config_keywords) <= CONFIG_MAX_KEYWORDS, "too many keywords");

const struct config_keyword *config_keyword_find(const char *name)
{
	for (size_t i = 0; i < config_n_keywords; i++)
		if (strcmp(config_keywords[i].name, name) == 0)
			return &config_keywords[i];
	return NULL;
}

bool config_keyword_eq(const struct config_keyword *kw, const void *a, const void *b)
{
	const void *x = (const char *)a + kw->offset, *y = (const char *)b + kw->offset;

	if (kw->kind <= CONFIG_KIND_CHOICE)
		return memcmp(x, y, kw->size) == 0;
	if (kw->kind <= CONFIG_KIND_CPUS)
		return config_same_text(*(char *const *)x, *(char *const *)y);
	return kw->kind != CONFIG_KIND_IFNAME || strcmp(x, y) == 0;
}

#define MAX_WORD 32 /* longer than any keyword and two letters more */

/* Letters of both cases count as equal, and so do '_' and '-'. */
static char plain(char c)
{
	if (c == '_')
		return '-';
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Edit distance where swapping two neighbours is one step. */
static unsigned edit_distance(const char *x, const char *y)
{
	unsigned d[3][MAX_WORD + 1];
	size_t nx = strlen(x), ny = strlen(y);

	if (nx > MAX_WORD || ny > MAX_WORD)
		return MAX_WORD;
	for (size_t j = 0; j <= ny; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= nx; i++) {
		unsigned *row = d[i % 3], *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= ny; j++) {
			bool same = plain(x[i - 1]) == plain(y[j - 1]);

			row[j] = min(min(up[j], row[j - 1]) + 1, up[j - 1] + !same);
			if (i > 1 && j > 1 && plain(x[i - 1]) == plain(y[j - 2]) &&
				plain(x[i - 2]) == plain(y[j - 1]) &&
				up2[j - 2] + 1 < row[j])
				row[j] = up2[j - 2] + 1;
		}
	}
	return d[nx % 3][ny];
}

static void consider(const char *word, const char *candidate, const char **best,
	unsigned *best_distance)
{
	unsigned d = edit_distance(word, candidate);
	size_t n = strlen(candidate);
	unsigned limit = n <= 4 ? 1 : n <= 8 ? 2 : 3;

	if (d <= limit && d < *best_distance) {
		*best = candidate;
		*best_distance = d;
	}
}

/* Words of other programs and systems. */
static const struct {
	char word[12], keyword[12];
} other_words[] = {
	{"interface", "phyint"},
	{"iface", "phyint"},
	{"device", "phyint"},
	{"dev", "phyint"},
	{"alt-subnet", "altnet"},
	{"allow", "whitelist"},
	{"permit", "whitelist"},
	{"deny", "blacklist"},
};

const char *config_keyword_suggest(const char *word)
{
	const char *best = NULL;
	unsigned best_distance = MAX_WORD;

	for (size_t i = 0; i < array_len(other_words); i++)
		if (edit_distance(word, other_words[i].word) == 0)
			return other_words[i].keyword;
	for (size_t i = 0; i < config_n_keywords; i++)
		consider(word, config_keywords[i].name, &best, &best_distance);
	return best;
}

const char *config_suggest_among(const char *word, const char *const *among)
{
	const char *best = NULL;
	unsigned best_distance = MAX_WORD;

	for (; *among; among++)
		consider(word, *among, &best, &best_distance);
	return best;
}
