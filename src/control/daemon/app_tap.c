/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Input of captures (tap.c): names of its interfaces, membership messages that app_io.c
 * has received and sent, copies from the data plane.
 */

#include "control/daemon/app_priv.h"

#include "base/cleanup.h"

#include <linux/if_packet.h>
#include <string.h>

static bool tap_port(void *ctx, unsigned number, struct tap_port *ret)
{
	const struct app *app = ctx;
	bool report = number >= PORT_MAX;
	const struct proxy_port *pp = app->router->port[number % PORT_MAX];
	const struct iface *i;

	if (!pp || (report && !*pp->cfg->report_interface))
		return false;
	i = iface_by_index(&app->ifaces, report ? pp->report_ifindex : pp->ifindex);
	*ret = (struct tap_port){
		.name = report ? pp->cfg->report_interface : pp->name,
		.present = i != NULL,
		.has_l2 = i && iface_has_l2(i),
	};
	if (i)
		memcpy(ret->mac, i->mac, sizeof(ret->mac));
	return true;
}

static void tap_sample(void *ctx, struct sample_spec *spec)
{
	const struct app *app = ctx;

	dataplane_sample(app->dp, spec);
}

static bool tap_samples(
	void *ctx, void (*fn)(void *arg, const struct sample *s), void *arg)
{
	const struct app *app = ctx;

	return dataplane_samples(app->dp, fn, arg);
}

static uint64_t tap_samples_lost(void *ctx, unsigned want, unsigned port)
{
	const struct app *app = ctx;

	return dataplane_samples_lost(app->dp, want, port);
}

int app_tap_new(struct app *app)
{
	struct tap_ops ops = {
		.port = tap_port,
		.sample = tap_sample,
		.samples = tap_samples,
		.samples_lost = tap_samples_lost,
		.ctx = app,
	};

	return tap_new(&ops, &app->tap);
}

static struct tap_message message_of(const struct app *app, unsigned port,
	enum family family, const void *packet, size_t len)
{
	const struct proxy_port *pp = app->router->port[port];

	return (struct tap_message){
		.number = *pp->cfg->report_interface ? TAP_REPORT(port) : port,
		.family = family,
		.packet = packet,
		.len = (uint32_t)len,
	};
}

void app_tap_received(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len)
{
	const struct sockaddr_ll *from = mcsock_rx_from(app->rx);
	struct tap_message m;

	if (!tap_is_active(app->tap))
		return;
	m = message_of(app, port, family, packet, len);
	m.direction = PCAPNG_INBOUND;
	m.reception = tap_reception(from->sll_pkttype);
	memcpy(m.from_mac, from->sll_addr, sizeof(m.from_mac));
	tap_message(app->tap, &m);
}

void app_tap_sent(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len)
{
	struct tap_message m;

	if (!tap_is_active(app->tap) || !app->router->port[port])
		return;
	m = message_of(app, port, family, packet, len);
	m.direction = PCAPNG_OUTBOUND;
	m.reception = PCAPNG_MULTICAST;
	tap_message(app->tap, &m);
}
