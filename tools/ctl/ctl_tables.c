/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Tables of ringcastctl, see ctl_tables.h. Interfaces and forwarding entries have the
 * columns that users of kernel multicast routing know from their router's command line.
 */

#include "tools/ctl/ctl_tables.h"

#include "tools/ctl/ctl_cell.h"
#include "tools/ctl/ctl_list.h"
#include "tools/ctl/text_table.h"

#include <stdint.h>
#include <string.h>

static const char *querier_word(const json_t *i, const char *family)
{
	const json_t *querier = json_object_get(i, "querier");
	const char *state = cell_str(json_object_get(querier, family), "state");

	if (strcmp(state, "active") == 0)
		return "querier";
	if (strcmp(state, "standby") != 0)
		return "";
	return cell_yes(json_object_get(querier, family), "forwards") ? "non-querier"
								      : "standby";
}

static long long sum(const json_t *i, const char *key)
{
	const json_t *q = json_object_get(i, "querier");

	return cell_num(json_object_get(q, "ipv4"), key) +
		cell_num(json_object_get(q, "ipv6"), key);
}

/* what another forwarder on the link means */
static const char *forwarding(const json_t *i, char buf[80])
{
	long long standby = sum(i, "standby_streams"), twice = sum(i, "double_streams");

	if (standby > 0)
		snprintf(buf, 80, ", %lld stream%s left to others", standby,
			standby == 1 ? "" : "s");
	else if (twice > 0)
		snprintf(
			buf, 80, ", %lld stream%s twice", twice, twice == 1 ? "" : "s");
	else
		buf[0] = '\0';
	return buf;
}

/* up, querier / up, non-querier (it forwards) / up, standby (other querier) / down /
 * absent / the error. What differs in the second family is told, too: "up, querier,
 * ipv6 standby". */
static void add_state(struct text_table *t, const json_t *i)
{
	const char *v4 = querier_word(i, "ipv4"), *v6 = querier_word(i, "ipv6");
	bool two = *v6 && strcmp(v4, v6) != 0;
	char buf[80];

	if (*cell_str(i, "error"))
		text_table_add(t, "error: %s", cell_str(i, "error"));
	else if (!cell_yes(i, "present"))
		text_table_add(t, "absent");
	else if (*cell_str(i, "master"))
		text_table_add(t, "port of %s", cell_str(i, "master"));
	else if (!cell_yes(i, "up"))
		text_table_add(t, "down");
	else
		text_table_add(t, "up%s%s%s%s%s", *v4 ? ", " : "", v4,
			two ? ", ipv6 " : "", two ? v6 : "", forwarding(i, buf));
}

/* "upstream", of a named instance "upstream, tv" */
static void add_role(struct text_table *t, const json_t *i)
{
	const char *instance = cell_str(i, "instance");

	text_table_add(
		t, "%s%s%s", cell_str(i, "role"), *instance ? ", " : "", instance);
}

