/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Limits of membership messages under virtual time (R082): what a host may send, what
 * many may, and that who is quiet gets through whatever the others do.
 */

#include "control/flood.h"
#include "test.h"

static struct flood *flood;
static struct flood_port port;

static int set_up(void **state)
{
	port = (struct flood_port){0};
	return flood_new(1, &flood);
}

static int tear_down(void **state)
{
	flood = flood_free(flood);
	return 0;
}

static enum flood_verdict input(
	int64_t ms, const struct flood_limit *limit, uint32_t host)
{
	return flood_input(flood, mono_from_ms(ms), &port, limit, &host, sizeof(host));
}

/* How many of n messages pass that come at one moment. */
static unsigned n_pass(
	int64_t ms, const struct flood_limit *limit, uint32_t host, unsigned n)
{
	unsigned pass = 0;

	for (unsigned i = 0; i < n; i++)
		pass += input(ms, limit, host) == FLOOD_PASS;
	return pass;
}

static void host_has_its_rate(void **state)
{
	static const struct flood_limit limit = {.host_rate = 100};

	/* two seconds' worth at once, then the rate */
	assert_int_equal(n_pass(1000, &limit, 1, 500), 200);
	assert_int_equal(n_pass(1009, &limit, 1, 5), 0);
	assert_int_equal(n_pass(1010, &limit, 1, 5), 1);
	assert_int_equal(n_pass(1510, &limit, 1, 100), 50);
	/* a pause fills it up, but not beyond */
	assert_int_equal(n_pass(60000, &limit, 1, 500), 200);
	/* another host has its own */
	assert_int_equal(n_pass(1510, &limit, 2, 500), 200);
	assert_int_equal(port.n_dropped, 300 + 5 + 4 + 50 + 300 + 300);
}

static void nothing_is_limited_by_zero(void **state)
{
	static const struct flood_limit limit = {0};

	assert_int_equal(n_pass(1000, &limit, 1, 100000), 100000);
	assert_int_equal(port.n_dropped, 0);
}

static void port_has_its_rate(void **state)
{
	static const struct flood_limit limit = {.port_rate = 1000};
	unsigned pass = 0;

	for (uint32_t host = 1; host <= 100; host++)
		pass += n_pass(1000, &limit, host, 100);
	/* the port's second, and each further host what the quiet have */
	assert_int_equal(pass, 1000 + 16 * 62 + 8);
}

/* Ports do not take from each other, the same host on two of them neither. */
static void ports_are_apart(void **state)
{
	static const struct flood_limit limit = {.host_rate = 10, .port_rate = 1000};
	struct flood_port other = {0};
	uint32_t host = 1;

	assert_int_equal(n_pass(1000, &limit, host, 100), 20);
	assert_int_equal(flood_input(flood, mono_from_ms(1000), &other, &limit, &host,
				 sizeof(host)),
		FLOOD_PASS);
}

/* 50 hosts shout for ten seconds, each within its own limit; one more says something
 * every 200 ms, and all of that is heard. */
static void who_is_quiet_gets_through(void **state)
{
	static const struct flood_limit limit = {.host_rate = 1000, .port_rate = 5000};
	unsigned quiet = 0, loud = 0;

	for (int64_t ms = 1000; ms < 11000; ms++) {
		for (uint32_t host = 1; host <= 50; host++)
			loud += input(ms, &limit, host) == FLOOD_PASS;
		if (ms % 200 == 0)
			quiet += input(ms, &limit, 99) == FLOOD_PASS;
	}
	assert_int_equal(quiet, 50);
	/* the port's rate for ten seconds and its burst; those who shout are quiet now
	 * and then, too */
	assert_true(loud >= 54000 && loud <= 55000 + 50 * (16 + 80));
}

/* A host for which the kernel should do the dropping is named once a second. */
static void a_flood_is_named(void **state)
{
	static const struct flood_limit limit = {.host_rate = 200};
	unsigned named = 0;

	for (int64_t ms = 1000; ms < 4000; ms++)
		for (unsigned i = 0; i < 10; i++)
			named += input(ms, &limit, 1) == FLOOD_SILENCE;
	assert_int_equal(named, 3);
	/* half as many again as allowed is no reason */
	named = 0;
	for (int64_t ms = 10000; ms < 40000; ms += 10)
		for (unsigned i = 0; i < 3; i++)
			named += input(ms, &limit, 2) == FLOOD_SILENCE;
	assert_int_equal(named, 0);
}

/* Addresses made up by the million: the table keeps its size, the port its limit, and
 * a host that was known before keeps its bucket or gets an empty one. */
static void made_up_hosts(void **state)
{
	static const struct flood_limit limit = {.host_rate = 100, .port_rate = 1000};
	unsigned pass = 0;

	for (uint32_t host = 1; host <= 200000; host++)
		pass += input(1000 + host / 100, &limit, host) == FLOOD_PASS;
	/* two seconds: twice (rate x time + burst) */
	assert_true(pass <= 2 * (2000 + 1000) + 2);
	assert_true(pass >= 3000);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(host_has_its_rate),
		CASE(nothing_is_limited_by_zero),
		CASE(port_has_its_rate),
		CASE(ports_are_apart),
		CASE(who_is_quiet_gets_through),
		CASE(a_flood_is_named),
		CASE(made_up_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
