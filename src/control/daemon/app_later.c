/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Messages that must be sent a little later, on a port that may be gone by then:
 * repetitions of the leaves at the end of an upstream. Each message has a duplicate of
 * the socket. A stopping daemon runs until all are sent.
 */

#include "control/daemon/app_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct app_later {
	struct app_later *next;
	mono_t at;
	struct mcsock *sock; /* owned */
	struct addr to;
	size_t len;
	uint8_t packet[];
};

int app_later_add(struct app *app, mono_t at, const struct mcsock *s,
	const void *packet, size_t len, const struct addr *to)
{
	struct app_later **end = &app->later, *l = malloc(sizeof(*l) + len);
	int r;

	if (!l)
		return -ENOMEM;
	r = mcsock_copy(s, &l->sock);
	if (r < 0) {
		free(l);
		return r;
	}
	l->at = at;
	l->to = *to;
	l->len = len;
	memcpy(l->packet, packet, len);
	while (*end && !mono_before(at, (*end)->at))
		end = &(*end)->next;
	l->next = *end;
	*end = l;
	return 0;
}

mono_t app_later_deadline(const struct app *app)
{
	return app->later ? app->later->at : MONO_NEVER;
}

static void drop_first(struct app *app)
{
	struct app_later *l = app->later;

	app->later = l->next;
	mcsock_close(l->sock);
	free(l);
}

void app_later_tick(struct app *app, mono_t now)
{
	while (mono_due(app_later_deadline(app), now)) {
		const struct app_later *l = app->later;

		/* already sent once; an error has no receiver here */
		(void)mcsock_send(l->sock, l->packet, l->len, &l->to);
		drop_first(app);
	}
}

void app_later_free(struct app *app)
{
	while (app->later)
		drop_first(app);
}
