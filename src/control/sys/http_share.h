/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Bodies that take time and that many clients ask for. A body is named by a key. Each
 * is made once, one after the other, and all clients that ask for it meanwhile, or
 * while it is fresh, get the same body. The work therefore does not grow with the
 * number of clients.
 */

#include "base/mono.h"
#include "control/sys/http.h"

#define HTTP_SHARE_KEY	  256 /* bytes of a key and its end */
#define HTTP_SHARE_BODIES 16  /* bodies that are kept */

struct http_share_ops {
	/* Begins to make the body of this key. http_share_give() must be called later,
	 * and not inside of this function. */
	void (*make)(void *ctx, const char *key);
	void *ctx;
};

/* At the beginning everything except `ops` is zero. */
struct http_share {
	struct http_share_ops ops;
	struct http_shared {
		char key[HTTP_SHARE_KEY]; /* empty if the place is free */
		struct http_body *body;
		mono_t fresh_until, used;
	} kept[HTTP_SHARE_BODIES];
	struct http_waiting {
		struct http_request *q; /* NULL if the place is free */
		uint64_t turn;
		char key[HTTP_SHARE_KEY];
	} waiting[HTTP_MAX_CONNECTIONS];
	char making[HTTP_SHARE_KEY]; /* empty if nothing is being made */
	uint64_t turn; /* of the request that the last body was begun for */
};

/* Answers the request now if there is a fresh body, or else as soon as one has been
 * made. Bodies are begun in an order in which the addresses of the clients take turns,
 * so one that asks for many does not delay the others. A key that is too long gets
 * 400. */
void http_share_ask(
	struct http_share *s, struct http_request *q, const char *key, mono_t now);
/* Forgets a request, see http_ops.gone. */
void http_share_gone(struct http_share *s, const struct http_request *q);
/* Gives the body that http_share_ops.make() was asked for, with its status, and takes
 * the reference. NULL means that there was no memory. Only a body with status 200 is
 * kept. Call http_go_on() afterwards. */
void http_share_give(struct http_share *s, unsigned code, struct http_body *body,
	mono_t now, mono_t fresh_until);
/* Makes all bodies stale, because something has changed. */
void http_share_forget(struct http_share *s);
/* Drops everything. Call it before http_free(), which answers the requests that wait.
 * The body that is being made must not be given any more. */
void http_share_clear(struct http_share *s);
