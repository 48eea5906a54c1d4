/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Other multicast daemons, found in fake files of /proc. */

#include "control/sys/rival.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VIF4 "Interface      BytesIn  PktsIn  BytesOut PktsOut Flags Local    Remote\n"
#define VIF6 "Interface      BytesIn  PktsIn  BytesOut PktsOut Flags\n"
#define RAW                                                                            \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt"  \
	"   uid  timeout inode ref pointer drops\n"
#define UNIX "Num       RefCount Protocol Flags    Type St Inode Path\n"

static bool believes_all(void *ctx, const char *name, uint64_t inode)
{
	return true;
}

static const struct rival_belief all = {.own = "", .believes = believes_all};

static char top[] = "/tmp/test_rival.XXXXXX";
static int proc;

static void put(const char *path, const char *text)
{
	char dir[64];
	FILE *f;
	int fd;

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(s - path), path);
		mkdirat(proc, dir, 0777);
	}
	fd = openat(proc, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* netns: "self" for ours, another name for another one, NULL if it is unreadable. */
static void process(const char *pid, const char *comm, const char *netns)
{
	char path[64], from[64];

	snprintf(path, sizeof(path), "%s/comm", pid);
	put(path, comm);
	snprintf(from, sizeof(from), "netns/%s", netns ? netns : "");
	if (netns)
		put(from, "");
	snprintf(path, sizeof(path), "%s/net", pid);
	mkdirat(proc, path, 0777);
	snprintf(path, sizeof(path), "%s/net/dev", pid);
	if (netns)
		assert_int_equal(linkat(proc, from, proc, path, 0), 0);
	else /* an error that an ended process does not give */
		assert_int_equal(symlinkat("dev", proc, path), 0);
}

static int setup(void **state)
{
	strcpy(strrchr(top, '.'), ".XXXXXX");
	if (!mkdtemp(top))
		return -1;
	proc = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	process("self", "ringcastd\n", "self");
	return proc < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char command[64];

	close(proc);
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command); /* NOLINT: a path of our own */
}

static void nothing(void **state)
{
	struct rival_list list;

	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 0);
	rival_look(-1, &all, true, &list);
	assert_int_equal(list.n, 0);
	/* the kernel supports routing, and no program uses it */
	put("net/ip_mr_vif", VIF4);
	put("net/ip6_mr_vif", VIF6);
	put("net/raw", RAW);
	put("net/unix", UNIX "0: 00000002 00000000 00010000 0001 01 15 /run/x\n");
	put("sys/net/ipv4/conf/all/mc_forwarding", "0\n");
	process("12", "bash\n", "self");
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 0);
}

static void kernel_routing(void **state)
{
	struct rival_list list, again;
	const struct rival *r = &list.v[0];

	/* a program has opened the routing socket and has no interface yet */
	put("net/ip_mr_vif", VIF4);
	put("sys/net/ipv4/conf/all/mc_forwarding", "1\n");
	put("net/raw",
		RAW "   2: 00000000:0002 00000000:0000 07 00000000:00000000 "
		    "00:00000000 00000000  0        0 7601 2 0000 0\n");
	rival_look(proc, &all, false, &list);
	assert_int_equal(list.n, 1);
	assert_int_equal(r->kind, RIVAL_ROUTING);
	assert_int_equal(r->family, FAMILY_IPV4);
	assert_string_equal(r->where, "");
	put("net/ip_mr_vif",
		VIF4 " 0 wan             0       0          0       0 00000 0A 0\n"
		     " 1 lan1.5     123456      77        123       4 00000 0A 0\n");
	rival_look(proc, &all, false, &again);
	assert_int_not_equal(again.evidence, list.evidence);
	list = again;
	assert_string_equal(r->where, "wan lan1.5");
	assert_true(rival_has_name(r, "wan") && rival_has_name(r, "lan1.5"));
	assert_false(rival_has_name(r, "lan1") || rival_has_name(r, ""));
	/* changed counters are not new evidence */
	put("net/ip_mr_vif",
		VIF4 " 0 wan             9       9          9       9 00000 0A 0\n"
		     " 1 lan1.5     123999      78        123       4 00000 0A 0\n");
	rival_look(proc, &all, false, &again);
	assert_int_equal(again.evidence, list.evidence);
	/* the only candidate program is named, and is not a second rival */
	process("77", "igmpproxy\n", "self");
	process("78", "mcproxy-daemon\n", "other");
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 1);
	assert_string_equal(r->program, "igmpproxy");
	assert_int_equal(r->pid, 77);
	assert_int_equal(list.evidence, again.evidence);
	/* IPv6; with two candidates the owner is unknown */
	put("net/ip6_mr_vif", VIF6 " 3 wan      0 0 0 0 00000\n");
	process("79", "pim6sd\n", "self");
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 4);
	assert_int_equal(list.v[1].family, FAMILY_IPV6);
	assert_int_equal(list.v[0].pid, 0);
	assert_int_equal(list.v[2].kind, RIVAL_PROGRAM);
}

