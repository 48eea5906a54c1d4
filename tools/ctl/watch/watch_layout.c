/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Layout of the live view, see watch_layout.h. From the top: a title with the totals,
 * what is dropped and why, the interfaces (at most a third of the screen), the groups,
 * the keys. Columns are as wide as their contents while there is room; addresses are
 * cut off last, with a "~".
 */

#include "tools/ctl/watch/watch_layout.h"

#include "base/cleanup.h"
#include "tools/ctl/ctl_cell.h"

#include <stdlib.h>
#include <string.h>

#define SHARE_LEN   30
#define COLS_WIDE   120 /* a screen of this width has more columns */
#define MIN_ADDRESS 15	/* an address of IPv4 is never cut off */

/* ---- title and drops ---- */

static double sum_rates(const struct watch *w, const char *key)
{
	const json_t *i;
	double sum = 0;
	size_t n;

	if (!w->before)
		return -1;
	json_array_foreach(json_object_get(w->now, "interfaces"), n, i)
	{
		double rate = watch_interface_rate(w, i, key);

		if (rate > 0)
			sum += rate;
	}
	return sum;
}

/* "20 entries", or what the filter has left of them */
static void describe_count(const struct watch *w, char *buf, size_t size)
{
	const char *key = json_object_get(w->now, "total") ? "total" : "entries";
	long long total = cell_num(w->now, key);

	if (*w->filter)
		snprintf(buf, size, "%lld of %lld with \"%s\"",
			cell_num(w->now, "matched"), total, w->filter);
	else
		snprintf(buf, size, "%lld %s", total, total == 1 ? "entry" : "entries");
}

/* The longest of these that fits; the filter is cut only if nothing else is left. */
static void add_title(const struct watch *w, struct watch_screen *s)
{
	char line[512], count[160], up[CELL_DURATION_LEN], rates[64];
	char in[CELL_SCALED_LEN], out[CELL_SCALED_LEN];
	double rx = sum_rates(w, "rx_bytes"), tx = sum_rates(w, "tx_bytes");

	if (!w->now) {
		watch_screen_add(s, WATCH_TITLE, "ringcast");
		return;
	}
	cell_format_duration(cell_num(w->now, "uptime_ms"), up);
	describe_count(w, count, sizeof(count));
	snprintf(rates, sizeof(rates), "in %s out %s bit/s",
		rx < 0 ? "-" : cell_format_scaled(rx * 8, in),
		tx < 0 ? "-" : cell_format_scaled(tx * 8, out));
	snprintf(line, sizeof(line), "ringcast %.64s, up %s, %s, %s",
		cell_str(w->now, "version"), up, count, rates);
	if (strlen(line) > w->cols)
		snprintf(line, sizeof(line), "up %s, %s, %s", up, count, rates);
	if (strlen(line) > w->cols)
		snprintf(line, sizeof(line), "%s, %s", count, rates);
	if (strlen(line) > w->cols)
		snprintf(line, sizeof(line), "%s", count);
	watch_screen_add(s, WATCH_TITLE, line);
}

struct drop {
	const char *reason;
	double rate;
	long long total;
};

static int compare_drops(const void *a_, const void *b_)
{
	const struct drop *a = a_, *b = b_;

	if (a->rate != b->rate)
		return a->rate < b->rate ? 1 : -1;
	return (a->total < b->total) - (a->total > b->total);
}

/* Appends the reasons that grow, or, unless `growing`, those that only grew before, to
 * a text of length `len`; returns the new length. A reason that does not fit is left
 * out with those after it. Only the very first is cut instead, so that drops never go
 * unmentioned. */
