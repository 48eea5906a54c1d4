/* SPDX-License-Identifier: GPL-2.0-or-later */

/* State of the live view and what keys do to it, see watch_model.h. */

#include "tools/ctl/watch/watch_model.h"

#include "tools/ctl/ctl_cell.h"

#include <stdio.h>
#include <string.h>

static const char *const sort_names[_WATCH_SORT_N] = {
	[WATCH_SORT_RATE] = "rate",
	[WATCH_SORT_PACKETS] = "packets",
	[WATCH_SORT_MEMBERS] = "members",
	[WATCH_SORT_WRONG] = "wrong",
	[WATCH_SORT_GROUP] = "group",
};

const char *watch_sort_name(enum watch_sort sort)
{
	return sort_names[sort];
}

int watch_sort_parse(const char *name, enum watch_sort *ret)
{
	for (unsigned i = 0; i < _WATCH_SORT_N; i++)
		if (strcmp(sort_names[i], name) == 0) {
			*ret = (enum watch_sort)i;
			return 0;
		}
	return -1;
}

void watch_init(struct watch *w, unsigned rows, unsigned cols, double interval)
{
	*w = (struct watch){.interval = interval};
	watch_resize(w, rows, cols);
}

void watch_deinit(struct watch *w)
{
	json_decref(w->now);
	json_decref(w->before);
	json_decref(w->zero);
	w->now = w->before = w->zero = NULL;
}

void watch_resize(struct watch *w, unsigned rows, unsigned cols)
{
	w->rows = rows;
	w->cols = cols;
}

/* Groups may have gone: scroll back to where some are left. */
static void clamp(struct watch *w)
{
	size_t n = (size_t)cell_num(w->now, "matched");

	if (w->offset > 0 && w->offset + w->n_visible > n)
		w->offset = n > w->n_visible ? n - w->n_visible : 0;
}

void watch_update(struct watch *w, json_t *page)
{
	/* a restarted daemon counts from zero */
	bool same =
		w->now && cell_num(page, "uptime_ms") >= cell_num(w->now, "uptime_ms");

	/* two pages of one instant, as after a key: rates need the older one */
	if (same && w->before &&
		cell_num(page, "now_ms") - cell_num(w->now, "now_ms") < 400) {
		json_decref(w->now);
	} else {
		json_decref(w->before);
		w->before = w->now;
	}
	w->now = page;
	if (!same) {
		json_decref(w->before);
		json_decref(w->zero);
		w->before = w->zero = NULL;
	}
	w->trouble[0] = '\0';
	clamp(w);
}

void watch_set_trouble(struct watch *w, const char *text)
{
	snprintf(w->trouble, sizeof(w->trouble), "%s", text);
}

const char *watch_request(const struct watch *w, char buf[WATCH_REQUEST_LEN])
{
	snprintf(buf, WATCH_REQUEST_LEN, "show top sort %s%s offset %zu limit %u%s%s",
		sort_names[w->sort], w->reverse ? " reverse" : "", w->offset,
		w->rows < 500 ? w->rows : 500, *w->filter ? " filter " : "", w->filter);
	return buf;
}

/* ---- keys ---- */

static enum watch_action edit_filter(struct watch *w, int key)
{
	size_t n = strlen(w->edit);

	if (key == WATCH_KEY_ENTER) {
		w->editing = false;
		strcpy(w->filter, w->edit);
		w->offset = 0;
		return WATCH_REFRESH;
	}
	if (key == WATCH_KEY_ESCAPE) {
		w->editing = false;
	} else if (key == WATCH_KEY_BACKSPACE && n > 0) {
		w->edit[n - 1] = '\0';
	} else if (key > ' ' && key < 0x7f && n + 1 < sizeof(w->edit)) {
		w->edit[n] = (char)key;
		w->edit[n + 1] = '\0';
	} else {
		return WATCH_NOTHING;
	}
	return WATCH_DRAW;
}

/* New place in a list of n, of which `visible` are shown; negative steps go up. */
static size_t moved(size_t at, long step, size_t n, size_t visible)
{
	size_t last = n > visible ? n - visible : 0;

	if (step < 0)
		return at > (size_t)-step ? at - (size_t)-step : 0;
	return at + (size_t)step < last ? at + (size_t)step : last;
}

static enum watch_action scroll(struct watch *w, long step)
{
	size_t n, *at, old;

	if (w->page == WATCH_PAGE_HELP)
		return WATCH_NOTHING;
	if (w->page == WATCH_PAGE_INTERFACES) {
		at = &w->interfaces_offset;
		n = json_array_size(json_object_get(w->now, "interfaces"));
	} else {
		at = &w->offset;
		n = (size_t)cell_num(w->now, "matched");
	}
	old = *at;
	*at = moved(old, step, n, w->n_visible);
	if (*at == old)
		return WATCH_NOTHING;
	return w->page == WATCH_PAGE_ALL ? WATCH_REFRESH : WATCH_DRAW;
}

