/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The state of the daemon as JSON, one function per command of the control socket. The
 * table of all commands is what app.c hands to ctl. Field names: doc/control-socket.md.
 */

#include "control/sys/ctl.h"

struct app;

extern const struct ctl_command show_commands[]; /* ends with a NULL name */
