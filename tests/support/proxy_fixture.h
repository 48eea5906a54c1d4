/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A whole proxy under a clock of its own, made from configuration text and a table of
 * interfaces, driven by scripts that read the same for both families. A script is a
 * list of steps separated by ';', a step is "ACTION > EFFECTS":
 *
 *   lan1 to_ex G AB     a report of host 1 on lan1; "lan1#7" is host 7, "lan1#x" a
 *                       host that is in no subnet there
 *   lan1 v2 G           report of an older host; "lan1 v2 leave G", "lan1 v1 G"
 *   lan1 ?3 low         general query of version 3 from a low address; also high,
 *                       zero, unicast, stranger, self
 *   wan ?2              the same from the provider
 *   lan1 bad            a message that the decoder refused
 *   lan1 down|up|gone|new|moved   the interface; "gone" and "new" change its index
 *   reload 1            configuration 1 of the case is in force from now on
 *   +2000               2000 ms pass
 *   stop                orderly shutdown
 *   kernel G all        programs of this host want all sources of G on wan, AB, or none
 *   says to_in G        the kernel reports that on wan
 *
 * EFFECTS, separated by '|':
 *
 *   wan: to_ex G{A}     a report
 *   lan1: ? G{A}        a specific query
 *   *G=lan1+lan2        a forwarding entry, as is A,G=lan1; "=gone" when deleted
 *   lan1! denied        a note
 *   (filtered)          why the message was refused
 *
 * General queries, and notes about groups that come and go, are left out. Groups are G
 * to M, except L, which never leaves its link; P is that of SSDP, and S and T are
 * source-specific. Sources are A to F.
 */

#include "control/proxy/proxy.h"
#include "support_gm.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#define FIXTURE_CONFIGS 4

struct proxy_fixture {
	struct proxy *proxy;
	struct config *cfg;
	const char *const *text; /* configurations of the case */
	struct iface_table ifaces;
	struct effects fx;
	enum family family;
	mono_t now;
	int last_ifindex;
	int sync;		       /* result of the last proxy_sync() */
	char name[PORT_MAX][IFNAMSIZ]; /* of the ports before the step */
	char said[1024]; /* by ports that went in the step, before others take their
			    numbers */
	unsigned n_general, n_upstream_queries;
	struct kgroups kernel; /* on wan */
};

struct proxy_case {
	const char *id, *script;
	const char *config[FIXTURE_CONFIGS];
	bool only_ipv4;
};

static inline struct addr px_group(enum family f, char letter)
{
	switch (letter) {
	case 'L':
		return f == FAMILY_IPV4 ? a("224.0.0.251") : a("ff02::fb");
	case 'P':
		return f == FAMILY_IPV4 ? a("239.255.255.250") : a("ff05::c");
	case 'S':
		return f == FAMILY_IPV4 ? a("232.1.2.3") : a("ff3e::8000:1");
	case 'T':
		return f == FAMILY_IPV4 ? a("232.1.2.4") : a("ff3e::8000:2");
	}
	return gm_group(f, (unsigned)(letter - 'G' + 1));
}

static inline char px_group_letter(enum family f, const struct addr *group)
{
	for (const char *l = "GHIJKLMPST"; *l; l++) {
		struct addr x = px_group(f, *l);

		if (addr_eq(&x, group))
			return *l;
	}
	return '?';
}

/* lan1 has 10.1.0.0/24 and fe80::1:x, lan2 10.2.0.0/24 and fe80::2:x, others net 9 */
static inline struct addr px_addr(enum family f, const char *name, unsigned host)
{
	unsigned net = strncmp(name, "lan", 3) == 0 ? (unsigned)atoi(name + 3) : 9;
	struct addr v6 = {{0xfe, 0x80, [13] = (uint8_t)net, [15] = (uint8_t)host}};

	return f == FAMILY_IPV4
		? ADDR_V4(10, (uint8_t)net, (uint8_t)(net >> 8), (uint8_t)host)
		: v6;
}

static inline void px_address(
	struct proxy_fixture *t, const char *name, int ifindex, unsigned host)
{
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		struct iface_addr ia = {.addr = px_addr((enum family)f, name, host)};

		ia.subnet = prefix_from_addr(&ia.addr, f == FAMILY_IPV4 ? 24 : 64);
		assert_true(iface_addr_set(&t->ifaces, ifindex, &ia) >= 0);
	}
}

