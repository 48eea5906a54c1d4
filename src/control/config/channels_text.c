/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "control/config/channels_text.h"

#include "base/cleanup.h"
#include "base/utf8.h"

#include <string.h>
#include <strings.h>

/* ---- words ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct channels_text channels_trim(struct channels_text t)
{
	while (t.n > 0 && is_space(*t.s)) {
		t.s++;
		t.n--;
	}
	while (t.n > 0 && is_space(t.s[t.n - 1]))
		t.n--;
	return t;
}

bool channels_is(struct channels_text t, const char *word)
{
	return t.n == strlen(word) && strncasecmp(t.s, word, t.n) == 0;
}

bool channels_begins(struct channels_text t, const char *word)
{
	size_t n = strlen(word);

	return t.n >= n && strncasecmp(t.s, word, n) == 0;
}

struct channels_text channels_after(struct channels_text t, size_t n)
{
	return (struct channels_text){t.s + n, t.n - n};
}

/* ---- names ---- */

static bool is_utf8(struct channels_text t)
{
	size_t len;

	for (size_t i = 0; i < t.n; i += len) {
		len = utf8_length((const unsigned char *)t.s + i, t.n - i);
		if (len == 0)
			return false;
	}
	return true;
}

static bool is_control(const unsigned char *s, size_t len)
{
	return s[0] < 0x20 || s[0] == 0x7f || (len == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

/* Text that is not UTF-8 is taken for ISO 8859-1, in which old playlists are written.
 * Control characters become spaces, and several spaces one. */
void channels_clean(struct channels_text t, char name[CHANNELS_NAME_MAX])
{
	bool latin1;
	size_t n = 0, len;

	t = channels_trim(t);
	latin1 = !is_utf8(t);
	for (size_t i = 0; i < t.n; i += latin1 ? 1 : len) {
		const unsigned char *s = (const unsigned char *)t.s + i;
		unsigned char two[2] = {(unsigned char)(0xc0 | *s >> 6),
			(unsigned char)(0x80 | (*s & 0x3f))};

		len = latin1 ? 1 + (*s >= 0x80) : utf8_length(s, t.n - i);
		if (len == 2 && latin1)
			s = two;
		if (is_control(s, len) || *s == ' ') {
			if (n > 0 && name[n - 1] != ' ' && n + 1 < CHANNELS_NAME_MAX)
				name[n++] = ' ';
			continue;
		}
		if (n + len >= CHANNELS_NAME_MAX)
			break;
		memcpy(name + n, s, len);
		n += len;
	}
	while (n > 0 && name[n - 1] == ' ')
		n--;
	name[n] = '\0';
}

/* ---- targets ---- */

bool channels_addr(struct channels_text t, struct addr *ret)
{
	char text[ADDR_STRLEN];

	if (t.n == 0 || t.n >= sizeof(text) || memchr(t.s, '\0', t.n))
		return false;
	memcpy(text, t.s, t.n);
	text[t.n] = '\0';
	return addr_parse(text, ret) == 0;
}

static bool is_port(struct channels_text t)
{
	unsigned v = 0;

	for (size_t i = 0; i < t.n; i++) {
		if (t.s[i] < '0' || t.s[i] > '9' || v > UINT16_MAX)
			return false;
		v = 10 * v + (unsigned)(t.s[i] - '0');
	}
	return v <= UINT16_MAX;
}

bool channels_host(struct channels_text t, struct addr *ret)
{
	struct channels_text address = t, port;
	const char *end;

	if (channels_addr(t, ret))
		return true;
	if (t.n > 0 && *t.s == '[') {
		end = memchr(t.s, ']', t.n);
		if (!end)
			return false;
		address = (struct channels_text){t.s + 1, (size_t)(end - t.s) - 1};
		port = (struct channels_text){end + 1, t.n - address.n - 2};
		if (port.n > 0 && *port.s != ':')
			return false;
	} else {
		end = memchr(t.s, ':', t.n);
		if (!end)
			return false;
		address.n = (size_t)(end - t.s);
		port = (struct channels_text){end, t.n - address.n};
	}
	if (port.n > 0)
		port = (struct channels_text){port.s + 1, port.n - 1};
	return is_port(port) && channels_addr(address, ret);
}

/* The part that authority() reads: what comes before a path, a query and the like. */
static struct channels_text host_part(struct channels_text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] == '\0' || strchr("/?#| ", t.s[i]))
			return (struct channels_text){t.s, i};
	return t;
}

static bool authority(struct channels_text t, struct channels_target *ret)
{
	const char *at = memchr(t.s, '@', t.n);
	struct channels_target x;
	struct channels_text source = {t.s, at ? (size_t)(at - t.s) : 0};

	if (at)
		t = channels_after(t, source.n + 1);
	if (!channels_host(t, &x.group) || !addr_is_multicast(&x.group))
		return false;
	x.source = addr_any(addr_family(&x.group));
	if (source.n > 0 &&
		(!channels_host(source, &x.source) ||
			!addr_is_usable_source(&x.source) ||
			addr_family(&x.source) != addr_family(&x.group)))
		return false;
	*ret = x;
	return true;
}

/* http://ROUTER:4022/udp/239.1.2.3:1234, as programs like udpxy and msd_lite have it */
static bool by_proxy(struct channels_text path, struct channels_target *ret)
{
	static const char *const kind[] = {"/udp/", "/rtp/"};

	for (size_t i = 0; i < path.n; i++)
		for (size_t k = 0; k < array_len(kind); k++)
			if (channels_begins(channels_after(path, i), kind[k]))
				return authority(
					host_part(channels_after(path, i + 5)), ret);
	return false;
}

bool channels_target(struct channels_text t, struct channels_target *ret)
{
	static const char *const scheme[] = {"udp://", "rtp://", "igmp://"};
	static const char *const proxy[] = {"http://", "https://"};

	t = channels_trim(t);
	for (size_t i = 0; i < array_len(scheme); i++)
		if (channels_begins(t, scheme[i]))
			return authority(
				host_part(channels_after(t, strlen(scheme[i]))), ret);
	for (size_t i = 0; i < array_len(proxy); i++)
		if (channels_begins(t, proxy[i]))
			return by_proxy(channels_after(t, strlen(proxy[i])), ret);
	return authority(t, ret);
}
