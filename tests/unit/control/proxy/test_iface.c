/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The interface table: what counts as a change, addresses, and the choice of our own
 * address. */

#include "control/proxy/iface.h"
#include "fail_alloc.h"
#include "test.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdio.h>

static struct iface eth(int ifindex, const char *name)
{
	struct iface i = {.ifindex = ifindex,
		.mac = {2, 0, 0, 0, 0, 1},
		.arphrd = ARPHRD_ETHER,
		.mtu = 1500,
		.up = true,
		.multicast = true,
		.kind = "veth"};

	strcpy(i.name, name);
	return i;
}

static struct iface_addr with_len(const char *text, bool tentative)
{
	struct iface_addr x = {.tentative = tentative};
	char host[ADDR_STRLEN];

	assert_int_equal(prefix_parse(text, &x.subnet, NULL), 0);
	strcpy(host, text);
	*strchr(host, '/') = '\0';
	x.addr = a(host);
	return x;
}

static int add(struct iface_table *t, int ifindex, const char *text)
{
	struct iface_addr x = with_len(text, false);

	return iface_addr_set(t, ifindex, &x);
}

static void link_changes(void **state)
{
	struct iface_table t = {0};
	struct iface i = eth(3, "eth0");
	struct addr own = a("10.0.0.1");

	assert_int_equal(iface_link(&t, &i), 1);
	assert_int_equal(add(&t, 3, "10.0.0.1/24"), 1);
	assert_int_equal(iface_link(&t, &i), 0);
#define CHANGE(what)                                                                   \
	do {                                                                           \
		what;                                                                  \
		assert_int_equal(iface_link(&t, &i), 1);                               \
		assert_int_equal(iface_link(&t, &i), 0);                               \
	} while (0)
	CHANGE(strcpy(i.name, "wan0"));
	CHANGE(i.mac[5]++);
	CHANGE(i.arphrd = ARPHRD_PPP);
	CHANGE(i.mtu = 1492);
	CHANGE(i.up = false);
	CHANGE(i.loopback = true);
	CHANGE(i.master = 2);
	CHANGE(i.enslaved = true);
	CHANGE(i.pointopoint = true);
	CHANGE(i.multicast = false);
	CHANGE(strcpy(i.kind, "vlan"));
#undef CHANGE
	assert_int_equal(t.n, 1);
	/* the addresses are kept throughout */
	assert_true(iface_has_addr(iface_by_index(&t, 3), &own));
	assert_int_equal(iface_by_index(&t, 3)->mtu, 1492);
	iface_table_deinit(&t);
}

static void lookup(void **state)
{
	struct iface_table t = {0};
	char name[IFNAMSIZ];

	for (int n = 1; n <= 100; n++) {
		struct iface i;

		snprintf(name, sizeof(name), "eth%d", n);
		i = eth(n, name);
		assert_int_equal(iface_link(&t, &i), 1);
		assert_int_equal(add(&t, n, "10.0.0.1/24"), 1);
	}
	for (int n = 2; n <= 100; n += 2) {
		assert_true(iface_gone(&t, n));
		assert_false(iface_gone(&t, n));
	}
	for (int n = 1; n <= 100; n++) {
		struct iface *i = iface_by_index(&t, n);

		snprintf(name, sizeof(name), "eth%d", n);
		assert_ptr_equal(iface_by_name(&t, name), i);
		assert_int_equal(i != NULL, n % 2);
		if (i) {
			assert_int_equal(i->ifindex, n);
			assert_string_equal(i->name, name);
			assert_int_equal(i->n_addr, 1);
		}
	}
	assert_null(iface_by_name(&t, "eth"));
	assert_null(iface_by_name(&t, ""));
	iface_table_deinit(&t);
	assert_null(iface_by_index(&t, 1));
	iface_table_deinit(&t);
}

static int del(struct iface_table *t, int ifindex, const char *text)
{
	struct iface_addr x = with_len(text, false);

	return iface_addr_del(t, ifindex, &x);
}