static inline void px_iface(struct proxy_fixture *t, const char *name)
{
	struct iface link = {.ifindex = ++t->last_ifindex,
		.mtu = 1500,
		.up = true,
		.multicast = true,
		.arphrd = 1,
		.mac = {2, 0, 0, 0, 0, (uint8_t)t->last_ifindex}};

	snprintf(link.name, sizeof(link.name), "%s", name);
	assert_true(iface_link(&t->ifaces, &link) >= 0);
	px_address(t, name, link.ifindex, 100);
}

static inline void px_sync(struct proxy_fixture *t)
{
	t->sync = proxy_sync(t->proxy, t->now, t->cfg, &t->ifaces, &t->fx);
}

static inline struct config *px_parse(const char *text)
{
	struct config *cfg;
	int r = config_parse(text, strlen(text), &cfg);

	if (r != 0)
		fail_msg(
			"\"%s\": %s", text, r < 0 ? "no memory" : cfg->message[0].text);
	return cfg;
}

/* wan, lan1, lan2 and lan3 are there and up */
static inline void px_init(
	struct proxy_fixture *t, enum family family, const char *const *text)
{
	static const bool families[_FAMILY_N] = {true, true};

	*t = (struct proxy_fixture){
		.family = family, .text = text, .now = mono_from_ms(1000)};
	t->cfg = px_parse(text[0]);
	assert_int_equal(proxy_new(3, families, 42, &t->proxy), 0);
	px_iface(t, "wan");
	px_iface(t, "lan1");
	px_iface(t, "lan2");
	px_iface(t, "lan3");
}

static inline void px_deinit(struct proxy_fixture *t)
{
	proxy_free(t->proxy);
	config_free(t->cfg);
	iface_table_deinit(&t->ifaces);
	effects_deinit(&t->fx);
	kgroups_deinit(&t->kernel);
}

static inline struct proxy_port *px_port(
	const struct proxy_fixture *t, const char *name)
{
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (t->proxy->port[i] && strcmp(t->proxy->port[i]->name, name) == 0)
			return t->proxy->port[i];
	return NULL;
}

/* ---- effects as text ---- */

static inline void px_put(char *buf, size_t size, const char *text)
{
	size_t len = strlen(buf);

	assert_true(len + strlen(text) < size);
	strcpy(buf + len, text);
}

static inline void px_put_sources(
	char *buf, size_t size, const struct addr *src, size_t n)
{
	char digits[16], word[2] = "";

	gm_digits(src, n, digits);
	for (const char *d = digits; *d; d++) {
		word[0] = (char)(*d - '1' + 'A');
		px_put(buf, size, word);
	}
}

static inline void px_put_list(struct proxy_fixture *t, char *buf, size_t size,
	const struct addr *group, const struct addr *src, size_t n)
{
	char word[] = {px_group_letter(t->family, group), '{', '\0'};

	px_put(buf, size, word);
	px_put_sources(buf, size, src, n);
	px_put(buf, size, "}");
}

static inline const char *px_name(const struct proxy_fixture *t, unsigned port)
{
	return t->proxy->port[port] ? t->proxy->port[port]->name : t->name[port];
}

static inline void px_remember(struct proxy_fixture *t)
{
	t->said[0] = '\0';
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (t->proxy->port[i])
			memcpy(t->name[i], t->proxy->port[i]->name, IFNAMSIZ);
}

static inline void px_put_fib(
	struct proxy_fixture *t, char *buf, size_t size, const struct effect *e)
{
	char group[] = {px_group_letter(t->family, &e->fib.group), '=', '\0'};
	const char *separator = "";

	assert_int_equal(e->fib.instance, 3);
	if (addr_is_any(&e->fib.source)) {
		px_put(buf, size, "*");
	} else {
		px_put_sources(buf, size, &e->fib.source, 1);
		px_put(buf, size, ",");
	}
	px_put(buf, size, group);
	if (e->type == EFFECT_FIB_DEL) {
		px_put(buf, size, "gone");
		return;
	}
	portset_for_each (&e->fib.out, port) {
		px_put(buf, size, separator);
		px_put(buf, size, px_name(t, port));
		separator = "+";
	}
}

static inline void px_put_report(
	struct proxy_fixture *t, char *buf, size_t size, const struct effect *e)
{
	static const char *const types[] = {
		"", "is_in", "is_ex", "to_in", "to_ex", "allow", "block"};
	char version[8];

	assert_int_equal(e->report.family, t->family);
	px_put(buf, size, px_name(t, e->port));
	px_put(buf, size, ":");
	if (e->report.version != GM_V3) {
		snprintf(version, sizeof(version), " v%d", (int)e->report.version);
		px_put(buf, size, version);
	}
	for (size_t i = 0; i < e->report.n_rec; i++) {
		const struct gm_record *rec = &e->report.rec[i];

		px_put(buf, size, " ");
		px_put(buf, size, types[rec->type]);
		px_put(buf, size, " ");
		px_put_list(t, buf, size, &rec->group, rec->src, rec->n_src);
	}
}

