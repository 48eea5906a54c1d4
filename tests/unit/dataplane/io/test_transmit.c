/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The choice of the transmit method where io_uring is forbidden, as by the seccomp
 * profiles of containers. It opens no port and needs no privileges.
 */

#include "dataplane/thread/dataplane.h"

#include "build_config.h"
#include "test.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static struct dataplane_config config(enum dataplane_transmit transmit)
{
	return (struct dataplane_config){
		.threads = 2,
		.ring_size = 1 << 20,
		.transmit = transmit,
		.latency = DATAPLANE_LATENCY_BALANCED,
		.seed = 7,
	};
}

static void test_sendmmsg_on_request(void **state)
{
	struct dataplane_config cfg = config(DATAPLANE_TX_SENDMMSG);
	struct dataplane *dp;
	const char *why;

	assert_int_equal(dataplane_new(&cfg, &dp), 0);
	assert_string_equal(dataplane_transmit(dp, &why), "sendmmsg");
	assert_string_equal(why, "");
	assert_int_equal(dataplane_threads(dp), 2);
	assert_null(dataplane_free(dp));
}

/* Forbids only io_uring_setup(2), for the rest of the process. */
static void forbid_io_uring(void)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static struct sock_fprog prog = {.len = array_len(code), .filter = code};

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0) {
		print_message("skipped: no seccomp (%s)\n", strerror(errno));
		skip();
	}
}

static void test_falls_back_and_says_why(void **state)
{
	struct dataplane_config cfg = config(DATAPLANE_TX_AUTO);
	struct dataplane *dp;
	const char *why;

	forbid_io_uring();
	assert_int_equal(dataplane_new(&cfg, &dp), 0);
	assert_string_equal(dataplane_transmit(dp, &why), "sendmmsg");
	assert_string_equal(why,
		HAVE_LIBURING ? "io_uring not permitted (EPERM)"
			      : "built without io_uring");
	dataplane_free(dp);
}

static void test_refusal_is_an_error_when_required(void **state)
{
	struct dataplane_config cfg = config(DATAPLANE_TX_IO_URING);
	struct dataplane *dp = NULL;

	forbid_io_uring();
	assert_int_equal(dataplane_new(&cfg, &dp), -EOPNOTSUPP);
	assert_null(dp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sendmmsg_on_request),
		cmocka_unit_test(test_falls_back_and_says_why),
		cmocka_unit_test(test_refusal_is_an_error_when_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
