/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Instances under a clock of their own: the configuration is text, the test lists the
 * interfaces and passes messages, and effects are lines of effect_format().
 */

#include "control/proxy/instances.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct instances_fixture {
	struct instances *instances;
	struct config *cfg;
	struct iface_table ifaces;
	struct effects fx;
	mono_t now;
};

/* An interface that is up, with an IPv4 address NET.1/24 and a link-local one. */
static inline void fixture_iface(
	struct instances_fixture *t, int ifindex, const char *name, const char *net)
{
	struct iface i = {
		.ifindex = ifindex, .mtu = 1500, .up = true, .multicast = true};
	struct iface_addr v4 = {0}, v6 = {0};
	char text[32];

	snprintf(i.name, sizeof(i.name), "%s", name);
	assert_int_equal(iface_link(&t->ifaces, &i), 1);
	snprintf(text, sizeof(text), "%s.1", net);
	v4.addr = a(text);
	v4.subnet = prefix_from_addr(&v4.addr, 24);
	assert_int_equal(iface_addr_set(&t->ifaces, ifindex, &v4), 1);
	snprintf(text, sizeof(text), "fe80::%x", (unsigned)ifindex);
	v6.addr = a(text);
	v6.subnet = prefix_from_addr(&v6.addr, 64);
	assert_int_equal(iface_addr_set(&t->ifaces, ifindex, &v6), 1);
}

static inline struct config *fixture_parse(const char *text)
{
	struct config *cfg;
	int r = config_parse(text, strlen(text), &cfg);

	for (size_t i = 0; i < cfg->n_message; i++)
		if (cfg->message[i].severity == CONFIG_ERROR)
			print_error("%s\n", cfg->message[i].text);
	assert_int_equal(r, 0);
	return cfg;
}

static inline void fixture_run(struct instances_fixture *t, int64_t ms)
{
	mono_t until = mono_add_ms(t->now, ms), at;

	while (mono_due(at = instances_deadline(t->instances), until)) {
		t->now = at;
		instances_tick(t->instances, at, &t->fx);
	}
	t->now = until;
}

/* Configures as the daemon does at start and on a reload; adds effects to t->fx. */
static inline void fixture_configure(struct instances_fixture *t, const char *text)
{
	struct config *cfg = fixture_parse(text);

	instances_release(t->instances, t->now, cfg, &t->ifaces, &t->fx);
	assert_int_equal(
		instances_sync(t->instances, t->now, cfg, &t->ifaces, &t->fx), 0);
	config_free(t->cfg);
	t->cfg = cfg;
	fixture_run(t, 0);
}

/* Applies interface events; the configuration stays. */
static inline void fixture_resync(struct instances_fixture *t)
{
	instances_release(t->instances, t->now, t->cfg, &t->ifaces, &t->fx);
	assert_int_equal(
		instances_sync(t->instances, t->now, t->cfg, &t->ifaces, &t->fx), 0);
	fixture_run(t, 0);
}

static inline void fixture_start(struct instances_fixture *t)
{
	static const bool both[_FAMILY_N] = {true, true};

	*t = (struct instances_fixture){.now = mono_from_ms(1000000)};
	assert_int_equal(instances_new(both, 7, &t->instances), 0);
}

static inline void fixture_stop(struct instances_fixture *t)
{
	instances_free(t->instances);
	config_free(t->cfg);
	iface_table_deinit(&t->ifaces);
	effects_deinit(&t->fx);
}

static inline struct proxy_port *fixture_port(
	const struct instances_fixture *t, const char *name)
{
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (t->instances->port[i] &&
			strcmp(t->instances->port[i]->name, name) == 0)
			return t->instances->port[i];
	return NULL;
}

static inline enum gm_bad fixture_input(
	struct instances_fixture *t, const char *port, const struct gm_msg *msg)
{
	struct proxy_port *pp = fixture_port(t, port);

	enum gm_bad bad;

	assert_non_null(pp);
	bad = proxy_input(pp->proxy, t->now, pp->port, msg, &t->fx);
	fixture_run(t, 0);
	return bad;
}

/* A report of one record; `src` may be NULL. */
static inline enum gm_bad fixture_report(struct instances_fixture *t, const char *port,
	enum gm_version version, const char *from, enum gm_record_type type,
	const char *group, const char *src)
{
	struct addr s = src ? a(src) : addr_any(FAMILY_IPV4);
	struct gm_record rec = {
		.type = type, .group = a(group), .src = &s, .n_src = src != NULL};
	struct gm_msg msg = {.kind = GM_REPORT,
		.family = addr_family(&rec.group),
		.version = version,
		.from = a(from),
		.rec = &rec,
		.n_rec = 1};

	return fixture_input(t, port, &msg);
}

/* `group` NULL means a general query */
static inline enum gm_bad fixture_query(struct instances_fixture *t, const char *port,
	enum gm_version version, const char *from, const char *group)
{
	struct addr f = a(from);
	struct gm_msg msg = {.kind = GM_QUERY,
		.family = addr_family(&f),
		.version = version,
		.from = f};

	msg.query.group = group ? a(group) : addr_any(msg.family);
	msg.query.max_resp_ms = 1000;
	return fixture_input(t, port, &msg);
}

/* Counts the effects whose line contains both words; "" matches all. */
static inline unsigned fixture_count(
	const struct instances_fixture *t, const char *word, const char *word2)
{
	unsigned n = 0;
	char line[4096];

	effects_for_each (&t->fx, e) {
		effect_format(e, line, sizeof(line));
		n += strstr(line, word) && strstr(line, word2);
	}
	return n;
}

/* Counts reports of the port, whose lines begin with "port N report". */
static inline unsigned fixture_reports(
	const struct instances_fixture *t, const char *port, const char *word)
{
	unsigned n = 0;
	char line[4096];

	effects_for_each (&t->fx, e) {
		if (e->type != EFFECT_REPORT || e->port != fixture_port(t, port)->port)
			continue;
		effect_format(e, line, sizeof(line));
		n += strstr(line, word) != NULL;
	}
	return n;
}
