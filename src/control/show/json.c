/* SPDX-License-Identifier: GPL-2.0-or-later */

/* JSON of small values, see json.h. */

#include "control/show/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *json_of_addr(const struct addr *a)
{
	char buf[ADDR_STRLEN];

	return json_string(addr_format(a, buf));
}

json_t *json_of_addr_or_null(const struct addr *a)
{
	return addr_is_any(a) ? json_null() : json_of_addr(a);
}

json_t *json_of_mac(const uint8_t mac[6])
{
	char buf[18];

	snprintf(buf, sizeof(buf), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		mac[2], mac[3], mac[4], mac[5]);
	return json_string(buf);
}

json_t *json_of_ms_until(mono_t t, mono_t now)
{
	if (!mono_is_set(t) || t.ns == MONO_NEVER.ns)
		return json_null();
	return json_integer(mono_ms_until(t, now));
}

json_t *json_of_ms_since(mono_t t, mono_t now)
{
	return mono_is_set(t) ? json_integer(mono_ms_since(t, now)) : json_null();
}

json_t *json_of_bytes(const char *s, size_t n)
{
	json_t *text = json_stringn(s, n);
	char *copy;

	if (text)
		return text;
	copy = malloc(n);
	if (!copy)
		return NULL;
	for (size_t i = 0; i < n; i++)
		copy[i] = (char)((unsigned char)s[i] >= 0x80 ? '?' : s[i]);
	text = json_stringn(copy, n);
	free(copy);
	return text;
}

json_t *json_of_text(const char *s)
{
	return s ? json_of_bytes(s, strlen(s)) : json_null();
}

void json_put_count(json_t *object, const char *name, uint64_t n)
{
	if (name)
		json_object_set_new(object, name, json_integer((json_int_t)n));
}
