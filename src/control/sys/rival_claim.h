/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The socket by which the ringcastd processes of a network namespace see each other.
 * Its abstract name says which interfaces its owner has (rival_claim_format()). Any
 * local user can bind such a name. A name therefore counts only if its socket belongs
 * to root or to one of our users according to the kernel, which is asked with
 * sockowner.h. If the kernel does not tell the owner, a message must come from that
 * name, because the kernel tells the sender of a message (SCM_CREDENTIALS). Messages
 * also announce changes. Messages of other users are dropped.
 */

#include "control/sys/rival.h"

#include <sys/types.h>

#define RIVAL_HEARD_MAX 32
#define RIVAL_ASK_MAX	64 /* names that are asked for in one search */

/* A name that is believed. */
struct rival_heard {
	char name[RIVAL_TEXT];
	uint64_t inode; /* of its socket when that was first seen, or 0 */
	bool seen;	/* in this search */
};

struct rival_claim {
	int fd; /* our socket, owned, or -1 */
	/* descriptor of sockowner_open(), owned, or -errno if the kernel does not
	 * tell */
	int owner;
	char name[RIVAL_TEXT];
	uid_t starter;
	struct rival_heard heard[RIVAL_HEARD_MAX];
	size_t n_heard;
	unsigned n_strange; /* names of this search that are not believed yet */
	unsigned ask_from;  /* the first of them that is asked in this search */
};

/* `starter` is the user that has started this process. */
void rival_claim_init(struct rival_claim *c, uid_t starter);
void rival_claim_deinit(struct rival_claim *c);

/* Returns a new socket with that name, which the caller closes, or -errno. */
int rival_claim_socket(const char *name);
/* Closes the previous socket and owns this one. */
void rival_claim_set(struct rival_claim *c, int fd, const char *name);

/* Sends a message from `fd` to the socket with that name. It announces a change and
 * asks for an answer, which `fd` gets only if it has a name. Errors are ignored. */
void rival_claim_ask(int fd, const char *name);

enum rival_said {
	RIVAL_SAID_STRANGE, /* the sender is not believed */
	RIVAL_SAID_KNOWN,   /* the sender was already known */
	RIVAL_SAID_NEW,	    /* the sender announces a change */
};
/* Reads the next message, and answers if it asks for that. Returns an enum rival_said,
 * or -EAGAIN if there is no message. */
int rival_claim_hear(struct rival_claim *c);

/* A search begins with rival_claim_look(), calls rival_claim_believes() for each name
 * in the list of sockets, and ends with rival_claim_looked(). */
void rival_claim_look(struct rival_claim *c);
/* Is the socket of that name and inode believed? If not, this may ask for an answer, in
 * each search of at most RIVAL_ASK_MAX sockets. `ctx` is the struct rival_claim. */
bool rival_claim_believes(void *ctx, const char *name, uint64_t inode);
void rival_claim_looked(struct rival_claim *c);
