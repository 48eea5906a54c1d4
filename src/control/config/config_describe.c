/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The configuration in sentences, for a person who wants to know what the file means
 * before it runs: `ringcastd -C`. Lines are wrapped; nothing parses this text.
 */

#include "control/config/config_keyword.h"
#include "control/config/config_parse.h"
#include "control/config/config_text.h"
#include "control/config/endpoint.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define WIDTH 80

struct describe {
	struct config_text out;
	const struct config *c;
	const char *const *there; /* see config_describe() */
};

/* Words of `s` in lines of WIDTH, all indented. */
static void wrap(struct config_text *out, unsigned indent, const char *s)
{
	unsigned column = 0;

	while (*s) {
		size_t n = strcspn(s, " ");

		if (column && column + 1 + n > WIDTH) {
			config_text_add(out, "\n");
			column = 0;
		}
		if (column) {
			config_text_add(out, " ");
			column++;
		} else {
			config_text_add(out, "%*s", (int)indent, "");
			column = indent;
		}
		config_text_add(out, "%.*s", (int)n, s);
		column += (unsigned)n;
		s += n + (s[n] == ' ');
	}
	config_text_add(out, "\n");
}

/* One paragraph that is put together from parts. */
static void para_take(struct describe *d, unsigned indent, struct config_text *t)
{
	if (t->bad)
		d->out.bad = true;
	else if (t->s)
		wrap(&d->out, indent, t->s);
	config_text_deinit(t);
}

static _printf_(3, 4) void para(
	struct describe *d, unsigned indent, const char *format, ...)
{
	struct config_text t = {0};
	va_list ap;

	va_start(ap, format);
	config_text_vadd(&t, format, ap);
	va_end(ap);
	para_take(d, indent, &t);
}

/* The text of a list that is a part of a paragraph. */
static const char *listed(struct describe *d, const struct config_text *t)
{
	d->out.bad |= t->bad;
	return t->s ? t->s : "";
}

/* "a", "a and b", "a, b and c" */
static void add_listed(struct config_text *t, size_t i, size_t n, const char *what)
{
	config_text_add(t, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", what);
}

#define ANY_INSTANCE UINT_MAX

static bool has_role(
	const struct config_iface *ci, unsigned instance, enum config_role role)
{
	return ci->role == role &&
		(instance == ANY_INSTANCE || ci->instance == instance);
}

static size_t count_role(
	const struct config *c, unsigned instance, enum config_role role)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_iface; i++)
		n += has_role(&c->iface[i], instance, role);
	return n;
}

static void add_names(struct config_text *t, const struct config *c, unsigned instance,
	enum config_role role)
{
	size_t n = count_role(c, instance, role), k = 0;

	for (size_t i = 0; i < c->n_iface; i++)
		if (has_role(&c->iface[i], instance, role))
			add_listed(t, k++, n, c->iface[i].name);
}

static void summary(struct describe *d, unsigned instance)
{
	const struct config *c = d->c;
	bool defaultdown = instance == 0 && c->defaultdown;
	struct config_text t = {0};

	if (!count_role(c, instance, CONFIG_ROLE_UPSTREAM)) {
		para(d, 0, "No interface is the upstream, so nothing is forwarded.");
		return;
	}
	if (instance)
		config_text_add(&t, "Instance %s: ", c->instance[instance].name);
	config_text_add(&t, "Streams come in on ");
	add_names(&t, c, instance, CONFIG_ROLE_UPSTREAM);
	if (count_role(c, instance, CONFIG_ROLE_DOWNSTREAM)) {
		config_text_add(&t, " and go out on ");
		add_names(&t, c, instance, CONFIG_ROLE_DOWNSTREAM);
		config_text_add(&t, "%s, where hosts have joined them.",
			defaultdown ? " and every interface not named here" : "");
	} else if (defaultdown) {
		config_text_add(&t,
			" and go out on every interface not named here, where "
			"hosts have joined them.");
	} else {
		config_text_add(&t, " and go nowhere: no interface is a downstream.");
	}
	para_take(d, 0, &t);
}

static bool is_there(const struct describe *d, const char *name)
{
	for (const char *const *s = d->there; *s; s++)
		if (strcmp(*s, name) == 0)
			return true;
	return false;
}

