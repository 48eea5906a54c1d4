/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The configuration. Parses the text of igmpproxy.conf with our extensions into a
 * struct config, with line and column of every fault. Pure: the caller reads the file
 * and prints the messages. doc/configuration.md describes grammar and keywords.
 */

#include "base/addr.h"
#include "control/proto/gm_params.h"

#include <net/if.h>
#include <string.h>

enum config_role {
	CONFIG_ROLE_DISABLED = 1,
	CONFIG_ROLE_UPSTREAM,
	CONFIG_ROLE_DOWNSTREAM,
};
const char *config_role_word(enum config_role role); /* static: "upstream", ... */

enum config_forward {
	CONFIG_FORWARD_NONE = 1,   /* forward-from-downstream none */
	CONFIG_FORWARD_DOWNSTREAM, /* to the other downstreams */
	CONFIG_FORWARD_ALL,	   /* and to the upstream, RFC 4605 4.2 */
};

enum config_transmit {
	CONFIG_TRANSMIT_AUTO = 1,
	CONFIG_TRANSMIT_SENDMMSG,
	CONFIG_TRANSMIT_IO_URING,
};

enum config_coalesce {
	CONFIG_COALESCE_OFF = 1,
	CONFIG_COALESCE_EXACT,
	CONFIG_COALESCE_ON,
};

enum config_latency {
	CONFIG_LATENCY_LOW = 1,
	CONFIG_LATENCY_BALANCED,
	CONFIG_LATENCY_THROUGHPUT,
	CONFIG_LATENCY_AUTO,
};

enum config_quality {
	CONFIG_QUALITY_OFF = 1,
	CONFIG_QUALITY_AUTO,
	CONFIG_QUALITY_ON,
};

enum config_log_to {
	/* the journal, syslog or stderr, depending on how the daemon was started */
	CONFIG_LOG_AUTO = 1,
	CONFIG_LOG_STDERR,
	CONFIG_LOG_SYSLOG,
	CONFIG_LOG_JOURNAL,
};

/* The words of log-level are this one and then those of enum log_level. */
#define CONFIG_LOG_LEVEL_DEFAULT 1

enum config_alert {
	CONFIG_ALERT_REQUIRE = 1,
	CONFIG_ALERT_OPTIONAL,
};

/* Do we forward to a downstream on which another router is querier? */
enum config_forwarding {
	CONFIG_FORWARDING_EVIDENCE = 1, /* yes, until another forwarder is seen */
	CONFIG_FORWARDING_QUERIER,	/* no, the querier does (RFC 4605 4.2) */
	CONFIG_FORWARDING_ALWAYS,	/* yes, even if others also do */
};

/* A line with whitelist or blacklist. The last one in the file that matches decides. */
struct config_filter {
	struct prefix groups;
	bool allow;
};

/* The place in the file of a statement about a prefix: altnet, whitelist, blacklist,
 * boundary. */
struct config_place {
	const char *keyword; /* static */
	struct prefix prefix;
	unsigned line;
};

#define CONFIG_METRICS_GROUPS_MAX 65536
#define CONFIG_HOST_FILES_MAX	  4

/* What one `instance` opens: interfaces that have their own upstream. */
#define CONFIG_INSTANCE_MAX 32 /* bytes of a name and its NUL */
struct config_instance {
	char name[CONFIG_INSTANCE_MAX]; /* empty before the first `instance` */
	unsigned line, column;
};

/* bytes of the name of a phyint, which may be a pattern, and its NUL */
#define CONFIG_NAME_MAX 64

struct config_iface {
	char name[CONFIG_NAME_MAX];
	bool pattern; /* the name is a shell pattern: * ? [a-z] */
	/* the name is an address label such as eth0:1; always false after parsing */
	bool label;
	unsigned instance;     /* index into config.instance */
	unsigned line, column; /* of the word phyint; 0 for defaults */
	enum config_role role;
	uint32_t ratelimit; /* has no effect */
	uint8_t threshold;  /* 1..255 */
	struct prefix *altnet;
	size_t n_altnet;
	struct config_filter *filter;
	size_t n_filter;
	bool has_whitelist;
	struct prefix *boundary; /* groups that do not cross the interface (R161) */
	size_t n_boundary;
	struct config_place *place; /* in file order, after those of the defaults */
	size_t n_place;
	uint8_t boundary_scope;	       /* 2..14; 0 means that the role decides */
	bool version_fallback;	       /* follow older queriers upstream (R131) */
	uint8_t igmp_version;	       /* 1..3 */
	uint8_t mld_version;	       /* 1..2 */
	bool version_given[_FAMILY_N]; /* the file sets the version */
	bool ipv4, ipv6;
	bool fast_leave;
	bool require_router_alert; /* of IGMP */
	enum config_alert mld_router_alert;
	bool always_querier;
	enum config_forwarding forwarding;
	uint32_t max_groups, max_sources; /* sources per group; 0 means no limit */
	uint32_t max_groups_per_host;	  /* groups that one host brings; also 0 */
	/* membership messages per second, of one host and of all; 0 means no limit */
	uint32_t host_message_rate, message_rate;
	char report_interface[IFNAMSIZ]; /* empty for the interface itself */
};

enum config_severity {
	CONFIG_ERROR = 1,
	CONFIG_WARNING,
};

struct config_message {
	enum config_severity severity;
	unsigned line, column; /* 0 if it is about the file as a whole */
	char *text;	       /* what is wrong, and what to do */
};

