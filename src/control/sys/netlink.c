/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * rtnetlink through libmnl, see netlink.h. One socket is subscribed first and asked for
 * its dumps afterwards, so no change falls between the two: the kernel queues events
 * and dump replies in the order of the states that they show. A dump marks what it
 * names; when it is complete, the unmarked rest is removed. An overrun, or a dump that
 * the kernel calls interrupted, restarts the dump. A message that cannot be stored for
 * lack of memory, or a request that cannot be sent, makes the table unreliable until a
 * whole dump has succeeded: the owner calls netlink_resync() after a delay.
 */

#include "control/sys/netlink.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/log/log.h"
#include "base/minmax.h"
#include "base/sys/sockopt.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define RCVBUF_SIZE    (4 << 20)
#define BUF_SIZE       32768 /* largest part of a dump that the kernel makes */
#define DUMP_WAIT_MS   5000
#define MAX_PER_WAKEUP 256 /* datagrams; the others wait for the next round */

enum phase {
	PHASE_FOLLOW = 1, /* no dump under way */
	PHASE_LINKS,
	PHASE_ADDRS,
};

/* a link (zero bytes after the index) or an address that the running dump has named */
struct mark {
	int ifindex;
	struct addr addr;
	struct prefix subnet;
};

struct netlink {
	struct loop_fd fd; /* not in the loop before the first dump is complete */
	struct loop *loop; /* borrowed */
	struct mnl_socket *sock;
	struct iface_table *table; /* borrowed */
	struct netlink_ops ops;
	unsigned port, seq;
	enum phase phase;
	bool again;   /* the running dump is useless; start another one */
	bool spoilt;  /* something is missing in the table since the last dump began */
	bool changed; /* since the last call of ops.changed */
	struct mark *mark;
	size_t n_mark, cap_mark;
	uint64_t n_overrun;
	struct log_limit log_limit;
	char *buf;
};

static int mark_cmp(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	if (addr_cmp(&x->addr, &y->addr))
		return addr_cmp(&x->addr, &y->addr);
	if (x->subnet.len != y->subnet.len)
		return x->subnet.len < y->subnet.len ? -1 : 1;
	return addr_cmp(&x->subnet.addr, &y->subnet.addr);
}

static int mark_add(struct netlink *nl, int ifindex, const struct iface_addr *a)
{
	if (nl->phase == PHASE_FOLLOW)
		return 0;
	if (array_reserve(nl->mark, nl->cap_mark, nl->n_mark + 1, 64) < 0)
		return -ENOMEM;
	nl->mark[nl->n_mark++] = (struct mark){ifindex, a->addr, a->subnet};
	return 0;
}

static bool mark_has(const struct netlink *nl, int ifindex, const struct iface_addr *a)
{
	struct mark key = {ifindex, a->addr, a->subnet};

	return nl->n_mark > 0 &&
		bsearch(&key, nl->mark, nl->n_mark, sizeof(key), mark_cmp) != NULL;
}

/* Remove what the complete dump has not named. */
static void sweep(struct netlink *nl)
{
	static const struct iface_addr link_mark = {0};
	struct iface_table *t = nl->table;

	if (nl->n_mark > 0)
		qsort(nl->mark, nl->n_mark, sizeof(*nl->mark), mark_cmp);
	for (size_t i = t->n; i-- > 0;) {
		int ifindex = t->v[i].ifindex;

		if (!mark_has(nl, ifindex, &link_mark)) {
			iface_gone(t, ifindex);
			nl->changed = true;
			continue;
		}
		for (size_t j = t->v[i].n_addr; j-- > 0;) {
			struct iface_addr a = t->v[i].addr[j];

			if (!mark_has(nl, ifindex, &a) &&
				iface_addr_del(t, ifindex, &a) == 1)
				nl->changed = true;
		}
	}
	nl->n_mark = 0;
}

static int request_dump(struct netlink *nl, uint16_t type)
{
	char buf[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct ifinfomsg))];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++nl->seq;
	if (type == RTM_GETLINK) {
		struct ifinfomsg *m = mnl_nlmsg_put_extra_header(nlh, sizeof(*m));

		m->ifi_family = AF_UNSPEC;
	} else {
		struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(nlh, sizeof(*m));

		m->ifa_family = AF_UNSPEC; /* both */
	}
	return mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

static int dump_start(struct netlink *nl)
{
	int r;

	nl->again = false;
	nl->spoilt = false;
	nl->n_mark = 0;
	r = request_dump(nl, RTM_GETLINK);
	nl->phase = r < 0 ? PHASE_FOLLOW : PHASE_LINKS;
	return r;
}

