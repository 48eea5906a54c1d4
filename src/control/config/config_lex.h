/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Configuration text -> tokens with their places. Internal to config*.c. */

#include <stdbool.h>
#include <stddef.h>

/* Both count from 1, columns in bytes; all zero if there is no place. */
struct config_pos {
	unsigned line, column;
};

struct config_token {
	char *s; /* terminated, never empty; lives in config_tokens.buf */
	struct config_pos pos;
};

struct config_tokens {
	char *buf;
	struct config_token *v;
	size_t n, cap;
};

/* 0 or -ENOMEM. The tokens copy what they need of `text`, which has no NUL byte. */
int config_tokens_init(struct config_tokens *t, const char *text, size_t len);
void config_tokens_deinit(struct config_tokens *t);
