/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The socket by which the ringcastd processes of a network namespace see each other.
 * Its abstract name says which interfaces its owner has (rival_claim_format()). Any
 * local user can bind such a name, so a name counts only if its socket belongs to root
 * or to one of our users according to the kernel. The kernel is asked with sockowner.h.
 * If it does not tell, a message must come from that name, because the kernel tells its
 * sender (SCM_CREDENTIALS). Messages also announce changes; those of other users are
 * dropped.
 */

#include "control/sys/rival.h"

#include <sys/types.h>

#define RIVAL_HEARD_MAX 32
#define RIVAL_ASK_MAX	64 /* names that are asked for in one search */

/* a claim that is believed */
struct rival_heard {
	char name[RIVAL_TEXT];
	uint64_t inode; /* of the socket when it was first seen; 0 if not yet */
	bool seen;	/* in this search */
};

struct rival_claim {
	int fd;	   /* owned; -1 means none */
	int owner; /* socket to ask for owners, owned; -errno if the kernel does not
		    * tell */
	char name[RIVAL_TEXT];
	uid_t starter;
	struct rival_heard heard[RIVAL_HEARD_MAX];
	size_t n_heard;
	unsigned n_strange; /* names of this search that are not believed yet */
	unsigned ask_from;  /* the first of them to be asked */
};

/* `starter` is the user that has started this process. */
void rival_claim_init(struct rival_claim *c, uid_t starter);
void rival_claim_deinit(struct rival_claim *c);

/* A socket with that name, or -errno. The caller closes it. */
int rival_claim_socket(const char *name);
/* Takes the socket; the previous one is closed. */
void rival_claim_set(struct rival_claim *c, int fd, const char *name);

/* Announces a change and asks for an answer; best effort. A socket without a name gets
 * no answer. */
void rival_claim_ask(int fd, const char *name);

enum rival_said {
	RIVAL_SAID_STRANGE, /* by a sender that is not believed */
	RIVAL_SAID_KNOWN,   /* by a known sender */
	RIVAL_SAID_NEW,	    /* a change */
};
/* Reads the next message, and answers if it asks. -EAGAIN if there is none. */
int rival_claim_hear(struct rival_claim *c);

/* A search of the list of sockets: begin, ask for each name, end. */
void rival_claim_look(struct rival_claim *c);
/* Is the socket of that name and inode believed? A few of those that are not believed
 * yet are asked for in each search. `ctx` is the struct rival_claim. */
bool rival_claim_believes(void *ctx, const char *name, uint64_t inode);
void rival_claim_looked(struct rival_claim *c);
