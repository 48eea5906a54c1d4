/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Cuts the text of a configuration into tokens with their places. Internal to
 * config*.c. */

#include <stdbool.h>
#include <stddef.h>

/* Lines and columns are counted from 1, and columns in bytes. All zero if there is no
 * place. */
struct config_pos {
	unsigned line, column;
};

struct config_token {
	char *s; /* terminated, never empty; in config_tokens.buf */
	struct config_pos pos;
};

struct config_tokens {
	char *buf;
	struct config_token *v;
	size_t n, cap;
};

/* Copies `text`, which must not have a NUL byte. Returns 0 or -ENOMEM. */
int config_tokens_init(struct config_tokens *t, const char *text, size_t len);
void config_tokens_deinit(struct config_tokens *t);
