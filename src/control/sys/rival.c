/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Rivals of the daemon, see rival.h. The kernel lists the interfaces of its multicast
 * routing below /proc/net, and says in the sysctl mc_forwarding that a program uses it.
 * Such a program has a raw socket for IGMP, even before it has an interface, because
 * MRT_INIT is an option of that socket. /proc/net shows our network namespace,
 * whichever namespace /proc was mounted in. Processes are visible as far as our PID
 * namespace and rights allow.
 */

#include "control/sys/rival.h"

#include "base/cleanup.h"
#include "control/sys/proctext.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CLAIM	   "ringcastd/"
#define CLAIMS_MAX 8 /* leaves room for others in the list */

/* as the kernel shows them, cut to 15 characters */
static const char programs[][16] = {"igmpproxy", "igmpv3proxy", "improxy", "mcproxy",
	"mcproxy-daemon", "mcast-proxy", "omcproxy", "smcroute", "smcrouted", "mrouted",
	"pimd", "pimd-dense", "pimdd", "pim6sd", "pim6dd", "pim6d"};

static FILE *open_file(int proc, const char *path)
{
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f && fd >= 0)
		close(fd);
	return f;
}

static void note_evidence(struct rival_list *list, const char *text)
{
	/* FNV-1a */
	for (; *text; text++)
		list->evidence =
			(list->evidence ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
}

static struct rival *rival_add(struct rival_list *list, enum rival_kind kind)
{
	struct rival *r = list->n < RIVAL_MAX ? &list->v[list->n++] : NULL;

	if (r)
		*r = (struct rival){.kind = kind};
	return r;
}

/* ---- the kernel's routing ---- */

static bool is_forwarding(int proc, enum family family)
{
	static const char *const path[_FAMILY_N] = {
		"sys/net/ipv4/conf/all/mc_forwarding",
		"sys/net/ipv6/conf/all/mc_forwarding"};
	char text[2];

	(void)proctext_short(proc, path[family], text, sizeof(text));
	return text[0] >= '1' && text[0] <= '9';
}

/* Names of the interfaces with blanks between; false if there are none. */
static bool read_vifs(int proc, enum family family, char where[RIVAL_TEXT])
{
	static const char *const path[_FAMILY_N] = {"net/ip_mr_vif", "net/ip6_mr_vif"};
	_cleanup_(fclosep) FILE *f = open_file(proc, path[family]);
	char line[256], name[20];
	size_t len = 0;
	bool heading = true;

	where[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		if (!heading && sscanf(line, "%*d %19s", name) == 1 &&
			len + strlen(name) + 2 < RIVAL_TEXT)
			len += (size_t)sprintf(
				where + len, "%s%s", len ? " " : "", name);
		heading = false;
	}
	return len > 0;
}

static void look_at_routing(int proc, struct rival_list *list)
{
	for (enum family family = 0; family < _FAMILY_N; family++) {
		char where[RIVAL_TEXT];
		bool vifs = read_vifs(proc, family, where);
		struct rival *r;

		note_evidence(list, family == FAMILY_IPV4 ? "/4 " : "/6 ");
		note_evidence(list, where);
		if (!vifs && !is_forwarding(proc, family))
			continue;
		note_evidence(list, "on");
		r = rival_add(list, RIVAL_ROUTING);
		if (!r)
			return;
		r->family = family;
		memcpy(r->where, where, sizeof(r->where));
	}
}

/* ---- sockets ---- */

static bool has_routing(const struct rival_list *list, enum family family)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].kind == RIVAL_ROUTING && list->v[i].family == family)
			return true;
	return false;
}

/* Finds one, which is enough. The protocol is in the field that other sockets use for
 * the port. */
static void look_at_raw(int proc, struct rival_list *list)
{
	_cleanup_(fclosep) FILE *f = open_file(proc, "net/raw");
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		unsigned protocol, uid;
		char inode[24];
		struct rival *r;

		if (sscanf(line, " %*d: %*x:%x %*x:%*x %*x %*s %*s %*s %u %*u %23s",
			    &protocol, &uid, inode) != 3 ||
			protocol != 2)
			continue;
		note_evidence(list, inode);
		if (has_routing(list, FAMILY_IPV4))
			break;
		r = rival_add(list, RIVAL_SOCKET);
		if (r)
			r->uid = uid;
		break;
	}
}