static inline void px_put_note(
	struct proxy_fixture *t, char *buf, size_t size, const struct effect *e)
{
	static const char *const names[_NOTE_N] = {
		[NOTE_QUERIER_WON] = "won",
		[NOTE_QUERIER_LOST] = "lost",
		[NOTE_QUERIER_UNICAST] = "unicast",
		[NOTE_OLDER_QUERIER] = "older",
		[NOTE_GROUP_LIMIT] = "limit",
		[NOTE_SOURCE_LIMIT] = "sources",
		[NOTE_HOST_LIMIT] = "hosts",
		[NOTE_GROUP_DENIED] = "denied",
		[NOTE_SSM_REFUSED] = "ssm",
		[NOTE_HOST_VERSION] = "version",
		[NOTE_REPORT_FOREIGN] = "foreign",
		[NOTE_QUERIER_FOREIGN] = "stranger",
		[NOTE_OWN_FRAMES] = "own",
	};

	px_put(buf, size, px_name(t, e->port));
	px_put(buf, size, "! ");
	px_put(buf, size, names[e->note.note] ? names[e->note.note] : "?");
}

static inline bool px_left_out(struct proxy_fixture *t, const struct effect *e)
{
	if (e->type == EFFECT_QUERY) {
		const struct proxy_port *pp = t->proxy->port[e->port];

		t->n_upstream_queries += pp && pp->role == CONFIG_ROLE_UPSTREAM;
		t->n_general += addr_is_any(&e->query.q.group);
		return addr_is_any(&e->query.q.group);
	}
	return e->type == EFFECT_NOTE &&
		(e->note.note == NOTE_GROUP_NEW || e->note.note == NOTE_GROUP_GONE);
}

/* All effects since the last call. */
static inline void px_effects(struct proxy_fixture *t, char *buf, size_t size)
{
	effects_for_each (&t->fx, e) {
		if (px_left_out(t, e))
			continue;
		if (buf[0])
			px_put(buf, size, " | ");
		switch (e->type) {
		case EFFECT_QUERY:
			px_put(buf, size, px_name(t, e->port));
			px_put(buf, size, ": ? ");
			px_put_list(t, buf, size, &e->query.q.group, e->query.q.src,
				e->query.q.n_src);
			break;
		case EFFECT_REPORT:
			px_put_report(t, buf, size, e);
			break;
		case EFFECT_FIB_SET:
		case EFFECT_FIB_DEL:
			px_put_fib(t, buf, size, e);
			break;
		case EFFECT_NOTE:
			px_put_note(t, buf, size, e);
			break;
		}
	}
	effects_clear(&t->fx);
}

/* ---- actions ---- */

static inline void px_run(struct proxy_fixture *t, int64_t ms)
{
	mono_t end = mono_add_ms(t->now, ms);

	while (mono_due(proxy_deadline(t->proxy), end)) {
		t->now = mono_max(t->now, proxy_deadline(t->proxy));
		proxy_tick(t->proxy, t->now, &t->fx);
	}
	t->now = end;
}

static inline enum gm_bad px_report(struct proxy_fixture *t, const char *name,
	const struct addr *from, enum gm_version version, enum gm_record_type type,
	char group, const char *sources)
{
	struct addr src[8];
	struct gm_record rec = {.type = type, .group = px_group(t->family, group)};
	struct gm_msg msg = {.kind = GM_REPORT,
		.family = t->family,
		.version = version,
		.from = *from,
		.rec = &rec,
		.n_rec = 1};

	for (; sources[rec.n_src]; rec.n_src++)
		src[rec.n_src] =
			gm_source(t->family, (char)(sources[rec.n_src] - 'A' + '1'));
	rec.src = src;
	assert_non_null(px_port(t, name));
	return proxy_input(t->proxy, t->now, px_port(t, name)->port, &msg, &t->fx);
}

static inline enum gm_bad px_query(struct proxy_fixture *t, const char *name,
	enum gm_version version, const char *who)
{
	unsigned host = strcmp(who, "high") == 0 ? 200 : 1;
	struct gm_msg msg = {.kind = GM_QUERY,
		.family = t->family,
		.version = version,
		.from = px_addr(t->family, name, host)};