/* Leaves out the interfaces that proxy_role.c leaves out, as far as their names
 * tell. */
static bool is_match(
	const struct config *c, const struct config_iface *ci, const char *name)
{
	return config_iface_find(c, name) == ci && strcmp(name, "lo") != 0 &&
		!config_is_report_interface(c, name);
}

/* the interfaces that match the pattern of this block; returns their number */
static size_t add_matches(
	struct describe *d, struct config_text *t, const struct config_iface *ci)
{
	size_t n = 0, k = 0;

	for (const char *const *s = d->there; *s; s++)
		n += is_match(d->c, ci, *s);
	for (const char *const *s = d->there; *s; s++)
		if (is_match(d->c, ci, *s))
			add_listed(t, k++, n, *s);
	return n;
}

static void heading(struct describe *d, const struct config_iface *ci)
{
	_cleanup_(config_text_deinit) struct config_text matches = {0};

	config_text_add(&d->out, "\n%s: %s", config_show(ci->name).s,
		config_role_word(ci->role));
	if (d->there && !ci->pattern)
		config_text_add(&d->out, "%s",
			is_there(d, ci->name)
				? ", is there now"
				: ", is not there now; it is used as soon as it appears");
	config_text_add(&d->out, "\n");
	if (!ci->pattern)
		return;
	if (d->there && !add_matches(d, &matches, ci))
		config_text_add(&matches, "no interface");
	para(d, 4,
		"A pattern%s%s%s. An interface that appears later and matches is also used, "
		"unless another phyint names it or an earlier pattern matches it.",
		d->there ? ", which matches " : "", listed(d, &matches),
		d->there ? " now" : "");
	if (ci->role == CONFIG_ROLE_UPSTREAM)
		para(d, 4,
			"Only one of them is the upstream at a time: the one in use while it is "
			"up, otherwise the one with the lowest index that is up.");
}

static void add_versions(struct config_text *t, const struct config_iface *ci)
{
	if (ci->ipv4)
		config_text_add(t, "IGMPv%u", ci->igmp_version);
	if (ci->ipv4 && ci->ipv6)
		config_text_add(t, " and ");
	if (ci->ipv6)
		config_text_add(t, "MLDv%u", ci->mld_version);
	if (!ci->ipv4 || !ci->ipv6)
		config_text_add(t, " (no %s)", ci->ipv4 ? "IPv6" : "IPv4");
}

/* The altnets that can match a source; returns how many there are. */
static size_t add_altnets(struct config_text *t, const struct config_iface *ci)
{
	char buf[PREFIX_STRLEN];
	size_t n = 0, k = 0;

	for (size_t i = 0; i < ci->n_altnet; i++)
		n += !config_is_group_prefix(&ci->altnet[i]);
	for (size_t i = 0; i < ci->n_altnet; i++) {
		const struct prefix *x = &ci->altnet[i];

		if (config_is_group_prefix(x))
			continue;
		prefix_format(x, buf);
		if (prefix_len_in_family(x) == 0)
			snprintf(buf, sizeof(buf), "any %s address",
				addr_is_v4(&x->addr) ? "IPv4" : "IPv6");
		add_listed(t, k++, n, buf);
	}
	return n;
}

/* IPTV senders are rarely in the subnet of the upstream, so warn before the stream
 * fails. */
static void describe_sources(struct describe *d, const struct config_iface *ci)
{
	_cleanup_(config_text_deinit) struct config_text nets = {0};
	size_t n = add_altnets(&nets, ci);

	if (n && ci->role == CONFIG_ROLE_UPSTREAM)
		para(d, 4,
			"Sources: data is accepted only from its own subnets and from %s "
			"(altnet).",
			listed(d, &nets));
	else if (ci->role == CONFIG_ROLE_UPSTREAM)
		para(d, 4,
			"Sources: data is accepted only from its own subnets. Senders of IPTV are "
			"mostly in other networks: name these with altnet.");
	else if (n)
		para(d, 4,
			"Hosts: reports are accepted from its own subnets and also from %s "
			"(altnet adds, it does not restrict).",
			listed(d, &nets));
	else
		para(d, 4, "Hosts: reports are accepted from its own subnets.");
	for (size_t i = 0; i < ci->n_altnet; i++) {
		char buf[PREFIX_STRLEN];

		if (config_is_group_prefix(&ci->altnet[i]))
			para(d, 4,
				"altnet %s has no effect, because these are groups, and no sender "
				"has such an address.",
				prefix_format(&ci->altnet[i], buf));
	}
}