static size_t list_drops(const struct watch *w, char line[WATCH_COLS_MAX + 1],
	size_t len, const struct drop *list, size_t n, bool growing)
{
	const char *head = growing	  ? ""
		: len > strlen("drops: ") ? "; earlier: "
					  : "none now; earlier: ";

	for (size_t i = 0; i < n; i++) {
		char total[CELL_SCALED_LEN], rate[CELL_SCALED_LEN], one[160];

		if ((list[i].rate > 0) != growing)
			continue;
		cell_format_scaled((double)list[i].total, total);
		if (growing)
			snprintf(one, sizeof(one), "%s%s %s/s (%s)", head,
				list[i].reason, cell_format_scaled(list[i].rate, rate),
				total);
		else
			snprintf(one, sizeof(one), "%s%s %s", head, list[i].reason,
				total);
		if (len + strlen(one) > WATCH_COLS_MAX ||
			(len > strlen("drops: ") && len + strlen(one) > w->cols))
			break;
		strcpy(line + len, one);
		len += strlen(one);
		head = ", ";
	}
	return len;
}

/* "drops: no_group 3/s (21); earlier: wrong_input 12" */
static void add_drops(const struct watch *w, struct watch_screen *s)
{
	json_t *drops = json_object_get(w->now, "drops"), *v;
	struct drop list[64];
	char line[WATCH_COLS_MAX + 1] = "drops: ";
	size_t n = 0, len = strlen(line), start = len;
	const char *key;

	json_object_foreach(drops, key, v)
	{
		long long total = watch_drop_total(w, key);

		if (total > 0 && n < sizeof(list) / sizeof(list[0]))
			list[n++] = (struct drop){key, watch_drop_rate(w, key), total};
	}
	if (n > 0)
		qsort(list, n, sizeof(list[0]), compare_drops);
	len = list_drops(w, line, len, list, n, true);
	len = list_drops(w, line, len, list, n, false);
	watch_screen_add(s, WATCH_PLAIN, len > start ? line : "drops: none");
}

/* ---- interfaces ---- */

static const char *querier_state(const json_t *i, const char *family)
{
	return cell_str(json_object_get(i, "querier"), family);
}

/* of a downstream: "up, querier", of an upstream: "asked 12.0s ago" */
static void describe_state(
	const struct watch *w, const json_t *i, char *buf, size_t size)
{
	const json_t *f = json_array_get(json_object_get(i, "upstream"), 0);
	char ago[CELL_DURATION_LEN];

	if (*cell_str(i, "error"))
		snprintf(buf, size, "error: %s", cell_str(i, "error"));
	else if (!cell_yes(i, "present"))
		snprintf(buf, size, "absent");
	else if (!cell_yes(i, "up"))
		snprintf(buf, size, "down");
	else if (strcmp(cell_str(i, "role"), "downstream") == 0)
		snprintf(buf, size, "up, %s",
			strcmp(querier_state(i, "ipv4"), "standby") == 0 ? "standby"
				: strcmp(querier_state(i, "ipv4"), "active") == 0 ||
					strcmp(querier_state(i, "ipv6"), "active") == 0
				? "querier"
				: "not asking");
	else if (!json_is_integer(json_object_get(f, "last_query_ms")))
		snprintf(buf, size, "never asked");
	else
		snprintf(buf, size, "asked %s ago%s%s",
			cell_format_duration(cell_num(f, "last_query_ms"), ago),
			w->cols >= COLS_WIDE ? " by " : "",
			w->cols >= COLS_WIDE ? cell_str(f, "querier") : "");
}

static const struct watch_column interface_columns[] = {
	{"Interface", false, 8},
	{"Role", false, 4},
	{"Groups", true, 0},
	{"InPkt", true, 0},
	{"InBit", true, 0},
	{"OutPkt", true, 0},
	{"OutBit", true, 0},
	{"Drops", true, 0},
	{"State", false, 8},
};

static const struct watch_column interface_columns_wide[] = {
	{"Interface", false, 8},
	{"Role", false, 4},
	{"Groups", true, 0},
	{"InPkt/s", true, 0},
	{"InBit/s", true, 0},
	{"OutPkt/s", true, 0},
	{"OutBit/s", true, 0},
	{"PktsIn", true, 0},
	{"PktsOut", true, 0},
	{"RingDrops", true, 0},
	{"Drops", true, 0},
	{"State", false, 8},
};

