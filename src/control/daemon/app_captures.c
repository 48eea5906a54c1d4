/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Input of captures (captures.c): names of its interfaces, membership messages that
 * app_io.c has received and sent, copies from the data plane.
 */

#include "control/daemon/app_priv.h"

#include <linux/if_packet.h>
#include <string.h>

static bool captures_port(void *ctx, unsigned number, struct captures_port *ret)
{
	const struct app *app = ctx;
	bool report = number >= PORT_MAX;
	const struct proxy_port *pp = app->instances->port[number % PORT_MAX];
	const struct iface *i;

	if (!pp || (report && !*pp->cfg->report_interface))
		return false;
	i = iface_by_index(&app->ifaces, report ? pp->report_ifindex : pp->ifindex);
	*ret = (struct captures_port){
		.name = report ? pp->cfg->report_interface : pp->name,
		.present = i != NULL,
		.has_l2 = i && iface_has_l2(i),
	};
	if (i)
		memcpy(ret->mac, i->mac, sizeof(ret->mac));
	return true;
}

static void captures_sample(void *ctx, struct sample_spec *spec)
{
	const struct app *app = ctx;

	dataplane_sample(app->dp, spec);
}

static bool captures_samples(
	void *ctx, void (*fn)(void *arg, const struct sample *s), void *arg)
{
	const struct app *app = ctx;

	return dataplane_samples(app->dp, fn, arg);
}

static uint64_t captures_samples_lost(void *ctx, unsigned want, unsigned port)
{
	const struct app *app = ctx;

	return dataplane_samples_lost(app->dp, want, port);
}

int app_tap_new(struct app *app)
{
	struct captures_ops ops = {
		.port = captures_port,
		.sample = captures_sample,
		.samples = captures_samples,
		.samples_lost = captures_samples_lost,
		.ctx = app,
	};

	return captures_new(&ops, &app->captures);
}

static struct captures_message message_of(const struct app *app, unsigned port,
	enum family family, const void *packet, size_t len)
{
	const struct proxy_port *pp = app->instances->port[port];

	return (struct captures_message){
		.number = *pp->cfg->report_interface ? CAPTURES_REPORT(port) : port,
		.family = family,
		.packet = packet,
		.len = (uint32_t)len,
	};
}

void app_tap_received(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len)
{
	const struct sockaddr_ll *from = mcsock_rx_from(app->rx);
	struct captures_message m;

	if (!captures_is_active(app->captures))
		return;
	m = message_of(app, port, family, packet, len);
	m.direction = PCAPNG_INBOUND;
	m.reception = captures_reception(from->sll_pkttype);
	memcpy(m.from_mac, from->sll_addr, sizeof(m.from_mac));
	captures_message(app->captures, &m);
}

void app_tap_sent(struct app *app, unsigned port, enum family family,
	const void *packet, size_t len)
{
	struct captures_message m;

	if (!captures_is_active(app->captures) || !app->instances->port[port])
		return;
	m = message_of(app, port, family, packet, len);
	m.direction = PCAPNG_OUTBOUND;
	m.reception = PCAPNG_MULTICAST;
	captures_message(app->captures, &m);
}