static void describe_groups(struct describe *d, const struct config_iface *ci)
{
	const char *what = ci->role == CONFIG_ROLE_UPSTREAM ? "asked for here"
							    : "granted to hosts here";
	char buf[PREFIX_STRLEN];

	if (!ci->n_filter) {
		para(d, 4, "Groups: all may be %s.", what);
		return;
	}
	para(d, 4,
		"Groups %s: the last line that matches decides; groups that no line matches "
		"are %s.",
		what, ci->has_whitelist ? "refused" : "allowed");
	for (size_t i = 0; i < ci->n_filter; i++)
		para(d, 8, "%s %s", ci->filter[i].allow ? "allow" : "refuse",
			prefix_format(&ci->filter[i].groups, buf));
}

static void describe_alert(
	struct describe *d, const struct config_iface *ci, const char *what)
{
	bool optional = ci->mld_router_alert == CONFIG_ALERT_OPTIONAL;

	if (ci->ipv4 && ci->require_router_alert)
		para(d, 4, "IGMP %s without Router Alert are ignored.", what);
	if (ci->ipv6 && optional)
		para(d, 4, "MLD %s without Router Alert are accepted.", what);
}

static void describe_boundary(struct describe *d, const struct config_iface *ci)
{
	_cleanup_(config_text_deinit) struct config_text t = {0};
	char buf[PREFIX_STRLEN];
	bool ssdp = ci->ipv4 && config_boundary_scope(ci) >= CONFIG_SCOPE_LOCAL;

	if (ci->ipv6 && config_boundary_scope(ci) > 2)
		config_text_add(&t, "IPv6 groups of scope %u and narrower%s",
			config_boundary_scope(ci), ssdp || ci->n_boundary ? "; " : "");
	if (ssdp)
		config_text_add(&t,
			"239.255.255.250 (SSDP, the discovery of devices)%s",
			ci->n_boundary ? "; " : "");
	for (size_t i = 0; i < ci->n_boundary; i++)
		add_listed(&t, i, ci->n_boundary, prefix_format(&ci->boundary[i], buf));
	if (*listed(d, &t))
		para(d, 4,
			"Boundary: these groups do not cross this interface in either "
			"direction: %s.",
			t.s);
}

static void describe_upstream(struct describe *d, const struct config_iface *ci)
{
	struct config_text t = {0};
	bool other = *ci->report_interface;

	heading(d, ci);
	config_text_add(&t, "What the hosts want is reported %s%s by ",
		other ? "on " : "here", ci->report_interface);
	add_versions(&t, ci);
	config_text_add(&t, "%s%s",
		ci->version_fallback
			? ", or an older version if the router there speaks only that"
			: ", whatever version the router there speaks",
		other ? "; the data arrives here." : ".");
	para_take(d, 4, &t);
	describe_sources(d, ci);
	describe_groups(d, ci);
	describe_boundary(d, ci);
	describe_alert(d, ci, "queries");
}

static void add_limit(struct config_text *t, uint32_t max, const char *what)
{
	if (max)
		config_text_add(t, "%u %s", max, what);
	else
		config_text_add(t, "any number of %s", what);
}

static void describe_downstream(struct describe *d, const struct config_iface *ci)
{
	static const char *const forwarding[] = {
		[CONFIG_FORWARDING_EVIDENCE] =
			"streams are forwarded until another router is seen to forward "
			"them",
		[CONFIG_FORWARDING_QUERIER] = "nothing is forwarded",
		[CONFIG_FORWARDING_ALWAYS] =
			"streams are forwarded, even if another router forwards them",
	};
	struct config_text t = {0};

	config_text_add(&t, "Hosts are asked which groups they want, by ");
	add_versions(&t, ci);
	config_text_add(&t, "%s.",
		ci->always_querier ? "; also while another querier is heard" : "");
	para_take(d, 4, &t);
	if (!ci->always_querier)
		para(d, 4, "While another router is querier, %s.",
			forwarding[ci->forwarding]);
	describe_sources(d, ci);
	describe_groups(d, ci);
	describe_boundary(d, ci);
	para(d, 4,
		"TTL: forwards packets whose TTL is at least %u on arrival (threshold %u), and "
		"lowers it by one.",
		ci->threshold + 1u, ci->threshold);
	if (ci->fast_leave)
		para(d, 4,
			"fast-leave: a group stops as soon as the last host leaves it, if it is "
			"certain that it was the last.");
	describe_alert(d, ci, "reports");
	config_text_add(&t, "Limits: ");
	add_limit(&t, ci->max_groups, "groups");
	config_text_add(&t, ", ");
	add_limit(&t, ci->max_groups_per_host, "groups of one host");
	config_text_add(&t, ", ");
	add_limit(&t, ci->max_sources, "sources in each group.");
	para_take(d, 4, &t);
}

