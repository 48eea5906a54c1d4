/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show zaps" as tables: the last zaps, and a histogram for each LAN. See
 * ctl_list.h. */

#include "base/cleanup.h"
#include "tools/ctl/ctl_cell.h"
#include "tools/ctl/ctl_list.h"

static void add_ms(struct text_table *t, const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_number(v))
		text_table_add(t, "%.0f", json_number_value(v));
	else
		text_table_add(t, "-");
}

static void zaps_row(struct text_table *t, const json_t *z)
{
	cell_duration(t, z, "age_ms");
	cell_text(t, z, "interface");
	cell_text(t, z, "group");
	cell_text(t, z, "host");
	add_ms(t, z, "report_ms");
	add_ms(t, z, "first_ms");
	add_ms(t, z, "pat_ms");
	add_ms(t, z, "random_access_ms");
	cell_text(t, z, "channel");
}

static const struct text_column zaps_columns[] = {
	{"Ago", true},
	{"Interface"},
	{"Group", .min = 15},
	{"Host", .min = 15},
	{"Report", true, TEXT_NORMAL},
	{"First", true},
	{"PAT", true, TEXT_NORMAL},
	{"Picture", true},
	{"Channel", .min = 12, .optional = true},
};

static const char *bound(const json_t *reply, size_t i, char buf[24])
{
	const json_t *bounds = json_object_get(reply, "bounds_ms");
	size_t n = json_array_size(bounds);

	if (i < n)
		snprintf(buf, 24, "<=%lld",
			(long long)json_integer_value(json_array_get(bounds, i)));
	else
		snprintf(buf, 24, "more");
	return buf;
}

/* "12 <=50, 3 <=100": the buckets that are not empty */
static void add_buckets(struct text_table *t, const json_t *reply, const json_t *times)
{
	char list[CELL_LIST_LEN] = "", item[64], buf[24];
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(times, "buckets"), i, v)
	{
		if (json_integer_value(v) <= 0)
			continue;
		snprintf(item, sizeof(item), "%lld %s",
			(long long)json_integer_value(v), bound(reply, i, buf));
		cell_append(list, ", ", item);
	}
	text_table_add(t, "%s", list);
}

static void add_lan(struct text_table *t, const json_t *reply, const json_t *lan)
{
	static const struct {
		const char *key, *title;
	} waits[] = {{"first", "first datagram"}, {"random", "picture"},
		{"leave", "end after a leave"}};

	for (size_t i = 0; i < array_len(waits); i++) {
		const json_t *times = json_object_get(lan, waits[i].key);

		if (cell_num(times, "n") == 0 && cell_num(times, "missed") == 0)
			continue;
		cell_text(t, lan, "interface");
		text_table_add(t, "%s", waits[i].title);
		cell_number(t, times, "n");
		cell_number(t, times, "missed");
		add_ms(t, times, "mean_ms");
		add_buckets(t, reply, times);
	}
}

static void print_lans(
	const json_t *reply, size_t n_rows, const struct text_view *view, FILE *out)
{
	static const struct text_column columns[] = {
		{"Interface"},
		{"Wait for"},
		{"Number", true},
		{"Missed", true},
		{"Mean", true},
		{"In ms", .wrap = true},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *lan;
	size_t i;

	t.view = view;
	if (n_rows == 0)
		fputs(view->filtered ? "\nno host has waited for such a stream here\n"
				     : "\nno host has waited for a stream here\n",
			out);
	json_array_foreach(json_object_get(reply, "lans"), i, lan)
		add_lan(&t, reply, lan);
	if (t.n > 0) {
		fputc('\n', out);
		text_table_print(&t, out);
	}
	text_table_deinit(&t);
}

const struct ctl_list ctl_list_zaps = {
	.key = "zaps",
	.depth = 1,
	.table = TEXT_TABLE(zaps_columns),
	.row = zaps_row,
	.rest = print_lans,
};