/* "ringcastd/PID-TOKEN/3.7.12" */
static bool parse_claim(const char *name, struct rival *r)
{
	int n = 0;

	if (sscanf(name, CLAIM "%d-%x/%n", &r->pid, &r->token, &n) != 2 || n == 0 ||
		r->pid <= 0)
		return false;
	memcpy(r->program, "ringcastd", sizeof("ringcastd"));
	n += (int)strspn(name + n, "."); /* no interface */
	snprintf(r->where, sizeof(r->where), "%.*s",
		(int)strspn(name + n, "0123456789."), name + n);
	return true;
}

/* "0000000000000000: 00000002 00000000 00000000 0002 01 15 @ringcastd/..." */
static uint64_t inode_of(const char *line)
{
	unsigned long long inode;

	return sscanf(line, "%*s %*s %*s %*s %*s %*s %llu", &inode) == 1 ? inode : 0;
}

static void look_at_claims(
	int proc, const struct rival_belief *belief, struct rival_list *list)
{
	_cleanup_(fclosep) FILE *f = open_file(proc, "net/unix");
	char line[256];
	size_t n_lines = 0, n = 0;

	while (f && n < CLAIMS_MAX && n_lines++ < RIVAL_SOCKETS_MAX &&
		fgets(line, sizeof(line), f)) {
		char *at = strstr(line, " @" CLAIM);
		struct rival x = {.kind = RIVAL_RINGCASTD}, *r;

		if (!at)
			continue;
		at += 2;
		at[strcspn(at, "\n")] = '\0';
		if (strcmp(at, belief->own) == 0 || !parse_claim(at, &x) ||
			!belief->believes(belief->ctx, at, inode_of(line)))
			continue;
		note_evidence(list, at);
		r = rival_add(list, RIVAL_RINGCASTD);
		if (r)
			*r = x;
		n++;
	}
}

/* ---- programs ---- */

static bool read_comm(int proc, const char *pid, char comm[16])
{
	char path[64];
	size_t n;

	snprintf(path, sizeof(path), "%.20s/comm", pid);
	n = proctext_short(proc, path, comm, 16);
	comm[strcspn(comm, "\n")] = '\0';
	return n > 0;
}

static bool is_known(const char *comm)
{
	for (size_t i = 0; i < array_len(programs); i++)
		if (strcmp(programs[i], comm) == 0)
			return true;
	return false;
}

/* Returns 1 if it is in our network namespace; 0 if it is not, or has ended; -errno if
 * that cannot be told. The link ns/net may be read only with the right to trace the
 * process. Files of the namespace, which have an inode in each, may be read by
 * everybody. */
static int shares_netns(int proc, const char *pid)
{
	struct stat own, its;
	char path[64];

	snprintf(path, sizeof(path), "%.20s/net/dev", pid);
	if (fstatat(proc, path, &its, 0) < 0)
		return errno == ENOENT || errno == ESRCH ? 0 : -errno;
	if (fstatat(proc, "self/net/dev", &own, 0) < 0)
		return -errno;
	return own.st_ino == its.st_ino;
}

/* The value of a line "KEY:\tVALUE" in hexadecimal digits; 0 if there is none. */
static uint64_t read_status(int proc, const char *pid, const char *key)
{
	_cleanup_(fclosep) FILE *f = NULL;
	char path[64], line[256];
	size_t n = strlen(key);
	uint64_t value = 0;

	snprintf(path, sizeof(path), "%.20s/status", pid);
	f = open_file(proc, path);
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, key, n) == 0 && line[n] == ':')
			value = strtoull(line + n + 1, NULL, 16);
	return value;
}

/* The creator of a user namespace is root in it, but has no rights outside. */
static bool shares_userns(int proc, const char *pid)
{
	char path[64], own[512], its[512];
	size_t n = proctext_short(proc, "self/uid_map", own, sizeof(own));

	snprintf(path, sizeof(path), "%.20s/uid_map", pid);
	return n > 0 && n == proctext_short(proc, path, its, sizeof(its)) &&
		memcmp(own, its, n) == 0;
}

/* Any user can give a process one of the names. A real one needs rights that others do
 * not have. */
static bool has_rights(int proc, const char *pid)
{
	static const uint64_t needed =
		UINT64_C(1) << CAP_NET_ADMIN | UINT64_C(1) << CAP_NET_RAW;
	struct stat st;

	/* the owner of the directory is the effective user, unlike that of the files */
	if (fstatat(proc, pid, &st, 0) < 0)
		return false;
	if (st.st_uid == 0 || st.st_uid == geteuid())
		return true;
	return (read_status(proc, pid, "CapPrm") & needed) && shares_userns(proc, pid);
}