static void describe_disabled(struct describe *d)
{
	_cleanup_(config_text_deinit) struct config_text names = {0};

	config_text_add(&d->out, "\n");
	add_names(&names, d->c, ANY_INSTANCE, CONFIG_ROLE_DISABLED);
	if (*listed(d, &names))
		para(d, 0, "Disabled: %s.", names.s);
	if (!d->c->defaultdown) {
		para(d, 0, "Every interface not named here: disabled.");
		return;
	}
	para(d, 0, "Every interface not named here: downstream (defaultdown).");
	describe_downstream(d, &d->c->defaults);
}

static void describe_leave(struct describe *d)
{
	const struct gm_params *gm = &d->c->gm;
	char ms[CONFIG_SECONDS_STRLEN], total[CONFIG_SECONDS_STRLEN];

	config_format_seconds(gm->last_member_interval_ms, ms);
	config_format_seconds(gm_last_member_ms(gm), total);
	if (d->c->quickleave)
		para(d, 4,
			"Leaving a group: a stream ends as soon as the last host is known to have "
			"left (quickleave). If the group has old hosts (IGMPv1, IGMPv2, MLDv1), the "
			"others are asked first, which takes up to %s s.",
			total);
	else
		para(d, 4,
			"Leaving a group: the other hosts are asked first, %u times and %s s apart, "
			"so a stream ends up to %s s after the last host has left.",
			gm->last_member_count, ms, total);
}

static void add_seconds(
	struct config_text *t, const char *name, uint32_t ms, uint32_t def)
{
	char buf[CONFIG_SECONDS_STRLEN];

	if (ms != def)
		config_text_add(t, "%s%s %s s", t->len ? ", " : "", name,
			config_format_seconds(ms, buf));
}

static void add_count(struct config_text *t, const char *name, unsigned n, unsigned def)
{
	if (n != def)
		config_text_add(t, "%s%s %u", t->len ? ", " : "", name, n);
}

static void describe_timers(struct describe *d)
{
	const struct gm_params *gm = &d->c->gm, *def = &gm_params_default;
	_cleanup_(config_text_deinit) struct config_text t = {0};

	if (gm->revision != def->revision)
		config_text_add(&t, "the rules of RFC 3376 and RFC 3810");
	add_count(&t, "robustness", gm->robustness, def->robustness);
	add_seconds(
		&t, "query-interval", gm->query_interval_ms, def->query_interval_ms);
	add_seconds(&t, "query-response-interval", gm->response_interval_ms,
		def->response_interval_ms);
	add_seconds(&t, "last-member-query-interval", gm->last_member_interval_ms,
		def->last_member_interval_ms);
	add_count(&t, "last-member-query-count", gm->last_member_count,
		def->last_member_count);
	add_seconds(&t, "startup-query-interval", gm->startup_interval_ms,
		def->startup_interval_ms);
	add_count(&t, "startup-query-count", gm->startup_count, def->startup_count);
	if (!*listed(d, &t))
		para(d, 4, "Timers: those of RFC 9776 and RFC 9777.");
	else
		para(d, 4, "Timers that differ from RFC 9776 and RFC 9777: %s.", t.s);
}

static void describe_refresh(struct describe *d)
{
	char buf[CONFIG_SECONDS_STRLEN];

	if (d->c->refresh_interval_ms)
		para(d, 4,
			"Refresh: while no router sends queries on the upstream, the groups are "
			"reported again every %s s.",
			config_format_seconds(d->c->refresh_interval_ms, buf));
	else
		para(d, 4,
			"Refresh: off. If streams stop after about 4 minutes and 20 seconds, no "
			"router sends queries on the upstream: add 'refresh-interval 60'.");
}

