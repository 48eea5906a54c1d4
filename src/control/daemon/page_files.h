/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The files of the page. The build makes the array from data/web with embed.py. */

#include <stddef.h>

struct page_file {
	const char *path; /* the path of a request for it */
	const char *type;
	const unsigned char *data;
	size_t len;
};

extern const struct page_file page_files[];
extern const size_t page_n_files;