static void look_at_programs(int proc, struct rival_list *list)
{
	int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (e = readdir(dir))) {
		int pid = atoi(e->d_name), shared;
		char comm[16];
		struct rival *r;

		if (pid <= 0 || pid == getpid() || !read_comm(proc, e->d_name, comm) ||
			!is_known(comm) || !has_rights(proc, e->d_name))
			continue;
		shared = shares_netns(proc, e->d_name);
		r = shared ? rival_add(list, RIVAL_PROGRAM) : NULL;
		if (!r)
			continue;
		r->pid = pid;
		r->sure = shared > 0;
		memcpy(r->program, comm, sizeof(r->program));
	}
	if (dir)
		closedir(dir);
}

/* ---- summary ---- */

static void take_out(struct rival_list *list, size_t i)
{
	list->n--;
	memmove(&list->v[i], &list->v[i + 1], (list->n - i) * sizeof(list->v[0]));
}

/* If only one program is certainly here, it is the one that uses the kernel's routing
 * and the raw socket. These then need no separate mention. */
static void attribute(struct rival_list *list)
{
	const struct rival *one = NULL;
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].kind == RIVAL_PROGRAM && list->v[i].sure) {
			one = &list->v[i];
			n++;
		}
	for (size_t i = 0; n == 1 && i < list->n; i++) {
		struct rival *r = &list->v[i];

		if (r->kind != RIVAL_ROUTING)
			continue;
		r->pid = one->pid;
		memcpy(r->program, one->program, sizeof(r->program));
	}
	for (size_t i = list->n; i-- > 0;)
		if (list->v[i].kind == RIVAL_SOCKET && n > 0)
			take_out(list, i);
}

/* A program that is named as the user of the routing is one rival, not two. */
static void merge_programs(struct rival_list *list)
{
	for (size_t i = list->n; i-- > 0;)
		for (size_t k = 0; list->v[i].kind == RIVAL_PROGRAM && k < list->n; k++)
			if (list->v[k].kind == RIVAL_ROUTING &&
				list->v[k].pid == list->v[i].pid) {
				take_out(list, i);
				break;
			}
}

void rival_look(int proc, const struct rival_belief *belief, bool with_programs,
	struct rival_list *ret)
{
	*ret = (struct rival_list){.evidence = UINT64_C(0xcbf29ce484222325)};
	if (proc < 0)
		return;
	look_at_routing(proc, ret);
	look_at_raw(proc, ret);
	look_at_claims(proc, belief, ret);
	if (!with_programs)
		return;
	look_at_programs(proc, ret);
	attribute(ret);
	merge_programs(ret);
}

/* ---- claims ---- */

#define CLAIM_MAX                                                                      \
	106 /* bytes of an abstract name: 108 without the leading zero, and a \
	     * terminator of ours */

void rival_claim_format(
	char buf[RIVAL_TEXT], int pid, uint32_t token, const int *ifindex, size_t n)
{
	size_t len = (size_t)snprintf(buf, RIVAL_TEXT, CLAIM "%d-%08x/", pid, token);

	if (n == 0)
		buf[len++] = '.';
	buf[len] = '\0';
	for (size_t i = 0; i < n && len + 12 < CLAIM_MAX; i++)
		len += (size_t)snprintf(
			buf + len, RIVAL_TEXT - len, "%s%d", i ? "." : "", ifindex[i]);
}

void rival_claim_of(const struct rival *r, char buf[RIVAL_TEXT])
{
	snprintf(buf, RIVAL_TEXT, CLAIM "%d-%08x/%.90s", r->pid, r->token,
		*r->where ? r->where : ".");
}

/* one word of `text`, with `separator` between them */
static bool has_word(const char *text, char separator, const char *word)
{
	size_t n = strlen(word);

	while (*text) {
		const char *end = strchrnul(text, separator);

		if ((size_t)(end - text) == n && memcmp(text, word, n) == 0)
			return true;
		text = *end ? end + 1 : end;
	}
	return false;
}

bool rival_has_index(const struct rival *r, int ifindex)
{
	char word[12];

	snprintf(word, sizeof(word), "%d", ifindex);
	return has_word(r->where, '.', word);
}

bool rival_has_name(const struct rival *r, const char *name)
{
	return has_word(r->where, ' ', name);
}
