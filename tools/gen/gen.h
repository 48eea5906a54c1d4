/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Options and common parts of ringcast-gen, the sender and receiver for tests. */

#include "base/addr.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#define GEN_MAX_FILTER	 64
#define GEN_MAX_STREAM	 65536
#define GEN_DEFAULT_SIZE 1316 /* 7 x 188, what IPTV sends */

enum {
	GEN_EXIT_OK = 0,
	GEN_EXIT_UNMET = 1, /* fewer datagrams than --expect */
	GEN_EXIT_USAGE = 2,
	GEN_EXIT_FAILURE = 4,
};

struct gen_options {
	bool receiver;
	struct addr group; /* the first group */
	uint32_t n_groups, n_ports;
	uint16_t port;	    /* the first UDP port */
	unsigned ifindex;   /* 0 if the kernel should decide */
	struct addr listen; /* with has_listen: address of the interface */
	bool has_listen;
	uint8_t ttl;

	/* sender */
	struct addr source;
	bool has_source, ts;
	double rate;	/* datagrams per second of all streams; 0 means no limit */
	uint64_t count; /* datagrams of all streams; 0 means no end */
	uint32_t size;

	/* receiver; times are 0 if not given */
	struct addr include[GEN_MAX_FILTER], exclude[GEN_MAX_FILTER];
	size_t n_include, n_exclude;
	uint64_t expect;
	double idle_exit, leave_after;
	bool print_latency;

	double seconds;
	bool json;
};

extern volatile sig_atomic_t gen_stop; /* set by SIGINT and SIGTERM */

int gen_send(const struct gen_options *o);
int gen_receive(const struct gen_options *o);

int64_t gen_now_ns(void); /* CLOCK_MONOTONIC */

/* Return group and port of stream i, of n_groups * n_ports. First come all groups of
 * the first port, then those of the next one. */
struct addr gen_group(const struct gen_options *o, uint32_t i);
uint16_t gen_port(const struct gen_options *o, uint32_t i);
static inline uint32_t gen_n_streams(const struct gen_options *o)
{
	return o->n_groups * o->n_ports;
}

/* Makes the socket address of `a` and `port` on an interface. Returns its length. */
socklen_t gen_sockaddr(const struct addr *a, uint16_t port, unsigned ifindex,
	struct sockaddr_storage *ret);
struct addr gen_addr_of(const struct sockaddr_storage *ss, uint16_t *ret_port);
static inline int gen_af(const struct addr *a)
{
	return addr_is_v4(a) ? AF_INET : AF_INET6;
}

/* Prints "ringcast-gen: WHAT: reason of errno" and returns GEN_EXIT_FAILURE. */
int gen_fail(const char *what);
