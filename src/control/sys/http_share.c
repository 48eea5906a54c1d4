/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Shared bodies, see http_share.h. A new body replaces the one that was not used for
 * the longest time. */

#include "control/sys/http_share.h"

#include <stdio.h>
#include <string.h>

static struct http_shared *kept(struct http_share *s, const char *key)
{
	for (size_t i = 0; i < HTTP_SHARE_BODIES; i++)
		if (strcmp(s->kept[i].key, key) == 0)
			return &s->kept[i];
	return NULL;
}

static void drop_body(struct http_shared *b)
{
	http_body_free(b->body);
	*b = (struct http_shared){.key = ""};
}

/* Nobody gets a body that is not fresh, so it is freed. */
static void drop_stale(struct http_share *s, mono_t now)
{
	for (size_t i = 0; i < HTTP_SHARE_BODIES; i++)
		if (*s->kept[i].key && mono_due(s->kept[i].fresh_until, now))
			drop_body(&s->kept[i]);
}

static struct http_shared *room_for_body(struct http_share *s)
{
	struct http_shared *oldest = &s->kept[0];

	for (size_t i = 0; i < HTTP_SHARE_BODIES; i++) {
		if (!*s->kept[i].key)
			return &s->kept[i];
		if (mono_due(s->kept[i].used, oldest->used))
			oldest = &s->kept[i];
	}
	drop_body(oldest);
	return oldest;
}

static void make_body(struct http_share *s, const struct http_waiting *w)
{
	s->turn = w->turn;
	snprintf(s->making, sizeof(s->making), "%s", w->key);
	s->ops.make(s->ops.ctx, s->making);
}

/* The first request of an address that waits has the next turn, and each further one
 * the turn after that. */
static uint64_t turn_of(const struct http_share *s, const struct http_request *q)
{
	uint64_t turn = s->turn + 1;

	for (size_t i = 0; i < HTTP_MAX_CONNECTIONS; i++) {
		const struct http_waiting *w = &s->waiting[i];

		turn += w->q && addr_eq(http_client(w->q), http_client(q));
	}
	return turn;
}

/* NULL if nobody waits. */
static const struct http_waiting *next_waiting(const struct http_share *s)
{
	const struct http_waiting *found = NULL;

	for (size_t i = 0; i < HTTP_MAX_CONNECTIONS; i++) {
		const struct http_waiting *w = &s->waiting[i];

		if (w->q && (!found || w->turn < found->turn))
			found = w;
	}
	return found;
}

void http_share_ask(
	struct http_share *s, struct http_request *q, const char *key, mono_t now)
{
	struct http_shared *b = kept(s, key);
	struct http_waiting *w = s->waiting;

	if (!*key || strlen(key) >= HTTP_SHARE_KEY) {
		http_answer_text(q, 400, strdup("the request is too long\n"));
		return;
	}
	if (b && !mono_due(b->fresh_until, now)) {
		b->used = now;
		http_answer(q, 200, b->body);
		return;
	}
	while (w < s->waiting + HTTP_MAX_CONNECTIONS && w->q)
		w++;
	if (w == s->waiting + HTTP_MAX_CONNECTIONS) {
		http_answer_text(q, 503, strdup("too many clients\n"));
		return;
	}
	w->turn = turn_of(s, q);
	w->q = q;
	snprintf(w->key, sizeof(w->key), "%s", key);
	if (!*s->making)
		make_body(s, w);
}

void http_share_gone(struct http_share *s, const struct http_request *q)
{
	for (size_t i = 0; i < HTTP_MAX_CONNECTIONS; i++)
		if (s->waiting[i].q == q)
			s->waiting[i].q = NULL;
}

void http_share_give(struct http_share *s, unsigned code, struct http_body *body,
	mono_t now, mono_t fresh_until)
{
	struct http_shared *b = kept(s, s->making);
	const struct http_waiting *first;

	for (size_t i = 0; i < HTTP_MAX_CONNECTIONS; i++) {
		struct http_waiting *w = &s->waiting[i];

		if (!w->q || strcmp(w->key, s->making) != 0)
			continue;
		http_answer(w->q, code, body);
		w->q = NULL;
	}
	if (b)
		drop_body(b);
	drop_stale(s, now);
	if (body && code == 200) {
		b = room_for_body(s);
		memcpy(b->key, s->making, sizeof(b->key));
		b->body = body;
		b->used = now;
		b->fresh_until = fresh_until;
	} else {
		http_body_free(body);
	}
	s->making[0] = '\0';
	first = next_waiting(s);
	if (first)
		make_body(s, first);
}

void http_share_forget(struct http_share *s)
{
	for (size_t i = 0; i < HTTP_SHARE_BODIES; i++)
		drop_body(&s->kept[i]);
}

void http_share_clear(struct http_share *s)
{
	http_share_forget(s);
	for (size_t i = 0; i < HTTP_MAX_CONNECTIONS; i++)
		s->waiting[i].q = NULL;
	s->making[0] = '\0';
}