struct config {
	bool quickleave;
	bool defaultdown;	/* interfaces that no phyint names become downstreams */
	bool rescanvif;		/* has no effect, as interfaces are always watched */
	uint32_t hashtablesize; /* has no effect, as hosts are tracked exactly */
	char *chroot, *user;	/* or NULL */
	bool seccomp, landlock; /* confine system calls and files if the system can */
	struct gm_params gm;
	uint32_t refresh_interval_ms;
	enum config_forward forward_from_downstream;
	struct prefix *ssm; /* ssm-range; empty by default */
	size_t n_ssm;
	unsigned threads;   /* 0 means as many as suit the machine */
	char *cpu_affinity; /* a list for cpulist_parse(); NULL means any processors */
	uint32_t ring_size; /* bytes of each ring; 0 if the machine's memory decides */
	enum config_transmit transmit;
	enum config_coalesce coalesce;
	enum config_latency latency;
	uint32_t collect_ms; /* how long frames wait for others with `latency auto` */
	bool receive_offload;
	enum config_quality quality; /* whether streams are analysed */
	enum config_log_to log_to;
	unsigned log_level;
	char *control_socket; /* path; NULL means the built-in one */
	char *control_group;  /* group of the socket; NULL means the daemon's */
	unsigned control_group_line, control_group_column; /* of its keyword */
	char *metrics_listen;	 /* for endpoint_parse(); NULL means off */
	uint32_t metrics_groups; /* forwarding entries that have their own metrics */
	char *web_listen;	 /* for endpoint_parse(); NULL means off */
	/* the clients that may read the page, in addition to those on this system */
	struct prefix *web_allow;
	size_t n_web_allow;
	bool web_names;	     /* the page shows addresses of viewers */
	char *channel_names; /* path of the file, see channels.h; or NULL */
	char *host_names[CONFIG_HOST_FILES_MAX]; /* paths, see host_names.h */
	size_t n_host_names;
	/* bytes for the history of streams; 0 if the machine's memory decides */
	uint32_t quality_memory;
	struct config_instance *instance; /* in file order; [0] is the unnamed one */
	size_t n_instance;		  /* at least 1 */
	struct config_iface defaults;	  /* for interfaces that no phyint names */
	struct config_iface *iface;	  /* in file order, one per name */
	size_t n_iface;
	struct config_message *message; /* in file order */
	size_t n_message;
};

/* Parses `len` bytes. Returns 0 if the text can be used (there may be warnings), 1 if
 * it is refused (at least one message is an error), or -ENOMEM. After 0 and 1 the
 * caller frees *ret_config. */
int config_parse(const char *text, size_t len, struct config **ret_config);
struct config *config_free(struct config *c);

/* Are two values of a keyword with a text equal? NULL is a keyword without a value. */
static inline bool config_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Is the word a pattern? */
bool config_is_pattern(const char *name);

/* Returns what holds for an interface of that name: its phyint block, else the first
 * block whose pattern matches, else the defaults. */
const struct config_iface *config_iface_find(const struct config *c, const char *name);

/* Does an upstream report on that interface? If so, `defaultdown` does not make it a
 * downstream. */
bool config_is_report_interface(const struct config *c, const char *name);

/* Does an instance have anything to do? It does if an interface has a role in it, or if
 * it is the unnamed one and takes all interfaces that no phyint names. */
bool config_instance_used(const struct config *c, unsigned instance);

/* Do whitelist and blacklist of the interface let a group pass? The last match
 * decides. */
bool config_group_allowed(const struct config_iface *ci, const struct addr *group);

/* Returns the widest scope of IPv6 groups that do not cross the interface (R160,
 * R203). */
unsigned config_boundary_scope(const struct config_iface *ci);
/* Device discovery (SSDP) in the local scope of RFC 2365: the one IPv4 group that a
 * boundary-scope of CONFIG_SCOPE_LOCAL (RFC 2365 8) or more stops. */
#define CONFIG_SSDP	   ADDR_V4(239, 255, 255, 250)
#define CONFIG_SCOPE_LOCAL 3
/* Does the scope of the group end at the interface? */
bool config_is_beyond_scope(const struct config_iface *ci, const struct addr *group);
/* Does the group end at the interface, in both directions? */
bool config_is_boundary(const struct config_iface *ci, const struct addr *group);

/* Writes the statement that decides, for example "'blacklist 239.0.0.0/8', line 12".
 * Returns true if the group ends at the interface in at least one direction. Whitelist
 * and blacklist count only with `lists`. Otherwise returns false, with the whitelist
 * that admits the group, or an empty text. */
#define CONFIG_DECIDE_LEN (PREFIX_STRLEN + 40)
bool config_decide_group(const struct config_iface *ci, const struct addr *group,
	bool lists, char buf[CONFIG_DECIDE_LEN]);
/* Writes the longest altnet that admits the source. Returns false if there is none. */
bool config_decide_source(const struct config_iface *ci, const struct addr *source,
	char buf[CONFIG_DECIDE_LEN]);

bool config_is_ssm(const struct config *c, const struct addr *group);

/* Returns the configuration as text, every keyword with its value. The text parses back
 * to the same configuration. The caller frees it. Returns NULL when out of memory. */
char *config_print(const struct config *c);

/* Returns what each interface will do, in sentences, as `ringcastd -C` shows it.
 * `there` has the names of the interfaces that exist now, ending with NULL. If it is
 * NULL, the text says nothing about that. The caller frees the text. Returns NULL
 * when out of memory. */
char *config_describe(const struct config *c, const char *const *there);

/* Returns one sentence about the interfaces that have a role in the file but are not in
 * `there`: they may appear later, or their names may be wrong. The caller frees it.
 * NULL if all exist, or when out of memory. */
char *config_missing(const struct config *c, const char *const *there);
