/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Decides which requests of HTTP are answered: by the address of the client, and by the
 * name in its Host field, so that a web page elsewhere cannot read ours. Pure. */

#include "base/addr.h"

struct http_access {
	struct addr listens; /* the address that is listened on */
	/* Refuse a request whose Host is a name that any name server may point to us,
	 * on every address. If false, such names are refused only on loopback
	 * addresses. */
	bool private_names;
	/* The clients that are answered in addition to those on this system; NULL means
	 * all clients. */
	const struct prefix *allow; /* borrowed */
	size_t n_allow;
};

/* Returns whether a client is answered. `to` is the address that it has connected
 * to. */
bool http_access_allows(
	const struct http_access *a, const struct addr *from, const struct addr *to);

/* What a request says of its host. Set it to zero before the first field. */
struct http_host {
	unsigned n;
	/* There was a blank between name and colon, which other programs interpret
	 * differently. */
	bool blank;
	const char *value;
};

/* Takes a field of the request, whatever its name is. `value` is borrowed, and may be
 * NULL. */
void http_host_take(struct http_host *h, const char *name, const char *value);
/* Checks that there was one Host field (RFC 9112 3.2) and that its name may ask.
 * HTTP/1.0 `may_omit` the field. Returns NULL, or a static text that says what is
 * wrong, and then *ret_code is the status to answer. */
const char *http_host_refusal(const struct http_host *h, const struct http_access *a,
	bool may_omit, unsigned *ret_code);