static void fill_interface(const struct watch *w, struct watch_grid *g, const json_t *i)
{
	bool wide = w->cols >= COLS_WIDE;
	double in = watch_interface_rate(w, i, "rx_bytes");
	double out = watch_interface_rate(w, i, "tx_bytes");
	const char *instance = cell_str(i, "instance");
	long long drops = watch_interface_total(w, i, "dropped") +
		watch_interface_total(w, i, "refused");
	char text[192];

	watch_grid_text(g, cell_str(i, "name"));
	snprintf(text, sizeof(text), "%s%s%s", cell_str(i, "role"),
		wide && *instance ? ", " : "", wide ? instance : "");
	watch_grid_text(g, text);
	watch_grid_count(g, i, "groups");
	watch_grid_rate(g, watch_interface_rate(w, i, "rx_packets"));
	watch_grid_rate(g, in < 0 ? in : in * 8);
	watch_grid_rate(g, watch_interface_rate(w, i, "tx_packets"));
	watch_grid_rate(g, out < 0 ? out : out * 8);
	if (wide) {
		watch_grid_count(g, i, "rx_packets");
		watch_grid_count(g, i, "tx_packets");
		watch_grid_rate(g, (double)watch_interface_total(w, i, "ring_drops"));
	} else {
		drops += watch_interface_total(w, i, "ring_drops");
	}
	watch_grid_rate(g, (double)drops);
	describe_state(w, i, text, sizeof(text));
	watch_grid_text(g, text);
}

static void add_interfaces(
	const struct watch *w, struct watch_screen *s, size_t first, size_t max)
{
	bool wide = w->cols >= COLS_WIDE;
	struct watch_grid g = {
		.column = wide ? interface_columns_wide : interface_columns,
		.n_columns = wide
			? sizeof(interface_columns_wide) / sizeof(struct watch_column)
			: sizeof(interface_columns) / sizeof(struct watch_column),
	};
	const json_t *i;
	char line[64];
	size_t n, all = json_array_size(json_object_get(w->now, "interfaces"));

	json_array_foreach(json_object_get(w->now, "interfaces"), n, i)
		fill_interface(w, &g, i);
	if (w->page == WATCH_PAGE_ALL && all > max) {
		watch_grid_print(&g, s, first, max - 1);
		snprintf(line, sizeof(line), "... and %zu more (key i)", all - max + 1);
		watch_screen_add(s, WATCH_PLAIN, line);
	} else {
		watch_grid_print(&g, s, first, max);
	}
	watch_grid_deinit(&g);
}

/* ---- groups ---- */

static const struct watch_column group_columns[] = {
	{"Group", false, MIN_ADDRESS}, {"Source", false, MIN_ADDRESS}, {"In", false, 4},
	{"Out", false, 8}, {"Mem", true, 0}, {"Pkt/s", true, 0}, {"Bit/s", true, 0},
	{"Pkts", true, 0}, {"Wrong", true, 0}, {"Qual", false, 0},
	{"Channel", false, 8}, /* if any has a name */
};

static const struct watch_column group_columns_wide[] = {
	{"Group", false, MIN_ADDRESS},
	{"Source", false, MIN_ADDRESS},
	{"Entry", false, 0},
	{"In", false, 4},
	{"Out", false, 8},
	{"Members", true, 0},
	{"Pkt/s", true, 0},
	{"Bit/s", true, 0},
	{"Packets", true, 0},
	{"Bytes", true, 0},
	{"Wrong", true, 0},
	{"Quality", false, 0},
	{"Share", false, 5},
	{"Channel", false, 8},
};

