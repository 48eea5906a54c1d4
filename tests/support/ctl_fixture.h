/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A server of the control socket and its clients in one thread: a client that waits
 * runs the server's loop. */

#include "base/sys/clock.h"
#include "control/sys/ctl.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PATIENCE_MS 20000

struct ctl_fixture {
	struct loop *loop;
	struct ctl *ctl;
	mono_t deadline;
	char dir[64], path[96];
};

static inline mono_t ctl_fixture_deadline(void *ctx)
{
	struct ctl_fixture *f = ctx;

	return mono_min(f->deadline, ctl_deadline(f->ctl));
}

/* Something has happened: the wait for the next thing begins. */
static inline void ctl_fixture_progress(struct ctl_fixture *f)
{
	mono_t now = {clock_ns(CLOCK_MONOTONIC)};

	f->deadline = mono_add_ms(now, PATIENCE_MS);
}

static inline void ctl_fixture_tick(void *ctx, mono_t now)
{
	struct ctl_fixture *f = ctx;

	if (mono_due(f->deadline, now))
		fail_msg("nothing happened in %d ms", PATIENCE_MS);
	ctl_tick(f->ctl);
}

static inline void ctl_fixture_init(
	struct ctl_fixture *f, const struct ctl_command *commands, void *ctx)
{
	struct loop_ops ops = {
		.deadline = ctl_fixture_deadline, .tick = ctl_fixture_tick, .ctx = f};

	*f = (struct ctl_fixture){0};
	assert_int_equal(loop_new(&ops, &f->loop), 0);
	ctl_fixture_progress(f);
	strcpy(f->dir, P_tmpdir "/test_ctl.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	assert_int_equal(ctl_new(f->loop, f->path, -1, commands, ctx, &f->ctl), 0);
}

static inline void ctl_fixture_deinit(struct ctl_fixture *f)
{
	f->ctl = ctl_free(f->ctl);
	unlink(f->path);
	rmdir(f->dir);
	loop_free(f->loop);
}

static inline int client(struct ctl_fixture *f)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sun.sun_path, f->path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static inline void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Returns the next line without newline, or NULL if the server has closed. */
static inline const char *hear(struct ctl_fixture *f, int fd)
{
	static char line[CTL_MAX_REQUEST + 64];
	size_t n = 0;

	for (;;) {
		ssize_t got = recv(fd, line + n, 1, MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return NULL;
		if (got < 0) {
			assert_int_equal(errno, EAGAIN);
			assert_int_equal(loop_round(f->loop), 0);
			continue;
		}
		ctl_fixture_progress(f);
		if (line[n] == '\n')
			break;
		assert_true(++n < sizeof(line));
	}
	line[n] = '\0';
	return line;
}

/* Reads `n` bytes while the server writes them. */
static inline void swallow(struct ctl_fixture *f, int fd, size_t n)
{
	static char buf[1 << 16];

	while (n > 0) {
		ssize_t got =
			recv(fd, buf, n < sizeof(buf) ? n : sizeof(buf), MSG_DONTWAIT);

		assert_true(got > 0 || (got < 0 && errno == EAGAIN));
		if (got > 0) {
			n -= (size_t)got;
			ctl_fixture_progress(f);
		} else {
			assert_int_equal(loop_round(f->loop), 0);
		}
	}
}
