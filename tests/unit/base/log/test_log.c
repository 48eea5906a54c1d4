/* SPDX-License-Identifier: GPL-2.0-or-later */

/* log: levels, the line on stderr, the token bucket, and what the journal gets. syslog
 * is not tested. */

#include "base/log/log.h"
#include "base/log/log_journal.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* From capture() to captured(), stderr goes to a memory file. */
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
	assert_int_equal(strlen(text), 20 + strlen("warning: ") + 1023 + 1);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void line_names_what_it_is_about(void **state)
{
	capture();
	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_NOTICE);
	log_about(LOG_LEVEL_WARNING, &(struct log_about){.interface = "lan1"}, "a");
	log_about(LOG_LEVEL_WARNING,
		&(struct log_about){
			.interface = "lan1", .group = "239.1.2.3", .host = "10.0.0.1"},
		"b %d", 1);
	log_about(LOG_LEVEL_WARNING,
		&(struct log_about){.group = "239.1.2.3",
			.source = "10.9.9.9",
			.cause = "x",
			.error = ENOBUFS},
		"c");
	log_about(LOG_LEVEL_INFO, &(struct log_about){.interface = "lan1"}, "d");
	log_about(LOG_LEVEL_WARNING, &(struct log_about){0}, "e");
	assert_string_equal(captured(),
		"warning: lan1: a\n"
		"warning: lan1: group 239.1.2.3 host 10.0.0.1: b 1\n"
		"warning: group 239.1.2.3 source 10.9.9.9: c: No buffer space "
		"available\n"
		"warning: e\n");
}

/* systemd names the stream that it has connected to the journal */
static void stderr_of_a_service_is_marked(void **state)
{
	char stream[64];
	struct stat st;

	capture();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_true(log_journal_is_stream(STDERR_FILENO));
	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_NOTICE);
	log_warn("a");
	log_err("b");
	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_false(log_journal_is_stream(STDERR_FILENO));
	setenv("JOURNAL_STREAM", "nonsense", 1);
	assert_false(log_journal_is_stream(STDERR_FILENO));
	unsetenv("JOURNAL_STREAM");
	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_NOTICE);
	assert_int_equal(log_default_sink(), LOG_SINK_STDERR);
	log_warn("c");
	assert_string_equal(captured(), "<4>a\n<3>b\nwarning: c\n");
}

static void expect_fields(const struct log_entry *e, const char *want)
{
	char buf[LOG_JOURNAL_TEXT_LEN], joined[LOG_JOURNAL_TEXT_LEN + 64] = "";
	struct iovec field[LOG_JOURNAL_FIELDS];
	int n = log_journal_fields(e, buf, field);

	assert_true(n <= LOG_JOURNAL_FIELDS);
	for (int i = 0; i < n; i++) {
		strncat(joined, field[i].iov_base, field[i].iov_len);
		strcat(joined, "\n");
	}
	assert_string_equal(joined, want);
}

static void journal_gets_fields(void **state)
{
	struct log_about about = {.interface = "lan1",
		.group = "239.1.2.3",
		.source = "10.9.9.9",
		.host = "10.0.0.1",
		.cause = "group_limit",
		.error = ENOMEM};
	struct log_entry e = {.ident = "ringcastd",
		.priority = 4,
		.message = "lan1: text",
		.about = &about,
		.hidden = 7};

	expect_fields(&e,
		"PRIORITY=4\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=ringcastd\n"
		"RINGCAST_INTERFACE=lan1\nRINGCAST_GROUP=239.1.2.3\n"
		"RINGCAST_SOURCE=10.9.9.9\nRINGCAST_HOST=10.0.0.1\n"
		"RINGCAST_CAUSE=group_limit\nERRNO=12\nRINGCAST_SUPPRESSED=7\n"
		"MESSAGE=lan1: text\n");
	e.about = NULL;
	e.hidden = 0;
	expect_fields(&e,
		"PRIORITY=4\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=ringcastd\n"
		"MESSAGE=lan1: text\n");
}

static void journal_that_is_not_there_is_said(void **state)
{
	if (log_journal_works())
		skip();
	capture();
	log_open("test", LOG_SINK_STDERR, LOG_LEVEL_NOTICE);
	assert_int_equal(log_set_sink(LOG_SINK_JOURNAL), -EOPNOTSUPP);
	log_warn("a");
	assert_string_equal(captured(), "warning: a\n");
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
	log_limited(&limit, now, LOG_LEVEL_DEBUG, NULL, "costs nothing");
	for (int i = 0; i < 4; i++)
		log_limited(&limit, now, LOG_LEVEL_WARNING, NULL, "bad %d", i);
	log_limited(&limit, mono_add_ms(now, 1000), LOG_LEVEL_WARNING, NULL, "bad");
	log_limited(&limit, mono_add_ms(now, 2000), LOG_LEVEL_WARNING, NULL, "bad");
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
		cmocka_unit_test(line_names_what_it_is_about),
		cmocka_unit_test(stderr_of_a_service_is_marked),
		cmocka_unit_test(journal_gets_fields),
		cmocka_unit_test(journal_that_is_not_there_is_said),
		cmocka_unit_test(bucket_lets_a_burst_through),
		cmocka_unit_test(bucket_fills_to_the_brim_only),
		cmocka_unit_test(limited_line_tells_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
