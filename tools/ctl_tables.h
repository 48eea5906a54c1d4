/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Replies of the daemon as text. Each function gets the JSON document of its command;
 * members that are missing or of another type show as "-" or nothing, so that tool and
 * daemon of different versions get along.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* 0, or the exit status of a reply that reports a failure (reload). */
int ctl_print_interfaces(json_t *reply, FILE *out);
int ctl_print_groups(json_t *reply, FILE *out);
int ctl_print_groups_detail(json_t *reply, FILE *out);
/* rates are not yet known, or those of an interval that is too long to tell much */
bool ctl_mfc_again(const json_t *reply);
int ctl_print_mfc(json_t *reply, FILE *out);
int ctl_print_upstream(json_t *reply, FILE *out);
int ctl_print_stats(json_t *reply, FILE *out);
int ctl_print_config(json_t *reply, FILE *out);
int ctl_print_version(json_t *reply, FILE *out);
int ctl_print_reload(json_t *reply, FILE *out);
int ctl_print_log(json_t *reply, FILE *out);
