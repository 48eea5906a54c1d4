/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Files of other programs, compared with the output of `ringcastctl convert`: messages
 * and text must equal migrate/NAME.ok in the directory of the first argument, and the
 * text must load. The second argument is doc/migration.md, whose chapters show some of
 * these files, which are also compared. With a third argument "update" the .ok files
 * are written instead, to be read before they are committed.
 */

#include "control/config/config.h"
#include "test.h"
#include "tools/convert/convert.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

static const char *directory, *document;
static bool update;

static const struct golden_case {
	const char *ok;
	enum convert_dialect dialect;
	const char *file[3];
	struct convert_device device[4];
	bool shown; /* in doc/migration.md */
} cases[] = {
	{"improxy", CONVERT_IMPROXY, {"improxy.conf"}, .shown = true},
	{"improxy-minimal", CONVERT_IMPROXY, {"improxy-minimal.conf"}},
	{"improxy-nothing", CONVERT_IMPROXY, {"improxy-nothing.conf"}},
	{"improxy-bad", CONVERT_IMPROXY, {"improxy-bad.conf"}},
	{"improxy-old", CONVERT_IMPROXY, {"improxy-old.conf"}},
	{"improxy-no-upstream", CONVERT_IMPROXY, {"improxy-no-upstream.conf"}},
	{"vyos-commands", CONVERT_VYOS, {"vyos.commands"}, .shown = true},
	{"vyos-boot", CONVERT_VYOS, {"vyos.boot"}},
	{"vyos-edit", CONVERT_VYOS, {"vyos-edit.commands"}},
	{"vyos-show", CONVERT_VYOS, {"vyos-show.boot"}},
	{"vyos-bad", CONVERT_VYOS, {"vyos-bad.commands"}},
	{"vyos-bad-boot", CONVERT_VYOS, {"vyos-bad.boot"}},
	{"vyos-quotes", CONVERT_VYOS, {"vyos-quotes.boot"}},
	{"vyos-deep", CONVERT_VYOS, {"vyos-deep.boot"}},
	{"vyos-other", CONVERT_VYOS, {"vyos-other.boot"}},
	{"unifi-usg", CONVERT_VYOS, {"unifi-usg.json"}, .shown = true},
	{"unifi-bad", CONVERT_VYOS, {"unifi-bad.json"}},
	{"unifi-values", CONVERT_VYOS, {"unifi-values.json"}},
	{"unifi-nothing", CONVERT_VYOS, {"unifi-nothing.json"}},
	{"mcproxy", CONVERT_MCPROXY, {"mcproxy.conf"}, .shown = true},
	{"mcproxy-two", CONVERT_MCPROXY, {"mcproxy-two.conf"}},
	{"mcproxy-bad", CONVERT_MCPROXY, {"mcproxy-bad.conf"}},
	{"mcproxy-bad2", CONVERT_MCPROXY, {"mcproxy-bad2.conf"}},
	{"openwrt-mfc", CONVERT_OPENWRT, {"openwrt-mfc.igmpproxy"}},
	{"openwrt", CONVERT_OPENWRT, {"openwrt.network", "openwrt.igmpproxy"},
		.shown = true},
	{"openwrt-unknown", CONVERT_OPENWRT, {"openwrt.igmpproxy"}},
	{"openwrt-device", CONVERT_OPENWRT, {"openwrt.igmpproxy"},
		{{"lan", "br-lan"}, {"iptv", "eth0.4"}}},
	{"openwrt-quotes", CONVERT_OPENWRT, {"openwrt-quotes.igmpproxy"},
		{{"wan", "pppoe-wan"}, {"lan", "br-lan"}}},
	{"openwrt-bad", CONVERT_OPENWRT, {"openwrt-bad.igmpproxy"}},
	{"openwrt-values", CONVERT_OPENWRT, {"openwrt-values.igmpproxy"},
		{{"wan", "eth0"}, {"lan", "br-lan"}, {"guest", "br-guest"}}},
	{"openwrt-show", CONVERT_OPENWRT, {"openwrt-show.igmpproxy"}},
	{"omcproxy", CONVERT_OPENWRT, {"openwrt.network", "openwrt.omcproxy"},
		.shown = true},
	{"omcproxy-two", CONVERT_OPENWRT, {"openwrt.network", "openwrt-two.omcproxy"},
		{{"guest", "br-guest"}, {"office", "br-office"}}},
	{"omcproxy-scopes", CONVERT_OPENWRT, {"openwrt-scopes.omcproxy"},
		{{"wan", "eth0"}, {"wan2", "eth1"}, {"lan", "br-lan"},
			{"office", "br-office"}}},
	{"omcproxy-bad", CONVERT_OPENWRT, {"openwrt-bad.omcproxy"}},
	{"omcproxy-none", CONVERT_OPENWRT, {"openwrt-none.omcproxy"}},
	{"openwrt-both", CONVERT_OPENWRT, {"openwrt.igmpproxy", "openwrt.omcproxy"}},
	{"openwrt-neither", CONVERT_OPENWRT, {"openwrt.network"}},
};

