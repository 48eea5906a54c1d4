/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Owners of Unix sockets, see sockowner.h: one question of sock_diag(7) for each, which
 * the kernel answers before send() returns.
 */

#include "control/sys/sockowner.h"

#include "base/cleanup.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct answer {
	const struct nlattr *uid, *name;
};

static int sockowner_collect(const struct nlattr *attr, void *data)
{
	struct answer *a = data;

	if (mnl_attr_get_type(attr) == UNIX_DIAG_UID &&
		mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		a->uid = attr;
	if (mnl_attr_get_type(attr) == UNIX_DIAG_NAME)
		a->name = attr;
	return MNL_CB_OK;
}

static int ask(int fd, uint64_t inode)
{
	char buf[MNL_ALIGN(sizeof(struct nlmsghdr)) + sizeof(struct unix_diag_req)];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct unix_diag_req *req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	nlh->nlmsg_seq = (uint32_t)inode;
	*req = (struct unix_diag_req){.sdiag_family = AF_UNIX,
		.udiag_states = UINT32_MAX,
		.udiag_ino = (uint32_t)inode,
		.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_UID,
		.udiag_cookie = {UINT32_MAX, UINT32_MAX}};
	return send(fd, nlh, nlh->nlmsg_len, MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* The name begins with a NUL; "" means a socket without one. */
static bool has_name(const struct nlattr *attr, const char *name)
{
	size_t n = strlen(name), len = attr ? mnl_attr_get_payload_len(attr) : 0;
	const char *text = attr ? mnl_attr_get_payload(attr) : NULL;

	if (!*name)
		return len == 0;
	return text && len == n + 1 && text[0] == '\0' &&
		memcmp(text + 1, name, n) == 0;
}

static int read_answer(const struct nlmsghdr *nlh, const char *name, uid_t *ret)
{
	struct answer a = {0};

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

		return mnl_nlmsg_get_payload_len(nlh) >= sizeof(*e) && e->error < 0
			? e->error
			: -EPROTO;
	}
	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -EPROTO;
	mnl_attr_parse(nlh, sizeof(struct unix_diag_msg), sockowner_collect, &a);
	if (!a.uid)
		return -EOPNOTSUPP;
	if (!has_name(a.name, name))
		return -ENOENT;
	*ret = mnl_attr_get_u32(a.uid);
	return 0;
}

int sockowner_uid(int fd, uint64_t inode, const char *name, uid_t *ret)
{
	_Alignas(struct nlmsghdr) char buf[1024];
	int r = inode > UINT32_MAX ? -ENOENT : ask(fd, inode);

	while (r == 0) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)(void *)buf;
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0)
			return -errno;
		/* skips replies to earlier questions */
		if (mnl_nlmsg_ok(nlh, (int)n) && nlh->nlmsg_seq == (uint32_t)inode)
			return read_answer(nlh, name, ret);
	}
	return r;
}

int sockowner_open(void)
{
	_cleanup_(closep) int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	_cleanup_(closep) int own = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct stat st;
	uid_t uid;

	if (fd < 0 || own < 0)
		return -errno;
	/* there is no other way to find out */
	if (fstat(own, &st) < 0 || sockowner_uid(fd, st.st_ino, "", &uid) < 0)
		return -EOPNOTSUPP;
	return take_fd(&fd);
}
