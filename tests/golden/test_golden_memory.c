/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Memory runs out while a file is read, described, printed or converted: each request
 * fails in turn, for every file of the other golden tests. The caller gets an error and
 * no partial result, and nothing leaks (address sanitizer). The argument is the
 * directory of these files.
 */

#include "control/config/config.h"
#include "fail_alloc.h"
#include "test.h"
#include "tools/convert/convert.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

static const char *directory;
static unsigned n_failed; /* requests so far */

/* the caller frees it */
static char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char *buf = NULL;
	size_t cap = 0;
	ssize_t n;

	assert_non_null(f);
	n = getdelim(&buf, &cap, EOF, f);
	assert_int_equal(fclose(f), 0);
	*ret_len = n < 0 ? 0 : (size_t)n;
	return buf;
}

/* From now on request number n fails. */
static void begin(long n)
{
	fail_alloc_after = n;
}

/* Returns true if the request was made, and failed. */
static bool end(void)
{
	bool failed = fail_alloc_after < 0;

	fail_alloc_after = -1;
	n_failed += failed;
	return failed;
}

static int parse(const char *text, size_t len, struct config **ret)
{
	for (long n = 0;; n++) {
		struct config *c = NULL;
		int r;

		begin(n);
		r = config_parse(text, len, &c);
		if (!end()) {
			assert_true(n > 0 && (r == 0 || r == 1));
			*ret = c;
			return r;
		}
		assert_int_equal(r, -ENOMEM);
		assert_null(c);
	}
}

static void describe(const struct config *c)
{
	/* none of them exists, so every message about absence appears */
	static const char *const names[] = {"lo", "unheard-of", NULL};
	bool failed = true;

	for (long n = 0; failed; n++) {
		char *s;

		begin(n);
		s = config_describe(c, names);
		failed = end();
		assert_int_equal(s == NULL, failed);
		free(s);
	}
}

static void print(const struct config *c)
{
	bool failed = true;

	for (long n = 0; failed; n++) {
		char *s;

		begin(n);
		s = config_print(c);
		failed = end();
		assert_int_equal(s == NULL, failed);
		free(s);
	}
}

static void configurations(void **state)
{
	_cleanup_(freep) char *pattern = NULL;
	glob_t g;

	n_failed = 0;
	assert_true(asprintf(&pattern, "%s/conf-*.in", directory) > 0);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= 10);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		size_t len;
		_cleanup_(freep) char *text = read_file(g.gl_pathv[i], &len);
		struct config *c;

		if (parse(text, len, &c) == 0) {
			describe(c);
			print(c);
		}
		config_free(c);
	}
	globfree(&g);
	print_message("%u requests failed\n", n_failed);
}

static void convert(enum convert_dialect dialect, const struct convert_source *source,
	size_t n_source)
{
	for (long n = 0;; n++) {
		struct conversion *c = NULL;
		int r;

		begin(n);
		r = convert_run(dialect, source, n_source, NULL, 0, &c);
		if (!end()) {
			assert_true(n > 0 && r >= 0);
			conversion_free(c);
			return;
		}
		assert_int_equal(r, -ENOMEM);
		assert_null(c);
	}
}

/* The first word of the name gives the dialect. */
static enum convert_dialect dialect_of(const char *name)
{
	if (strncmp(name, "vyos", 4) == 0)
		return CONVERT_VYOS;
	return strncmp(name, "openwrt", 7) == 0 ? CONVERT_OPENWRT : CONVERT_IMPROXY;
}

static void conversions(void **state)
{
	_cleanup_(freep) char *pattern = NULL, *network = NULL, *networks = NULL;
	struct convert_source source[2] = {{.name = "network"}, {.name = "it"}};
	glob_t g;

	n_failed = 0;
	assert_true(asprintf(&networks, "%s/migrate/openwrt.network", directory) > 0);
	network = read_file(networks, &source[0].len);
	source[0].text = network;
	assert_true(asprintf(&pattern, "%s/migrate/*[!k]", directory) > 0);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= 20);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		enum convert_dialect d = dialect_of(strrchr(g.gl_pathv[i], '/') + 1);
		_cleanup_(freep) char *text = read_file(g.gl_pathv[i], &source[1].len);

		source[1].text = text;
		convert(d, &source[1], 1);
		if (d == CONVERT_OPENWRT)
			convert(d, source, 2);
	}
	globfree(&g);
	print_message("%u requests failed\n", n_failed);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configurations),
		cmocka_unit_test(conversions),
	};

	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 1;
	}
	directory = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