static void address_changes(void **state)
{
	struct iface_addr done = with_len("fe80::1/64", false);
	struct iface_addr tentative = with_len("fe80::1/64", true);
	struct addr x = a("10.0.0.2");
	struct iface_table t = {0};
	struct iface i = eth(3, "eth0");
	const struct iface *p;

	assert_int_equal(add(&t, 3, "10.0.0.1/24"), 0);
	assert_int_equal(del(&t, 3, "10.0.0.2/24"), 0);
	assert_int_equal(iface_link(&t, &i), 1);
	assert_int_equal(del(&t, 3, "10.0.0.2/24"), 0);
	assert_int_equal(add(&t, 3, "10.0.0.1/24"), 1);
	assert_int_equal(add(&t, 3, "10.0.0.2/24"), 1);
	assert_int_equal(add(&t, 3, "10.0.0.3/24"), 1);
	assert_int_equal(add(&t, 3, "10.0.0.1/24"), 0);
	assert_int_equal(iface_addr_set(&t, 3, &tentative), 1);
	assert_int_equal(iface_addr_set(&t, 3, &tentative), 0);
	assert_int_equal(iface_addr_set(&t, 3, &done), 1);
	p = iface_by_index(&t, 3);
	assert_int_equal(p->n_addr, 4);
	assert_true(iface_has_addr(p, &x));
	assert_int_equal(del(&t, 3, "10.0.0.2/24"), 1);
	assert_int_equal(del(&t, 3, "10.0.0.2/24"), 0);
	assert_false(iface_has_addr(p, &x));
	/* the others keep their order */
	assert_int_equal(p->n_addr, 3);
	x = a("10.0.0.1");
	assert_true(addr_eq(&p->addr[0].addr, &x));
	x = a("10.0.0.3");
	assert_true(addr_eq(&p->addr[1].addr, &x));
	assert_true(addr_eq(&p->addr[2].addr, &done.addr));
	iface_table_deinit(&t);
}

/* The kernel allows an IPv4 address once for each mask and peer, an IPv6 address
 * once. */
static void address_twice(void **state)
{
	struct addr one = a("10.64.0.1"), six = a("fe80::1");
	struct iface_addr first = {.addr = one}, second = {.addr = one};
	struct iface_table t = {0};
	struct iface i = eth(3, "eth0");

	assert_int_equal(iface_link(&t, &i), 1);
	assert_int_equal(add(&t, 3, "10.0.0.2/24"), 1);
	assert_int_equal(add(&t, 3, "10.0.0.2/16"), 1);
	assert_int_equal(del(&t, 3, "10.0.0.2/24"), 1);
	assert_int_equal(t.v[0].n_addr, 1);
	assert_int_equal(prefix_len_in_family(&t.v[0].addr[0].subnet), 16);
	/* pairs */
	prefix_parse("10.64.0.7/32", &first.subnet, NULL);
	prefix_parse("10.64.0.9/32", &second.subnet, NULL);
	assert_int_equal(iface_addr_set(&t, 3, &first), 1);
	assert_int_equal(iface_addr_set(&t, 3, &second), 1);
	assert_int_equal(iface_addr_del(&t, 3, &first), 1);
	assert_true(iface_has_addr(&t.v[0], &one));
	assert_int_equal(iface_addr_del(&t, 3, &second), 1);
	assert_false(iface_has_addr(&t.v[0], &one));
	/* another prefix length changes the existing address */
	assert_int_equal(add(&t, 3, "fe80::1/64"), 1);
	assert_int_equal(add(&t, 3, "fe80::1/10"), 1);
	assert_int_equal(t.v[0].n_addr, 2);
	assert_int_equal(del(&t, 3, "fe80::1/64"), 1);
	assert_false(iface_has_addr(&t.v[0], &six));
	iface_table_deinit(&t);
}