/* Reads migrate/NAME and adds a NUL; the caller frees it. */
static char *read_file(const char *name)
{
	_cleanup_(freep) char *path = NULL;
	char *buf = NULL;
	size_t cap = 0;
	FILE *f;

	if (*name == '/')
		f = fopen(name, "re");
	else {
		assert_true(asprintf(&path, "%s/migrate/%s", directory, name) > 0);
		f = fopen(path, "re");
	}
	if (!f)
		fail_msg("cannot open %s", name);
	if (getdelim(&buf, &cap, EOF, f) < 0)
		fail_msg("cannot read %s", name);
	fclose(f);
	return buf;
}

static void write_messages(FILE *f, const struct conversion *r)
{
	fprintf(f, "== %s\n", r->text ? "accepted" : "refused");
	for (size_t i = 0; i < r->n_message; i++) {
		const struct convert_message *m = &r->message[i];

		fprintf(f, "%s:", m->file);
		if (m->line)
			fprintf(f, "%u:", m->line);
		fprintf(f, " %s: %s\n", m->is_error ? "error" : "warning", m->text);
	}
	if (r->text)
		fprintf(f, "\n== text\n%s", r->text);
}

static void assert_loads(const char *name, const char *text)
{
	struct config *cfg;

	assert_true(config_parse(text, strlen(text), &cfg) >= 0);
	for (size_t i = 0; i < cfg->n_message; i++)
		if (cfg->message[i].severity == CONFIG_ERROR)
			fail_msg("%s:%u: %s", name, cfg->message[i].line,
				cfg->message[i].text);
	config_free(cfg);
}

static void compare(const char *ok, const char *out)
{
	_cleanup_(freep) char *command = NULL;

	assert_true(asprintf(&command, "diff -u '%s' '%s' >&2", ok, out) > 0);
	if (system(command) != 0)
		fail_msg("not as expected in %s", ok);
	unlink(out);
}

static void check_one(const struct golden_case *g)
{
	_cleanup_(freep) char *ok = NULL, *out = NULL;
	struct convert_source source[array_len(g->file)];
	char *text[array_len(g->file)];
	struct conversion *r;
	size_t n = 0, n_device = 0;
	FILE *f;

	for (; n < array_len(g->file) && g->file[n]; n++) {
		text[n] = read_file(g->file[n]);
		source[n] = (struct convert_source){
			.name = g->file[n], .text = text[n], .len = strlen(text[n])};
	}
	while (n_device < array_len(g->device) && g->device[n_device].network)
		n_device++;
	assert_true(convert_run(g->dialect, source, n, g->device, n_device, &r) >= 0);
	assert_true(asprintf(&ok, "%s/migrate/%s.ok", directory, g->ok) > 0);
	assert_true(asprintf(&out, "%s.out", g->ok) > 0);
	f = fopen(update ? ok : out, "we");
	assert_non_null(f);
	write_messages(f, r);
	assert_int_equal(fclose(f), 0);
	if (r->text)
		assert_loads(g->ok, r->text);
	conversion_free(r);
	while (n > 0)
		free(text[--n]);
	if (!update)
		compare(ok, out);
}

