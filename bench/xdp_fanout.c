/* SPDX-License-Identifier: GPL-2.0-or-later */

/* bench_xdp OBJECT COUNT: forward from wan0 to l0, l1 ... with the program in OBJECT.
 * Prints "ready" and runs until the end of its standard input. */

#include "datagram.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct port {
	__u32 ifindex;
	int program;
};

static int fail(const char *what, int err)
{
	fprintf(stderr, "bench_xdp: %s: %s\n", what, strerror(err < 0 ? -err : err));
	return 1;
}

static int add_port(const struct bpf_object *obj, int fd, int program, unsigned n)
{
	int ports = bpf_object__find_map_fd_by_name(obj, "ports");
	int macs = bpf_object__find_map_fd_by_name(obj, "macs");
	struct port port = {.program = program};
	struct ifreq ifr = {0};
	unsigned char mac[8] = {0};

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "l%u", n);
	port.ifindex = if_nametoindex(ifr.ifr_name);
	if (!port.ifindex || ioctl(fd, SIOCGIFHWADDR, &ifr))
		return -errno;
	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
	if (bpf_map_update_elem(macs, &port.ifindex, mac, BPF_ANY) ||
		bpf_map_update_elem(ports, &n, &port, BPF_ANY))
		return -errno;
	return 0;
}

static int start(const char *path, unsigned n_ports)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	const struct bpf_program *in, *out;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (!obj || fd < 0)
		return -errno;
	r = bpf_object__load(obj);
	if (r)
		return r;
	in = bpf_object__find_program_by_name(obj, "fan_out");
	out = bpf_object__find_program_by_name(obj, "leave");
	for (unsigned n = 0; n < n_ports; n++) {
		r = add_port(obj, fd, bpf_program__fd(out), n);
		if (r)
			return r;
	}
	close(fd);
	return bpf_xdp_attach((int)if_nametoindex("wan0"), bpf_program__fd(in),
		XDP_FLAGS_DRV_MODE, NULL);
}

int main(int argc, char **argv)
{
	int r;

	if (argc != 3) {
		fprintf(stderr, "usage: bench_xdp OBJECT COUNT\n");
		return 2;
	}
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	r = start(argv[1], (unsigned)atoi(argv[2]));
	if (r)
		return fail(argv[1], r);
	printf("ready\n");
	fflush(stdout);
	while (read(0, &(char){0}, 1) > 0)
		;
	bpf_xdp_detach((int)if_nametoindex("wan0"), XDP_FLAGS_DRV_MODE, NULL);
	return 0;
}