static void program_alone(void **state)
{
	struct rival_list list;
	const struct rival *r = &list.v[0];

	process("5", "smcrouted\n", "self");
	process("6", "smcrouted\n", "other");
	process("self-made", "smcrouted\n", "self");
	rival_look(proc, &all, false, &list);
	assert_int_equal(list.n, 0); /* programs were not requested */
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 1);
	assert_int_equal(r->kind, RIVAL_PROGRAM);
	assert_int_equal(r->pid, 5);
	assert_true(r->sure);
	/* one with an unreadable namespace, and one that has ended and is left out */
	process("7", "mrouted\n", NULL);
	put("8/comm", "mrouted\n");
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 2);
	assert_false(list.v[0].sure && list.v[1].sure);
}

static void raw_socket(void **state)
{
	struct rival_list list;

	put("net/raw",
		RAW "   1: 00000000:0001 00000000:0000 07 00000000:00000000 "
		    "00:00000000 00000000  0        0 7600 2 0000 0\n"
		    "   2: 00000000:0002 00000000:0000 07 00000000:00000000 "
		    "00:00000000 00000000  1000     0 7601 2 0000 0\n"
		    "   2: 00000000:0002 00000000:0000 07 00000000:00000000 "
		    "00:00000000 00000000  0        0 7602 2 0000 0\n");
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.v[0].kind, RIVAL_SOCKET);
	assert_int_equal(list.v[0].uid, 1000);
	process("9", "mrouted\n", "self");
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.v[0].kind, RIVAL_PROGRAM);
}

static void claims(void **state)
{
	char own[RIVAL_TEXT], other[RIVAL_TEXT], none[RIVAL_TEXT], text[2048];
	static const int v[] = {3, 17};
	const struct rival_belief some = {.own = own, .believes = believes_all};
	struct rival_list list;
	const struct rival *r = &list.v[0];

	rival_claim_format(own, 1, 0xabc, v, 2);
	assert_string_equal(own, "ringcastd/1-00000abc/3.17");
	rival_claim_format(other, 1, 0xdef00000, v + 1, 1); /* also pid 1, as in pods */
	rival_claim_format(none, 44, 7, NULL, 0);
	assert_string_equal(none, "ringcastd/44-00000007/.");
	snprintf(text, sizeof(text),
		UNIX "0: 00000002 00000000 00010000 0002 01 15 @%s\n"
		     "0: 00000002 00000000 00010000 0002 01 16 @%s\n"
		     "0: 00000002 00000000 00010000 0002 01 17 @%s\n"
		     "0: 00000002 00000000 00010000 0002 01 18 @ringcastd/x\n"
		     "0: 00000002 00000000 00010000 0002 01 19 @ringcastd/-1-2/3\n"
		     "0: 00000002 00000000 00010000 0002 01 20 @ringcastd/3-4/%%s.7\n",
		own, other, none);
	put("net/unix", text);
	rival_look(proc, &some, false, &list);
	assert_int_equal(list.n, 3);
	assert_int_equal(r->kind, RIVAL_RINGCASTD);
	assert_int_equal(r->pid, 1);
	assert_true(rival_has_index(r, 17));
	assert_false(rival_has_index(r, 3) || rival_has_index(r, 1) ||
		rival_has_index(r, 7));
	rival_claim_of(r, text);
	assert_string_equal(text, other);
	rival_claim_of(&list.v[1], text);
	assert_string_equal(text, none);
	assert_string_equal(list.v[1].where, "");
	assert_string_equal(list.v[2].where, ""); /* forged: nothing of it is shown */
}

/* A claim with the largest number of ports is cut, and its numbers stay whole. */
static void long_claim(void **state)
{
	char name[RIVAL_TEXT];
	struct rival r = {.kind = RIVAL_RINGCASTD};
	int v[256];

	for (int i = 0; i < 256; i++)
		v[i] = 2000000000 + i;
	rival_claim_format(name, 4194304, UINT32_MAX, v, 256);
	assert_true(strlen(name) <= 107);
	snprintf(r.where, sizeof(r.where), "%s", strrchr(name, '/') + 1);
	assert_true(rival_has_index(&r, 2000000000));
	assert_false(rival_has_index(&r, 2000000000 + 200));
}