static void golden(void **state)
{
	for (size_t i = 0; i < array_len(cases); i++)
		check_one(&cases[i]);
}

/* a file that igmpproxy reads needs no conversion */
static void loads_unchanged(void **state)
{
	static const char *const files[] = {"igmpproxy.conf", "movistar.conf",
		"ipfire-vlan8.conf", "ipfire-bng.conf", "pfsense.conf", "unifi.conf"};

	for (size_t i = 0; i < array_len(files); i++) {
		_cleanup_(freep) char *text = read_file(files[i]);

		assert_loads(files[i], text);
	}
}

/* If such a file is given to the daemon by mistake, the error says what to do. */
static void hints(void **state)
{
	static const struct {
		const char *file, *hint;
	} c[] = {
		{"improxy.conf", "ringcastctl convert --from improxy FILE"},
		{"vyos.commands", "ringcastctl convert --from vyos FILE"},
		{"vyos.boot", "ringcastctl convert --from vyos FILE"},
		{"unifi-usg.json", "ringcastctl convert --from vyos FILE"},
		{"mcproxy.conf", "ringcastctl convert --from mcproxy FILE"},
		{"openwrt.igmpproxy", "ringcastctl convert --from openwrt FILE"},
		{"openwrt.omcproxy", "ringcastctl convert --from openwrt FILE"},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		_cleanup_(freep) char *text = read_file(c[i].file);
		struct config *cfg;
		bool found = false;

		assert_int_equal(config_parse(text, strlen(text), &cfg), 1);
		for (size_t k = 0; k < cfg->n_message; k++)
			found |= strstr(cfg->message[k].text, c[i].hint) != NULL;
		config_free(cfg);
		if (!found)
			fail_msg("%s: no message says '%s'", c[i].file, c[i].hint);
	}
}

/* The document contains the whole text as one block. */
static void assert_shown(const char *doc, const char *name, const char *text)
{
	_cleanup_(freep) char *block = NULL;

	assert_true(asprintf(&block, "\n```\n%s```\n", text) > 0);
	if (!strstr(doc, block))
		fail_msg("%s does not show %s as it is", document, name);
}

static void documented(void **state)
{
	static const char *const files[] = {"igmpproxy.conf", "movistar.conf",
		"ipfire-vlan8.conf", "ipfire-bng.conf", "pfsense.conf", "unifi.conf"};
	_cleanup_(freep) char *doc = read_file(document);

	for (size_t i = 0; i < array_len(files); i++) {
		_cleanup_(freep) char *text = read_file(files[i]);

		assert_shown(doc, files[i], text);
	}
	for (size_t i = 0; i < array_len(cases); i++) {
		_cleanup_(freep) char *name = NULL, *ok = NULL;
		const char *text;

		if (!cases[i].shown)
			continue;
		for (size_t k = 0; cases[i].file[k]; k++) {
			_cleanup_(freep) char *in = read_file(cases[i].file[k]);

			assert_shown(doc, cases[i].file[k], in);
		}
		assert_true(asprintf(&name, "%s.ok", cases[i].ok) > 0);
		ok = read_file(name);
		text = strstr(ok, "\n== text\n");
		assert_non_null(text);
		assert_shown(doc, name, text + strlen("\n== text\n"));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(loads_unchanged),
		cmocka_unit_test(hints),
		cmocka_unit_test(documented),
	};

	if (argc < 3) {
		fprintf(stderr, "usage: %s DIRECTORY DOCUMENT [update]\n", argv[0]);
		return 1;
	}
	directory = argv[1];
	document = argv[2];
	update = argc > 3 && strcmp(argv[3], "update") == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