int netlink_resync(struct netlink *nl)
{
	int r;

	if (nl->phase != PHASE_FOLLOW) {
		nl->again = true;
		return 0;
	}
	r = dump_start(nl);
	nl->spoilt |= r < 0;
	return r;
}

bool netlink_is_reading(const struct netlink *nl)
{
	return nl->phase != PHASE_FOLLOW;
}

/* The kernel has sent DONE: continue with the next part or the sweep, or restart. */
static int dump_next(struct netlink *nl)
{
	int r;

	if (nl->again)
		return dump_start(nl);
	if (nl->spoilt) { /* unmarked entries may still exist */
		nl->phase = PHASE_FOLLOW;
		return 0;
	}
	if (nl->phase == PHASE_LINKS) {
		r = request_dump(nl, RTM_GETADDR);
		nl->phase = r < 0 ? PHASE_FOLLOW : PHASE_ADDRS;
		return r;
	}
	nl->phase = PHASE_FOLLOW;
	sweep(nl);
	return 0;
}

struct attrs {
	const struct nlattr **v; /* by type, NULL if not there */
	size_t n;
};

static int collect_attr(const struct nlattr *attr, void *arg)
{
	struct attrs *attrs = arg;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < attrs->n)
		attrs->v[type] = attr;
	return MNL_CB_OK;
}

/* An attribute that is shorter than the variable leaves the rest 0; an absent one
 * changes nothing. */
static void copy_attr(const struct nlattr *attr, void *to, size_t size)
{
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	if (!attr)
		return;
	memset(to, 0, size);
	memcpy(to, mnl_attr_get_payload(attr), min(len, size));
}

/* text keeps room for the terminator */
static void copy_text(const struct nlattr *attr, char *to, size_t size)
{
	copy_attr(attr, to, size - 1);
	to[size - 1] = '\0';
}

static void read_linkinfo(const struct nlattr *nest, struct iface *link)
{
	const struct nlattr *v[IFLA_INFO_MAX + 1] = {NULL};
	struct attrs attrs = {v, array_len(v)};
	char slave_kind[16] = "";

	link->enslaved = link->master != 0;
	if (!nest)
		return;
	mnl_attr_parse_nested(nest, collect_attr, &attrs);
	copy_text(v[IFLA_INFO_KIND], link->kind, sizeof(link->kind));
	copy_text(v[IFLA_INFO_SLAVE_KIND], slave_kind, sizeof(slave_kind));
	/* the members of a VRF keep their frames */
	link->enslaved = link->master && strcmp(slave_kind, "vrf") != 0;
}

static int on_newlink(struct netlink *nl, const struct nlmsghdr *nlh)
{
	static const struct iface_addr link_mark = {0};
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(nlh);
	const struct iface *known = iface_by_index(nl->table, m->ifi_index);
	const struct nlattr *v[IFLA_MAX + 1] = {NULL};
	struct attrs attrs = {v, array_len(v)};
	struct iface link = {0};
	int r;

	/* some events carry a part of the attributes only, e.g. those of wireless
	 * drivers */
	if (known)
		link = *known;
	link.addr = NULL;
	link.n_addr = 0;
	link.ifindex = m->ifi_index;
	link.arphrd = m->ifi_type;
	link.up = (m->ifi_flags & IFF_UP) && (m->ifi_flags & IFF_LOWER_UP);
	link.loopback = m->ifi_flags & IFF_LOOPBACK;
	link.pointopoint = m->ifi_flags & IFF_POINTOPOINT;
	link.multicast = m->ifi_flags & IFF_MULTICAST;
	mnl_attr_parse(nlh, sizeof(*m), collect_attr, &attrs);
	copy_text(v[IFLA_IFNAME], link.name, sizeof(link.name));
	copy_attr(v[IFLA_MTU], &link.mtu, sizeof(link.mtu));
	/* the kernel joins events, so a carrier may have been lost and be back */
	copy_attr(v[IFLA_CARRIER_DOWN_COUNT], &link.carrier_downs,
		sizeof(link.carrier_downs));
	copy_attr(v[IFLA_ADDRESS], link.mac, sizeof(link.mac));
	/* a message with an MTU has all attributes, so one that it lacks does not
	 * exist */
	if (v[IFLA_MTU]) {
		link.master = 0;
		copy_attr(v[IFLA_MASTER], &link.master, sizeof(link.master));
		read_linkinfo(v[IFLA_LINKINFO], &link);
	}
	r = iface_link(nl->table, &link);
	if (r < 0)
		return r;
	nl->changed |= r == 1;
	return mark_add(nl, link.ifindex, &link_mark);
}

