/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Does another program forward multicast on this system, or proxy on the same
 * interfaces (R179)? A stream that is forwarded twice arrives twice, and two proxies on
 * one LAN take each other for a router. Looks below /proc and at abstract sockets,
 * which belong to the network namespace. Keeps no state and does not log.
 */

#include "base/addr.h"

enum rival_kind {
	RIVAL_ROUTING = 1, /* the kernel's multicast routing of a family is in use */
	RIVAL_PROGRAM,	   /* such a program runs here */
	RIVAL_RINGCASTD,   /* another one of us, with its interfaces */
	RIVAL_SOCKET,	   /* a raw socket for IGMP, as such programs have */
};

#define RIVAL_TEXT 128

struct rival {
	enum rival_kind kind;
	enum family family;	/* RIVAL_ROUTING */
	int pid;		/* 0 if not known */
	uint32_t token;		/* RIVAL_RINGCASTD: distinguishes it from others with
			     * that pid */
	unsigned uid;		/* RIVAL_SOCKET: its owner */
	bool sure;		/* RIVAL_PROGRAM: certainly in our network namespace */
	char program[16];	/* empty if not known */
	char where[RIVAL_TEXT]; /* ROUTING: interfaces, separated by blanks;
				 * RINGCASTD: their indexes, separated by dots */
};

#define RIVAL_MAX 16
#define RIVAL_SOCKETS_MAX                                                              \
	4096 /* Unix sockets that are looked at; users can make more */

struct rival_list {
	struct rival v[RIVAL_MAX];
	size_t n;
	uint64_t evidence; /* unchanged while the facts that are cheap to read are
			    * unchanged */
};

/* Which sockets that claim to be a ringcastd are believed. */
struct rival_belief {
	const char *own; /* the name of our own socket, or "" */
	/* Is the socket of this name and inode one that is believed? Called for each
	 * name in the list of sockets that looks like one of ours. */
	bool (*believes)(void *ctx, const char *name, uint64_t inode);
	void *ctx;
};

/* Searches for rivals. `proc` is a descriptor of /proc. Programs are searched only with
 * `programs`, because that takes a few system calls per process; users of the kernel's
 * routing are then also named. Only programs that may use it count: those of root and
 * of our user, and those with CAP_NET_ADMIN or CAP_NET_RAW in our user namespace. */
void rival_look(int proc, const struct rival_belief *belief, bool programs,
	struct rival_list *ret);

/* Every ringcastd holds an abstract socket with this name, by which others see which
 * interfaces it has: "ringcastd/PID-TOKEN/3.7.12". Interfaces that do not fit are left
 * out. Any local user can bind such a name, see rival_claim.h. */
void rival_claim_format(
	char buf[RIVAL_TEXT], int pid, uint32_t token, const int *ifindex, size_t n);
/* Parses the name of another one's socket. */
void rival_claim_of(const struct rival *r, char buf[RIVAL_TEXT]);
/* Is the interface in the list of RIVAL_RINGCASTD or RIVAL_ROUTING? */
bool rival_has_index(const struct rival *r, int ifindex);
bool rival_has_name(const struct rival *r, const char *name);
