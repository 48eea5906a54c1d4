/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Tables of ringcastctl, see ctl_tables.h. Interfaces and forwarding entries have the
 * columns that users of kernel multicast routing know from their router's command line.
 */

#include "ctl_tables.h"

#include "text_table.h"

#include <stdint.h>
#include <string.h>

#define LIST_LEN    5120 /* the names of 256 interfaces */
#define MAX_SOURCES 4	 /* in a cell; --json has all */

static const char *str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static long long num(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool yes(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static void add_str(struct text_table *t, const json_t *o, const char *key)
{
	text_table_add(t, "%s", str(o, key));
}

static void add_num(struct text_table *t, const json_t *o, const char *key)
{
	if (json_is_integer(json_object_get(o, key)))
		text_table_add(t, "%lld", num(o, key));
	else
		text_table_add(t, "-");
}

/* milliseconds in the two largest units: 4.2s, 3m05s, 2h00m, 9d23h; null is "-" */
static void add_duration(struct text_table *t, const json_t *o, const char *key)
{
	long long ms = num(o, key), s = ms / 1000;

	if (!json_is_integer(json_object_get(o, key)))
		text_table_add(t, "-");
	else if (s < 60)
		text_table_add(t, "%lld.%llds", s, ms / 100 % 10);
	else if (s < 3600)
		text_table_add(t, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		text_table_add(t, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		text_table_add(t, "%lldd%02lldh", s / 86400, s / 3600 % 24);
}

static void append(char list[LIST_LEN], const char *separator, const char *text)
{
	size_t n = strlen(list);

	snprintf(list + n, LIST_LEN - n, "%s%s", n > 0 ? separator : "", text);
}

/* Texts, or objects with "address"; a blocked source is marked as such. */
static void add_list(struct text_table *t, const json_t *array, size_t max)
{
	char list[LIST_LEN] = "", item[64];
	const json_t *v;
	size_t i;

	json_array_foreach(array, i, v)
	{
		const char *text = json_string_value(v);

		if (i == max) {
			snprintf(item, sizeof(item), "+%zu",
				json_array_size(array) - max);
			append(list, " ", item);
			break;
		}
		snprintf(item, sizeof(item), "%s%s", yes(v, "blocked") ? "!" : "",
			text ? text : str(v, "address"));
		append(list, ",", item);
	}
	text_table_add(t, "%s", list);
}

static const char *querier_word(const json_t *i, const char *family)
{
	const json_t *querier = json_object_get(i, "querier");
	const char *state = str(json_object_get(querier, family), "state");

	if (strcmp(state, "active") == 0)
		return "querier";
	return strcmp(state, "standby") == 0 ? "standby" : "";
}

/* up, querier / up, standby (other querier) / down / absent / the error. What differs
 * in the second family is told, too: "up, querier, ipv6 standby". */
static void add_state(struct text_table *t, const json_t *i)
{
	const char *v4 = querier_word(i, "ipv4"), *v6 = querier_word(i, "ipv6");
	bool two = *v6 && strcmp(v4, v6) != 0;

	if (*str(i, "error"))
		text_table_add(t, "error: %s", str(i, "error"));
	else if (!yes(i, "present"))
		text_table_add(t, "absent");
	else if (!yes(i, "up"))
		text_table_add(t, "down");
	else
		text_table_add(t, "up%s%s%s%s", *v4 ? ", " : "", v4,
			two ? ", ipv6 " : "", two ? v6 : "");
}

/* "upstream", of a named instance "upstream, tv" */
static void add_role(struct text_table *t, const json_t *i)
{
	const char *instance = str(i, "instance");

	text_table_add(t, "%s%s%s", str(i, "role"), *instance ? ", " : "", instance);
}

int ctl_print_interfaces(json_t *reply, FILE *out)
{
	static const struct text_column columns[] = {
		{"Interface"},
		{"PktsIn", true},
		{"PktsOut", true},
		{"BytesIn", true},
		{"BytesOut", true},
		{"Local"},
		{"Role"},
		{"Transmit"},
		{"State"},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *i;
	size_t n;

	json_array_foreach(json_object_get(reply, "interfaces"), n, i)
	{
		add_str(&t, i, "name");
		add_num(&t, i, "rx_packets");
		add_num(&t, i, "tx_packets");
		add_num(&t, i, "rx_bytes");
		add_num(&t, i, "tx_bytes");
		add_str(&t, i, *str(i, "local") ? "local" : "local6");
		add_role(&t, i);
		add_str(&t, i, "transmit");
		add_state(&t, i);
	}
	text_table_print(&t, out);
	text_table_deinit(&t);
	return 0;
}

int ctl_print_groups(json_t *reply, FILE *out)
{
	static const struct text_column columns[] = {
		{"Interface"},
		{"Group"},
		{"Mode"},
		{"Version", true},
		{"Timer", true},
		{"Uptime", true},
		{"Reporter"},
		{"Hosts", true},
		{"Sources"},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *g;
	size_t n;

	json_array_foreach(json_object_get(reply, "groups"), n, g)
	{
		add_str(&t, g, "interface");
		add_str(&t, g, "group");
		add_str(&t, g, "mode");
		add_num(&t, g, "version");
		add_duration(&t, g, "timer_ms");
		add_duration(&t, g, "uptime_ms");
		add_str(&t, g, "last_reporter");
		text_table_add(&t, "%zu", json_array_size(json_object_get(g, "hosts")));
		add_list(&t, json_object_get(g, "sources"), MAX_SOURCES);
	}
	text_table_print(&t, out);
	text_table_deinit(&t);
	return 0;
}

/* "Everybody else" of a group that is asked for by source only: no row until a datagram
 * runs into it. */
static bool unused_rest(const json_t *e)
{
	const json_t *out = json_object_get(e, "out");

	return strcmp(str(e, "origin"), "*") == 0 && json_is_array(out) &&
		json_array_size(out) == 0 && num(e, "packets") == 0 &&
		num(e, "wrong") == 0;
}

int ctl_print_mfc(json_t *reply, FILE *out)
{
	static const struct text_column columns[] = {
		{"Group"},
		{"Origin"},
		{"In"},
		{"Out"},
		{"Pkts", true},
		{"Bytes", true},
		{"Wrong", true},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *e;
	size_t n;

	json_array_foreach(json_object_get(reply, "mfc"), n, e)
	{
		bool any = strcmp(str(e, "origin"), "*") == 0;

		if (unused_rest(e))
			continue;
		add_str(&t, e, "group");
		add_str(&t, e,
			any && *str(e, "last_source") ? "last_source" : "origin");
		add_str(&t, e, "in");
		add_list(&t, json_object_get(e, "out"), SIZE_MAX);
		add_num(&t, e, "packets");
		add_num(&t, e, "bytes");
		add_num(&t, e, "wrong");
	}
	text_table_print(&t, out);
	text_table_deinit(&t);
	return 0;
}

static size_t count_groups(const json_t *u, bool ipv6)
{
	const json_t *g;
	size_t i, n = 0;

	json_array_foreach(json_object_get(u, "groups"), i, g) n +=
		(strchr(str(g, "group"), ':') != NULL) == ipv6;
	return n;
}

/* a line for each family that is spoken */
/* "wan", or "wan via voice" with a report-interface */
static void add_upstream_name(struct text_table *t, const json_t *u)
{
	const char *name = str(u, "interface"), *via = str(u, "report_interface");
	bool other = *via && strcmp(via, name) != 0;

	text_table_add(t, "%s%s%s", name, other ? " via " : "", other ? via : "");
}

static void add_upstream(
	struct text_table *t, const json_t *u, const char *key, const char *protocol)
{
	const json_t *f = json_object_get(u, key);
	bool ipv6 = strcmp(key, "ipv6") == 0;

	if (!f)
		return;
	add_upstream_name(t, u);
	text_table_add(t, "%s", yes(u, "up") ? "up" : "down");
	add_str(t, ipv6 ? f : u, "address");
	text_table_add(t, "%sv%lld", protocol, num(f, "version"));
	add_num(t, f, "robustness");
	add_str(t, f, "querier");
	add_duration(t, f, "last_query_ms");
	text_table_add(t, "%zu", count_groups(u, ipv6));
}

static void print_upstream_links(const json_t *links, FILE *out)
{
	static const struct text_column columns[] = {
		{"Interface"},
		{"State"},
		{"Address"},
		{"Protocol"},
		{"Robustness", true},
		{"Querier"},
		{"LastQuery", true},
		{"Groups", true},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *u;
	size_t n;

	json_array_foreach(links, n, u)
	{
		add_upstream(&t, u, "ipv4", "IGMP");
		add_upstream(&t, u, "ipv6", "MLD");
	}
	text_table_print(&t, out);
	text_table_deinit(&t);
}

static void add_pending(struct text_table *t, const json_t *g)
{
	const json_t *pending = json_object_get(g, "pending");

	if (json_is_boolean(pending))
		text_table_add(t, "%s", json_is_true(pending) ? "yes" : "no");
	else if (json_is_string(pending))
		add_str(t, g, "pending");
	else
		add_num(t, g, "pending");
}

int ctl_print_upstream(json_t *reply, FILE *out)
{
	static const struct text_column columns[] = {
		{"Interface"},
		{"Group"},
		{"Mode"},
		{"Pending"},
		{"Next", true},
		{"Sources"},
	};
	const json_t *links = json_object_get(reply, "upstream"), *u, *g;
	struct text_table t = TEXT_TABLE(columns);
	size_t n, k;

	print_upstream_links(links, out);
	json_array_foreach(links, n, u)
	{
		json_array_foreach(json_object_get(u, "groups"), k, g)
		{
			add_str(&t, u, "interface");
			add_str(&t, g, "group");
			add_str(&t, g, "mode");
			add_pending(&t, g);
			add_duration(&t, g, "next_ms");
			add_list(&t, json_object_get(g, "sources"), MAX_SOURCES);
		}
	}
	if (t.n > 0) {
		fputc('\n', out);
		text_table_print(&t, out);
	}
	text_table_deinit(&t);
	return 0;
}

/* All scalars of an object; objects inside it with their name in front, one level deep.
 * Zero counters of these are left out: there are many of them. */
static void add_scalars(struct text_table *t, const char *prefix, json_t *o)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v)
	{
		if (json_is_integer(v)) {
			if (*prefix && json_integer_value(v) == 0)
				continue;
			text_table_add(t, "%s%s", prefix, key);
			text_table_add(t, "%lld", (long long)json_integer_value(v));
		} else if (json_is_string(v) || json_is_boolean(v)) {
			text_table_add(t, "%s%s", prefix, key);
			if (json_is_string(v))
				text_table_add(t, "%s", json_string_value(v));
			else
				text_table_add(t, "%s", json_is_true(v) ? "yes" : "no");
		} else if (json_is_object(v) && !*prefix) {
			char inner[64];

			snprintf(inner, sizeof(inner), "%s ", key);
			add_scalars(t, inner, v);
		}
	}
}

static void print_scalars(json_t *o, FILE *out)
{
	static const struct text_column columns[] = {{"Counter"}, {"Value", true}};
	struct text_table t = TEXT_TABLE(columns);

	add_scalars(&t, "", o);
	text_table_print(&t, out);
	text_table_deinit(&t);
}

static void print_section(const char *title, json_t *o, FILE *out)
{
	if (json_object_size(o) == 0)
		return;
	fprintf(out, "\n%s\n", title);
	print_scalars(o, out);
}

static void print_stats_ports(const json_t *ports, FILE *out)
{
	static const struct text_column columns[] = {
		{"Interface"},
		{"RingPkts", true},
		{"RingDrops", true},
		{"RingFreezes", true},
		{"Verdicts"},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *p;
	size_t n;

	json_array_foreach(ports, n, p)
	{
		char list[LIST_LEN] = "", item[64];
		const char *key;
		json_t *v;

		add_str(&t, p, "name");
		add_num(&t, p, "ring_packets");
		add_num(&t, p, "ring_drops");
		add_num(&t, p, "ring_freezes");
		json_object_foreach(json_object_get(p, "verdicts"), key, v)
		{
			if (json_integer_value(v) == 0)
				continue;
			snprintf(item, sizeof(item), "%s=%lld", key,
				(long long)json_integer_value(v));
			append(list, " ", item);
		}
		text_table_add(&t, "%s", list);
	}
	fputs("\nPorts\n", out);
	text_table_print(&t, out);
	text_table_deinit(&t);
}

static void print_stats_workers(const json_t *workers, FILE *out)
{
	static const struct text_column columns[] = {
		{"Thread"},
		{"CPU"},
		{"CpuMs", true},
		{"Frames", true},
		{"Bursts", true},
		{"Copies", true},
		{"Blocks", true},
		{"Timeouts", true},
		{"Wakeups", true},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *w;
	size_t n;

	json_array_foreach(workers, n, w)
	{
		add_num(&t, w, "thread");
		if (json_is_integer(json_object_get(w, "cpu")))
			add_num(&t, w, "cpu");
		else
			text_table_add(&t, "any");
		add_num(&t, w, "cpu_ms");
		add_num(&t, w, "frames");
		add_num(&t, w, "bursts");
		add_num(&t, w, "copies");
		add_num(&t, w, "blocks");
		add_num(&t, w, "block_timeouts");
		add_num(&t, w, "wakeups");
	}
	fputs("\nThreads\n", out);
	text_table_print(&t, out);
	text_table_deinit(&t);
}

int ctl_print_stats(json_t *reply, FILE *out)
{
	json_t *general = json_copy(reply);

	json_object_del(general, "verdicts");
	json_object_del(general, "control");
	json_object_del(general, "ports");
	json_object_del(general, "workers");
	print_scalars(general, out);
	json_decref(general);
	print_section("Verdicts", json_object_get(reply, "verdicts"), out);
	print_section("Control", json_object_get(reply, "control"), out);
	if (json_array_size(json_object_get(reply, "workers")) > 0)
		print_stats_workers(json_object_get(reply, "workers"), out);
	if (json_array_size(json_object_get(reply, "ports")) > 0)
		print_stats_ports(json_object_get(reply, "ports"), out);
	return 0;
}

int ctl_print_config(json_t *reply, FILE *out)
{
	const char *text = str(reply, "text");
	size_t n = strlen(text);

	if (*str(reply, "file"))
		fprintf(out, "# %s\n", str(reply, "file"));
	fputs(text, out);
	if (n > 0 && text[n - 1] != '\n')
		fputc('\n', out);
	return 0;
}

int ctl_print_version(json_t *reply, FILE *out)
{
	const char *key;
	json_t *v;

	fprintf(out, "%s %s\n", str(reply, "name"), str(reply, "version"));
	json_object_foreach(reply, key, v)
	{
		if (strcmp(key, "name") == 0 || strcmp(key, "version") == 0)
			continue;
		if (json_is_string(v))
			fprintf(out, "%s: %s\n", key, json_string_value(v));
		else if (json_is_integer(v))
			fprintf(out, "%s: %lld\n", key,
				(long long)json_integer_value(v));
		else if (json_is_boolean(v))
			fprintf(out, "%s: %s\n", key, json_is_true(v) ? "yes" : "no");
	}
	return 0;
}

/* file:line:column: severity: text, as the daemon prints it at start */
int ctl_print_reload(json_t *reply, FILE *out)
{
	const json_t *m;
	size_t n;

	json_array_foreach(json_object_get(reply, "messages"), n, m)
	{
		fprintf(out, "%s:", str(m, "file"));
		if (num(m, "line") > 0)
			fprintf(out, "%lld:%lld:", num(m, "line"), num(m, "column"));
		fprintf(out, " %s: %s\n", str(m, "severity"), str(m, "text"));
	}
	if (yes(reply, "ok")) {
		fputs("configuration reloaded\n", out);
		return 0;
	}
	fputs("configuration refused, the one before stays in force\n", out);
	return 4;
}

int ctl_print_nothing(json_t *reply, FILE *out)
{
	return 0;
}
