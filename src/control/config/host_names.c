/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Names of hosts, see host_names.h. The first word of a line says its form: an
 * address, or the time at which a lease ends. A lease of IPv6 has an identifier in
 * place of the MAC address.
 */

#include "control/config/host_names.h"

#include "base/array.h"
#include "base/search.h"
#include "control/config/channels_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Takes the next word off the line; empty at its end. Control characters separate words
 * as spaces do. */
static struct channels_text take_word_of_line(struct channels_text *line)
{
	struct channels_text word;
	size_t n = 0;

	while (line->n > 0 && (unsigned char)*line->s <= ' ') {
		line->s++;
		line->n--;
	}
	while (n < line->n && (unsigned char)line->s[n] > ' ')
		n++;
	word = (struct channels_text){line->s, n};
	line->s += n;
	line->n -= n;
	return word;
}

static bool is_number(struct channels_text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] < '0' || t.s[i] > '9')
			return false;
	return t.n > 0;
}

/* Reads the address and the name of a line. Returns false if it does not have both. */
static bool read_line(
	struct channels_text line, struct addr *ret, char name[CHANNELS_NAME_MAX])
{
	struct channels_text word;
	const char *comment = memchr(line.s, '#', line.n);
	bool lease;

	if (comment)
		line.n = (size_t)(comment - line.s);
	word = take_word_of_line(&line);
	lease = is_number(word);
	if (lease) {
		(void)take_word_of_line(&line); /* MAC address */
		word = take_word_of_line(&line);
	}
	if (!channels_addr(word, ret) || !addr_is_usable_source(ret))
		return false;
	word = take_word_of_line(&line);
	if (lease && channels_is(word, "*"))
		return false;
	channels_clean(word, name);
	name[strcspn(name, " ")] = '\0';
	return *name;
}

static int add_host(struct host_names *h, const struct addr *addr, const char *name)
{
	size_t n = strlen(name) + 1;

	if (h->n == HOST_NAMES_MAX) {
		h->n_left_out++;
		return 0;
	}
	if (array_reserve(h->v, h->cap, h->n + 1, 16) < 0 ||
		array_reserve(h->text, h->cap_text, h->n_text + n, 256) < 0)
		return -ENOMEM;
	h->v[h->n] = (struct host_name){
		.addr = *addr, .order = (uint32_t)h->n, .name = (uint32_t)h->n_text};
	h->n++;
	memcpy(h->text + h->n_text, name, n);
	h->n_text += n;
	return 0;
}

int host_names_add(struct host_names *h, const char *text, size_t len)
{
	char name[CHANNELS_NAME_MAX];
	struct addr addr;
	int r = 0;

	while (r == 0 && len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		if (read_line((struct channels_text){text, n}, &addr, name))
			r = add_host(h, &addr, name);
		n += end != NULL;
		text += n;
		len -= n;
	}
	return r;
}

static int by_address_and_order(const void *a, const void *b)
{
	const struct host_name *x = a, *y = b;
	int r = addr_cmp(&x->addr, &y->addr);

	return r ? r : (x->order > y->order) - (x->order < y->order);
}

void host_names_sort(struct host_names *h)
{
	size_t n = 0;

	if (h->n == 0)
		return;
	qsort(h->v, h->n, sizeof(*h->v), by_address_and_order);
	for (size_t i = 0; i < h->n; i++)
		if (n == 0 || !addr_eq(&h->v[n - 1].addr, &h->v[i].addr))
			h->v[n++] = h->v[i];
	h->n = n;
}

const char *host_names_find(const struct host_names *h, const struct addr *host)
{
	size_t at = first_not_before(0, h->n, i, addr_cmp(&h->v[i].addr, host) < 0);

	return at < h->n && addr_eq(&h->v[at].addr, host) ? h->text + h->v[at].name
							  : NULL;
}

void host_names_deinit(struct host_names *h)
{
	free(h->v);
	free(h->text);
	*h = (struct host_names){0};
}