static bool has_channels(const struct watch *w)
{
	const json_t *row;
	size_t n;

	json_array_foreach(json_object_get(w->now, "rows"), n,
		row) if (*cell_str(row, "channel")) return true;
	return false;
}

static void fill_out(struct watch_grid *g, const json_t *row)
{
	char list[CELL_LIST_LEN] = "";
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(row, "out"), i, v)
		cell_append(list, ",", json_is_string(v) ? json_string_value(v) : "?");
	watch_grid_text(g, list);
}

static double largest_rate(const struct watch *w)
{
	double largest = 0;
	const json_t *row;
	size_t n;

	json_array_foreach(json_object_get(w->now, "rows"), n, row)
	{
		double rate = json_number_value(json_object_get(row, "bytes_per_s"));

		if (rate > largest)
			largest = rate;
	}
	return largest;
}

/* A bar whose length is proportional to the rate; the largest rate on the page fills
 * it. */
static void fill_share(struct watch_grid *g, const json_t *row, double largest)
{
	double rate = json_number_value(json_object_get(row, "bytes_per_s"));
	char bar[SHARE_LEN + 1] = " ";
	int n = rate > 0 ? (int)(rate / largest * SHARE_LEN + 0.5) : 0;

	if (n > 0)
		memset(bar, '#', (size_t)n);
	watch_grid_text(g, bar);
}

/* Where its faults are; short words for a narrow screen. */
static const char *quality_word(const json_t *row, bool wide)
{
	static const struct {
		const char *verdict, *word;
	} words[] = {{"clean", "ok"}, {"provider", "prov"}, {"router", "here"},
		{"perhaps", "?"}, {"beyond", "LAN"}};
	const char *verdict = cell_str(row, "quality");

	for (size_t i = 0; i < array_len(words) && !wide; i++)
		if (strcmp(words[i].verdict, verdict) == 0)
			return words[i].word;
	return *verdict ? verdict : "-";
}

static void fill_group(const struct watch *w, struct watch_grid *g, const json_t *row,
	double largest, bool channels)
{
	bool any = strcmp(cell_str(row, "origin"), "*") == 0;
	const json_t *bytes = json_object_get(row, "bytes_per_s");

	watch_grid_text(g, cell_str(row, "group"));
	watch_grid_text(g,
		cell_str(row,
			any && *cell_str(row, "last_source") ? "last_source"
							     : "origin"));
	if (w->cols >= COLS_WIDE)
		watch_grid_text(g, any ? "(*,G)" : "(S,G)");
	watch_grid_text(g, cell_str(row, "in"));
	fill_out(g, row);
	watch_grid_count(g, row, "members");
	watch_grid_count(g, row, "packets_per_s");
	watch_grid_rate(g, json_is_integer(bytes) ? json_number_value(bytes) * 8 : -1);
	watch_grid_count(g, row, "packets");
	if (w->cols >= COLS_WIDE)
		watch_grid_count(g, row, "bytes");
	watch_grid_count(g, row, "wrong");
	watch_grid_text(g, quality_word(row, w->cols >= COLS_WIDE));
	if (w->cols >= COLS_WIDE)
		fill_share(g, row, largest);
	if (channels)
		watch_grid_text(g, cell_str(row, "channel"));
}

static void add_groups(const struct watch *w, struct watch_screen *s)
{
	bool wide = w->cols >= COLS_WIDE, channels = has_channels(w);
	struct watch_grid g = {
		.column = wide ? group_columns_wide : group_columns,
		.n_columns = wide
			? sizeof(group_columns_wide) / sizeof(struct watch_column)
			: sizeof(group_columns) / sizeof(struct watch_column),
	};
	double largest = largest_rate(w);
	const json_t *row;
	size_t n;

	g.n_columns -= !channels;
	json_array_foreach(json_object_get(w->now, "rows"), n, row)
		fill_group(w, &g, row, largest, channels);
	watch_grid_print(&g, s, 0, w->n_visible);
	watch_grid_deinit(&g);
	if (n == 0)
		watch_screen_add(s, WATCH_PLAIN,
			*w->filter ? "no group matches the filter"
				   : "no host has joined a group");
}

