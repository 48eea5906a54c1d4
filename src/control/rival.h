/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Is somebody else forwarding multicast on this system (R179)? A kernel that forwards
 * the same groups makes every datagram arrive twice.
 */

#include "base/addr.h"

/* Interfaces that a program has given to the kernel's multicast routing of the family;
 * 0 when there is none. */
unsigned rival_interfaces(enum family family);
/* Some program holds the kernel's multicast routing, with or without interfaces. */
bool rival_forwarding(enum family family);

/* Log what was found. */
void rival_warn(void);
