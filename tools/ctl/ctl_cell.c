/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Cells of tables from members of JSON objects, see ctl_cell.h. */

#include "tools/ctl/ctl_cell.h"

#include <string.h>

const char *cell_str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

long long cell_num(const json_t *o, const char *key)
{
	long long v = json_integer_value(json_object_get(o, key));

	return v > CELL_NUM_MAX ? CELL_NUM_MAX : v < -CELL_NUM_MAX ? -CELL_NUM_MAX : v;
}

bool cell_yes(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

void cell_text(struct text_table *t, const json_t *o, const char *key)
{
	text_table_add(t, "%s", cell_str(o, key));
}

void cell_number(struct text_table *t, const json_t *o, const char *key)
{
	if (json_is_integer(json_object_get(o, key)))
		text_table_add(t, "%lld", cell_num(o, key));
	else
		text_table_add(t, "-");
}

const char *cell_format_duration(long long ms, char buf[CELL_DURATION_LEN])
{
	long long s = ms / 1000;

	if (s < 60)
		snprintf(buf, CELL_DURATION_LEN, "%lld.%llds", s, ms / 100 % 10);
	else if (s < 3600)
		snprintf(buf, CELL_DURATION_LEN, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, CELL_DURATION_LEN, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(buf, CELL_DURATION_LEN, "%lldd%02lldh", s / 86400,
			s / 3600 % 24);
	return buf;
}

void cell_duration(struct text_table *t, const json_t *o, const char *key)
{
	char buf[CELL_DURATION_LEN];
	bool known = json_is_integer(json_object_get(o, key));

	text_table_add(
		t, "%s", known ? cell_format_duration(cell_num(o, key), buf) : "-");
}

const char *cell_format_scaled(double v, char buf[CELL_SCALED_LEN])
{
	static const char units[] = " kMGTPE";
	const char *unit = units;

	/* also for a number that rounding would give four digits before the point */
	while (v >= 999.5 && unit[1]) {
		v /= 1000;
		unit++;
	}
	if (unit == units)
		snprintf(buf, CELL_SCALED_LEN, "%.0f", v);
	else
		snprintf(buf, CELL_SCALED_LEN, "%.*f%c",
			v < 9.995	    ? 2
				: v < 99.95 ? 1
					    : 0,
			v, *unit);
	return buf;
}

void cell_scaled(struct text_table *t, const json_t *o, const char *key, double factor)
{
	const json_t *v = json_object_get(o, key);
	char buf[CELL_SCALED_LEN];

	text_table_add(t, "%s",
		json_is_number(v)
			? cell_format_scaled(json_number_value(v) * factor, buf)
			: "-");
}

void cell_append(char list[CELL_LIST_LEN], const char *separator, const char *text)
{
	size_t n = strlen(list);

	snprintf(list + n, CELL_LIST_LEN - n, "%s%s", n > 0 ? separator : "", text);
}

static const char *list_item(const json_t *v, char buf[64])
{
	const char *text = json_string_value(v);

	snprintf(buf, 64, "%s%s", cell_yes(v, "blocked") ? "!" : "",
		text ? text : cell_str(v, "address"));
	return buf;
}

void cell_list(struct text_table *t, const json_t *array, size_t max)
{
	char list[CELL_LIST_LEN] = "", item[64];
	const json_t *v;
	size_t i;

	json_array_foreach(array, i, v)
	{
		if (i == max) {
			snprintf(item, sizeof(item), "+%zu",
				json_array_size(array) - max);
			cell_append(list, " ", item);
			break;
		}
		cell_append(list, ",", list_item(v, item));
	}
	text_table_add(t, "%s", list);
}

void cell_list_short(
	struct text_table *t, const json_t *array, size_t max, size_t width)
{
	size_t n = 0, used = 0, all = json_array_size(array);
	char item[64];

	if (t->view && t->view->detail == TEXT_WIDE) {
		cell_list(t, array, max);
		return;
	}
	while (n < all && n < max) {
		/* the comma, and room for how many more there are */
		used += strlen(list_item(json_array_get(array, n), item)) + (n > 0);
		if (n > 0 && used + (n + 1 < all ? 3 : 0) > width)
			break;
		n++;
	}
	cell_list(t, array, n);
}