	if (strcmp(who, "zero") == 0)
		msg.from = addr_any(t->family);
	if (strcmp(who, "self") == 0)
		msg.from = px_addr(t->family, name, 100);
	if (strcmp(who, "stranger") == 0) /* in no subnet; without an identifier */
		msg.from = t->family == FAMILY_IPV4 ? ADDR_V4(169, 254, 0, 1)
						    : (struct addr){{0xfe, 0x80}};
	if (strcmp(who, "unicast") == 0 || strcmp(who, "other") == 0) {
		msg.notes = GM_NOTE_UNICAST;
		msg.to = px_addr(t->family, name, *who == 'u' ? 100 : 200);
	}
	if (strcmp(who, "ttl") == 0)
		msg.notes = GM_NOTE_TTL;
	msg.query.group = addr_any(t->family);
	msg.query.max_resp_ms = 1000;
	return proxy_input(t->proxy, t->now, px_port(t, name)->port, &msg, &t->fx);
}

static inline void px_link(struct proxy_fixture *t, const char *name, const char *what)
{
	struct iface *i = iface_by_name(&t->ifaces, name);
	struct iface link;

	if (strcmp(what, "new") == 0) {
		px_iface(t, name);
	} else if (strcmp(what, "gone") == 0) {
		iface_gone(&t->ifaces, i->ifindex);
	} else if (strcmp(what, "moved") == 0) {
		for (unsigned f = 0; f < _FAMILY_N; f++) {
			struct addr old = px_addr((enum family)f, name, 100);

			size_t n = i->n_addr;

			while (n > 0 && !addr_eq(&i->addr[n - 1].addr, &old))
				n--;
			assert_true(n > 0);
			assert_int_equal(
				iface_addr_del(&t->ifaces, i->ifindex, &i->addr[n - 1]),
				1);
		}
		px_address(t, name, i->ifindex, 101);
	} else {
		link = *i;
		link.up = strcmp(what, "up") == 0;
		assert_int_equal(iface_link(&t->ifaces, &link), 1);
	}
	px_sync(t);
}

static inline void px_reload(struct proxy_fixture *t, unsigned n)
{
	struct config *old = t->cfg;

	t->cfg = px_parse(t->text[n]);
	proxy_release(t->proxy, t->now, t->cfg, &t->ifaces, &t->fx);
	px_effects(t, t->said, sizeof(t->said));
	px_sync(t);
	config_free(old);
}

static inline enum gm_record_type px_type(const char *word)
{
	static const char *const types[] = {
		"", "is_in", "is_ex", "to_in", "to_ex", "allow", "block"};
	enum gm_record_type type = GM_IS_IN;

	for (; strcmp(types[type], word) != 0; type++)
		assert_true(type < GM_BLOCK);
	return type;
}

static inline enum gm_bad px_report_step(
	struct proxy_fixture *t, char *name, const char *const *word, int n)
{
	enum gm_record_type type = GM_IS_EX;
	enum gm_version version = GM_V3;
	char *number = strchr(name, '#');
	struct addr from;

	if (number)
		*number++ = '\0';
	from = px_addr(t->family, name, number ? (unsigned)atoi(number) : 1);
	if (number && *number == 'x')
		from = t->family == FAMILY_IPV4 ? a("192.0.2.9") : a("2001:db8:9::9");
	if (word[0][0] == 'v') {
		version = (enum gm_version)(word[0][1] - '0');
		if (strcmp(word[1], "leave") == 0) {
			type = GM_TO_IN;
			word++;
			n--;
		}
	} else {
		type = px_type(word[0]);
	}
	return px_report(
		t, name, &from, version, type, word[1][0], n > 2 ? word[2] : "");
}

static inline void px_kernel_holds(
	struct proxy_fixture *t, char group, const char *what)
{
	struct kgroups old = t->kernel, *k = &t->kernel;
	struct addr g = px_group(t->family, group);
	size_t at = 0;

	*k = (struct kgroups){.v = calloc(old.n + 1, sizeof(*k->v)), .cap = old.n + 1};
	for (size_t i = 0; i < old.n; i++) {
		struct kgroup *c = &k->v[k->n];

		if (addr_eq(&old.v[i].group, &g))
			continue;
		at += addr_cmp(&old.v[i].group, &g) < 0;
		*c = old.v[i];
		c->src = (struct addrset){0};
		assert_int_equal(addrset_copy(&c->src, &old.v[i].src), 0);
		k->n++;
	}
	if (strcmp(what, "none") != 0) {
		memmove(&k->v[at + 1], &k->v[at], (k->n - at) * sizeof(*k->v));
		k->v[at] = (struct kgroup){.ifindex = px_port(t, "wan")->ifindex,
			.group = g,
			.n_users = 1};
		for (; strcmp(what, "all") != 0 && *what; what++, k->v[at].n_wanted++) {
			struct addr s = gm_source(t->family, (char)(*what - 'A' + '1'));

			assert_int_equal(addrset_add(&k->v[at].src, &s), 0);
		}
		k->n++;
	}
	t->proxy->kernel[t->family] = k;
	proxy_kernel_changed(t->proxy, t->now, t->family, &old);
	kgroups_deinit(&old);
}

