/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Statistics of this process, see selfstat.h. The files below /proc/self stay open,
 * because they cannot be reached from a chroot. */

#include "control/show/selfstat.h"

#include "base/cleanup.h"
#include "base/sys/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

struct selfstat selfstat_open(void)
{
	return (struct selfstat){
		.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC),
		.fds = opendir("/proc/self/fd"),
		.started_ns = (uint64_t)clock_ns(CLOCK_REALTIME),
	};
}

void selfstat_close(struct selfstat *s)
{
	closep(&s->statm);
	if (s->fds)
		closedir(s->fds);
}

static int64_t resident(const struct selfstat *s)
{
	unsigned long total, pages;
	char text[128];
	ssize_t n = s->statm < 0 ? -1 : pread(s->statm, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return -1;
	text[n] = '\0';
	if (sscanf(text, "%lu %lu", &total, &pages) != 2)
		return -1;
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static int64_t count_fds(const struct selfstat *s)
{
	int64_t n = 0;

	if (!s->fds)
		return -1;
	rewinddir(s->fds);
	for (const struct dirent *e; (e = readdir(s->fds));)
		n += e->d_name[0] != '.';
	return n;
}

void selfstat_read(const struct selfstat *s, struct selfstat_values *ret)
{
	struct rlimit lim = {0};

	getrlimit(RLIMIT_NOFILE, &lim);
	*ret = (struct selfstat_values){
		.started_ns = s->started_ns,
		.cpu_ns = (uint64_t)clock_ns(CLOCK_PROCESS_CPUTIME_ID),
		.thread_cpu_ns = (uint64_t)clock_ns(CLOCK_THREAD_CPUTIME_ID),
		.resident = resident(s),
		.n_fds = count_fds(s),
		.max_fds = lim.rlim_cur,
	};
}
