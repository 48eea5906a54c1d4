/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What `ringcastctl watch` knows: the last two pages of the daemon ("show top"), what
 * the user wants to see, and what a key does. Uses no terminal, socket or clock.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum watch_sort {
	WATCH_SORT_RATE,
	WATCH_SORT_PACKETS,
	WATCH_SORT_MEMBERS,
	WATCH_SORT_WRONG,
	WATCH_SORT_GROUP,
	_WATCH_SORT_N,
};

/* Keys that are not characters. */
enum watch_key {
	WATCH_KEY_UP = 0x100,
	WATCH_KEY_DOWN,
	WATCH_KEY_PAGE_UP,
	WATCH_KEY_PAGE_DOWN,
	WATCH_KEY_HOME,
	WATCH_KEY_END,
	WATCH_KEY_ENTER,
	WATCH_KEY_ESCAPE,
	WATCH_KEY_BACKSPACE,
};

enum watch_action {
	WATCH_NOTHING = 1,
	WATCH_DRAW,    /* draw the same data in another way */
	WATCH_REFRESH, /* ask the daemon, because other data are needed */
	WATCH_QUIT,
};

enum watch_page {
	WATCH_PAGE_ALL,
	WATCH_PAGE_INTERFACES, /* all interfaces, and nothing else */
	WATCH_PAGE_HELP,
};

#define WATCH_FILTER_LEN   64
#define WATCH_INTERVAL_MIN 0.5
#define WATCH_INTERVAL_MAX 3600.0

struct watch {
	json_t *now, *before; /* pages; `before` is of the same daemon, or NULL */
	json_t *zero;	   /* drops count from this page on, or (NULL) from the start */
	char trouble[160]; /* why there is no newer page, or empty */
	/* what is shown */
	unsigned rows, cols;
	double interval; /* seconds */
	enum watch_page page;
	enum watch_sort sort;
	bool reverse;
	char filter[WATCH_FILTER_LEN];
	bool editing; /* the user types a filter into `edit` */
	char edit[WATCH_FILTER_LEN];
	size_t offset;		  /* first group that is shown */
	size_t interfaces_offset; /* first interface that is shown on their page */
	size_t n_visible;	  /* number of rows that fit; set by the layout */
};

void watch_init(struct watch *w, unsigned rows, unsigned cols, double interval);
void watch_deinit(struct watch *w);

/* A page has come. Takes the reference. */
void watch_update(struct watch *w, json_t *page);
void watch_set_trouble(struct watch *w, const char *text);
void watch_resize(struct watch *w, unsigned rows, unsigned cols);

/* `key` is a character or an enum watch_key. Returns what to do. */
enum watch_action watch_input(struct watch *w, int key);

#define WATCH_REQUEST_LEN 256
/* Writes the request for the page that is wanted. Returns buf. */
const char *watch_request(const struct watch *w, char buf[WATCH_REQUEST_LEN]);

const char *watch_sort_name(enum watch_sort sort);
/* Returns 0, or -1 if there is no such order. */
int watch_sort_parse(const char *name, enum watch_sort *ret);

/* Return how much a counter of an interface, or of "drops", has grown per second, or a
 * negative value if that is not known yet. */
double watch_interface_rate(const struct watch *w, const json_t *i, const char *key);
double watch_drop_rate(const struct watch *w, const char *reason);
/* Return the counters minus their values when the user set them to zero. */
long long watch_interface_total(
	const struct watch *w, const json_t *i, const char *key);
long long watch_drop_total(const struct watch *w, const char *reason);
