/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How much memory this machine has, or the container that the process runs in. */

#include <stdint.h>

/* Returns the bytes of memory of the machine, or the lowest limit among the control
 * groups of the process (memory.max of version 2, memory.limit_in_bytes of version 1)
 * if that is less; or 0 if no file can be read. The files proc/meminfo,
 * proc/self/cgroup and those in sys/fs/cgroup are read below `root`, which is "" except
 * in tests. */
uint64_t memory_size(const char *root);
