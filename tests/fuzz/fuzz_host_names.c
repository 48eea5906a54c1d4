/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A file of host names. The table is sorted and has each address once; names are not
 * empty and have no spaces and no control characters. Each row is found. The table
 * written as hosts(5) and read again is the same, and so it is if the file is read
 * twice.
 */

#include "control/config/channels.h"
#include "control/config/host_names.h"
#include "fuzz.h"

static void check_name(const char *name)
{
	size_t n = strlen(name);

	fuzz_assert(n > 0 && n < CHANNELS_NAME_MAX);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];

		fuzz_assert(c > ' ' && c != 0x7f && c != '#');
		fuzz_assert(!(c == 0xc2 && (unsigned char)name[i + 1] < 0xa0));
	}
}

static void check(const struct host_names *h)
{
	fuzz_assert(h->n <= HOST_NAMES_MAX);
	for (size_t i = 0; i < h->n; i++) {
		fuzz_assert(h->v[i].name < h->n_text);
		fuzz_assert(addr_is_usable_source(&h->v[i].addr));
		fuzz_assert(i == 0 || addr_cmp(&h->v[i - 1].addr, &h->v[i].addr) < 0);
		check_name(h->text + h->v[i].name);
		fuzz_assert(
			host_names_find(h, &h->v[i].addr) == h->text + h->v[i].name);
	}
}

static void check_same(const struct host_names *x, const struct host_names *y)
{
	fuzz_assert(x->n == y->n);
	for (size_t i = 0; i < x->n; i++) {
		fuzz_assert(addr_eq(&x->v[i].addr, &y->v[i].addr));
		fuzz_assert(
			strcmp(x->text + x->v[i].name, y->text + y->v[i].name) == 0);
	}
}

static void check_again(const struct host_names *h)
{
	_cleanup_(freep) char *text = NULL;
	struct host_names again = {0};
	char host[ADDR_STRLEN];
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fuzz_assert(f);
	for (size_t i = 0; i < h->n; i++)
		fprintf(f, "%s %s\n", addr_format(&h->v[i].addr, host),
			h->text + h->v[i].name);
	fuzz_assert(fclose(f) == 0);
	fuzz_assert(host_names_add(&again, text, len) == 0);
	host_names_sort(&again);
	check_same(h, &again);
	host_names_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	struct host_names once = {0}, twice = {0};
	size_t len;
	_cleanup_(freep) uint8_t *text = fuzz_rest(&in, &len);

	fuzz_assert(host_names_add(&once, (char *)text, len) == 0);
	for (unsigned i = 0; i < 2; i++)
		fuzz_assert(host_names_add(&twice, (char *)text, len) == 0);
	host_names_sort(&once);
	host_names_sort(&twice);
	check(&once);
	check_again(&once);
	if (twice.n_left_out == 0)
		check_same(&once, &twice);
	host_names_deinit(&once);
	host_names_deinit(&twice);
	return 0;
}