static enum watch_action set_sort(struct watch *w, enum watch_sort sort)
{
	w->sort = sort;
	w->offset = 0;
	return WATCH_REFRESH;
}

static enum watch_action change_interval(struct watch *w, double factor)
{
	double interval = w->interval * factor;

	if (interval < WATCH_INTERVAL_MIN || interval > WATCH_INTERVAL_MAX)
		return WATCH_NOTHING;
	w->interval = interval;
	return WATCH_DRAW;
}

static enum watch_action turn_to(struct watch *w, enum watch_page page)
{
	w->page = w->page == page ? WATCH_PAGE_ALL : page;
	w->interfaces_offset = 0;
	return WATCH_DRAW;
}

static enum watch_action go_back(struct watch *w)
{
	if (w->page != WATCH_PAGE_ALL)
		return turn_to(w, w->page);
	if (!*w->filter)
		return WATCH_NOTHING;
	w->filter[0] = '\0';
	w->offset = 0;
	return WATCH_REFRESH;
}

static enum watch_action turn_zero(struct watch *w)
{
	json_t *zero = w->zero ? NULL : json_incref(w->now);

	json_decref(w->zero);
	w->zero = zero;
	return WATCH_DRAW;
}

static enum watch_action input_char(struct watch *w, int key)
{
	if (key >= '1' && key < '1' + _WATCH_SORT_N)
		return set_sort(w, (enum watch_sort)(key - '1'));
	switch (key) {
	case 'q':
		return WATCH_QUIT;
	case 's':
		return set_sort(w, (enum watch_sort)((w->sort + 1) % _WATCH_SORT_N));
	case 'r':
		w->reverse = !w->reverse;
		return set_sort(w, w->sort);
	case '/':
		w->editing = true;
		strcpy(w->edit, w->filter);
		return WATCH_DRAW;
	case 'i':
		return turn_to(w, WATCH_PAGE_INTERFACES);
	case 'h':
	case '?':
		return turn_to(w, WATCH_PAGE_HELP);
	case 'k':
		return scroll(w, -1);
	case 'j':
		return scroll(w, 1);
	case '+':
		return change_interval(w, 2);
	case '-':
		return change_interval(w, 0.5);
	case 'z':
		return turn_zero(w);
	case ' ':
		return WATCH_REFRESH;
	}
	return WATCH_NOTHING;
}

enum watch_action watch_input(struct watch *w, int key)
{
	long page = w->n_visible > 1 ? (long)w->n_visible - 1 : 1;

	if (w->editing)
		return edit_filter(w, key);
	switch (key) {
	case WATCH_KEY_UP:
		return scroll(w, -1);
	case WATCH_KEY_DOWN:
		return scroll(w, 1);
	case WATCH_KEY_PAGE_UP:
		return scroll(w, -page);
	case WATCH_KEY_PAGE_DOWN:
		return scroll(w, page);
	case WATCH_KEY_HOME:
		return scroll(w, -1000000);
	case WATCH_KEY_END:
		return scroll(w, 1000000);
	case WATCH_KEY_ESCAPE:
		return go_back(w);
	}
	return input_char(w, key);
}

/* ---- rates ---- */

static double per_second(
	const struct watch *w, const json_t *now, const json_t *before, const char *key)
{
	long long ms = cell_num(w->now, "now_ms") - cell_num(w->before, "now_ms");
	long long grown = cell_num(now, key) - cell_num(before, key);

	/* an interface that has been replaced by another one of its name */
	if (ms <= 0 || grown < 0)
		return -1;
	return (double)grown * 1000 / (double)ms;
}

/* The interface of that name in the earlier page, or NULL. */
static const json_t *interface_of(const json_t *page, const json_t *i)
{
	const json_t *old;
	size_t n;

	json_array_foreach(json_object_get(page, "interfaces"), n, old)
	{
		if (strcmp(cell_str(old, "name"), cell_str(i, "name")) == 0)
			return old;
	}
	return NULL;
}

double watch_interface_rate(const struct watch *w, const json_t *i, const char *key)
{
	const json_t *old = interface_of(w->before, i);

	return old ? per_second(w, i, old, key) : -1;
}

static long long since(const json_t *now, const json_t *zero, const char *key)
{
	long long grown = cell_num(now, key) - cell_num(zero, key);

	return grown < 0 ? cell_num(now, key) : grown;
}

long long watch_interface_total(const struct watch *w, const json_t *i, const char *key)
{
	return since(i, interface_of(w->zero, i), key);
}

long long watch_drop_total(const struct watch *w, const char *reason)
{
	return since(json_object_get(w->now, "drops"),
		json_object_get(w->zero, "drops"), reason);
}

double watch_drop_rate(const struct watch *w, const char *reason)
{
	if (!w->before)
		return -1;
	return per_second(w, json_object_get(w->now, "drops"),
		json_object_get(w->before, "drops"), reason);
}
