/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * rtnetlink messages, events and dumps, valid or broken and in any order, and errors of
 * the socket. This program plays the kernel: libmnl parses, but its socket calls are
 * replaced. After any history, a complete dump that names one link leaves exactly that
 * link.
 */

#include "control/sys/netlink.h"

#include "base/log/log.h"
#include "fuzz.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <poll.h>

#define PORT	    77
#define FINAL_INDEX 4711

/* ---- state of the simulated kernel ---- */

static struct rd in;
static unsigned seq; /* of the last request */
static bool dumping; /* parts of a dump are still to come */
static struct {
	bool on;
	unsigned step; /* of the last dump */
} at_end;

/* Makes a message whose length, family, index and so on come from the input. */
enum {
	KIND = 7, /* these bits are an index into types, or an error of the socket */
	OURS = 8,
	INTERRUPTED = 16,
	WRONG_LENGTH = 32,
	MORE = 64, /* another message follows in the datagram */
};

static const uint16_t types[] = {RTM_NEWLINK, RTM_NEWLINK, RTM_NEWADDR, RTM_DELLINK,
	RTM_DELADDR, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP};

static size_t put_message(uint8_t *to, size_t room, unsigned op)
{
	struct nlmsghdr h = {.nlmsg_type = types[op & KIND]};
	size_t n = rd_u8(&in), most = rd_left(&in);
	const uint8_t *payload;

	n = n < most ? n : most;
	payload = rd_take(&in, n);
	if (!payload || room < sizeof(h) + NLMSG_ALIGN(n))
		return 0;
	h.nlmsg_len = (uint32_t)(sizeof(h) + n);
	if (op & WRONG_LENGTH)
		h.nlmsg_len += rd_u8(&in) - 100u;
	if (op & OURS) {
		h.nlmsg_seq = seq;
		h.nlmsg_pid = PORT;
	}
	h.nlmsg_flags = op & INTERRUPTED ? NLM_F_DUMP_INTR : 0;
	memcpy(to, &h, sizeof(h));
	memset(to + sizeof(h), 0, NLMSG_ALIGN(n));
	memcpy(to + sizeof(h), payload, n);
	return sizeof(h) + NLMSG_ALIGN(n);
}

static ssize_t put_done(uint8_t *to)
{
	struct nlmsghdr h = {.nlmsg_len = sizeof(h) + 4,
		.nlmsg_type = NLMSG_DONE,
		.nlmsg_seq = seq,
		.nlmsg_pid = PORT};

	memcpy(to, &h, sizeof(h));
	memset(to + sizeof(h), 0, 4);
	dumping = false;
	return sizeof(h) + 4;
}

static ssize_t put_final_link(uint8_t *to)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(to);
	struct ifinfomsg *m;

	h->nlmsg_type = RTM_NEWLINK;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ifi_index = FINAL_INDEX;
	mnl_attr_put_strz(h, IFLA_IFNAME, "final");
	return h->nlmsg_len;
}

/* ---- replaces functions of libmnl ---- */

struct mnl_socket {
	int fd;
};
static struct mnl_socket the_socket;

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	return &the_socket;
}

int mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	return 0;
}

int mnl_socket_close(struct mnl_socket *nl)
{
	return 0;
}

int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	return nl->fd;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *nl)
{
	return PORT;
}

int mnl_socket_setsockopt(
	const struct mnl_socket *nl, int type, void *buf, socklen_t len)
{
	return 0;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t size)
{
	const struct nlmsghdr *h = req;

	fuzz_assert(h->nlmsg_len == size && h->nlmsg_flags & NLM_F_DUMP);
	seq = h->nlmsg_seq;
	dumping = true;
	at_end.step++;
	return (ssize_t)size;
}

static ssize_t fail_with(int error)
{
	errno = error;
	return -1;
}

/* At the end, links and addresses are dumped once more, with a single link. */
static ssize_t receive_end(uint8_t *buf)
{
	static unsigned named;

	if (!dumping)
		return fail_with(EAGAIN);
	if (at_end.on && named != at_end.step) {
		named = at_end.step;
		return put_final_link(buf);
	}
	return put_done(buf);
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	size_t n = 0;

	if (at_end.on || !fuzz_more(&in))
		return receive_end(buf);
	for (;;) {
		unsigned op = rd_u8(&in);

		if ((op & KIND) == KIND && n == 0)
			return op & OURS ? fail_with(op & MORE ? ENOSPC : ENOBUFS)
					 : fail_with(op & MORE ? EINTR : EAGAIN);
		n += put_message((uint8_t *)buf + n, size - n, op);
		if (!(op & MORE) || !fuzz_more(&in))
			return (ssize_t)n;
	}
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return 0;
}

int poll(struct pollfd *p, nfds_t n, int timeout)
{
	return dumping || fuzz_more(&in) ? 1 : 0;
}

/* ---- replaces the rest of the program ---- */

static struct loop_fd *watched;
static struct iface_table table;

int loop_add(struct loop *l, struct loop_fd *f)
{
	watched = f;
	return 0;
}

void loop_del(struct loop_fd *f)
{
	watched = NULL;
}

mono_t loop_now(const struct loop *l)
{
	return MONO_UNSET;
}

void log_limited(struct log_limit *limit, mono_t now, enum log_level level,
	const struct log_about *about, const char *format, ...)
{
}

/* The kernel identifies IPv6 addresses of an interface by the address alone, IPv4
 * addresses also by the network. An IPv4 address may occur with two masks or two
 * peers. */
static bool same(const struct iface_addr *a, const struct iface_addr *b)
{
	return addr_eq(&a->addr, &b->addr) &&
		(!addr_is_v4(&a->addr) || prefix_eq(&a->subnet, &b->subnet));
}

static void check_table(void *ctx)
{
	for (size_t i = 0; i < table.n; i++) {
		const struct iface *x = &table.v[i];

		fuzz_assert(iface_by_index(&table, x->ifindex) == x);
		fuzz_assert(strnlen(x->name, sizeof(x->name)) < sizeof(x->name));
		fuzz_assert(strnlen(x->kind, sizeof(x->kind)) < sizeof(x->kind));
		for (size_t k = 0; k < x->n_addr; k++) {
			fuzz_assert(iface_has_addr(x, &x->addr[k].addr));
			for (size_t j = 0; j < k; j++)
				fuzz_assert(!same(&x->addr[j], &x->addr[k]));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink_ops ops = {.changed = check_table};
	struct netlink *nl = NULL;

	at_end.on = dumping = false;
	in = rd_init(data, 0); /* the first dumps are empty */
	fuzz_assert(netlink_new(NULL, &table, &ops, &nl) == 0);
	in = rd_init(data, size);
	while (fuzz_more(&in)) {
		watched->fn(watched, EPOLLIN);
		check_table(NULL);
		if (rd_u8(&in) == 1)
			(void)netlink_resync(nl);
	}
	watched->fn(watched, EPOLLIN);
	at_end.on = true;
	fuzz_assert(netlink_resync(nl) == 0);
	watched->fn(watched, EPOLLIN);
	check_table(NULL);
	fuzz_assert(table.n == 1 && table.v[0].ifindex == FINAL_INDEX);
	fuzz_assert(table.v[0].n_addr == 0 && strcmp(table.v[0].name, "final") == 0);
	netlink_free(nl);
	iface_table_deinit(&table);
	return 0;
}