static void describe_forward(struct describe *d)
{
	static const char *const what[] = {
		[CONFIG_FORWARD_NONE] = "are not forwarded",
		[CONFIG_FORWARD_DOWNSTREAM] = "go to the other downstreams",
		[CONFIG_FORWARD_ALL] =
			"go to the other downstreams and to the upstream",
	};

	para(d, 4, "Streams that are sent on a downstream %s.",
		what[d->c->forward_from_downstream]);
}

static void describe_forwarding(struct describe *d)
{
	const struct config *c = d->c;
	struct config_text t = {0};
	char buf[CONFIG_SECONDS_STRLEN];

	config_text_add(&t, "Forwarding: ");
	if (c->threads == 0)
		config_text_add(&t, "as many threads as fit the processors");
	else
		config_text_add(
			&t, "%u thread%s", c->threads, c->threads == 1 ? "" : "s");
	if (c->cpu_affinity)
		config_text_add(&t, " on the processors %s", c->cpu_affinity);
	if (c->ring_size == 0)
		config_text_add(&t, ", receive rings by the memory of the machine");
	else
		config_text_add(&t, ", receive rings of %s each",
			config_format_bytes(c->ring_size, buf));
	if (c->latency == CONFIG_LATENCY_LOW)
		config_text_add(&t, " for low latency");
	else if (c->latency == CONFIG_LATENCY_AUTO)
		config_text_add(
			&t, " that collect frames for at most %u ms", c->collect_ms);
	if (c->transmit != CONFIG_TRANSMIT_AUTO)
		config_text_add(&t, ", transmit by %s",
			config_keyword_find("transmit")->words[c->transmit - 1]);
	if (c->coalesce != CONFIG_COALESCE_ON)
		config_text_add(&t, ", %s",
			c->coalesce == CONFIG_COALESCE_EXACT
				? "datagrams joined only where their identification stays"
				: "datagrams never joined");
	if (c->quality != CONFIG_QUALITY_AUTO)
		config_text_add(&t, ", %s",
			c->quality == CONFIG_QUALITY_ON
				? "the quality of all streams is analysed in full"
				: "the quality of streams is not analysed");
	config_text_add(&t, ".");
	para_take(d, 4, &t);
}

static void describe_metrics(struct describe *d)
{
	const struct config *c = d->c;
	char buf[ENDPOINT_STRLEN];
	struct endpoint e;

	if (!c->metrics_listen || endpoint_parse(c->metrics_listen, &e) < 0)
		return;
	para(d, 4,
		"Metrics: http://%s/metrics%s, with the %u busiest forwarding entries.",
		endpoint_format(&e, buf),
		addr_is_loopback(&e.addr) ? "" : ", for every host that can reach it",
		c->metrics_groups);
}

static void describe_web(struct describe *d)
{
	const struct config *c = d->c;
	char buf[ENDPOINT_STRLEN], prefix[PREFIX_STRLEN];
	struct config_text t = {0};
	struct endpoint e;

	if (!c->web_listen || endpoint_parse(c->web_listen, &e) < 0)
		return;
	config_text_add(
		&t, "Page: http://%s/ for this system", endpoint_format(&e, buf));
	for (size_t i = 0; i < c->n_web_allow; i++)
		config_text_add(&t, "%s %s", i + 1 == c->n_web_allow ? " and" : ",",
			prefix_format(&c->web_allow[i], prefix));
	config_text_add(&t, ", %s the addresses of viewers.",
		c->web_names ? "with" : "without");
	para_take(d, 4, &t);
}

