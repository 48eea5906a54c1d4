/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Files in the shapes that people have, and their meaning: for corpus/NAME the
 * messages, roles, sources and groups must equal corpus/NAME.ok. The ending names the
 * program that a file is for; .conf is read directly, others are converted first. With
 * a second argument "update" the .ok files are written instead, to be read before they
 * are committed.
 */

#include "control/config/config.h"
#include "test.h"
#include "tools/convert/convert.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

static const char *directory;
static bool update;

static const struct {
	const char *ending;
	enum convert_dialect dialect; /* 0 if it is not converted */
} endings[] = {
	{".conf", 0},
	{".commands", CONVERT_VYOS},
	{".boot", CONVERT_VYOS},
	{".json", CONVERT_VYOS},
	{".igmpproxy", CONVERT_OPENWRT},
	{".improxy", CONVERT_IMPROXY},
	{".mcproxy", CONVERT_MCPROXY},
};

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char *buf;

	assert_non_null(f);
	buf = calloc(1, 1 << 16);
	assert_non_null(buf);
	*ret_len = fread(buf, 1, (1 << 16) - 1, f);
	fclose(f);
	return buf;
}

static void write_conversion(FILE *f, const struct conversion *r)
{
	for (size_t i = 0; i < r->n_message; i++) {
		const struct convert_message *m = &r->message[i];

		fprintf(f, "convert %s", m->is_error ? "error" : "warning");
		if (m->line)
			fprintf(f, " %u", m->line);
		fprintf(f, ": %s\n", m->text);
	}
}

static void write_prefixes(
	FILE *f, const char *what, const struct prefix *v, size_t n, const char *own)
{
	char buf[PREFIX_STRLEN];

	fprintf(f, "\t%s: %s", what, own);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%s", i || *own ? ", " : "", prefix_format(&v[i], buf));
	fprintf(f, "\n");
}

static void write_iface(FILE *f, const struct config *c, const struct config_iface *ci,
	const char *name)
{
	static const char *const roles[] = {"", "disabled", "upstream", "downstream"};
	char buf[PREFIX_STRLEN];

	fprintf(f, "%s %s", name, roles[ci->role]);
	if (c->n_instance > 1)
		fprintf(f, ", instance '%s'", c->instance[ci->instance].name);
	if (ci->threshold != 1)
		fprintf(f, ", threshold %u", ci->threshold);
	if (ci->fast_leave)
		fprintf(f, ", fast-leave");
	if (ci->max_groups != c->defaults.max_groups || ci->max_groups < 1000)
		fprintf(f, ", max-groups %u", ci->max_groups);
	fprintf(f, "\n");
	if (ci->role == CONFIG_ROLE_DISABLED)
		return;
	fprintf(f, "\tspeaks:");
	if (ci->ipv4)
		fprintf(f, " IGMPv%u", ci->igmp_version);
	if (ci->ipv6)
		fprintf(f, " MLDv%u", ci->mld_version);
	fprintf(f, "\n");
	write_prefixes(f, "sources", ci->altnet, ci->n_altnet, "own subnets");
	fprintf(f, "\tgroups: %s", ci->has_whitelist ? "none" : "all");
	for (size_t i = 0; i < ci->n_filter; i++)
		fprintf(f, " %c %s", ci->filter[i].allow ? '+' : '-',
			prefix_format(&ci->filter[i].groups, buf));
	fprintf(f, "\n");
}

static void write_meaning(FILE *f, const char *text, size_t len)
{
	struct config *c;
	int r = config_parse(text, len, &c);

	assert_true(r == 0 || r == 1);
	fprintf(f, "== %s\n", r ? "refused" : "accepted");
	for (size_t i = 0; i < c->n_message; i++) {
		const struct config_message *m = &c->message[i];

		fprintf(f, "%s", m->severity == CONFIG_ERROR ? "error" : "warning");
		if (m->line)
			fprintf(f, " %u:%u", m->line, m->column);
		fprintf(f, ": %s\n", m->text);
	}
	if (r == 0) {
		fprintf(f, "quickleave %s\n", c->quickleave ? "on" : "off");
		for (size_t i = 0; i < c->n_iface; i++)
			write_iface(f, c, &c->iface[i], c->iface[i].name);
		write_iface(f, c, &c->defaults, "(others)");
	}
	config_free(c);
}

static enum convert_dialect dialect_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; i < array_len(endings); i++)
		if (strcmp(dot, endings[i].ending) == 0)
			return endings[i].dialect;
	fail_msg("%s: no dialect for this ending", path);
	return 0;
}

static void write_one(FILE *f, const char *path)
{
	size_t len;
	_cleanup_(freep) char *text = read_file(path, &len);
	struct convert_source source = {strrchr(path, '/') + 1, text, len};
	enum convert_dialect dialect = dialect_of(path);
	struct conversion *r;

	if (!dialect) {
		write_meaning(f, text, len);
		return;
	}
	assert_true(convert_run(dialect, &source, 1, NULL, 0, &r) >= 0);
	write_conversion(f, r);
	if (r->text)
		write_meaning(f, r->text, strlen(r->text));
	conversion_free(r);
}

static void check_one(const char *path)
{
	_cleanup_(freep) char *ok = NULL, *out = NULL, *command = NULL;
	FILE *f;

	assert_true(asprintf(&ok, "%s.ok", path) > 0);
	assert_true(asprintf(&out, "%s.out", strrchr(path, '/') + 1) > 0);
	f = fopen(update ? ok : out, "we");
	assert_non_null(f);
	write_one(f, path);
	assert_int_equal(fclose(f), 0);
	if (update)
		return;
	assert_true(asprintf(&command, "diff -u '%s' '%s' >&2", ok, out) > 0);
	if (system(command) != 0)
		fail_msg("%s: not as expected in %s", path, ok);
	unlink(out);
}

static void corpus(void **state)
{
	_cleanup_(freep) char *pattern = NULL;
	size_t n = 0;
	glob_t g;

	assert_true(asprintf(&pattern, "%s/corpus/*", directory) > 0);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		const char *path = g.gl_pathv[i];

		if (strcmp(strrchr(path, '.'), ".ok") == 0)
			continue;
		check_one(path);
		n++;
	}
	globfree(&g);
	print_message("%zu files\n", n);
	assert_true(n >= 40);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(corpus)};

	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY [update]\n", argv[0]);
		return 1;
	}
	directory = argv[1];
	update = argc > 2 && strcmp(argv[2], "update") == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
