/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A file of channel names. The table is sorted, has each pair of group and source once,
 * and names that are UTF-8 without control characters. Each row is found again. The
 * table written as CSV and read again is the same.
 */

#include "control/config/channels.h"
#include "fuzz.h"

static void check_name(const char *name)
{
	size_t n = strlen(name);

	fuzz_assert(n > 0 && n < CHANNELS_NAME_MAX);
	fuzz_assert(name[0] != ' ' && name[n - 1] != ' ');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];
		size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		fuzz_assert(
			c >= 0x20 && c != 0x7f && (c < 0x80 || c >= 0xc2) && c < 0xf5);
		fuzz_assert(i + len <= n);
		fuzz_assert(!(c == 0xc2 && (unsigned char)name[i + 1] < 0xa0));
		for (size_t k = 1; k < len; k++)
			fuzz_assert(((unsigned char)name[i + k] & 0xc0) == 0x80);
		i += len - 1;
	}
}

static void check(const struct channels *c)
{
	fuzz_assert(c->n <= CHANNELS_MAX && c->n_messages <= CHANNELS_MAX_MESSAGES);
	for (size_t i = 0; i < c->n; i++) {
		const struct channel *ch = &c->v[i];
		int r = i ? addr_cmp(&c->v[i - 1].group, &ch->group) : -1;

		fuzz_assert(ch->name < c->n_names);
		fuzz_assert(addr_is_multicast(&ch->group));
		fuzz_assert(addr_family(&ch->group) == addr_family(&ch->source));
		fuzz_assert(
			addr_is_any(&ch->source) || addr_is_usable_source(&ch->source));
		fuzz_assert(r < 0 ||
			(r == 0 && addr_cmp(&c->v[i - 1].source, &ch->source) < 0));
		check_name(c->names + ch->name);
		if (!addr_is_any(&ch->source))
			fuzz_assert(channels_name(c, &ch->group, &ch->source) ==
				c->names + ch->name);
		fuzz_assert(channels_name(c, &ch->group, NULL));
	}
}

/* As a file with a header, so that no row can be taken for one. */
static void write_csv(FILE *f, const struct channels *c)
{
	char text[ADDR_STRLEN];

	fputs("group,name,source\n", f);
	for (size_t i = 0; i < c->n; i++) {
		fprintf(f, "%s,\"", addr_format(&c->v[i].group, text));
		for (const char *s = c->names + c->v[i].name; *s; s++) {
			if (*s == '"')
				fputc('"', f);
			fputc(*s, f);
		}
		fprintf(f, "\",%s\n",
			addr_is_any(&c->v[i].source)
				? ""
				: addr_format(&c->v[i].source, text));
	}
}

static void check_again(const struct channels *c)
{
	_cleanup_(freep) char *text = NULL;
	struct channels *again;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fuzz_assert(f);
	write_csv(f, c);
	fuzz_assert(fclose(f) == 0);
	fuzz_assert(channels_parse(text, len, &again) == 0);
	fuzz_assert(again->format == CHANNELS_CSV && again->n == c->n);
	for (size_t i = 0; i < c->n; i++) {
		fuzz_assert(addr_eq(&again->v[i].group, &c->v[i].group));
		fuzz_assert(addr_eq(&again->v[i].source, &c->v[i].source));
		fuzz_assert(strcmp(again->names + again->v[i].name,
				    c->names + c->v[i].name) == 0);
	}
	channels_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	size_t len;
	_cleanup_(freep) uint8_t *text = fuzz_rest(&in, &len);
	struct channels *c = NULL;
	int r = channels_parse((char *)text, len, &c);

	fuzz_assert(r == 0 || (r == 1 && c->n == 0 && c->n_messages > 0));
	check(c);
	check_again(c);
	channels_free(c);
	return 0;
}
