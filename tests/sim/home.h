/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The network of most scenarios: a provider's router, a link to a proxy, and the
 * proxy's LANs with hosts. Each scenario runs for both families.
 */

#include "sim_host.h"
#include "sim_proxy.h"
#include "sim_router.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#define HOME_MAX_LANS 8

struct home {
	struct sim *sim;
	struct sim_link *wan, *lan[HOME_MAX_LANS];
	struct sim_router *router;
	struct sim_proxy *proxy;
	unsigned n_lans;
};

struct home_params {
	unsigned n_lans;	  /* 0 means one */
	enum gm_version provider; /* 0 means IGMPv3 and MLDv2 */
	bool no_querier;	  /* the provider sends no queries */
	const char *config;	  /* added before the first phyint */
	const char *own_config;	  /* replaces the whole configuration */
	uint32_t wan_mtu;	  /* 0 means 1500 */
	uint64_t seed;
};

/* Returns a running network whose start-up queries have been sent and answered. The
 * proxy is station 2 of the wan and station 5 of each LAN ("wan", "lan1" ...), the
 * router station 1. */
struct home home_new(enum family family, const struct home_params *params);
void home_free(struct home *h); /* Checks the proxy's tables, then frees the network. */

/* Adds a host to LAN number `lan`, counted from 1, as station n. */
struct sim_host *home_host(struct home *h, unsigned lan, unsigned n, enum gm_version v);
/* A stream of the provider with a packet every 10 ms. */
struct sim_stream *home_stream(
	struct home *h, const struct addr *src, const struct addr *group);

/* Messages of the proxy on the wan since the mark. */
size_t home_reports(
	const struct home *h, enum gm_record_type type, const struct addr *group);
size_t home_all_reports(const struct home *h);
/* Queries of the proxy on a LAN. */
size_t home_queries(const struct home *h, unsigned lan, const struct addr *group);

/* Returns true if a packet of the provider reaches the LAN. */
bool home_forwards(const struct home *h, unsigned lan, const struct addr *src,
	const struct addr *group);

/* Every packet so far has arrived exactly once. */
#define assert_steady(host, stream)                                                    \
	do {                                                                           \
		assert_int_equal(sim_host_rx(host, stream)->lost, 0);                  \
		assert_int_equal(sim_host_rx(host, stream)->duplicates, 0);            \
		assert_true(sim_host_rx(host, stream)->n > 0);                         \
		assert_in_range(sim_host_gap_ms(host, stream), 0, 10);                 \
	} while (0)

/* One case for each family, which is the argument of the function. */
#define BOTH(fn)                                                                       \
	{#fn " ipv4", home_run, NULL, NULL, &(struct home_case){fn, FAMILY_IPV4}},     \
	{                                                                              \
#fn " ipv6", home_run, NULL, NULL, &(struct home_case)                 \
		{                                                                      \
			fn, FAMILY_IPV6                                                \
		}                                                                      \
	}
#define ONLY_IPV4(fn)                                                                  \
	{                                                                              \
#fn " ipv4", home_run, NULL, NULL, &(struct home_case)                 \
		{                                                                      \
			fn, FAMILY_IPV4                                                \
		}                                                                      \
	}

struct home_case {
	void (*fn)(enum family family);
	enum family family;
};
void home_run(void **state);