/* Changes between two looks: a new link, and a time in which it was unusable. */
static void lives(void **state)
{
	struct iface_table t = {0};
	struct iface i = eth(3, "eth0");
	const struct iface *p;
	unsigned born;

	assert_int_equal(iface_link(&t, &i), 1);
	p = iface_by_index(&t, 3);
	born = p->born;
	assert_int_equal(p->ups, 1);
	i.up = false;
	assert_int_equal(iface_link(&t, &i), 1);
	i.up = true;
	assert_int_equal(iface_link(&t, &i), 1);
	i.mtu++;
	assert_int_equal(iface_link(&t, &i), 1);
	assert_int_equal(p->ups, 2);
	assert_int_equal(p->born, born);
	assert_true(iface_is_usable(p));
	/* into a bridge and out of it */
	i.enslaved = true;
	i.master = 9;
	assert_int_equal(iface_link(&t, &i), 1);
	assert_false(iface_is_usable(p));
	i.enslaved = false;
	assert_int_equal(iface_link(&t, &i), 1);
	assert_int_equal(p->ups, 3);
	/* a new link with the same index */
	assert_true(iface_gone(&t, 3));
	assert_int_equal(iface_link(&t, &i), 1);
	p = iface_by_index(&t, 3);
	assert_int_not_equal(p->born, born);
	assert_int_equal(p->ups, 1);
	iface_table_deinit(&t);
}

/* K07: which address is the source of our messages. Before an address: "?"
 * tentative, "-" deprecated, "+" secondary, "l" and "h" scope of the link and of the
 * host, a digit its age, 9 the oldest. */
static struct iface_addr address_of(const char *text)
{
	const char *end = text + strcspn(text, ".:");
	struct iface_addr x = {0};
	bool tentative = false;

	while (end > text && end[-1] != ' ')
		end--;
	for (; text < end; text++) {
		tentative |= *text == '?';
		x.deprecated |= *text == '-';
		x.secondary |= *text == '+';
		x.scope = *text == 'l' ? RT_SCOPE_LINK
			: *text == 'h' ? RT_SCOPE_HOST
				       : x.scope;
		if (*text >= '0' && *text <= '9')
			x.created = 1000u - (uint32_t)(*text - '0');
	}
	x.addr = with_len(text, false).addr;
	x.subnet = with_len(text, false).subnet;
	x.tentative = tentative;
	return x;
}

static void k07_own_address(void **state)
{
	static const struct {
		const char *id, *have[4], *peer, *v4, *v6;
	} c[] = {
		{"R113 none", {NULL}, NULL, "0.0.0.0", "::"},
		{"R050 K07 the first", {"10.0.0.9/24", "10.0.0.2/24", "192.168.1.1/24"},
			NULL, "10.0.0.9", "::"},
		{"K07 an alias with a lower address", {"84.1.2.3/24", "10.0.0.2/24"},
			NULL, "84.1.2.3", "::"},
		{"K07 the querier's subnet", {"84.1.2.3/24", "10.0.0.2/24"}, "10.0.0.1",
			"10.0.0.2", "::"},
		{"K07 a querier of no subnet", {"84.1.2.3/24", "10.0.0.2/24"},
			"10.1.0.1", "84.1.2.3", "::"},
		{"K07 the older", {"1 10.0.0.2/24", "2 84.1.2.3/24"}, NULL, "84.1.2.3",
			"::"},
		{"K07 secondary", {"9+ 10.0.0.2/24", "10.0.0.9/24"}, NULL, "10.0.0.9",
			"::"},
		{"K07 deprecated", {"9- 10.0.0.2/24", "+ 10.0.0.9/24"}, NULL,
			"10.0.0.9", "::"},
		{"K07 all deprecated", {"- 10.0.0.2/24"}, NULL, "10.0.0.2", "::"},
		{"K07 scope", {"9l 10.0.0.2/24", "9h 10.0.0.3/24", "+ 10.0.0.9/24"},
			NULL, "10.0.0.9", "::"},
		{"K07 scope of the link before that of the host",
			{"9h 10.0.0.3/24", "l 10.0.0.2/24"}, NULL, "10.0.0.2", "::"},
		{"R050 link-local last", {"169.254.1.1/16", "192.168.1.1/24"}, NULL,
			"192.168.1.1", "::"},
		{"R050 link-local last, any order",
			{"192.168.1.1/24", "169.254.1.1/16"}, NULL, "192.168.1.1",
			"::"},
		{"R050 only link-local", {"169.254.9.1/16"}, NULL, "169.254.9.1", "::"},
		{"R055 link-local alone",
			{"2001:db8::1/64", "1 fe80::1/64", "2 fe80::2/64"}, NULL,
			"0.0.0.0", "fe80::2"},
		{"R055 no link-local", {"2001:db8::1/64"}, NULL, "0.0.0.0", "::"},
		{"R055 tentative", {"?9 fe80::1/64", "fe80::2/64"}, NULL, "0.0.0.0",
			"fe80::2"},
		{"R055 all tentative", {"? fe80::1/64"}, NULL, "0.0.0.0", "::"},
		{"both", {"fe80::1/64", "10.0.0.1/8"}, NULL, "10.0.0.1", "fe80::1"},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct addr peer = c[i].peer ? a(c[i].peer) : addr_any(FAMILY_IPV4);
		struct iface_table t = {0};
		struct iface link = eth(1, "eth0");
		char v4[ADDR_STRLEN], v6[ADDR_STRLEN];
		struct addr own;

		assert_int_equal(iface_link(&t, &link), 1);
		for (size_t k = 0; k < array_len(c[i].have) && c[i].have[k]; k++) {
			struct iface_addr x = address_of(c[i].have[k]);

			assert_int_equal(iface_addr_set(&t, 1, &x), 1);
		}
		own = iface_own_addr(
			t.v->addr, t.v->n_addr, FAMILY_IPV4, c[i].peer ? &peer : NULL);
		addr_format(&own, v4);
		own = iface_own_addr(t.v->addr, t.v->n_addr, FAMILY_IPV6, NULL);
		addr_format(&own, v6);
		if (strcmp(v4, c[i].v4) != 0 || strcmp(v6, c[i].v6) != 0)
			fail_msg("%s: %s %s", c[i].id, v4, v6);
		iface_table_deinit(&t);
	}
}

