/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The socket by which the ringcastd of a network namespace see each other. Its abstract
 * name says which interfaces its owner has (rival_claim_format()). Any local user can
 * bind such a name, so a name counts only when its socket, in the kernel's words,
 * belongs to root or to a user of ours. The kernel is asked (sockowner.h); where it
 * does not tell, a message has to come from that name, whose sender it tells
 * (SCM_CREDENTIALS). Messages also say that there is something new to look at; those of
 * other users are thrown away.
 */

#include "control/sys/rival.h"

#include <sys/types.h>

#define RIVAL_HEARD_MAX 32
#define RIVAL_ASK_MAX	64 /* names that are asked for in a look */

/* one that is believed */
struct rival_heard {
	char name[RIVAL_TEXT];
	uint64_t inode; /* of the socket when it was seen first; 0 if not yet */
	bool seen;	/* in this look */
};

struct rival_claim {
	int fd;	   /* owned; -1 means none */
	int owner; /* to ask for owners, owned; -errno: the kernel does not tell */
	char name[RIVAL_TEXT];
	uid_t starter;
	struct rival_heard heard[RIVAL_HEARD_MAX];
	size_t n_heard;
	unsigned n_strange; /* names of this look that are not believed yet */
	unsigned ask_from;  /* the first of them to be asked */
};

/* `starter` has started this process, whoever it has become since. */
void rival_claim_init(struct rival_claim *c, uid_t starter);
void rival_claim_deinit(struct rival_claim *c);

/* A socket with that name, or -errno. The caller closes it. */
int rival_claim_socket(const char *name);
/* It is ours from now on; the one before is closed. */
void rival_claim_set(struct rival_claim *c, int fd, const char *name);

/* Say that there is something to look at, and ask for an answer; best effort. From a
 * socket without a name nobody can answer. */
void rival_claim_ask(int fd, const char *name);

enum rival_said {
	RIVAL_SAID_STRANGE, /* by somebody who is not believed */
	RIVAL_SAID_KNOWN,   /* by one who has spoken before */
	RIVAL_SAID_NEW,	    /* something to look at */
};
/* The next message, which is answered if it asks. -EAGAIN: there is none. */
int rival_claim_hear(struct rival_claim *c);

/* A look at the list of sockets: begin, ask for each name, end. */
void rival_claim_look(struct rival_claim *c);
/* Is the socket of that name and inode to be believed? Of those that are not yet, a few
 * are asked for in each look. `ctx` is the struct rival_claim. */
bool rival_claim_believes(void *ctx, const char *name, uint64_t inode);
void rival_claim_looked(struct rival_claim *c);
