/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Bodies that take time and that many clients ask for: each is made once, one after the
 * other, and all who ask for it meanwhile, or while it is fresh, get the same one. So
 * the work does not grow with the number of clients. A body has a key, a text.
 */

#include "base/mono.h"
#include "control/sys/http.h"

#define HTTP_SHARE_KEY	  256 /* bytes of a key and its end */
#define HTTP_SHARE_BODIES 16  /* that are kept */

struct http_share_ops {
	/* Make this body, and call http_share_give() later, not from here. */
	void (*make)(void *ctx, const char *key);
	void *ctx;
};

/* All zero except `ops` is empty. */
struct http_share {
	struct http_share_ops ops;
	struct http_shared {
		char key[HTTP_SHARE_KEY]; /* empty if the place is free */
		struct http_body *body;
		mono_t fresh_until, used;
	} kept[HTTP_SHARE_BODIES];
	struct http_waiting {
		struct http_request *q; /* NULL if the place is free */
		char key[HTTP_SHARE_KEY];
	} waiting[HTTP_MAX_CONNECTIONS];
	char making[HTTP_SHARE_KEY]; /* empty if nothing is being made */
};

/* Answers with a body that is fresh, or when one has been made. A key that is too long
 * is refused (400). */
void http_share_ask(
	struct http_share *s, struct http_request *q, const char *key, mono_t now);
/* The body that was to be made, with its status; NULL without memory. Takes the
 * reference. Only a body with status 200 is kept. Call http_go_on() afterwards. */
void http_share_give(struct http_share *s, unsigned code, struct http_body *body,
	mono_t now, mono_t fresh_until);
/* No body is fresh any more, because something has changed. */
void http_share_forget(struct http_share *s);
/* Drops everything, before http_free(), which answers those that wait. What is being
 * made must not be given any more. */
void http_share_clear(struct http_share *s);
