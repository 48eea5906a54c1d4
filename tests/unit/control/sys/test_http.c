/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The server of HTTP with real libmicrohttpd: which connections make room, and requests
 * that wait. Clients are socket pairs that are given to the library with an address. */

#include "control/sys/http.h"
#include "http_library.h"
#include "test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_CLIENTS  40
#define MAX_OPEN   8
#define MAX_OF_ONE 4
#define ROUNDS_MAX 20 /* after which nothing more happens */

/* ---- the event loop, as the server sees it ---- */

static mono_t now;

int loop_add(struct loop *l, struct loop_fd *f)
{
	return 0;
}

void loop_del(struct loop_fd *f)
{
}

mono_t loop_now(const struct loop *l)
{
	return now;
}

/* ---- the server, which answers nothing by itself ---- */

static struct http *http;
static struct http_request *waits[N_CLIENTS];
static unsigned n_gone;
static int client[N_CLIENTS];

static void request(void *ctx, struct http_request *q, const char *path)
{
	waits[strtoul(path + 1, NULL, 10)] = q;
}

static void gone(void *ctx, struct http_request *q)
{
	for (size_t i = 0; i < N_CLIENTS; i++)
		if (waits[i] == q) {
			waits[i] = NULL;
			n_gone++;
		}
}

static unsigned n_waiting(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < N_CLIENTS; i++)
		n += waits[i] != NULL;
	return n;
}

static unsigned n_connections(void)
{
	struct http_stats sum = {0};

	http_stats(http, &sum);
	return sum.n_connections;
}

static void serve(void)
{
	for (int i = 0; i < ROUNDS_MAX; i++) {
		http_go_on(http);
		http_tick(http, now);
	}
}

static int setup(void **state)
{
	static const struct http_options options = {.keyword = "web-listen",
		.max_connections = MAX_OPEN,
		.max_per_address = MAX_OF_ONE,
		.max_streams = 1};
	static const struct http_ops ops = {.request = request, .gone = gone};
	/* any free port will do: nobody connects to it */
	static const struct endpoint at = {.addr = ADDR_V4(127, 0, 0, 1)};

	now = mono_from_ms(1000000);
	n_gone = 0;
	for (size_t i = 0; i < N_CLIENTS; i++) {
		waits[i] = NULL;
		client[i] = -1;
	}
	assert_int_equal(http_new(NULL, &at, &options, &ops, &http), 0);
	http_go_on(http);
	return 0;
}

static int teardown(void **state)
{
	http = http_free(http);
	for (size_t i = 0; i < N_CLIENTS; i++)
		if (client[i] >= 0)
			close(client[i]);
	return 0;
}

/* Connects a client, which sends its request; the path is the number of the client. */
static void send_request(unsigned i, const char *address)
{
	struct sockaddr_in6 from6 = {.sin6_family = AF_INET6, .sin6_port = htons(4000)};
	struct sockaddr_in from4 = {.sin_family = AF_INET, .sin_port = htons(4000)};
	bool v6 = strchr(address, ':');
	struct sockaddr *from =
		v6 ? (struct sockaddr *)&from6 : (struct sockaddr *)&from4;
	char text[80];
	int fd[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd),
		0);
	assert_int_equal(v6 ? inet_pton(AF_INET6, address, &from6.sin6_addr)
			    : inet_pton(AF_INET, address, &from4.sin_addr),
		1);
	/* it closes the socket if it has no room */
	(void)MHD_add_connection(
		library, fd[0], from, v6 ? sizeof(from6) : sizeof(from4));
	client[i] = fd[1];
	snprintf(text, sizeof(text), "GET /%u HTTP/1.1\r\nHost: localhost\r\n\r\n", i);
	(void)send(client[i], text, strlen(text), MSG_NOSIGNAL);
}

static void ask(unsigned i, const char *address)
{
	send_request(i, address);
	serve();
}

static bool has_ended(unsigned i)
{
	char buf[512];
	ssize_t n;

	do
		n = recv(client[i], buf, sizeof(buf), 0);
	while (n > 0);
	return n == 0;
}

static void gets_an_answer(unsigned i)
{
	struct http_request *q = waits[i];
	char buf[512];

	assert_non_null(q);
	waits[i] = NULL;
	http_answer_text(q, 200, strdup("yes"));
	serve();
	assert_true(recv(client[i], buf, sizeof(buf), 0) > 12);
	assert_memory_equal(buf, "HTTP/1.1 200", 12);
	assert_true(has_ended(i));
}

/* ---- tests ---- */

static void waiting_requests_make_room(void **state)
{
	unsigned last = N_CLIENTS - 1;

	for (unsigned i = 0; i < last; i++) {
		ask(i, "10.0.0.1");
		assert_int_equal(n_waiting(), i < MAX_OF_ONE ? i + 1 : MAX_OF_ONE);
	}
	/* the oldest ones have lost theirs */
	assert_int_equal(n_gone, last - MAX_OF_ONE);
	assert_null(waits[last - MAX_OF_ONE - 1]);
	assert_true(has_ended(0));
	ask(last, "10.0.0.2");
	gets_an_answer(last);
	gets_an_answer(last - 1);
	assert_int_equal(n_connections(), MAX_OF_ONE - 1);
}

