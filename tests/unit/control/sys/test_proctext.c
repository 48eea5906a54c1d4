/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Files of /proc that are read in pieces. */

#include "control/sys/proctext.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char top[] = "/tmp/test_proctext.XXXXXX";
static int dir;

static void put(const char *name, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char *text = calloc(1, len + 1);

	assert_true(fd >= 0);
	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + i % 26);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	free(text);
}

static int setup(void **state)
{
	if (!mkdtemp(top))
		return -1;
	dir = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	put("none", 0);
	put("short", 100);
	put("long", 50000);
	put("huge", PROCTEXT_MAX + 100000);
	return dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	static const char *const name[] = {"none", "short", "long", "huge"};

	for (size_t i = 0; i < array_len(name); i++)
		unlinkat(dir, name[i], 0);
	close(dir);
	return rmdir(top);
}

static void pieces(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		int least; /* of pieces */
	} c[] = {{"none", 0, 0}, {"short", 100, 1}, {"long", 50000, 12},
		{"huge", PROCTEXT_MAX, 127}};

	for (size_t i = 0; i < array_len(c); i++) {
		struct proctext t = {0};
		int r, n = 0;

		while ((r = proctext_read(&t, dir, c[i].name)) > 0)
			n++;
		assert_int_equal(r, 0);
		assert_true(n >= c[i].least);
		assert_int_equal(t.len, c[i].len);
		assert_int_equal(strlen(t.text), c[i].len);
		for (size_t k = 0; k < t.len; k++)
			assert_int_equal(t.text[k], 'a' + k % 26);
		proctext_deinit(&t);
		assert_null(t.text);
	}
}

static void no_file(void **state)
{
	struct proctext t = {0};

	assert_int_equal(proctext_read(&t, dir, "absent"), -ENOENT);
	assert_int_equal(proctext_read(&t, -1, "absent"), -EBADF);
	proctext_deinit(&t);
}

/* The pause is nineteen times the time of the work. */
static void rest(void **state)
{
	static const struct {
		int64_t cost_ns, least_ms, after_ns;
	} c[] = {{0, 0, 0}, {0, 20, 20 * NS_PER_MS}, {500000, 20, 20 * NS_PER_MS},
		{2 * NS_PER_MS, 20, 40 * NS_PER_MS}, {NS_PER_SEC, 20, 20 * NS_PER_SEC}};

	for (size_t i = 0; i < array_len(c); i++) {
		mono_t now = mono_from_ms(1000);
		mono_t at = proctext_again(now, c[i].cost_ns, c[i].least_ms);

		assert_int_equal(at.ns - now.ns, c[i].after_ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces),
		cmocka_unit_test(no_file),
		cmocka_unit_test(rest),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
