/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Clients and Host fields of HTTP, see http_access.h. A page whose name resolves to us
 * (DNS rebinding) sends its own name, which is refused. Pure. */

#include "control/config/http_access.h"

#include "control/config/endpoint.h"

#include <string.h>
#include <strings.h>

#define BAD_REQUEST 400
#define FORBIDDEN   403

bool http_access_allows(
	const struct http_access *a, const struct addr *from, const struct addr *to)
{
	/* a client of this system has the address that it connects to */
	return !a->allow || addr_is_loopback(from) ||
		(!addr_is_any(to) && addr_eq(from, to)) ||
		prefix_any_contains(a->allow, a->n_allow, from);
}

void http_host_take(struct http_host *h, const char *name, const char *value)
{
	static const char host[] = "Host";
	size_t len = sizeof(host) - 1;

	if (strncasecmp(name, host, len) != 0 ||
		name[len + strspn(name + len, " \t")] != '\0')
		return;
	h->n++;
	h->blank |= name[len] != '\0';
	h->value = value ? value : "";
}

static bool may_be_host(const struct http_access *a, enum endpoint_host whose)
{
	bool loopback = addr_is_loopback(&a->listens);

	switch (whose) {
	case ENDPOINT_HOST_OURS:
		return true;
	case ENDPOINT_HOST_ADDRESS:
	case ENDPOINT_HOST_PRIVATE:
		return a->private_names || !loopback;
	case ENDPOINT_HOST_OTHER:
		return !a->private_names && !loopback;
	case ENDPOINT_HOST_INVALID:
		break;
	}
	return false;
}

static const char *refuse_request(unsigned *ret_code, unsigned code, const char *text)
{
	*ret_code = code;
	return text;
}

const char *http_host_refusal(const struct http_host *h, const struct http_access *a,
	bool may_omit, unsigned *ret_code)
{
	enum endpoint_host whose;

	if (h->n == 0 && may_omit)
		return NULL;
	if (h->n != 1 || h->blank)
		return refuse_request(ret_code, BAD_REQUEST,
			"a request has one line 'Host: NAME' or 'Host: NAME:PORT'; write it "
			"once, with the colon right after Host\n");
	whose = endpoint_host(h->value, &a->listens);
	if (whose == ENDPOINT_HOST_INVALID)
		return refuse_request(ret_code, BAD_REQUEST,
			"the Host line is neither NAME nor NAME:PORT; write a name or an "
			"address (IPv6 in brackets), and a port of digits alone\n");
	if (may_be_host(a, whose))
		return NULL;
	if (addr_is_loopback(&a->listens) && !a->private_names)
		return refuse_request(ret_code, FORBIDDEN,
			"the name in the address does not belong to this system: use "
			"localhost or 127.0.0.1, or let metrics-listen name another "
			"address\n");
	return refuse_request(ret_code, FORBIDDEN,
		"a web page elsewhere could use that name to read this one: write the "
		"address of this system in numbers, or a name without a dot or below "
		"local, lan, internal or home.arpa\n");
}
