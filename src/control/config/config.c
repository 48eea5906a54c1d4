/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The configuration as an object: its defaults, the questions that it answers, and how
 * it is freed. config_lex splits the text, config_parse.c reads the statements by the
 * table in config_keyword.c, config_value.c and config_prefix.c convert the arguments,
 * config_check.c judges the whole; config_print.c and config_describe.c write it out.
 */

#include "control/config/config_foreign.h"
#include "control/config/config_parse.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_METRICS_GROUPS	    256
#define DEFAULT_MAX_GROUPS	    16384
#define DEFAULT_MAX_SOURCES	    1024
#define DEFAULT_MAX_GROUPS_PER_HOST 1024

/* An IGMPv2 host with 10,000 groups answers a query with a thousand messages a
 * second. */
#define DEFAULT_HOST_MESSAGE_RATE 1000
#define DEFAULT_COLLECT_MS	  8
#define DEFAULT_MESSAGE_RATE	  20000

static const struct config config_default = {
	.refresh_interval_ms = 0,
	.forward_from_downstream = CONFIG_FORWARD_NONE,
	.threads = 1,
	.transmit = CONFIG_TRANSMIT_AUTO,
	.coalesce = CONFIG_COALESCE_ON,
	.latency = CONFIG_LATENCY_AUTO,
	.collect_ms = DEFAULT_COLLECT_MS,
	.seccomp = true,
	.landlock = true,
	.receive_offload = true,
	.quality = CONFIG_QUALITY_AUTO,
	.metrics_groups = DEFAULT_METRICS_GROUPS,
	.web_names = true,
	.log_to = CONFIG_LOG_AUTO,
	.log_level = CONFIG_LOG_LEVEL_DEFAULT,
	.defaults =
		{
			.role = CONFIG_ROLE_DISABLED,
			.threshold = 1,
			.igmp_version = 3,
			.mld_version = 2,
			.ipv4 = true,
			.ipv6 = true,
			.mld_router_alert = CONFIG_ALERT_REQUIRE,
			.version_fallback = true,
			.forwarding = CONFIG_FORWARDING_EVIDENCE,
			.max_groups = DEFAULT_MAX_GROUPS,
			.max_sources = DEFAULT_MAX_SOURCES,
			.max_groups_per_host = DEFAULT_MAX_GROUPS_PER_HOST,
			.host_message_rate = DEFAULT_HOST_MESSAGE_RATE,
			.message_rate = DEFAULT_MESSAGE_RATE,
		},
};

struct prefix config_ssm_default(size_t i)
{
	struct addr a = ADDR_V4(232, 0, 0, 0);

	if (i == 0)
		return prefix_from_addr(&a, 8);
	/* FF3x::/32 for each scope x, RFC 4607 1 */
	a = (struct addr){{0xff, (uint8_t)(0x30 | (i - 1))}};
	return prefix_from_addr(&a, 32);
}

void config_iface_deinit(struct config_iface *ci)
{
	free(ci->altnet);
	free(ci->filter);
	free(ci->boundary);
	free(ci->place);
	*ci = (struct config_iface){0};
}

struct config *config_free(struct config *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->n_iface; i++)
		config_iface_deinit(&c->iface[i]);
	for (size_t i = 0; i < c->n_message; i++)
		free(c->message[i].text);
	config_iface_deinit(&c->defaults);
	free(c->iface);
	free(c->instance);
	free(c->message);
	free(c->ssm);
	free(c->chroot);
	free(c->user);
	free(c->cpu_affinity);
	free(c->control_socket);
	free(c->control_group);
	free(c->metrics_listen);
	free(c->web_listen);
	free(c->web_allow);
	free(c->channel_names);
	for (size_t i = 0; i < c->n_host_names; i++)
		free(c->host_names[i]);
	free(c);
	return NULL;
}

static bool set_defaults(struct config_parser *p)
{
	struct config *c = p->c;

	*c = config_default;
	c->gm = gm_params_default;
	if (!config_grow(p, &c->instance, 0, sizeof(*c->instance)))
		return false;
	c->instance[c->n_instance++] = (struct config_instance){0};
	return true;
}

/* Does `a` come after `b`? Messages about the file as a whole come last. */
static bool comes_after(const struct config_message *a, const struct config_message *b)
{
	if (!a->line || !b->line)
		return !a->line && b->line;
	return a->line != b->line ? a->line > b->line : a->column > b->column;
}