/* K09: the carrier was lost, and had returned when the message came. */
static void k09_carrier_lost_between_two_messages(void **state)
{
	struct iface_table t = {0};
	struct iface i = eth(3, "eth0");

	i.up = true;
	assert_int_equal(iface_link(&t, &i), 1);
	assert_int_equal(t.v->ups, 1);
	i.carrier_downs = 1;
	assert_int_equal(iface_link(&t, &i), 1);
	assert_int_equal(t.v->ups, 2);
	assert_int_equal(iface_link(&t, &i), 0);
	/* a loss that was also seen counts once */
	i.up = false;
	i.carrier_downs = 2;
	assert_int_equal(iface_link(&t, &i), 1);
	i.up = true;
	assert_int_equal(iface_link(&t, &i), 1);
	assert_int_equal(t.v->ups, 3);
	iface_table_deinit(&t);
}

static void link_header(void **state)
{
	static const struct {
		uint16_t arphrd;
		bool has_l2;
	} c[] = {{ARPHRD_ETHER, true}, {ARPHRD_LOOPBACK, true}, {ARPHRD_PPP, false},
		{ARPHRD_NONE, false}, {ARPHRD_TUNNEL, false}};

	for (size_t i = 0; i < array_len(c); i++) {
		struct iface link = {.arphrd = c[i].arphrd};

		assert_int_equal(iface_has_l2(&link), c[i].has_l2);
	}
}

static void no_memory(void **state)
{
	struct iface_table t = {0};
	struct iface i = eth(1, "eth0");

	fail_alloc_after = 0;
	assert_int_equal(iface_link(&t, &i), -ENOMEM);
	assert_int_equal(t.n, 0);
	assert_int_equal(iface_link(&t, &i), 1);
	fail_alloc_after = 0;
	assert_int_equal(add(&t, 1, "10.0.0.1/24"), -ENOMEM);
	assert_int_equal(t.v->n_addr, 0);
	assert_int_equal(add(&t, 1, "10.0.0.1/24"), 1);
	iface_table_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_changes),
		cmocka_unit_test(lookup),
		cmocka_unit_test(address_changes),
		cmocka_unit_test(address_twice),
		cmocka_unit_test(lives),
		cmocka_unit_test(k07_own_address),
		cmocka_unit_test(k09_carrier_lost_between_two_messages),
		cmocka_unit_test(link_header),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
