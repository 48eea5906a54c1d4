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
	RIVAL_PROGRAM,	   /* a program that is known to forward multicast runs here */
	RIVAL_RINGCASTD,   /* another ringcastd, whose interfaces are known */
	RIVAL_SOCKET,	   /* a raw socket for IGMP, which such programs have */
};

#define RIVAL_TEXT 128

struct rival {
	enum rival_kind kind;
	enum family family; /* RIVAL_ROUTING */
	int pid;	    /* 0 if not known */
	uint32_t token;	    /* RIVAL_RINGCASTD: tells it from others with that pid */
	unsigned uid;	    /* RIVAL_SOCKET: its owner */
	bool sure;	    /* RIVAL_PROGRAM: certainly in our network namespace */
	char program[16];   /* empty if not known */
	/* RIVAL_ROUTING: names of interfaces, separated by blanks. RIVAL_RINGCASTD:
	 * indexes of interfaces, separated by dots. */
	char where[RIVAL_TEXT];
};

#define RIVAL_MAX 16
/* The most Unix sockets that are read. Users can make more, but these cost no time. */
#define RIVAL_SOCKETS_MAX 4096

struct rival_list {
	struct rival v[RIVAL_MAX];
	size_t n;
	/* a hash of the facts that are cheap to read, to notice a change */
	uint64_t evidence;
};

/* Decides which sockets that claim to belong to a ringcastd are believed. */
struct rival_belief {
	const char *own; /* the name of our own socket, or "" */
	/* Is the socket of this name and inode one that is believed? Called for each
	 * name in the list of sockets that looks like one of ours. */
	bool (*believes)(void *ctx, const char *name, uint64_t inode);
	void *ctx;
};

/* Searches for rivals. `proc` is a descriptor of /proc. Programs are searched only with
 * `programs`, because that takes a few system calls per process. The program that uses
 * the kernel's routing is then also named. Only programs that may forward multicast
 * count: those of root and of our user, and those with CAP_NET_ADMIN or CAP_NET_RAW in
 * our user namespace. */
void rival_look(int proc, const struct rival_belief *belief, bool programs,
	struct rival_list *ret);

/* Writes the name of the abstract socket that a ringcastd holds, so that others see
 * which interfaces it has: "ringcastd/PID-TOKEN/3.7.12". Interfaces that do not fit are
 * left out. Any local user can bind such a name, see rival_claim.h. */
void rival_claim_format(
	char buf[RIVAL_TEXT], int pid, uint32_t token, const int *ifindex, size_t n);
/* Writes the name of the socket of another ringcastd. */
void rival_claim_of(const struct rival *r, char buf[RIVAL_TEXT]);
/* Is the interface in the list of RIVAL_RINGCASTD or RIVAL_ROUTING? */
bool rival_has_index(const struct rival *r, int ifindex);
bool rival_has_name(const struct rival *r, const char *name);
