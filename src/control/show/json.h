/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Small values as JSON for the replies of the control socket. A function that returns a
 * value returns a new reference, or NULL when out of memory. */

#include "base/addr.h"
#include "base/mono.h"

#include <jansson.h>

json_t *json_of_addr(const struct addr *a);
json_t *json_of_addr_or_null(const struct addr *a); /* null if unspecified */
json_t *json_of_mac(const uint8_t mac[6]);
json_t *json_of_ms_until(mono_t t, mono_t now); /* null for MONO_NEVER and MONO_UNSET */
json_t *json_of_ms_since(mono_t t, mono_t now); /* null for MONO_UNSET */
/* Takes any bytes. Bytes that are not UTF-8, which jansson would refuse, become '?'.
 * NULL becomes null. */
json_t *json_of_text(const char *s);
/* Does the same with `n` bytes, which may have any value. `s` must not be NULL. */
json_t *json_of_bytes(const char *s, size_t n);
/* Adds a counter as a member of an object. Does nothing if `name` is NULL. */
void json_put_count(json_t *object, const char *name, uint64_t n);
