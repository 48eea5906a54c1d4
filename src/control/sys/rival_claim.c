/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Which processes that call themselves ringcastd are believed, see rival_claim.h. Uses
 * datagrams, because the filter of system calls allows no connections. A message is one
 * byte: ANSWER, or anything else, which is a question.
 */

#include "control/sys/rival_claim.h"

#include "base/cleanup.h"
#include "base/sys/sockopt.h"
#include "control/sys/sockowner.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define QUESTION 'q'
#define ANSWER	 'a'

void rival_claim_init(struct rival_claim *c, uid_t starter)
{
	*c = (struct rival_claim){
		.fd = -1, .owner = sockowner_open(), .starter = starter};
}

void rival_claim_deinit(struct rival_claim *c)
{
	closep(&c->fd);
	closep(&c->owner);
	c->fd = c->owner = -1;
}

static socklen_t address_of(const char *name, struct sockaddr_un *ret)
{
	size_t n = strnlen(name, sizeof(ret->sun_path) - 1);

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret->sun_path + 1, name, n);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

int rival_claim_socket(const char *name)
{
	struct sockaddr_un self;
	socklen_t len = address_of(name, &self);
	_cleanup_(closep) int fd =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || sockopt_set(fd, SOL_SOCKET, SO_PASSCRED, 1) < 0 ||
		bind(fd, (struct sockaddr *)&self, len) < 0)
		return -errno;
	return take_fd(&fd);
}

void rival_claim_set(struct rival_claim *c, int fd, const char *name)
{
	closep(&c->fd);
	c->fd = fd;
	snprintf(c->name, sizeof(c->name), "%s", name);
}

static void rival_claim_say(int fd, const char *name, char what)
{
	struct sockaddr_un to;
	socklen_t len = address_of(name, &to);

	(void)sendto(
		fd, &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, len);
}

void rival_claim_ask(int fd, const char *name)
{
	rival_claim_say(fd, name, QUESTION);
}

static struct rival_heard *rival_claim_find(struct rival_claim *c, const char *name)
{
	for (size_t i = 0; i < c->n_heard; i++)
		if (strcmp(c->heard[i].name, name) == 0)
			return &c->heard[i];
	return NULL;
}

static struct rival_heard *rival_claim_add(struct rival_claim *c, const char *name)
{
	struct rival_heard *h;

	if (c->n_heard == RIVAL_HEARD_MAX)
		return NULL; /* after the next search there may be room */
	h = &c->heard[c->n_heard++];
	*h = (struct rival_heard){0};
	snprintf(h->name, sizeof(h->name), "%s", name);
	return h;
}

static void rival_claim_forget(struct rival_claim *c, struct rival_heard *h)
{
	*h = c->heard[--c->n_heard];
}

/* We believe root, the user that we run as, and the one that has started us. The kernel
 * names the real user of the sender, which for a set-user-ID program is the user that
 * has started it. */
static bool is_believed(const struct rival_claim *c, uid_t uid)
{
	return uid == 0 || uid == geteuid() || uid == c->starter;
}

/* Returns false if the kernel does not tell, or names another user. There is no room
 * for descriptors, so the kernel drops those that are sent along. */
static bool is_from_believed(const struct rival_claim *c, struct msghdr *m)
{
	const struct cmsghdr *h = CMSG_FIRSTHDR(m);
	struct ucred who;

	if (!h || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_CREDENTIALS ||
		h->cmsg_len < CMSG_LEN(sizeof(who)))
		return false;
	memcpy(&who, CMSG_DATA(h), sizeof(who));
	return is_believed(c, who.uid);
}

/* "" for a socket without a name, with the name of a file, or with one that cannot be a
 * claim. */
static void name_of_sender(
	const struct sockaddr_un *from, socklen_t len, char ret[RIVAL_TEXT])
{
	size_t skip = offsetof(struct sockaddr_un, sun_path) + 1;

	ret[0] = '\0';
	if (len > skip && from->sun_path[0] == '\0')
		snprintf(
			ret, RIVAL_TEXT, "%.*s", (int)(len - skip), from->sun_path + 1);
}

int rival_claim_hear(struct rival_claim *c)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
	struct sockaddr_un from = {0};
	char byte = QUESTION, name[RIVAL_TEXT];
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};

	if (recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -EAGAIN;
	if (!is_from_believed(c, &m))
		return RIVAL_SAID_STRANGE;
	name_of_sender(&from, m.msg_namelen, name);
	if (!*name)
		return RIVAL_SAID_NEW;
	if (byte != ANSWER)
		rival_claim_say(c->fd, name, ANSWER);
	if (rival_claim_find(c, name))
		return RIVAL_SAID_KNOWN;
	return rival_claim_add(c, name) ? RIVAL_SAID_NEW : RIVAL_SAID_KNOWN;
}

void rival_claim_look(struct rival_claim *c)
{
	for (size_t i = 0; i < c->n_heard; i++)
		c->heard[i].seen = false;
	c->n_strange = 0;
}

/* Returns the claim of the socket, or NULL if it is not believed, or not yet. Tells a
 * ringcastd that is believed of us. Also writes to a socket whose owner is not yet
 * known, because the answer identifies the owner. */
static struct rival_heard *get_to_know(
	struct rival_claim *c, const char *name, uint64_t inode)
{
	uid_t uid;
	int r = c->owner < 0 ? c->owner : sockowner_uid(c->owner, inode, name, &uid);

	if (r == -ENOENT || (r == 0 && !is_believed(c, uid)))
		return NULL;
	if (c->fd >= 0)
		rival_claim_ask(c->fd, name);
	return r == 0 ? rival_claim_add(c, name) : NULL;
}

bool rival_claim_believes(void *ctx, const char *name, uint64_t inode)
{
	struct rival_claim *c = ctx;
	struct rival_heard *h = rival_claim_find(c, name);
	unsigned number;

	/* another socket with the name of one that has gone */
	if (h && h->inode && h->inode != inode) {
		rival_claim_forget(c, h);
		h = NULL;
	}
	if (!h) {
		number = c->n_strange++;
		if (number >= c->ask_from && number < c->ask_from + RIVAL_ASK_MAX)
			h = get_to_know(c, name, inode);
	}
	if (!h)
		return false;
	h->inode = inode;
	h->seen = true;
	return true;
}

void rival_claim_looked(struct rival_claim *c)
{
	for (size_t i = c->n_heard; i-- > 0;)
		if (!c->heard[i].seen)
			rival_claim_forget(c, &c->heard[i]);
	/* the other ones are asked in the next search */
	c->ask_from += RIVAL_ASK_MAX;
	if (c->ask_from >= c->n_strange)
		c->ask_from = 0;
}