static bool read_addr(const struct nlattr *attr, unsigned family, struct addr *ret)
{
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	if (family == AF_INET && len == 4) {
		*ret = addr_from_v4(mnl_attr_get_payload(attr));
		return true;
	}
	if (family == AF_INET6 && len == sizeof(ret->b)) {
		memcpy(ret->b, mnl_attr_get_payload(attr), len);
		return true;
	}
	return false;
}

/* IFA_LOCAL is our address, IFA_ADDRESS the peer's on point-to-point links and ours
 * elsewhere; either may be left out when they are the same. */
static bool parse_addr(const struct nlmsghdr *nlh, struct iface_addr *ret)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *v[IFA_MAX + 1] = {NULL};
	struct attrs attrs = {v, array_len(v)};
	struct addr local, peer;
	bool has_local, has_peer;
	struct ifa_cacheinfo times = {0};
	uint32_t flags = m->ifa_flags;

	mnl_attr_parse(nlh, sizeof(*m), collect_attr, &attrs);
	has_local = read_addr(v[IFA_LOCAL], m->ifa_family, &local);
	has_peer = read_addr(v[IFA_ADDRESS], m->ifa_family, &peer);
	copy_attr(v[IFA_FLAGS], &flags, sizeof(flags));
	if (!has_local && !has_peer)
		return false;
	if (m->ifa_prefixlen > (m->ifa_family == AF_INET ? 32 : 128))
		return false;
	ret->addr = has_local ? local : peer;
	ret->subnet = prefix_from_addr(has_peer ? &peer : &local, m->ifa_prefixlen);
	copy_attr(v[IFA_CACHEINFO], &times, sizeof(times));
	ret->tentative = flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED);
	ret->deprecated = flags & IFA_F_DEPRECATED;
	ret->secondary = flags & IFA_F_SECONDARY;
	ret->scope = m->ifa_scope;
	ret->created = times.cstamp;
	return true;
}

static int on_link(struct netlink *nl, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof(*m)))
		return 0;
	/* AF_BRIDGE messages are about bridge ports: their DELLINK means "left the
	 * bridge" */
	if (m->ifi_family != AF_UNSPEC)
		return 0;
	if (nlh->nlmsg_type == RTM_NEWLINK)
		return on_newlink(nl, nlh);
	nl->changed |= iface_gone(nl->table, m->ifi_index);
	return 0;
}

static int on_addr(struct netlink *nl, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(nlh);
	bool is_new = nlh->nlmsg_type == RTM_NEWADDR;
	struct iface_addr a;
	int r;

	if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof(*m)))
		return 0;
	if (m->ifa_family != AF_INET && m->ifa_family != AF_INET6)
		return 0;
	if (!parse_addr(nlh, &a))
		return 0;
	r = is_new ? iface_addr_set(nl->table, (int)m->ifa_index, &a)
		   : iface_addr_del(nl->table, (int)m->ifa_index, &a);
	if (r < 0)
		return r;
	nl->changed |= r == 1;
	return is_new ? mark_add(nl, (int)m->ifa_index, &a) : 0;
}

/* The kernel counts the interfaces of its multicast routing, and the programs, in a
 * setting and reports changes of it. */
static void on_netconf(struct netlink *nl, const struct nlmsghdr *nlh)
{
	const struct nlattr *v[NETCONFA_MAX + 1] = {NULL};
	struct attrs attrs = {v, array_len(v)};

	if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof(struct netconfmsg)))
		return;
	mnl_attr_parse(nlh, sizeof(struct netconfmsg), collect_attr, &attrs);
	if (v[NETCONFA_MC_FORWARDING] && nl->ops.routing_changed)
		nl->ops.routing_changed(nl->ops.ctx);
}

/* A number that is not an errno must not be taken for one, nor be negated. */
static int error_of(const struct nlmsgerr *e)
{
	return e->error <= 0 && e->error >= -4095 ? e->error : -EBADMSG;
}

static int netlink_message(struct netlink *nl, const struct nlmsghdr *nlh)
{
	bool ours = nlh->nlmsg_seq == nl->seq && nlh->nlmsg_pid == nl->port;

	if (ours && (nlh->nlmsg_flags & NLM_F_DUMP_INTR))
		nl->again = true;
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return on_link(nl, nlh);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return on_addr(nl, nlh);
	case RTM_NEWNETCONF:
		on_netconf(nl, nlh);
		return 0;
	case NLMSG_DONE:
		return ours && nl->phase != PHASE_FOLLOW ? dump_next(nl) : 0;
	case NLMSG_ERROR:
		if (!ours || nl->phase == PHASE_FOLLOW)
			return 0;
		nl->phase = PHASE_FOLLOW;
		if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof(struct nlmsgerr)))
			return -EBADMSG;
		return error_of(mnl_nlmsg_get_payload(nlh));
	default: /* the kernel's numbers, not ours */
		return 0;
	}
}

