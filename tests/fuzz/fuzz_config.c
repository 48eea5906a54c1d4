/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Configuration text: any text is accepted, or refused with a reason. The print of an
 * accepted one is also accepted, has the same meaning and prints the same.
 */

#include "control/config/config.h"
#include "fuzz.h"

static unsigned count_lines(const uint8_t *data, size_t size)
{
	unsigned n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n' ||
			(data[i] == '\r' && !(i + 1 < size && data[i + 1] == '\n'));
	return n;
}

/* Messages go to terminals and logs, so they contain no control characters and only a
 * limited part of the file. Returns how many are errors. */
static unsigned check_messages(const struct config *c, unsigned n_lines)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->n_message; i++) {
		const struct config_message *m = &c->message[i];

		fuzz_assert(m->line <= n_lines && !m->line == !m->column);
		fuzz_assert(m->text && m->text[0] && strlen(m->text) < 1000);
		for (const char *p = m->text; *p; p++)
			fuzz_assert((unsigned char)*p >= 0x20 && *p != 0x7f);
		n += m->severity == CONFIG_ERROR;
	}
	return n;
}

static void check_iface(const struct config *c, const struct config_iface *ci)
{
	fuzz_assert(ci->instance < c->n_instance);
	fuzz_assert(ci->threshold >= 1);
	fuzz_assert(ci->igmp_version >= 1 && ci->igmp_version <= 3);
	fuzz_assert(ci->mld_version >= 1 && ci->mld_version <= 2);
	fuzz_assert(config_boundary_scope(ci) <= 15);
	fuzz_assert(strnlen(ci->name, sizeof(ci->name)) < sizeof(ci->name));
	fuzz_assert(ci->pattern || strlen(ci->name) < IFNAMSIZ);
	for (size_t i = 0; i < ci->n_altnet; i++)
		fuzz_assert(prefix_contains(&ci->altnet[i], &ci->altnet[i].addr));
	for (size_t i = 0; i < ci->n_filter; i++)
		fuzz_assert(prefix_contains(
			&ci->filter[i].groups, &ci->filter[i].groups.addr));
}

static void check_config(const struct config *c)
{
	fuzz_assert(c->n_instance >= 1);
	fuzz_assert(c->gm.robustness >= 1);
	fuzz_assert(c->ring_size == 0 || c->ring_size >= 64u << 10);
	check_iface(c, &c->defaults);
	for (size_t i = 0; i < c->n_iface; i++) {
		const struct config_iface *ci = &c->iface[i];

		check_iface(c, ci);
		fuzz_assert(ci->name[0] && config_iface_find(c, ci->name) == ci);
	}
}

static void check_print(const struct config *c)
{
	_cleanup_(freep) char *print = config_print(c), *again = NULL;
	_cleanup_(freep) char *says = config_describe(c, NULL), *says_again = NULL;
	struct config *c2 = NULL;

	fuzz_assert(print && says);
	for (const char *s = says; *s; s++)
		fuzz_assert((unsigned char)*s >= 0x20 || *s == '\n');
	fuzz_assert(config_parse(print, strlen(print), &c2) == 0);
	check_config(c2);
	again = config_print(c2);
	says_again = config_describe(c2, NULL);
	fuzz_assert(again && says_again);
	fuzz_assert(strcmp(print, again) == 0);
	fuzz_assert(strcmp(says, says_again) == 0);
	config_free(c2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = NULL;
	int r = config_parse((const char *)data, size, &c);
	unsigned n_errors;

	fuzz_assert((r == 0 || r == 1) && c);
	n_errors = check_messages(c, count_lines(data, size));
	fuzz_assert((r == 1) == (n_errors > 0));
	if (r == 0) {
		check_config(c);
		check_print(c);
	}
	config_free(c);
	return 0;
}
