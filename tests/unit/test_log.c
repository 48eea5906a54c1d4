/* SPDX-License-Identifier: GPL-2.0-or-later */

/* log: levels, the line on stderr, the token bucket. syslog is not looked at. */

#include "base/log.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

/* stderr goes to a memory file from capture() to captured() */
static int saved_stderr = -1;
static char text[8192];

static void capture(void)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_true(fd >= 0);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	assert_true(saved_stderr >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
}

static const char *captured(void)
{
	ssize_t n = pread(STDERR_FILENO, text, sizeof(text) - 1, 0);

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void levels_have_names(void **state)
{
	static const char *const names[] = {
		"error", "warning", "notice", "info", "debug"};
	enum log_level level;

	for (size_t i = 0; i < array_len(names); i++) {
		assert_int_equal(log_level_parse(names[i], &level), 0);
		assert_int_equal(level, LOG_LEVEL_ERROR + i);
		assert_string_equal(log_level_name(level), names[i]);
	}
	assert_int_equal(log_level_parse("WARNING", &level), 0);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
	assert_int_equal(log_level_parse("warn", &level), -EINVAL);
}

static void level_decides(void **state)
{
	capture();
	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_NOTICE);
	log_err("a %d", 1);
	log_warn("b");
	log_notice("c");
	log_info("d");
	log_debug("e");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("f");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("g");
	assert_string_equal(
		captured(), "error: a 1\nwarning: b\nnotice: c\ndebug: f\n");
}

static void line_is_one_line(void **state)
{
	char name[3000];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	capture();
	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_NOTICE);
	log_warn("if %s", "e\nth\x1b[0");
	errno = EBUSY;
	log_warn("%s", name);
	assert_int_equal(errno, EBUSY);
	captured();
	assert_memory_equal(text, "warning: if e?th?[0\nwarning: xxx", 32);
	assert_int_equal(strlen(text), 20 + 1024);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void bucket_lets_a_burst_through(void **state)
{
	struct log_limit limit = LOG_LIMIT(3, 1000);
	uint64_t hidden = 99;
	mono_t now = mono_from_ms(5000);

	for (int i = 0; i < 3; i++) {
		assert_true(log_limit_take(&limit, now, &hidden));
		assert_int_equal(hidden, 0);
	}
	for (int i = 0; i < 7; i++)
		assert_false(log_limit_take(&limit, now, &hidden));
	assert_false(log_limit_take(&limit, mono_add_ms(now, 999), &hidden));
	assert_true(log_limit_take(&limit, mono_add_ms(now, 1000), &hidden));
	assert_int_equal(hidden, 8);
	assert_false(log_limit_take(&limit, mono_add_ms(now, 1999), &hidden));
	assert_true(log_limit_take(&limit, mono_add_ms(now, 2000), &hidden));
	assert_int_equal(hidden, 1);
}

static void bucket_fills_to_the_brim_only(void **state)
{
	struct log_limit limit = LOG_LIMIT(2, 100);
	mono_t now = mono_from_ms(1);
	uint64_t hidden;

	assert_true(log_limit_take(&limit, now, &hidden));
	now = mono_add_ms(now, 3600 * 1000);
	assert_true(log_limit_take(&limit, now, &hidden));
	assert_true(log_limit_take(&limit, now, &hidden));
	assert_false(log_limit_take(&limit, now, &hidden));
	/* a fraction of the interval is not lost */
	assert_false(log_limit_take(&limit, mono_add_ms(now, 60), &hidden));
	assert_true(log_limit_take(&limit, mono_add_ms(now, 150), &hidden));
	assert_true(log_limit_take(&limit, mono_add_ms(now, 200), &hidden));
	assert_false(log_limit_take(&limit, mono_add_ms(now, 201), &hidden));
}

static void limited_line_tells_what_is_missing(void **state)
{
	struct log_limit limit = LOG_LIMIT(1, 1000);
	mono_t now = mono_from_ms(1);

	capture();
	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_WARNING);
	log_limited(&limit, now, LOG_LEVEL_DEBUG, "costs nothing");
	for (int i = 0; i < 4; i++)
		log_limited(&limit, now, LOG_LEVEL_WARNING, "bad %d", i);
	log_limited(&limit, mono_add_ms(now, 1000), LOG_LEVEL_WARNING, "bad");
	log_limited(&limit, mono_add_ms(now, 2000), LOG_LEVEL_WARNING, "bad");
	assert_string_equal(captured(),
		"warning: bad 0\n"
		"warning: bad (3 similar lines suppressed)\n"
		"warning: bad\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_have_names),
		cmocka_unit_test(level_decides),
		cmocka_unit_test(line_is_one_line),
		cmocka_unit_test(bucket_lets_a_burst_through),
		cmocka_unit_test(bucket_fills_to_the_brim_only),
		cmocka_unit_test(limited_line_tells_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
