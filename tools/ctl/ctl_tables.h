/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Replies of the daemon as text, but for those with many rows (ctl_list.h). Each
 * function gets the JSON document of its command; members that are missing or of
 * another type show as "-" or nothing, so that tool and daemon of different versions
 * get along.
 */

#include <jansson.h>
#include <stdio.h>

/* 0, or the exit status of a reply that reports a failure (reload, clear). */
int ctl_print_stats(json_t *reply, FILE *out);
int ctl_print_config(json_t *reply, FILE *out);
int ctl_print_version(json_t *reply, FILE *out);
int ctl_print_reload(json_t *reply, FILE *out);
int ctl_print_log(json_t *reply, FILE *out);
int ctl_print_clear(json_t *reply, FILE *out);
