/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which processes that call themselves ringcastd are believed. The sockets talk to each
 * other; some belong to other users, if the test can change its user. */

#include "control/sys/rival_claim.h"
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define STRANGER 12345

static void open_with_owner(struct rival_claim *c, unsigned number)
{
	char name[RIVAL_TEXT];
	int fd;

	rival_claim_init(c, geteuid());
	rival_claim_format(name, getpid(), number, NULL, 0);
	fd = rival_claim_socket(name);
	assert_true(fd >= 0);
	rival_claim_set(c, fd, name);
}

/* As on a kernel that does not report the owner of a socket. */
static void open_claim(struct rival_claim *c, unsigned number)
{
	open_with_owner(c, number);
	if (c->owner >= 0)
		close(c->owner);
	c->owner = -EOPNOTSUPP;
}

static void said_nothing(struct rival_claim *c)
{
	assert_int_equal(rival_claim_hear(c), -EAGAIN);
}

static void one_look(
	struct rival_claim *c, const char *name, uint64_t inode, bool believed)
{
	rival_claim_look(c);
	assert_int_equal(rival_claim_believes(c, name, inode), believed);
	rival_claim_looked(c);
}

static int send_to(int fd, const char *name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	memcpy(to.sun_path + 1, name, strlen(name));
	return sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&to,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			       strlen(name))) == 1
		? 0
		: -errno;
}

/* One finds the other and asks; after that both have spoken. */
static void two_of_one_user(void **state)
{
	struct rival_claim a, b;

	open_claim(&a, 1);
	open_claim(&b, 2);
	one_look(&a, b.name, 7, false);
	assert_int_equal(rival_claim_hear(&b), RIVAL_SAID_NEW);
	said_nothing(&b);
	assert_int_equal(rival_claim_hear(&a), RIVAL_SAID_NEW);
	said_nothing(&a);
	one_look(&a, b.name, 7, true);
	one_look(&b, a.name, 8, true);
	/* nothing remains to be asked */
	said_nothing(&a);
	said_nothing(&b);
	/* a repetition is not new, and is answered */
	rival_claim_ask(a.fd, b.name);
	assert_int_equal(rival_claim_hear(&b), RIVAL_SAID_KNOWN);
	assert_int_equal(rival_claim_hear(&a), RIVAL_SAID_KNOWN);
	said_nothing(&a);
	said_nothing(&b);
	/* another socket with the same name has not spoken */
	one_look(&a, b.name, 9, false);
	rival_claim_deinit(&a);
	rival_claim_deinit(&b);
}

/* A program that has left the list must announce itself again. */
static void gone(void **state)
{
	struct rival_claim a, b;

	open_claim(&a, 1);
	open_claim(&b, 2);
	rival_claim_ask(b.fd, a.name);
	assert_int_equal(rival_claim_hear(&a), RIVAL_SAID_NEW);
	one_look(&a, "ringcastd/1-00000003/.", 3, false);
	assert_int_equal(a.n_heard, 0);
	/* a message from a program whose name is gone causes a look */
	rival_claim_deinit(&b);
	b.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	rival_claim_ask(b.fd, a.name);
	assert_int_equal(rival_claim_hear(&a), RIVAL_SAID_NEW);
	assert_int_equal(a.n_heard, 0);
	rival_claim_deinit(&a);
	rival_claim_deinit(&b);
}

/* Another user sends the byte of an answer, with a descriptor. */
static void say_as_stranger(int fd, const char *to_name)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {.iov_base = (char[]){'a'}, .iov_len = 1};
	struct msghdr m = {.msg_name = &to,
		.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			strlen(to_name)),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	memcpy(to.sun_path + 1, to_name, strlen(to_name));
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	assert_int_equal(setresuid(STRANGER, STRANGER, 0), 0);
	assert_int_equal(sendmsg(fd, &m, 0), 1);
	assert_int_equal(setresuid(0, 0, 0), 0);
}

static void strangers(void **state)
{
	struct rival_claim a, s;
	int fd, next;

	if (geteuid() != 0)
		skip();
	open_claim(&a, 1);
	open_claim(&s, 2);
	fd = dup(a.fd); /* the number that a received descriptor would get */
	close(fd);
	for (int i = 0; i < 3; i++) {
		say_as_stranger(s.fd, a.name);
		assert_int_equal(rival_claim_hear(&a), RIVAL_SAID_STRANGE);
	}
	next = dup(a.fd);
	assert_int_equal(next, fd);
	close(next);
	assert_int_equal(a.n_heard, 0);
	said_nothing(&s); /* no answer */
	one_look(&a, s.name, 7, false);
	rival_claim_deinit(&a);
	rival_claim_deinit(&s);
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

/* The kernel is asked first, so no other user can keep the two from knowing each
 * other. */
static void kernel_tells(void **state)
{
	struct rival_claim a, b;

	open_with_owner(&a, 1);
	open_with_owner(&b, 2);
	if (a.owner < 0) {
		print_message("no unix_diag in this kernel (CONFIG_UNIX_DIAG)\n");
		rival_claim_deinit(&a);
		rival_claim_deinit(&b);
		skip();
	}
	/* its queue is full of other messages */
	while (send_to(b.fd, a.name) == 0)
		;
	one_look(&b, a.name, inode_of(a.fd), true);
	/* this name belongs to the inode of another socket */
	one_look(&b, "ringcastd/9-00000009/.", inode_of(a.fd), false);
	one_look(&b, "ringcastd/9-00000009/.", 0, false);
	rival_claim_deinit(&a);
	rival_claim_deinit(&b);
}

static void kernel_tells_of_strangers(void **state)
{
	struct rival_claim a, s;

	if (geteuid() != 0)
		skip();
	open_with_owner(&a, 1);
	assert_int_equal(setresuid(STRANGER, STRANGER, 0), 0);
	open_with_owner(&s, 2);
	assert_int_equal(setresuid(0, 0, 0), 0);
	if (a.owner < 0)
		skip();
	one_look(&a, s.name, inode_of(s.fd), false);
	said_nothing(&s); /* it is not asked */
	/* it believes root */
	s.starter = STRANGER;
	one_look(&s, a.name, inode_of(a.fd), true);
	rival_claim_deinit(&a);
	rival_claim_deinit(&s);
}

/* A look asks only a few sockets, and further looks ask the others. */
static void many_names(void **state)
{
	enum { N = 3 * RIVAL_ASK_MAX + 5 };
	static struct rival_claim c[N];
	struct rival_claim a;

	open_claim(&a, 0);
	for (unsigned i = 0; i < N; i++)
		open_claim(&c[i], 1 + i);
	for (unsigned look = 0; look < 4; look++) {
		unsigned n_asked = 0;

		rival_claim_look(&a);
		for (unsigned i = 0; i < N; i++)
			assert_false(rival_claim_believes(&a, c[i].name, 1 + i));
		rival_claim_looked(&a);
		for (unsigned i = 0; i < N; i++)
			n_asked += recv(c[i].fd, (char[1]){0}, 1, MSG_DONTWAIT) == 1;
		assert_int_equal(n_asked, look < 3 ? RIVAL_ASK_MAX : 5);
	}
	for (unsigned i = 0; i < N; i++)
		rival_claim_deinit(&c[i]);
	rival_claim_deinit(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_of_one_user),
		cmocka_unit_test(gone),
		cmocka_unit_test(strangers),
		cmocka_unit_test(kernel_tells),
		cmocka_unit_test(kernel_tells_of_strangers),
		cmocka_unit_test(many_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