static inline void px_kernel_says(struct proxy_fixture *t, enum gm_record_type type,
	enum gm_version version, char group, const char *sources)
{
	struct addr src[8];
	struct gm_record rec = {.type = type, .group = px_group(t->family, group)};
	struct gm_msg msg = {.kind = GM_REPORT,
		.family = t->family,
		.version = version,
		.rec = &rec,
		.n_rec = 1};

	for (; sources[rec.n_src]; rec.n_src++)
		src[rec.n_src] =
			gm_source(t->family, (char)(sources[rec.n_src] - 'A' + '1'));
	rec.src = src;
	proxy_kernel_says(t->proxy, t->now, px_port(t, "wan")->port, &msg);
}

static inline enum gm_bad px_act(struct proxy_fixture *t, char *action)
{
	const char *word[5] = {""};
	char *save = NULL;
	int n = 0;

	for (char *w = strtok_r(action, " ", &save); w && n < 5;
		w = strtok_r(NULL, " ", &save))
		word[n++] = w;
	if (n == 1 && word[0][0] == '+') {
		px_run(t, atol(word[0] + 1));
		return GM_OK;
	}
	if (n == 1 && strcmp(word[0], "stop") == 0) {
		proxy_shutdown(t->proxy, t->now, &t->fx);
		return GM_OK;
	}
	assert_true(n >= 2);
	if (strcmp(word[0], "kernel") == 0) {
		px_kernel_holds(t, word[1][0], word[2]);
		return GM_OK;
	}
	if (strcmp(word[0], "says") == 0) {
		px_kernel_says(
			t, px_type(word[1]), GM_V3, word[2][0], n > 3 ? word[3] : "");
		return GM_OK;
	}
	if (strcmp(word[0], "reload") == 0) {
		px_reload(t, (unsigned)atoi(word[1]));
		return GM_OK;
	}
	if (word[1][0] == '?')
		return px_query(t, word[0], (enum gm_version)(word[1][1] - '0'),
			n > 2 ? word[2] : "low");
	if (strcmp(word[1], "bad") == 0) {
		proxy_input_bad(t->proxy, px_port(t, word[0])->port, GM_BAD_CHECKSUM);
		return GM_OK;
	}
	if (n == 2) {
		px_link(t, word[0], word[1]);
		return GM_OK;
	}
	return px_report_step(t, action, word + 1, n - 1);
}

static inline char *px_trim(char *s)
{
	char *end = s + strlen(s);

	while (end > s && end[-1] == ' ')
		*--end = '\0';
	return s + strspn(s, " ");
}

static inline void px_script(
	struct proxy_fixture *t, const char *id, const char *script)
{
	char text[2048], got[2048], shown[128], *save = NULL;

	assert_true(strlen(script) < sizeof(text));
	strcpy(text, script);
	for (char *step = strtok_r(text, ";", &save); step;
		step = strtok_r(NULL, ";", &save)) {
		char *want = strchr(step, '>');
		enum gm_bad bad;

		if (want)
			*want++ = '\0';
		want = px_trim(want ? want : step + strlen(step));
		step = px_trim(step);
		snprintf(shown, sizeof(shown), "%s", step);
		px_remember(t);
		bad = px_act(t, step);
		px_run(t, 0);
		snprintf(got, sizeof(got), "%s", t->said);
		if (bad != GM_OK)
			snprintf(got, sizeof(got), "(%s)", gm_bad_name(bad));
		px_effects(t, got, sizeof(got));
		if (strcmp(got, want) != 0)
			fail_msg("%s, IPv%d, \"%s\": \"%s\", not \"%s\"", id,
				t->family == FAMILY_IPV4 ? 4 : 6, shown, got, want);
	}
}

/* Runs each script in its families. */
static inline void px_cases(const struct proxy_case *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (enum family f = 0; f < _FAMILY_N; f++) {
			struct proxy_fixture t;
			char unwanted[1024] = "";

			if (f == FAMILY_IPV6 && c[i].only_ipv4)
				continue;
			px_init(&t, f, c[i].config);
			px_sync(&t);
			px_effects(&t, unwanted, sizeof(unwanted));
			assert_string_equal(unwanted, "");
			px_script(&t, c[i].id, c[i].script);
			assert_int_equal(t.n_upstream_queries, 0);
			px_deinit(&t);
		}
	}
}
