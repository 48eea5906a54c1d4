/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Preloaded into ringcastd by test_confine.py: on SIGUSR2 the daemon does what somebody
 * would do who has taken it over, and makes another process. The handler comes with
 * the program and knows nothing of the filter.
 */

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static void take_over(int signo)
{
	(void)!write(STDERR_FILENO, "taken over\n", 11);
	if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) == 0)
		_exit(0);
	(void)!write(STDERR_FILENO, "and it lives\n", 13);
}

__attribute__((constructor)) static void begin(void)
{
	signal(SIGUSR2, take_over);
}