/* They are nearly in order already, because those of a block are found at its end. */
static void sort_messages(struct config *c)
{
	for (size_t i = 1; i < c->n_message; i++) {
		struct config_message m = c->message[i];
		size_t j = i;

		for (; j > 0 && comes_after(&c->message[j - 1], &m); j--)
			c->message[j] = c->message[j - 1];
		c->message[j] = m;
	}
}

static struct config_pos position(const char *text, size_t at)
{
	struct config_pos pos = {1, 1};

	for (size_t i = 0; i < at; i++) {
		bool line_end = text[i] == '\n';

		pos.line += line_end;
		pos.column = line_end ? 1 : pos.column + 1;
	}
	return pos;
}

int config_parse(const char *text, size_t len, struct config **ret_config)
{
	struct config_parser p = {.c = calloc(1, sizeof(*p.c))};
	const char *encoding;
	size_t at;
	int r;

	if (!p.c)
		return -ENOMEM;
	if (!set_defaults(&p)) {
		config_free(p.c);
		return -ENOMEM;
	}
	r = config_tokens_init(&p.tokens, text, len);
	if (r < 0) {
		config_free(p.c);
		return r;
	}
	encoding = config_foreign_encoding(text, len, &at);
	if (encoding)
		config_say(&p, CONFIG_ERROR, position(text, at), "%s", encoding);
	else
		config_parse_tokens(&p);
	config_check_file(&p);
	config_iface_deinit(&p.discarded);
	config_tokens_deinit(&p.tokens);
	if (p.no_memory) {
		config_free(p.c);
		return -ENOMEM;
	}
	sort_messages(p.c);
	*ret_config = p.c;
	return p.n_errors ? 1 : 0;
}

bool config_is_pattern(const char *name)
{
	const char *bracket = strchr(name, '[');

	return strpbrk(name, "*?") || (bracket && strchr(bracket + 1, ']'));
}

const struct config_iface *config_iface_named(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_iface; i++)
		if (strcmp(c->iface[i].name, name) == 0)
			return &c->iface[i];
	return &c->defaults;
}

const struct config_iface *config_iface_find(const struct config *c, const char *name)
{
	const struct config_iface *ci = config_iface_named(c, name);

	for (size_t i = 0; ci == &c->defaults && i < c->n_iface; i++)
		if (c->iface[i].pattern &&
			fnmatch(c->iface[i].name, name, FNM_NOESCAPE) == 0)
			ci = &c->iface[i];
	return ci;
}

bool config_is_report_interface(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_iface; i++)
		if (c->iface[i].role == CONFIG_ROLE_UPSTREAM &&
			strcmp(c->iface[i].report_interface, name) == 0)
			return true;
	return false;
}

bool config_instance_used(const struct config *c, unsigned instance)
{
	if (instance == 0 && c->defaultdown)
		return true;
	for (size_t i = 0; i < c->n_iface; i++)
		if (c->iface[i].instance == instance &&
			c->iface[i].role != CONFIG_ROLE_DISABLED)
			return true;
	return false;
}

bool config_group_allowed(const struct config_iface *ci, const struct addr *group)
{
	for (size_t i = ci->n_filter; i > 0; i--)
		if (prefix_contains(&ci->filter[i - 1].groups, group))
			return ci->filter[i - 1].allow;
	return !ci->has_whitelist;
}

/* TR-124 MLD.5: groups up to organisation scope do not go to the provider. RFC 4291
 * 2.7: link-local groups do not leave the link. */
unsigned config_boundary_scope(const struct config_iface *ci)
{
	if (ci->boundary_scope)
		return ci->boundary_scope;
	return ci->role == CONFIG_ROLE_UPSTREAM ? 8 : 2;
}

bool config_is_beyond_scope(const struct config_iface *ci, const struct addr *group)
{
	unsigned scope = config_boundary_scope(ci);

	if (addr_is_v4(group))
		return addr_eq(group, &CONFIG_SSDP) && scope >= CONFIG_SCOPE_LOCAL;
	return addr_scope(group) <= scope;
}

bool config_is_boundary(const struct config_iface *ci, const struct addr *group)
{
	return config_is_beyond_scope(ci, group) ||
		prefix_any_contains(ci->boundary, ci->n_boundary, group);
}

bool config_is_ssm(const struct config *c, const struct addr *group)
{
	return prefix_any_contains(c->ssm, c->n_ssm, group);
}
