/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Looks for other forwarders. Opens a sensor where the proxy wants one, reads it four
 * times a second and passes on what it has seen, and closes it when no other router
 * queries or forwards there. While we are alone on every LAN there is neither socket
 * nor timer.
 */

#include "control/daemon/app_priv.h"

#include <errno.h>
#include <net/if_arp.h>
#include <string.h>

/* Is it one of our frames, which some switches and access points send back? */
static bool is_from_us(const struct app *app, const struct gm_mac *mac)
{
	for (size_t i = 0; i < app->ifaces.n; i++)
		if (iface_has_l2(&app->ifaces.v[i]) &&
			memcmp(app->ifaces.v[i].mac, mac->byte, sizeof(mac->byte)) == 0)
			return true;
	return false;
}

struct reading {
	struct app *app;
	struct proxy_port *pp;
	mono_t now;
	struct gm_mac last; /* last address that was looked up, because most frames
			     * are from the same station */
	bool last_is_own;
};

static void take_copy(void *arg, const struct addr *group, const struct addr *source,
	const struct gm_mac *mac, uint32_t bytes)
{
	struct reading *r = arg;

	if (!gm_mac_eq(mac, &r->last)) {
		r->last = *mac;
		r->last_is_own = is_from_us(r->app, mac);
	}
	if (!r->last_is_own)
		proxy_copy(r->pp, r->now,
			&(struct proxy_copy){*group, *source, *mac, bytes},
			&r->app->fx);
}

/* Datagrams that came in at the port itself are not our copies. */
static struct forwarder_count received_here(void *ctx, const struct proxy_port *pp,
	const struct addr *group, const struct addr *source)
{
	const struct app *app = ctx;
	struct fib_view v;

	if (!fib_read(dataplane_fib(app->dp), pp->proxy->instance, source, group, &v))
		return (struct forwarder_count){0};
	if (v.last_port == pp->port)
		return (struct forwarder_count){.packets = FORWARDER_UNKNOWN};
	return (struct forwarder_count){v.packets, v.bytes};
}

static void read_sensor(
	struct app *app, mono_t now, struct proxy_port *pp, enum family family)
{
	struct sensor *s = app->port[pp->port].sensor[family];
	struct reading r = {.app = app, .pp = pp, .now = now};
	struct proxy_counts counts = {
		.received = received_here, .ctx = app, .sampling = sensor_sampling(s)};

	sensor_read(s, take_copy, &r);
	proxy_forwarder_decide(pp, now, family, &counts, &app->fx);
}

/* ---- opening and closing ---- */

static void close_sensors(struct app *app, unsigned port)
{
	struct app_port *ap = &app->port[port];

	for (unsigned f = 0; f < _FAMILY_N; f++) {
		ap->sensor[f] = sensor_close(ap->sensor[f]);
		ap->sensor_error[f] = 0;
	}
	ap->sensor_ifindex = 0;
	portset_del(&app->sensed, port);
}

static void open_sensor(
	struct app *app, const struct proxy_port *pp, enum family family)
{
	const struct iface *i = iface_by_index(&app->ifaces, pp->ifindex);
	struct app_port *ap = &app->port[pp->port];
	int before = ap->sensor_error[family], r = -EOPNOTSUPP;

	if (i && iface_has_l2(i) && i->arphrd == ARPHRD_ETHER)
		r = sensor_open(pp->ifindex, family, &ap->sensor[family]);
	ap->sensor_ifindex = pp->ifindex;
	portset_add(&app->sensed, pp->port);
	ap->sensor_error[family] = -r;
	if (r < 0 && r != -EOPNOTSUPP && r != -before)
		log_about(LOG_LEVEL_WARNING,
			&(struct log_about){
				.interface = pp->name, .cause = "open", .error = -r},
			"cannot look for other forwarders, trying again");
}

static void sync_sensors(struct app *app, mono_t now, const struct proxy_port *pp)
{
	struct app_port *ap = &app->port[pp->port];

	if (ap->sensor_ifindex && ap->sensor_ifindex != pp->ifindex)
		close_sensors(app, pp->port);
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		bool wanted = pp->up && proxy_wants_sensor(pp, (enum family)f, now);

		if (!wanted) {
			ap->sensor[f] = sensor_close(ap->sensor[f]);
			ap->sensor_error[f] = 0;
		} else if (!ap->sensor[f] && !ap->sensor_error[f]) {
			open_sensor(app, pp, (enum family)f);
		}
		if (wanted && ap->sensor_error[f] != EOPNOTSUPP)
			app->sensors_at = mono_min(app->sensors_at,
				mono_add_ms(now, FORWARDER_INTERVAL_MS));
	}
}

void app_forwarder_sync(struct app *app, mono_t now)
{
	struct portset ports = app->instances->numbers.taken;

	portset_or(&ports, &app->sensed);
	portset_for_each (&ports, i) {
		const struct proxy_port *pp = app->instances->port[i];

		if (pp && pp->role == CONFIG_ROLE_DOWNSTREAM)
			sync_sensors(app, now, pp);
		else if (portset_has(&app->sensed, i))
			close_sensors(app, i);
	}
}

static void tick_port(
	struct app *app, mono_t now, struct proxy_port *pp, enum family family)
{
	const struct app_port *ap = &app->port[pp->port];

	if (ap->sensor[family])
		read_sensor(app, now, pp, family);
	else if (ap->sensor_error[family] && ap->sensor_error[family] != EOPNOTSUPP)
		open_sensor(app, pp, family);
}

void app_forwarder_tick(struct app *app, mono_t now)
{
	if (!mono_due(app->sensors_at, now))
		return;
	app->sensors_at = MONO_NEVER;
	portset_for_each (&app->sensed, i)
		for (unsigned f = 0; app->instances->port[i] && f < _FAMILY_N; f++)
			tick_port(app, now, app->instances->port[i], (enum family)f);
}

void app_forwarder_close(struct app *app)
{
	portset_for_each (&app->sensed, i)
		close_sensors(app, i);
}