/* libmnl compares lengths as signed numbers */
static bool is_whole_message(const struct nlmsghdr *nlh, int left)
{
	return mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_len <= (unsigned)left;
}

static int on_datagram(struct netlink *nl, size_t len)
{
	const struct nlmsghdr *nlh = (const void *)nl->buf;
	int left = (int)len, r, first = 0;

	/* a bad message must not hide the others */
	for (; is_whole_message(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		r = netlink_message(nl, nlh);
		nl->spoilt |= r < 0;
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

static int on_overrun(struct netlink *nl)
{
	nl->n_overrun++;
	log_limited(&nl->log_limit, loop_now(nl->loop), LOG_LEVEL_NOTICE, NULL,
		"netlink: messages were lost, reading all interfaces again");
	return netlink_resync(nl);
}

/* Read until the socket is empty: Returns 0, 1 if there may be more, or -errno. */
static int drain(struct netlink *nl)
{
	for (int i = 0; i < MAX_PER_WAKEUP; i++) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, nl->buf, BUF_SIZE);
		int r;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		/* lost in the kernel, or larger than the buffer and cut off here */
		if (n < 0 && errno != ENOBUFS && errno != ENOSPC)
			return -errno;
		r = n < 0 ? on_overrun(nl) : on_datagram(nl, (size_t)n);
		if (r < 0)
			return r;
	}
	return 1;
}

static void netlink_readable(struct loop_fd *f, uint32_t events)
{
	struct netlink *nl = container_of(f, struct netlink, fd);
	int r = drain(nl);

	if (r < 0) {
		nl->spoilt = true;
		log_limited(&nl->log_limit, loop_now(f->loop), LOG_LEVEL_ERROR, NULL,
			"netlink: cannot follow the interfaces: %s; reading them again",
			strerror(-r));
	}
	if (nl->spoilt && nl->phase == PHASE_FOLLOW && nl->ops.spoilt)
		nl->ops.spoilt(nl->ops.ctx);
	if (nl->changed && nl->phase == PHASE_FOLLOW) {
		nl->changed = false;
		if (nl->ops.changed)
			nl->ops.changed(nl->ops.ctx);
	}
}

static int wait_for_dump(struct netlink *nl)
{
	struct pollfd p = {.fd = nl->fd.fd, .events = POLLIN};

	while (nl->phase != PHASE_FOLLOW) {
		int r = poll(&p, 1, DUMP_WAIT_MS);

		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
		r = drain(nl);
		if (r < 0)
			return r;
	}
	nl->changed = false;
	return 0;
}

static int netlink_open_socket(struct netlink *nl)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF};
	int fd, r;

	nl->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!nl->sock)
		return -errno;
	nl->fd.fd = fd = mnl_socket_get_fd(nl->sock);
	/* more than rmem_max needs CAP_NET_ADMIN; without it we take what is allowed */
	r = sockopt_set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RCVBUF_SIZE);
	if (r < 0)
		return r;
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	nl->port = mnl_socket_get_portid(nl->sock);
	for (size_t i = 0; i < array_len(groups); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group,
			    sizeof(group)) < 0)
			return -errno;
	}
	return 0;
}

static void netlink_freep(struct netlink **nl)
{
	netlink_free(*nl);
}

int netlink_new(struct loop *loop, struct iface_table *table,
	const struct netlink_ops *ops, struct netlink **ret_netlink)
{
	_cleanup_(netlink_freep) struct netlink *nl = calloc(1, sizeof(*nl));
	int r;

	if (!nl)
		return -ENOMEM;
	nl->loop = loop;
	nl->table = table;
	nl->ops = *ops;
	nl->phase = PHASE_FOLLOW;
	nl->log_limit = LOG_LIMIT(10, 6000);
	nl->fd.fn = netlink_readable;
	nl->buf = malloc(BUF_SIZE);
	if (!nl->buf)
		return -ENOMEM;
	r = netlink_open_socket(nl);
	if (r < 0)
		return r;
	r = dump_start(nl);
	if (r < 0)
		return r;
	r = wait_for_dump(nl);
	if (r < 0)
		return r;
	r = loop_add(loop, &nl->fd);
	if (r < 0)
		return r;
	*ret_netlink = take_ptr(nl);
	return 0;
}

struct netlink *netlink_free(struct netlink *nl)
{
	if (!nl)
		return NULL;
	loop_del(&nl->fd);
	if (nl->sock)
		mnl_socket_close(nl->sock);
	free(nl->mark);
	free(nl->buf);
	free(nl);
	return NULL;
}

uint64_t netlink_overruns(const struct netlink *nl)
{
	return nl->n_overrun;
}
