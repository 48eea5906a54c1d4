/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Messages to the service manager, byte for byte as sd_notify(3) defines them. */

#include "control/sys/sdnotify.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager = -1;

static int set_up(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char name[64];

	/* an abstract name leaves no file */
	snprintf(name, sizeof(name), "@ringcast-test-%d", (int)getpid());
	memcpy(sun.sun_path, name, strlen(name));
	sun.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(manager >= 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&sun,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
					 strlen(name))),
		0);
	return setenv("NOTIFY_SOCKET", name, 1);
}

static int tear_down(void **state)
{
	sdnotify_close();
	close(manager);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static void assert_told(const char *want)
{
	char got[1024] = "";
	ssize_t n = recv(manager, got, sizeof(got) - 1, 0);

	assert_int_equal(n, strlen(want));
	assert_string_equal(got, want);
}

static void says_what_it_does(void **state)
{
	char byte;

	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(sdnotify_open(), 0);
	assert_int_equal(sdnotify_watchdog_ms(), 15000);
	sdnotify_ready("forwarding");
	assert_told("READY=1\nSTATUS=forwarding");
	sdnotify_reloading(mono_from_ms(7));
	assert_told("RELOADING=1\nMONOTONIC_USEC=7000");
	sdnotify_watchdog();
	assert_told("WATCHDOG=1");
	sdnotify_stopping("leaving");
	assert_told("STOPPING=1\nSTATUS=leaving");
	assert_true(recv(manager, &byte, 1, 0) < 0);
}

/* A watchdog that is meant for another process, such as our parent, is ignored. */
static void watchdog_of_another(void **state)
{
	setenv("WATCHDOG_USEC", "30000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(sdnotify_open(), 0);
	assert_int_equal(sdnotify_watchdog_ms(), 0);
}

static void without_manager(void **state)
{
	char byte;

	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(sdnotify_open(), 0);
	sdnotify_ready("forwarding");
	assert_int_equal(sdnotify_watchdog_ms(), 0);
	assert_true(recv(manager, &byte, 1, 0) < 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(sdnotify_open(), -EINVAL);
}

/* A manager that does not read loses messages and does not delay us. */
static void busy_manager(void **state)
{
	assert_int_equal(sdnotify_open(), 0);
	for (unsigned i = 0; i < 5000; i++)
		sdnotify_watchdog();
	assert_told("WATCHDOG=1");
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(says_what_it_does),
		CASE(watchdog_of_another),
		CASE(without_manager),
		CASE(busy_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