/* They had sent it before they made room, but the server reads it afterwards. */
static void closed_connections_ask_nothing(void **state)
{
	for (unsigned i = 0; i < MAX_OPEN; i++)
		send_request(i, "10.0.0.1");
	serve();
	assert_int_equal(n_waiting(), MAX_OF_ONE);
	assert_null(waits[0]);
	assert_non_null(waits[MAX_OPEN - 1]);
	assert_int_equal(n_connections(), MAX_OF_ONE);
	assert_int_equal(n_gone, 0);
}

/* Otherwise a client with many addresses has the connections of all others closed. */
static void a_host_has_no_more_connections_for_more_addresses(void **state)
{
	char address[40];

	for (unsigned i = 0; i < MAX_OPEN; i++) {
		snprintf(address, sizeof(address), "2001:db8:1:2:%x::1", i);
		ask(i, address);
	}
	assert_int_equal(n_waiting(), MAX_OF_ONE);
	/* other networks, and neighbours on the link, are others */
	for (unsigned i = 0; i < MAX_OPEN - MAX_OF_ONE; i++) {
		snprintf(address, sizeof(address),
			i % 2 ? "2001:db8:1:%x::1" : "fe80::%x", i + 3);
		ask(MAX_OPEN + i, address);
	}
	assert_int_equal(n_waiting(), MAX_OPEN);
	assert_int_equal(n_gone, MAX_OPEN - MAX_OF_ONE);
}

static void who_has_the_most_connections_makes_room(void **state)
{
	unsigned n = 0;

	ask(n++, "10.0.0.1");
	ask(n++, "10.0.0.2");
	while (n < 2 + MAX_OF_ONE)
		ask(n++, "10.0.0.3");
	while (n < MAX_OPEN)
		ask(n++, "10.0.0.4");
	/* each takes one from 10.0.0.3, until that has as many as 10.0.0.4 */
	ask(n++, "10.0.0.5");
	assert_null(waits[2]);
	ask(n++, "10.0.0.6");
	assert_null(waits[3]);
	assert_int_equal(n_gone, 2);
	ask(n++, "10.0.0.7");
	assert_null(waits[4]);
	gets_an_answer(0);
	gets_an_answer(1);
	gets_an_answer(n - 1);
}

/* Answers a client with a quarter of what may be sent at the same time. */
static void send_much(unsigned i, struct http_body *b)
{
	struct http_request *q = waits[i];

	assert_non_null(q);
	waits[i] = NULL;
	http_answer(q, 200, b);
	serve();
}

static struct http_body *quarter(void)
{
	static const char *const fields[] = {"Connection", "close", NULL};
	char *text = calloc(1, HTTP_MAX_ANSWERS / 4);
	struct http_body *b;

	assert_non_null(text);
	b = http_body_new(fields, text, HTTP_MAX_ANSWERS / 4);
	assert_non_null(b);
	return b;
}

/* A body for two clients is in memory once. */
static void answers_that_nobody_reads_are_broken_off(void **state)
{
	struct http_body *b;

	for (unsigned i = 0; i < MAX_OPEN; i += 2) {
		b = quarter();
		ask(i, "10.0.0.1");
		send_much(i, b);
		ask(i + 1, "10.0.0.2");
		send_much(i + 1, b);
		http_body_free(b);
		assert_int_equal(n_connections(), i + 2);
	}
	/* its connection ends the first one, its answer the second */
	ask(MAX_OPEN, "10.0.0.3");
	assert_int_equal(n_connections(), MAX_OPEN);
	b = quarter();
	send_much(MAX_OPEN, b);
	http_body_free(b);
	assert_int_equal(n_connections(), MAX_OPEN - 1);
	assert_true(has_ended(0) && has_ended(1));
	assert_false(has_ended(2) || has_ended(MAX_OPEN));
}

static void no_request_waits_for_ever(void **state)
{
	ask(0, "10.0.0.1");
	now = mono_add_ms(now, HTTP_LIFE_MS - 1);
	serve();
	assert_int_equal(n_waiting(), 1);
	now = mono_add_ms(now, 1);
	serve();
	assert_int_equal(n_gone, 1);
	assert_int_equal(n_connections(), 0);
	assert_true(has_ended(0));
}

static void waiting_clients_learn_of_the_end(void **state)
{
	char buf[512];

	ask(0, "10.0.0.1");
	http = http_free(http);
	assert_true(recv(client[0], buf, sizeof(buf), 0) > 12);
	assert_memory_equal(buf, "HTTP/1.1 503", 12);
	assert_true(has_ended(0));
	assert_int_equal(n_gone, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(waiting_requests_make_room),
		T(closed_connections_ask_nothing),
		T(a_host_has_no_more_connections_for_more_addresses),
		T(who_has_the_most_connections_makes_room),
		T(answers_that_nobody_reads_are_broken_off),
		T(no_request_waits_for_ever),
		T(waiting_clients_learn_of_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
