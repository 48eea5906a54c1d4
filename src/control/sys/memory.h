/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How much memory this machine has, or the container that the process runs in. */

#include <stdint.h>

/* Bytes: the memory of the machine, or the lowest limit among the control groups of the
 * process (memory.max of version 2, memory.limit_in_bytes of version 1) if that is
 * less. Files are looked for below `root`, which is "" except in tests: proc/meminfo,
 * proc/self/cgroup and sys/fs/cgroup. 0 if none can be read. */
uint64_t memory_size(const char *root);