static void many(void **state)
{
	struct rival_list list;

	for (int i = 100; i < 130; i++) {
		char pid[8];

		snprintf(pid, sizeof(pid), "%d", i);
		process(pid, "pimd\n", "self");
	}
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, RIVAL_MAX);
}

static bool believes_one(void *ctx, const char *name, uint64_t inode)
{
	unsigned *n_asked = ctx;

	++*n_asked;
	return inode == 99 && strcmp(name, "ringcastd/50-00000001/3") == 0;
}

/* Claims that nobody confirms are ignored and do not displace others. */
static void claims_of_strangers(void **state)
{
	unsigned n_asked = 0;
	const struct rival_belief one = {
		.own = "", .believes = believes_one, .ctx = &n_asked};
	char text[64 * 60];
	struct rival_list list, without;
	size_t len = (size_t)snprintf(text, sizeof(text), UNIX);

	for (int i = 1; i <= 40; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
			"0: 00000002 00000000 00000000 0002 01 15 @ringcastd/%d-00000001/3\n",
			i);
	put("net/unix", text);
	rival_look(proc, &one, true, &without);
	assert_int_equal(without.n, 0);
	assert_int_equal(n_asked, 40);
	snprintf(text + len, sizeof(text) - len,
		"0: 00000002 00000000 00000000 0002 01 99 @ringcastd/50-00000001/3\n");
	put("net/unix", text);
	rival_look(proc, &one, true, &list);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.v[0].pid, 50);
	assert_int_not_equal(list.evidence, without.evidence);
}

static void belongs_to(const char *pid, unsigned uid, const char *caps, const char *map)
{
	char path[64];

	assert_int_equal(fchownat(proc, pid, uid, uid, 0), 0);
	snprintf(path, sizeof(path), "%s/status", pid);
	put(path, caps);
	snprintf(path, sizeof(path), "%s/uid_map", pid);
	put(path, map);
}

/* A user can give its processes any name. */
static void programs_of_strangers(void **state)
{
	static const char
		none[] = "Name:\tigmpproxy\nCapPrm:\t0000000000000000\n",
		admin[] = "Name:\tpimd\nCapInh:\t0\nCapPrm:\t0000000000003000\n";
	static const char map[] = "         0          0 4294967295\n",
			  own_map[] = "         0       1000          1\n";
	struct rival_list list;

	if (geteuid() != 0)
		skip();
	put("self/uid_map", map);
	process("5", "igmpproxy\n", "self");
	belongs_to("5", 1000, none, map);
	process("6", "igmpproxy\n", "self"); /* root of its own user namespace */
	belongs_to("6", 1000, admin, own_map);
	process("7", "igmpproxy\n", "self"); /* this one has ended */
	assert_int_equal(fchownat(proc, "7", 1000, 1000, 0), 0);
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 0);
	/* FRR's pimd has its own user and the capabilities that it needs */
	process("8", "pimd\n", "self");
	belongs_to("8", 101, admin, map);
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.v[0].pid, 8);
	/* routing belongs to the program with the capability, whatever others claim */
	put("sys/net/ipv4/conf/all/mc_forwarding", "1\n");
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.v[0].kind, RIVAL_ROUTING);
	assert_string_equal(list.v[0].program, "pimd");
}

/* Any local user can make countless sockets with names like ours. */
static void claims_without_end(void **state)
{
	static char text[(RIVAL_SOCKETS_MAX + 100) * 64];
	struct rival_list list;
	size_t len = (size_t)snprintf(text, sizeof(text), UNIX);

	for (int i = 1; i < 40; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
			"0: 00000002 00000000 00000000 0002 01 15 @ringcastd/%d-00000001/3\n",
			i);
	put("net/unix", text);
	process("12", "igmpproxy\n", "self");
	rival_look(proc, &all, true, &list);
	assert_int_equal(list.n, 9); /* eight claims and the program */
	assert_int_equal(list.v[8].kind, RIVAL_PROGRAM);

	len = (size_t)snprintf(text, sizeof(text), UNIX);
	for (int i = 0; i < RIVAL_SOCKETS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
			"0: 00000002 00000000 00000000 0002 01 15\n");
	snprintf(text + len, sizeof(text) - len,
		"0: 00000002 00000000 00000000 0002 01 15 @ringcastd/7-00000001/3\n");
	put("net/unix", text);
	rival_look(proc, &all, false, &list);
	assert_int_equal(list.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(kernel_routing, setup, teardown),
		cmocka_unit_test_setup_teardown(program_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(raw_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(claims, setup, teardown),
		cmocka_unit_test_setup_teardown(long_claim, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
		cmocka_unit_test_setup_teardown(claims_of_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(programs_of_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(claims_without_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