/* ---- the whole ---- */

static const char *const help[] = {
	"Keys",
	"  q            quit",
	"  s            next order: rate, packets, members, wrong, group",
	"  1 2 3 4 5    these orders directly",
	"  r            reverse the order",
	"  /            filter: part of an address, interface, instance or channel",
	"  Escape       leave this page, or drop the filter",
	"  arrows, j k, PageUp, PageDown, Home, End    scroll",
	"  i            all interfaces",
	"  + -          longer, shorter interval",
	"  Space        refresh now",
	"  z            count drops from now; again: from the start of the daemon",
	"  h ?          this page",
	"",
	"Columns",
	"  Source       of the last datagram; Wrong: refused, must not send here",
	"  Mem          hosts that have joined (1 if they cannot be told apart)",
	"  InPkt ...    packets and bits per second that came in and went out",
	"  Drops        frames and copies that were dropped here, since start or key z",
	"  asked        when the provider's router last sent a query",
};

static void add_footer(const struct watch *w, struct watch_screen *s)
{
	size_t n = (size_t)cell_num(w->now, "matched"), last = w->offset + w->n_visible;
	char line[WATCH_COLS_MAX + 1];
	size_t len;

	if (w->editing)
		snprintf(line, sizeof(line), "filter: %s_  (Enter: use, Escape: leave)",
			w->edit);
	else if (w->page != WATCH_PAGE_ALL)
		snprintf(line, sizeof(line), "q quit  Escape back  arrows scroll");
	else
		snprintf(line, sizeof(line),
			"%zu-%zu of %zu by %s%s, %g s | q quit  s sort  / filter  i interfaces  "
			"h help",
			n ? w->offset + 1 : 0, last < n ? last : n, n,
			watch_sort_name(w->sort), w->reverse ? " reversed" : "",
			w->interval);
	for (len = strlen(line); len < w->cols && len < WATCH_COLS_MAX; len++)
		line[len] = ' ';
	line[len] = '\0';
	watch_screen_add(s, WATCH_FOOTER, line);
}

static void add_body(struct watch *w, struct watch_screen *s)
{
	size_t left = w->rows > s->n + 1 ? w->rows - s->n - 1 : 0; /* the footer */
	size_t n = json_array_size(json_object_get(w->now, "interfaces"));
	size_t third = w->rows / 3 > 3 ? w->rows / 3 : 3;

	if (w->page == WATCH_PAGE_HELP) {
		for (size_t i = 0; i < sizeof(help) / sizeof(help[0]) && i < left; i++)
			watch_screen_add(s, WATCH_PLAIN, help[i]);
		return;
	}
	if (w->page == WATCH_PAGE_INTERFACES) {
		w->n_visible = left > 1 ? left - 1 : 0;
		add_interfaces(w, s, w->interfaces_offset, w->n_visible);
		return;
	}
	if (n > third)
		n = third;
	w->n_visible = left > n + 2 ? left - n - 2 : 0;
	add_interfaces(w, s, 0, n);
	add_groups(w, s);
}

void watch_layout(struct watch *w, struct watch_screen *s)
{
	watch_screen_cut(s, 0);
	s->cols = w->cols;
	add_title(w, s);
	if (*w->trouble)
		watch_screen_add(s, WATCH_ALARM, w->trouble);
	else if (!w->now)
		watch_screen_add(s, WATCH_PLAIN, "asking the daemon");
	else
		add_drops(w, s);
	if (w->now || w->page == WATCH_PAGE_HELP)
		add_body(w, s);
	/* a small screen shows only a part */
	watch_screen_cut(s, w->rows > 0 ? w->rows - 1 : 0);
	if (w->rows > 0)
		add_footer(w, s);
}
