/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A capture file through ringcast-replay: libpcap, link headers, decoders, the core
 * with the times of the capture, and the output.
 */

#include "fuzz.h"

#include <sys/mman.h>

/* the program without its main() and its messages on stderr */
int replay_main(int argc, char **argv);
#define main replay_main
#undef stderr
#define stderr stdout
#include "tools/replay/replay.c"
#undef main

static int fd;
static char input[64];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	fd = memfd_create("capture", 0);
	fuzz_assert(fd >= 0 && freopen("/dev/null", "we", stdout));
	return 0;
}

static void put_file(struct rd *r)
{
	size_t n = rd_left(r);

	fuzz_assert(ftruncate(fd, 0) == 0);
	fuzz_assert(pwrite(fd, rd_take(r, n), n, 0) == (ssize_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* long intervals: a day without packets must not be most of the work */
	static const char *const configs[] = {
		"query-interval 10000\n"
		"phyint wan upstream\n"
		"phyint lan downstream altnet 0.0.0.0/0 altnet ::/0\n",
		"query-interval 5000\n"
		"require-router-alert on mld-router-alert optional fast-leave\n"
		"phyint wan upstream\nphyint lan downstream altnet ::/0\n",
		"query-interval 20000 timers rfc3376 max-groups 3 max-sources 2 quickleave\n"
		"phyint wan upstream whitelist 239.0.0.0/8\n"
		"phyint lan downstream altnet 0.0.0.0/0\n"};
	_cleanup_(replay_deinit) struct replay r = {0};
	struct rd in = rd_init(data, size);
	unsigned what = rd_u8(&in);
	const char *config = configs[what / 4 % array_len(configs)];

	if (in.bad)
		return 0;
	put_file(&in);
	fuzz_assert(config_parse(config, strlen(config), &r.cfg) == 0);
	fuzz_assert(add_default_addresses(&r) == 0);
	snprintf(input, sizeof(input), "%s=/proc/self/fd/%d", what & 1 ? "wan" : "lan",
		fd);
	r.quiet = what & 2;
	if (open_input(&r, input) == 0)
		(void)replay_all(&r, what, 60000);
	return 0;
}