static void describe_operation(struct describe *d)
{
	const struct config *c = d->c;

	if (c->chroot || c->user)
		para(d, 4, "Privileges: after the start it runs%s%s%s%s.",
			c->user ? " as user " : "", c->user ? c->user : "",
			c->chroot ? " in " : "", c->chroot ? c->chroot : "");
	if (!c->seccomp || !c->landlock)
		para(d, 4, "Confinement: switched off for%s%s%s.",
			c->seccomp ? "" : " system calls (seccomp off)",
			c->seccomp || c->landlock ? "" : " and",
			c->landlock ? "" : " files (landlock off)");
	if (c->control_group)
		para(d, 4, "Control: members of the group %s may use ringcastctl.",
			c->control_group);
	describe_forwarding(d);
	describe_metrics(d);
	describe_web(d);
	if (c->channel_names)
		para(d, 4, "Names: those of channels come from %s.", c->channel_names);
	if (c->n_host_names)
		para(d, 4, "Hosts: names of viewers come from %s%s.", c->host_names[0],
			c->n_host_names > 1 ? " and the other files of host-names"
					    : "");
	para(d, 4,
		"Firewall: frames are read before netfilter sees them. Its rules do not stop the "
		"streams, and no rule is needed to admit them; the sources and groups above "
		"decide.");
}

static void describe_instance(struct describe *d, unsigned instance)
{
	static const enum config_role order[] = {
		CONFIG_ROLE_UPSTREAM, CONFIG_ROLE_DOWNSTREAM};
	const struct config *c = d->c;

	for (size_t k = 0; k < array_len(order); k++)
		for (size_t i = 0; i < c->n_iface; i++) {
			if (!has_role(&c->iface[i], instance, order[k]))
				continue;
			if (order[k] == CONFIG_ROLE_UPSTREAM) {
				describe_upstream(d, &c->iface[i]);
			} else {
				heading(d, &c->iface[i]);
				describe_downstream(d, &c->iface[i]);
			}
		}
}

static void describe_families(struct describe *d)
{
	const struct config *c = d->c;
	size_t n = 0, n_ipv6 = 0;

	for (size_t i = 0; i < c->n_iface; i++) {
		n += c->iface[i].role != CONFIG_ROLE_DISABLED;
		n_ipv6 += c->iface[i].role != CONFIG_ROLE_DISABLED && c->iface[i].ipv6;
	}
	n += c->defaultdown;
	n_ipv6 += c->defaultdown && c->defaults.ipv6;
	if (n_ipv6)
		para(d, 4,
			"Families: IPv6 (MLD) is also proxied%s, unlike with igmpproxy; 'ipv6 off' "
			"before the first phyint prevents that.",
			n_ipv6 < n ? " where it is not 'off'" : "");
	else
		para(d, 4,
			"Families: only IPv4; remove 'ipv6 off' to also proxy IPv6 (MLD).");
}

static bool is_missing(const struct describe *d, const struct config_iface *ci)
{
	return ci->role != CONFIG_ROLE_DISABLED && !ci->pattern &&
		!is_there(d, ci->name);
}

char *config_missing(const struct config *c, const char *const *there)
{
	struct describe d = {.c = c, .there = there};
	size_t n = 0, n_there = 0, k = 0;

	for (size_t i = 0; i < c->n_iface; i++)
		n += is_missing(&d, &c->iface[i]);
	if (!n)
		return NULL;
	config_text_add(
		&d.out, n == 1 ? "there is no interface " : "there are no interfaces ");
	for (size_t i = 0; i < c->n_iface; i++)
		if (is_missing(&d, &c->iface[i]))
			add_listed(&d.out, k++, n, c->iface[i].name);
	for (const char *const *s = there; *s; s++)
		n_there += strcmp(*s, "lo") != 0;
	k = 0;
	config_text_add(&d.out,
		n_there ? "; the interfaces of this system: "
			: "; this system has none");
	for (const char *const *s = there; *s; s++)
		if (strcmp(*s, "lo") != 0)
			config_text_add(&d.out, "%s%s", k++ ? ", " : "", *s);
	config_text_add(&d.out,
		". Correct a name that is wrong; an interface that appears later is used as "
		"soon as it appears");
	return config_text_take(&d.out);
}

char *config_describe(const struct config *c, const char *const *there)
{
	struct describe d = {.c = c, .there = there};

	for (unsigned i = 0; i < c->n_instance; i++)
		if (c->n_instance == 1 || config_instance_used(c, i))
			summary(&d, i);
	for (unsigned i = 0; i < c->n_instance; i++)
		describe_instance(&d, i);
	describe_disabled(&d);
	config_text_add(&d.out, "\nAll interfaces\n");
	describe_families(&d);
	describe_leave(&d);
	describe_timers(&d);
	describe_refresh(&d);
	describe_forward(&d);
	describe_operation(&d);
	return config_text_take(&d.out);
}