/* Other multicast daemons, below the interfaces; nothing where there is none. */
static void print_rivals(const json_t *reply, FILE *out)
{
	static const struct text_column columns[] = {
		{"Rival"},
		{"By"},
		{"Interfaces"},
		{"Since", true},
		{"What to do"},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *rivals = json_object_get(reply, "rivals"), *r;
	size_t n;

	json_array_foreach(rivals, n, r)
	{
		long long pid = cell_num(r, "pid");
		const char *by = *cell_str(r, "program") ? cell_str(r, "program")
			: *cell_str(r, "address")	 ? cell_str(r, "address")
			: *cell_str(r, "mac")		 ? cell_str(r, "mac")
							 : "?";

		text_table_add(&t, "%s%s%s", cell_str(r, "kind"),
			*cell_str(r, "family") ? ", " : "", cell_str(r, "family"));
		if (pid)
			text_table_add(&t, "%s (pid %lld)", by, pid);
		else
			text_table_add(&t, "%s", by);
		cell_list(&t, json_object_get(r, "interfaces"), SIZE_MAX);
		cell_duration(&t, r, "since_ms");
		cell_text(&t, r, "advice");
	}
	if (json_array_size(rivals) > 0) {
		fputc('\n', out);
		text_table_print(&t, out);
	}
	text_table_deinit(&t);
}

/* Where limits or rules have refused what hosts reported; nothing where they have not.
 */
static void print_refusals(const json_t *reply, FILE *out)
{
	static const struct text_column columns[] = {
		{"Refused on"},
		{"By limits", true},
		{"By lists", true},
		{"By sender", true},
		{"The last limit"},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *refusals = json_object_get(reply, "refusals"), *r;
	size_t n;

	json_array_foreach(refusals, n, r)
	{
		cell_text(&t, r, "interface");
		cell_number(&t, r, "limits");
		cell_number(&t, r, "lists");
		cell_number(&t, r, "senders");
		cell_text(&t, r, "last_limit");
	}
	if (json_array_size(refusals) > 0) {
		fputc('\n', out);
		text_table_print(&t, out);
	}
	text_table_deinit(&t);
}

static void print_below_interfaces(const json_t *reply, size_t n_rows, FILE *out)
{
	print_refusals(reply, out);
	print_rivals(reply, out);
}

static void interfaces_row(struct text_table *t, const json_t *i)
{
	cell_text(t, i, "name");
	cell_number(t, i, "rx_packets");
	cell_number(t, i, "tx_packets");
	cell_number(t, i, "rx_bytes");
	cell_number(t, i, "tx_bytes");
	cell_text(t, i, *cell_str(i, "local") ? "local" : "local6");
	add_role(t, i);
	cell_text(t, i, "transmit");
	add_state(t, i);
}

static const struct text_column interfaces_columns[] = {
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

const struct ctl_list ctl_list_interfaces = {
	.key = "interfaces",
	.depth = 1,
	.table = TEXT_TABLE(interfaces_columns),
	.row = interfaces_row,
	.rest = print_below_interfaces,
};

static void groups_row(struct text_table *t, const json_t *g)
{
	cell_text(t, g, "interface");
	cell_text(t, g, "group");
	cell_text(t, g, "mode");
	cell_number(t, g, "version");
	cell_duration(t, g, "timer_ms");
	cell_duration(t, g, "uptime_ms");
	cell_text(t, g, "last_reporter");
	text_table_add(t, "%zu", json_array_size(json_object_get(g, "hosts")));
	cell_list(t, json_object_get(g, "sources"), CELL_MAX_SOURCES);
}

static const struct text_column groups_columns[] = {
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

const struct ctl_list ctl_list_groups = {
	.key = "groups",
	.depth = 1,
	.table = TEXT_TABLE(groups_columns),
	.row = groups_row,
};

/* "Everybody else" of a group that is asked for by source only: no row until a datagram
 * runs into it. */
static bool unused_rest(const json_t *e)
{
	const json_t *out = json_object_get(e, "out");

	return strcmp(cell_str(e, "origin"), "*") == 0 && json_is_array(out) &&
		json_array_size(out) == 0 && cell_num(e, "packets") == 0 &&
		cell_num(e, "wrong") == 0;
}

#define RATE_INTERVAL_MAX_MS 10000

/* Rates are not yet known, or those of an interval that is too long to tell much. A
 * daemon that does not know rates has no such member. */
static bool mfc_again(const json_t *head)
{
	const json_t *v = json_object_get(head, "rate_interval_ms");

	return v &&
		(!json_is_integer(v) || json_integer_value(v) > RATE_INTERVAL_MAX_MS);
}

/* "10.0.0.1", or who was refused as long as nobody else sends */
static void add_origin(struct text_table *t, const json_t *e)
{
	bool any = strcmp(cell_str(e, "origin"), "*") == 0;
	const json_t *refused = json_object_get(e, "refused");

	if (any && *cell_str(refused, "source"))
		text_table_add(t, "%s refused", cell_str(refused, "source"));
	else
		cell_text(t, e,
			any && *cell_str(e, "last_source") ? "last_source" : "origin");
}

static void mfc_row(struct text_table *t, const json_t *e)
{
	const json_t *refused = json_object_get(e, "refused");

	if (unused_rest(e))
		return;
	cell_text(t, e, "group");
	add_origin(t, e);
	cell_text(t, *cell_str(refused, "in") ? refused : e, "in");
	cell_list(t, json_object_get(e, "out"), SIZE_MAX);
	cell_number(t, e, "packets");
	cell_number(t, e, "bytes");
	cell_number(t, e, "wrong");
	cell_scaled(t, e, "packets_per_s", 1);
	cell_scaled(t, e, "bytes_per_s", 8);
}

/* Senders that may not send where they do, and the cure: a row has no room for it. */
static void print_refused(const json_t *reply, size_t n_rows, FILE *out)
{
	const json_t *r;
	size_t n;

	json_array_foreach(json_object_get(reply, "refused_senders"), n, r)
	{
		const char *source = cell_str(r, "source");

		fprintf(out,
			"%s%s is refused, because it is in no subnet and no altnet of %s: "
			"altnet %s/%d, or its network\n",
			n ? "" : "\n", source, cell_str(r, "in"), source,
			strchr(source, ':') ? 128 : 32);
	}
}

static const struct text_column mfc_columns[] = {
	{"Group"},
	{"Origin"},
	{"In"},
	{"Out"},
	{"Pkts", true},
	{"Bytes", true},
	{"Wrong", true},
	{"Pkts/s", true},
	{"Bit/s", true},
};

const struct ctl_list ctl_list_mfc = {
	.key = "mfc",
	.depth = 1,
	.table = TEXT_TABLE(mfc_columns),
	.row = mfc_row,
	.rest = print_refused,
	.again = mfc_again,
};

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
		char list[CELL_LIST_LEN] = "", item[64];
		const char *key;
		json_t *v;

		cell_text(&t, p, "name");
		cell_number(&t, p, "ring_packets");
		cell_number(&t, p, "ring_drops");
		cell_number(&t, p, "ring_freezes");
		json_object_foreach(json_object_get(p, "verdicts"), key, v)
		{
			if (json_integer_value(v) == 0)
				continue;
			snprintf(item, sizeof(item), "%s=%lld", key,
				(long long)json_integer_value(v));
			cell_append(list, " ", item);
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
		cell_number(&t, w, "thread");
		if (json_is_integer(json_object_get(w, "cpu")))
			cell_number(&t, w, "cpu");
		else
			text_table_add(&t, "any");
		cell_number(&t, w, "cpu_ms");
		cell_number(&t, w, "frames");
		cell_number(&t, w, "bursts");
		cell_number(&t, w, "copies");
		cell_number(&t, w, "blocks");
		cell_number(&t, w, "block_timeouts");
		cell_number(&t, w, "wakeups");
	}
	fputs("\nThreads\n", out);
	text_table_print(&t, out);
	text_table_deinit(&t);
}

/* The two equations with their terms, and whether they hold. */
static void print_balance(const json_t *b, FILE *out)
{
	const json_t *f = json_object_get(b, "frames"),
		     *c = json_object_get(b, "copies");

	fputs("\nBalance\n", out);
	fprintf(out,
		"frames: %lld in the rings = %lld ring drops + %lld forwarded + "
		"%lld dropped + %lld abandoned + %lld waiting\n",
		cell_num(f, "ring_packets"), cell_num(f, "ring_drops"),
		cell_num(f, "forwarded"), cell_num(f, "dropped"),
		cell_num(f, "abandoned"), cell_num(f, "waiting"));
	fprintf(out,
		"copies: %lld due + %lld more as fragments = %lld sent + %lld refused + "
		"%lld under way\n",
		cell_num(c, "due"), cell_num(c, "fragments"), cell_num(c, "sent"),
		cell_num(c, "refused"), cell_num(c, "under_way"));
	fprintf(out, "balance: %s\n", cell_str(b, "text"));
}

int ctl_print_stats(json_t *reply, FILE *out)
{
	json_t *general = json_copy(reply);

	json_object_del(general, "verdicts");
	json_object_del(general, "control");
	json_object_del(general, "ports");
	json_object_del(general, "workers");
	json_object_del(general, "balance");
	json_object_del(general, "joining");
	print_scalars(general, out);
	json_decref(general);
	print_section("Verdicts", json_object_get(reply, "verdicts"), out);
	if (json_is_object(json_object_get(reply, "balance")))
		print_balance(json_object_get(reply, "balance"), out);
	print_section("Joining", json_object_get(reply, "joining"), out);
	print_section("Control", json_object_get(reply, "control"), out);
	if (json_array_size(json_object_get(reply, "workers")) > 0)
		print_stats_workers(json_object_get(reply, "workers"), out);
	if (json_array_size(json_object_get(reply, "ports")) > 0)
		print_stats_ports(json_object_get(reply, "ports"), out);
	return 0;
}

int ctl_print_config(json_t *reply, FILE *out)
{
	const char *text = cell_str(reply, "text");
	size_t n = strlen(text);

	if (*cell_str(reply, "file"))
		fprintf(out, "# %s\n", cell_str(reply, "file"));
	fputs(text, out);
	if (n > 0 && text[n - 1] != '\n')
		fputc('\n', out);
	return 0;
}

int ctl_print_version(json_t *reply, FILE *out)
{
	const char *key;
	json_t *v;

	fprintf(out, "%s %s\n", cell_str(reply, "name"), cell_str(reply, "version"));
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
		fprintf(out, "%s:", cell_str(m, "file"));
		if (cell_num(m, "line") > 0)
			fprintf(out, "%lld:%lld:", cell_num(m, "line"),
				cell_num(m, "column"));
		fprintf(out, " %s: %s\n", cell_str(m, "severity"), cell_str(m, "text"));
	}
	if (cell_yes(reply, "ok")) {
		fputs("configuration reloaded\n", out);
		return 0;
	}
	fputs("configuration refused, the one before stays in force\n", out);
	return 4;
}

int ctl_print_log(json_t *reply, FILE *out)
{
	const char *level = json_string_value(json_object_get(reply, "level"));

	fprintf(out, "%s\n", level ? level : "?");
	return 0;
}
