/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Finds the daemon of libmicrohttpd inside the HTTP server, for programs that add their
 * own connections to it. They are linked with --wrap=MHD_run. */

#include <microhttpd.h>

static struct MHD_Daemon *library;

enum MHD_Result __real_MHD_run(struct MHD_Daemon *d);
enum MHD_Result __wrap_MHD_run(struct MHD_Daemon *d);
enum MHD_Result __wrap_MHD_run(struct MHD_Daemon *d)
{
	library = d;
	return __real_MHD_run(d);
}
