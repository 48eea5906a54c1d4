/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Whole configurations, compared with the output of `ringcastd -C`. For each conf-X.in
 * in the directory of the first argument, messages, description and print must equal
 * conf-X.ok; the difference is shown. With a third argument "update" the .ok files are
 * written instead, to be read before they are committed.
 *
 * A comment "# there now: eth0 eth1" names the interfaces that exist. Without it no
 * message is about existence.
 */

#include "control/config/config_keyword.h"
#include "test.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

static const char *directory, *document;
static bool update;

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char *buf = NULL;
	size_t cap = 0;
	ssize_t n;

	if (!f)
		return NULL;
	n = getdelim(&buf, &cap, EOF, f);
	fclose(f);
	*ret_len = n < 0 ? 0 : (size_t)n;
	return buf;
}

static void write_report(const char *path, const struct config *c, int r, char *there)
{
	const char *names[32] = {NULL};
	size_t n = 0;
	_cleanup_(freep) char *sentences = NULL, *print = NULL, *missing = NULL;
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fprintf(f, "== %s\n", r ? "refused" : "accepted");
	for (size_t i = 0; i < c->n_message; i++) {
		const struct config_message *m = &c->message[i];

		if (m->line)
			fprintf(f, "%u:%u: ", m->line, m->column);
		fprintf(f, "%s: %s\n",
			m->severity == CONFIG_ERROR ? "error" : "warning", m->text);
	}
	if (r == 0) {
		for (char *s = there ? strtok(there, " \n") : NULL; s;
			s = strtok(NULL, " \n")) {
			assert_true(n + 1 < array_len(names));
			names[n++] = s;
		}
		missing = there ? config_missing(c, names) : NULL;
		if (missing)
			fprintf(f, "warning: %s\n", missing);
		sentences = config_describe(c, there ? names : NULL);
		print = config_print(c);
		assert_non_null(sentences);
		assert_non_null(print);
		fprintf(f, "\n== description\n%s\n== print\n%s", sentences, print);
	}
	assert_int_equal(fclose(f), 0);
}

static void check_one(const char *in)
{
	_cleanup_(freep) char *ok = NULL, *out = NULL, *command = NULL, *text = NULL;
	_cleanup_(freep) char *expected = NULL, *got = NULL;
	const char *base = strrchr(in, '/') + 1;
	size_t len = 0, expected_len = 0, got_len = 0;
	struct config *c;
	char *there;
	int r;

	assert_true(asprintf(&ok, "%.*s.ok", (int)strlen(in) - 3, in) > 0);
	assert_true(asprintf(&out, "%.*s.out", (int)strlen(base) - 3, base) > 0);
	text = read_file(in, &len);
	assert_non_null(text);
	r = config_parse(text, len, &c);
	assert_true(r == 0 || r == 1);
	there = strstr(text, "# there now:");
	if (there)
		*strchrnul(there, '\n') = '\n';
	if (there) {
		there += strlen("# there now:");
		there = strndup(there, (size_t)(strchr(there, '\n') - there + 1));
		assert_non_null(there);
	}
	write_report(update ? ok : out, c, r, there);
	free(there);
	config_free(c);
	if (update)
		return;

	expected = read_file(ok, &expected_len);
	got = read_file(out, &got_len);
	if (expected && got_len == expected_len &&
		memcmp(expected, got, got_len) == 0) {
		unlink(out);
		return;
	}
	assert_true(asprintf(&command, "diff -u '%s' '%s' >&2", ok, out) > 0);
	if (system(command) == 0)
		print_error("%s and %s differ in their ends\n", ok, out);
	fail_msg("%s: not as expected in %s", base, ok);
}

static void golden(void **state)
{
	_cleanup_(freep) char *pattern = NULL;
	glob_t g;

	assert_true(asprintf(&pattern, "%s/conf-*.in", directory) > 0);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= 10);
	for (size_t i = 0; i < g.gl_pathc; i++)
		check_one(g.gl_pathv[i]);
	globfree(&g);
}

/* doc/configuration.md has a section for every keyword, with it as heading. */
static void documented(void **state)
{
	size_t len;
	_cleanup_(freep) char *text = read_file(document, &len);

	assert_non_null(text);
	for (size_t i = 0; i < config_n_keywords; i++) {
		const char *name = config_keywords[i].name;
		char head[64];

		snprintf(head, sizeof(head), "\n### `%s", name);
		if (!strstr(text, head))
			fail_msg("%s does not describe '%s'", document, name);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
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
