/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The short answers. Each longer answer has a file of its own, show_*.c. */

#include "control/show/show.h"

#include "base/cleanup.h"
#include "build_config.h"
#include "control/show/health.h"
#include "control/show/json.h"
#include "control/show/view.h"

#include <string.h>

json_t *show_version(void *ctx, const char *args)
{
	struct app *app = ctx;

	return json_pack("{ss ss ss si}", "name", "ringcastd", "version",
		RINGCAST_VERSION, "transmit",
		dataplane_transmit(view_dataplane(app), NULL), "pid", (int)getpid());
}

json_t *show_health(void *ctx, const char *args)
{
	struct app *app = ctx;
	bool allow_down = strcmp(args, "allow-down") == 0;

	if (*args && !allow_down)
		return ctl_error("health takes nothing, or allow-down");
	return health_json(app, view_now(app), allow_down);
}
