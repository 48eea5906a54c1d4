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

#define LIST_WIDTH 15 /* of names or addresses, in a table of 80 columns */

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

/* streams that another forwarder on the link forwards instead of us */
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
 * absent / the error. Differences in the second family are also shown: "up, querier,
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

/* Other multicast daemons, below the interfaces; nothing if there is none. */
static void print_rivals(const json_t *reply, const struct text_view *view, FILE *out)
{
	static const struct text_column columns[] = {
		{"Rival"},
		{"By"},
		{"Interfaces"},
		{"Since", true},
		{"What to do", .wrap = true},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *rivals = json_object_get(reply, "rivals"), *r;
	size_t n;

	t.view = view;
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

/* Interfaces on which limits or rules have refused reports; nothing if there are
 * none. */
static void print_refusals(const json_t *reply, const struct text_view *view, FILE *out)
{
	static const struct text_column columns[] = {
		{"Refused on"},
		{"By limits", true},
		{"By lists", true},
		{"By sender", true},
		{"The last limit", .wrap = true},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *refusals = json_object_get(reply, "refusals"), *r;
	size_t n;

	t.view = view;
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

static void print_below_interfaces(
	const json_t *reply, size_t n_rows, const struct text_view *view, FILE *out)
{
	print_refusals(reply, view, out);
	print_rivals(reply, view, out);
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
	{"PktsIn", true, TEXT_NORMAL},
	{"PktsOut", true, TEXT_NORMAL},
	{"BytesIn", true, TEXT_WIDE},
	{"BytesOut", true, TEXT_WIDE},
	{"Local", .min = 15},
	{"Role", .from = TEXT_NORMAL, .min = 10},
	{"Transmit", .from = TEXT_WIDE},
	{"State", .min = 8},
};

/* Upstreams first. */
static int compare_interfaces(const char *const *a, const char *const *b)
{
	bool x = strncmp(a[6], "upstream", 8) == 0,
	     y = strncmp(b[6], "upstream", 8) == 0;

	return x != y ? y - x : text_compare(a[0], b[0]);
}

const struct ctl_list ctl_list_interfaces = {
	.key = "interfaces",
	.depth = 1,
	.table = TEXT_TABLE_SORT(interfaces_columns, compare_interfaces),
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
	cell_list_short(t, json_object_get(g, "sources"), CELL_MAX_SOURCES, LIST_WIDTH);
	cell_text(t, g, "channel");
}

static const struct text_column groups_columns[] = {
	{"Interface"},
	{"Group", .min = 15},
	{"Mode", .from = TEXT_NORMAL},
	{"Version", true, TEXT_WIDE},
	{"Timer", true, TEXT_NORMAL},
	{"Uptime", true, TEXT_WIDE},
	{"Reporter", .from = TEXT_NORMAL, .min = 15},
	{"Hosts", true},
	{"Sources", .from = TEXT_NORMAL, .min = 10},
	{"Channel", .min = 12, .optional = true},
};

static void print_no_groups(
	const json_t *reply, size_t n_rows, const struct text_view *view, FILE *out)
{
	if (n_rows == 0)
		fputs(view->filtered ? "\nno host has joined such a group here\n"
				     : "\nno host has joined a group here\n",
			out);
}

const struct ctl_list ctl_list_groups = {
	.key = "groups",
	.depth = 1,
	.table = TEXT_TABLE_SORT(groups_columns, text_compare_two),
	.row = groups_row,
	.rest = print_no_groups,
};

/* The empty (*,G) entry of a group that is joined only for named sources has no row
 * until a datagram matches it. */
static bool unused_rest(const json_t *e)
{
	const json_t *out = json_object_get(e, "out");

	return strcmp(cell_str(e, "origin"), "*") == 0 && json_is_array(out) &&
		json_array_size(out) == 0 && cell_num(e, "packets") == 0 &&
		cell_num(e, "wrong") == 0;
}

#define RATE_INTERVAL_MAX_MS 10000

/* Whether rates are not known yet, or are those of an interval that is too long to mean
 * much. A daemon without rates sends no such member. */
static bool mfc_again(const json_t *head)
{
	const json_t *v = json_object_get(head, "rate_interval_ms");

	return v &&
		(!json_is_integer(v) || json_integer_value(v) > RATE_INTERVAL_MAX_MS);
}

/* "10.0.0.1", or the refused source as long as no other one sends */
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
	cell_list_short(t, json_object_get(e, "out"), SIZE_MAX, LIST_WIDTH);
	cell_number(t, e, "packets");
	cell_number(t, e, "bytes");
	cell_number(t, e, "wrong");
	cell_scaled(t, e, "packets_per_s", 1);
	cell_scaled(t, e, "bytes_per_s", 8);
	cell_text(t, e, "quality");
	cell_text(t, e, "channel");
}

/* Senders that must not send on their interface, each with the remedy. A row has no
 * room for that. */
static void print_refused(
	const json_t *reply, size_t n_rows, const struct text_view *view, FILE *out)
{
	char line[256];
	const json_t *r;
	size_t n;

	if (n_rows == 0)
		fputs(view->filtered ? "\nthere is no such forwarding entry\n"
				     : "\nno host has joined a group here, so nothing "
				       "is forwarded\n",
			out);
	json_array_foreach(json_object_get(reply, "refused_senders"), n, r)
	{
		const char *source = cell_str(r, "source");

		snprintf(line, sizeof(line),
			"%s is refused, because it is in no subnet and no altnet of %s:",
			source, cell_str(r, "in"));
		if (n == 0)
			fputc('\n', out);
		text_wrap(line, 0, (int)view->width, out);
		fprintf(out, "    altnet %s/%d, or its network\n", source,
			strchr(source, ':') ? 128 : 32);
	}
}

static const struct text_column mfc_columns[] = {
	{"Group", .min = 15},
	{"Origin", .min = 15},
	{"In"},
	{"Out", .min = 8},
	{"Pkts", true, TEXT_NORMAL},
	{"Bytes", true, TEXT_WIDE},
	{"Wrong", true, TEXT_NORMAL},
	{"Pkts/s", true, TEXT_WIDE},
	{"Bit/s", true, TEXT_NORMAL},
	{"Quality", .from = TEXT_NORMAL, .optional = true},
	{"Channel", .min = 12, .optional = true},
};

const struct ctl_list ctl_list_mfc = {
	.key = "mfc",
	.depth = 1,
	.table = TEXT_TABLE_SORT(mfc_columns, text_compare_two),
	.row = mfc_row,
	.rest = print_refused,
	.again = mfc_again,
};

int ctl_print_config(const struct ctl_context *ctx, json_t *reply, FILE *out)
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

int ctl_print_page(const struct ctl_context *ctx, json_t *reply, FILE *out)
{
	if (*cell_str(reply, "url")) {
		fprintf(out, "%s\n", cell_str(reply, "url"));
		return CTL_EXIT_OK;
	}
	fprintf(stderr, "ringcastctl: there is no page: %s\n",
		cell_str(reply, "reason"));
	return CTL_EXIT_DAEMON;
}

int ctl_print_version(const struct ctl_context *ctx, json_t *reply, FILE *out)
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
int ctl_print_reload(const struct ctl_context *ctx, json_t *reply, FILE *out)
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

int ctl_print_log(const struct ctl_context *ctx, json_t *reply, FILE *out)
{
	const char *level = json_string_value(json_object_get(reply, "level"));

	fprintf(out, "%s\n", level ? level : "?");
	return 0;
}
