/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Answers in pieces: writing them, walks that survive a change between two pieces, and
 * values that several answers have. */

#include "control/show/json.h"
#include "control/show/view.h"
#include "control/sys/ctl.h"

struct show_wanted;

/* A piece takes SHOW_WORK steps of about a microsecond. A row that is written takes
 * SHOW_ROW steps, and an address in a list of the row takes one. */
#define SHOW_WORK 512
#define SHOW_ROW  8

/* The rates of forwarding entries. A new reading may have to be taken first, during
 * several pieces without any output, until show_rates_ready() of show_mfc.h returns
 * true. */
struct show_rates {
	bool waiting, ready;
};

/* The first member of every answer. */
struct show_answer {
	struct ctl_answer answer;
	struct app *app;
	bool begun; /* see show_first() */
	bool comma; /* the list that is being written has an item */
	struct show_rates rates;
	void *owned; /* memory that ends with the answer, or NULL */
};

/* Allocates `size` bytes that begin with a struct show_answer; the rest is zero.
 * Returns them, and the answer in them as *ret. Returns NULL if there is no memory, and
 * then the command must also return NULL. */
void *show_answer_new(struct app *app, const struct ctl_answer_ops *ops, size_t size,
	struct ctl_answer **ret);
/* Frees the answer and what the members of struct show_answer need. */
void show_answer_closed(struct ctl_answer *answer);
/* Frees the answer because of an error, and returns the error. */
json_t *show_answer_refused(json_t *error, struct ctl_answer **ret);

bool show_first(struct show_answer *a); /* true for the first call alone */
void show_text(struct show_answer *a, const char *text);
/* The text of show_begin() must end with the bracket that opens a list, and that of
 * show_end() must begin with the bracket that closes it. */
void show_begin(struct show_answer *a, const char *text);
void show_end(struct show_answer *a, const char *text);
/* Write an item of the list, and take the reference. show_open() leaves out the closing
 * brace of the object. */
void show_item(struct show_answer *a, json_t *value);
void show_open(struct show_answer *a, json_t *object);

/* A place in a list that may change between two pieces. Each of its `n` elements of
 * `size` bytes begins with a struct addr, by which they are sorted. All zero is the
 * beginning. */
struct show_place {
	size_t n_written;
	struct addr after; /* the last element that was written, if there is one */
};
/* Returns the index of the first element after the place. */
size_t show_behind(const void *v, size_t n, size_t size, const struct show_place *p);
/* Writes the elements after the place, as `item` makes them, until `max` are written
 * altogether. Takes one from *work for each. Returns false when *work is used up. */
bool show_list(struct show_answer *a, const void *v, size_t n, size_t size, size_t max,
	json_t *(*item)(const void *element, mono_t now), struct show_place *p,
	int *work);
json_t *show_address(
	const void *element, mono_t now); /* of an element, for show_list() */

/* A walk over the ports. Any of them may go away between two pieces, and its number may
 * be reused. All zero except the role is the beginning. */
struct show_ports {
	enum config_role role; /* 0 means every role */
	unsigned number;       /* of the present port */
	char name[IFNAMSIZ];   /* of the present port; empty before the first one */
};
/* Returns the present port, or NULL if it has gone. */
const struct proxy_port *show_port(const struct app *app, const struct show_ports *p);
/* Returns the next port that is wanted, or NULL if there is none. `w` is NULL if all
 * are. */
const struct proxy_port *show_next_port(
	const struct app *app, struct show_ports *p, const struct show_wanted *w);

/* ---- values ---- */

/* Returns a list of the names of ports. */
json_t *show_ports(const struct app *app, const struct portset *ports);
const char *show_instance(const struct app *app, const struct proxy_port *pp);
/* Returns why the port does not work, or NULL. */
const char *show_port_error(const struct app *app, unsigned port);
const char *show_mode(enum gm_mode mode); /* "include", "exclude" */
/* Returns the time until hosts or queriers of the older version `number` of the
 * protocol no longer count as present, or null if that version is not older. */
json_t *show_older(const mono_t until[_GM_VERSION_N], enum family family,
	unsigned number, mono_t now);

/* Returns the name of a channel, or null. `source` is as for channels_name(). */
json_t *show_channel(
	const struct app *app, const struct addr *group, const struct addr *source);
