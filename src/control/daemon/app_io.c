/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The daemon's side of the wire for membership messages: a socket per port and family,
 * bytes go in to the proxies, effects go out to sockets, forwarding table and log.
 */

#include "control/daemon/app_priv.h"

#include "base/cleanup.h"
#include "control/proto/igmp.h"
#include "control/proto/mld.h"
#include "control/proxy/portplan.h"
#include "control/upstream/upstream_report.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <string.h>

/* Messages of a host per second that are refused here. If there are more, the kernel
 * admits only a part of them. */
#define LOUD_RATE 20000

const char *app_port_name(const struct app *app, unsigned port)
{
	const struct proxy_port *pp = app->instances->port[port];

	return pp ? pp->name : "(gone)";
}

bool app_datagrams_arrive(struct app *app, uint64_t *before)
{
	uint64_t then = *before;
	struct dataplane_stats s;

	dataplane_stats(app->dp, &s);
	*before = s.count[THREAD_COUNT_FRAMES];
	return *before != then;
}

/* ---- receiving ---- */

static enum gm_bad decode(const struct config_iface *ci, enum family family,
	const void *data, size_t len, uint32_t work, struct gm_scratch *scratch,
	struct gm_msg *ret)
{
	bool v4 = family == FAMILY_IPV4;
	bool strict = v4 ? ci->require_router_alert
			 : ci->mld_router_alert == CONFIG_ALERT_REQUIRE;
	struct gm_rules rules = {strict, strict, work};

	return (v4 ? igmp_decode : mld_decode)(data, len, &rules, scratch, ret);
}

static struct gm_mac sender_mac(const struct app *app)
{
	const struct sockaddr_ll *from = mcsock_rx_from(app->rx);
	struct gm_mac mac = {0};

	if (from->sll_halen == sizeof(mac.byte))
		memcpy(mac.byte, from->sll_addr, sizeof(mac.byte));
	return mac;
}

/* Is the address useless to identify a station? A group's address is, and so is a
 * missing one where other stations have one. */
static bool is_nobody(const struct app *app, const struct gm_mac *mac)
{
	static const struct gm_mac none;

	return mcsock_rx_from(app->rx)->sll_halen == sizeof(mac->byte) &&
		((mac->byte[0] & 1) || gm_mac_eq(mac, &none));
}

/* A link with Ethernet frames shows whether all stations have received the message. */
static unsigned link_notes(const struct app *app)
{
	const struct sockaddr_ll *from = mcsock_rx_from(app->rx);
	bool all = from->sll_pkttype == PACKET_MULTICAST ||
		from->sll_pkttype == PACKET_BROADCAST;

	return from->sll_hatype == ARPHRD_ETHER && !all ? GM_NOTE_LINK_UNICAST : 0;
}

static int take_packet(
	void *ctx, enum family family, const void *data, size_t len, uint32_t work)
{
	const struct app_port *ap = ctx;
	struct app *app = ap->app;
	mono_t now = loop_now(app->loop);
	struct proxy_port *pp = app->instances->port[ap->number];
	struct gm_msg msg = {0};
	enum gm_bad bad;

	if (!pp || app->stopping)
		return 0;
	app_tap_received(app, ap->number, family, data, len);
	bad = decode(pp->cfg, family, data, len, work, &app->scratch, &msg);
	msg.mac = sender_mac(app);
	if (bad == GM_OK && is_nobody(app, &msg.mac))
		bad = GM_BAD_SOURCE;
	if (bad != GM_OK) {
		proxy_input_bad(pp->proxy, pp->port, bad);
	} else {
		uint64_t members = app_members(app, now, pp, &msg);

		msg.notes |= link_notes(app);
		bad = proxy_input(pp->proxy, now, pp->port, &msg, &app->fx);
		if (msg.kind == GM_REPORT)
			mcsock_rx_member(app->rx, pp->groups.member_until);
		app_monitor_report(app, now, pp, &msg, members);
		app_quality_report(app, now, pp, &msg, members);
	}
	app_log_message(app, now, pp, bad == GM_OK ? &msg.from : NULL, len, bad);
	/* a message for which there was no room is not wrong */
	if (bad != GM_OK && bad != GM_BAD_LIMIT && bad != GM_BAD_MEMORY)
		return -EBADMSG;
	return (int)(msg.kind == GM_QUERY ? msg.query.n_left : msg.n_left);
}

static void later(void *ctx, mono_t at)
{
	struct app_port *ap = ctx;

	ap->app->sockets_at = mono_min(ap->app->sockets_at, at);
}

void app_tick_sockets(struct app *app, mono_t now)
{
	app->sockets_at = MONO_NEVER;
	for (unsigned i = 0; i < PORT_MAX; i++)
		for (unsigned f = 0; f < _FAMILY_N; f++) {
			struct mcsock *s = app->port[i].sock[f];

			if (s)
				app->sockets_at =
					mono_min(app->sockets_at, mcsock_tick(s, now));
		}
}

/* ---- sockets ---- */

static void add_sums(struct mcsock_stats *sum, const struct mcsock_stats *s)
{
	for (unsigned i = 0; i < _MCSOCK_COUNT_N; i++)
		sum->count[i] += s->count[i];
	for (unsigned i = 0; i < _REASSEMBLE_N; i++)
		sum->fragment[i] += s->fragment[i];
}

static void add_stats(struct mcsock_stats *sum, struct mcsock *s)
{
	struct mcsock_stats one;

	if (!s)
		return;
	mcsock_stats(s, &one);
	add_sums(sum, &one);
}

void view_socket_stats(const struct app *app, unsigned port, struct mcsock_stats *sum)
{
	const struct app_port *ap = &app->port[port];

	add_sums(sum, &ap->closed);
	for (unsigned f = 0; f < _FAMILY_N; f++)
		add_stats(sum, ap->sock[f]);
}

static void close_port(struct app_port *ap)
{
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		add_stats(&ap->closed, ap->sock[f]);
		ap->sock[f] = mcsock_close(ap->sock[f]);
	}
	ap->ifindex = 0;
	ap->error = 0;
}

void app_close_ports(struct app *app)
{
	for (unsigned i = 0; i < PORT_MAX; i++)
		close_port(&app->port[i]);
}

/* Reports of other hosts on an upstream are ignored (R115). */
static void open_port(struct app *app, unsigned port, int ifindex)
{
	struct app_port *ap = &app->port[port];
	bool upstream = app->instances->port[port]->role == CONFIG_ROLE_UPSTREAM;
	struct mcsock_ops ops = {.packet = take_packet,
		.limited = app_log_limited,
		.sampled = app_log_sampled,
		.fragment = app_log_fragment,
		.later = later,
		.own = upstream ? app_kernel_heard : NULL,
		.ctx = ap,
		.admission = &ap->admission,
		.limit = &ap->admission_limit,
		.queries = upstream};

	ap->ifindex = ifindex;
	ap->error = 0;
	for (enum family f = 0; f < _FAMILY_N; f++) {
		int r = 0;

		if (app->instances->family[f] && !ap->sock[f])
			r = mcsock_open(app->loop, app->rx, take_fd(&ap->handed[f]),
				ifindex, f, &ops, &ap->sock[f]);
		if (r < 0)
			ap->error = -r;
	}
}

static bool is_on(const struct app_port *ap, int ifindex)
{
	for (unsigned f = 0; f < _FAMILY_N; f++)
		if (ap->sock[f] && !mcsock_is_on(ap->sock[f]))
			return false;
	return ap->ifindex == ifindex;
}

bool app_sync_sockets(struct app *app)
{
	bool missing = false;

	for (unsigned i = 0; i < PORT_MAX; i++) {
		struct app_port *ap = &app->port[i];
		const struct proxy_port *pp = app->instances->port[i];
		int ifindex = pp ? pp->report_ifindex : 0;

		if (!is_on(ap, ifindex))
			close_port(ap);
		if (pp)
			ap->admission_limit = (struct admission_limit){
				.host_rate = pp->cfg->host_message_rate,
				.port_rate = pp->cfg->message_rate,
				.loud_rate = LOUD_RATE};
		if (ifindex && (ap->ifindex == 0 || ap->error))
			open_port(app, i, ifindex);
		missing |= ap->error != 0;
	}
	return missing;
}

static bool sync_dataplane(struct app *app)
{
	struct plan *plan = portplan_build(app->instances, &app->ifaces);
	bool missing = false;
	int r;

	app->plan_stale = false;
	if (!plan) {
		log_warn("out of memory for the port plan; trying again");
		return true;
	}
	r = dataplane_apply(app->dp, plan);
	if (r < 0) {
		log_warn("the data plane cannot take the new ports: %s; trying again",
			strerror(-r));
		return true;
	}
	proxy_ports_for_each (app->instances->port, pp)
		missing |= dataplane_port_error(app->dp, pp->port) != 0;
	return missing;
}

void app_sync_plan(struct app *app, mono_t now)
{
	if (sync_dataplane(app))
		app->retry_at = mono_min(app->retry_at, mono_add_ms(now, APP_RETRY_MS));
}

static void remove_stale_entry(const struct fib_view *v, void *arg)
{
	struct app *app = arg;

	if (!instances_has_entry(app->instances, v->instance, &v->group, &v->source))
		fib_del(dataplane_fib(app->dp), v->instance, &v->source, &v->group);
}

/* Effects were lost for lack of memory, so the table must be repaired. */
static void repair_fib(struct app *app)
{
	app->count.fib_unsure = false;
	fib_walk(dataplane_fib(app->dp), remove_stale_entry, app);
	instances_emit_all(app->instances, &app->fx);
}

/* Synchronises the ports of the proxies. Failures are retried. */
static void sync_ports(struct app *app, mono_t now, const struct config *cfg)
{
	int r = instances_sync(app->instances, now, cfg, &app->ifaces, &app->fx);

	if (app_force_look(app, now))
		r = instances_sync(app->instances, now, cfg, &app->ifaces, &app->fx);
	app->ports_unsure = r < 0;
	if (r < 0)
		log_err("cannot set up the ports: %s; trying again", strerror(-r));
}

static void open_missing(struct app *app, mono_t now)
{
	bool missing = app_sync_sockets(app);

	missing |= sync_dataplane(app);
	missing |= app->ports_unsure || app->links_unsure;
	if (app->count.fib_unsure)
		repair_fib(app);
	app->retry_at = missing ? mono_add_ms(now, APP_RETRY_MS) : MONO_NEVER;
	app_notice(app);
	app_monitor_ports(app, now);
	app_rival_ports(app);
}

void app_retry(struct app *app, mono_t now)
{
	if (app->links_unsure)
		app->links_unsure = netlink_resync(app->netlink) < 0;
	if (app->ports_unsure)
		sync_ports(app, now, app->cfg);
	open_missing(app, now);
}

void app_sync(struct app *app, mono_t now, const struct config *cfg)
{
	/* ports that are removed send their last messages through their sockets */
	instances_release(app->instances, now, cfg, &app->ifaces, &app->fx);
	app_execute(app, now);
	sync_ports(app, now, cfg);
	open_missing(app, now);
	app_kernel_look(app, now);
	captures_ports_changed(app->captures);
}

/* ---- effects ---- */

static void send_packet(struct app *app, mono_t now, unsigned port, enum family family,
	const void *packet_data, int len, uint32_t delay_ms)
{
	struct mcsock *s = app->port[port].sock[family];
	struct addr to;
	int r;

	if (len < 0 || !s)
		return;
	to = gm_packet_destination(family, packet_data);
	if (delay_ms)
		r = app_later_add(app, mono_add_ms(now, delay_ms), s, packet_data,
			(size_t)len, &to);
	else
		r = mcsock_send(s, packet_data, (size_t)len, &to);
	if (r == 0)
		app_tap_sent(app, port, family, packet_data, (size_t)len);
	if (r < 0)
		log_limited(&app_limits(app, port)->send, now, LOG_LEVEL_WARNING,
			&(struct log_about){.interface = app_port_name(app, port),
				.cause = "send",
				.error = -r},
			"cannot send a membership message");
}

static void execute_query(struct app *app, mono_t now, const struct effect *e)
{
	enum family family = addr_family(&e->query.q.group);
	uint8_t buf[9216];
	int len = (family == FAMILY_IPV4 ? igmp_encode_query : mld_encode_query)(
		buf, sizeof(buf), e->query.version, &e->query.from, &e->query.q);

	send_packet(app, now, e->port, family, buf, len, 0);
}

static void execute_report(struct app *app, mono_t now, const struct effect *e)
{
	static uint8_t buf[65535];
	enum family family = e->report.family;
	int len = (family == FAMILY_IPV4 ? igmp_encode_report : mld_encode_report)(buf,
		sizeof(buf), e->report.version, &e->report.from, e->report.rec,
		e->report.n_rec);

	send_packet(app, now, e->port, family, buf, len, e->report.delay_ms);
	app_quality_sent(app, e);
}

static void execute_fib(struct app *app, const struct effect *e)
{
	struct fib *fib = dataplane_fib(app->dp);

	if (e->type == EFFECT_FIB_DEL)
		fib_del(fib, e->fib.instance, &e->fib.source, &e->fib.group);
	else if (fib_set(fib, e->fib.instance, &e->fib.source, &e->fib.group,
			 &e->fib.out) < 0)
		app->fx.lost++;
	if (e->type == EFFECT_FIB_DEL || portset_empty(&e->fib.out))
		app_quality_ended(app, &e->fib.group);
}

void app_execute(struct app *app, mono_t now)
{
	if (log_enabled(LOG_LEVEL_DEBUG))
		app_log_effects(app, now);
	if (app->fx.n) {
		app_kernel_stir(app, now);
		app_streams_stir(app, now);
		app_quality_stir(app, now);
	}
	effects_for_each (&app->fx, e) {
		switch (e->type) {
		case EFFECT_QUERY:
			execute_query(app, now, e);
			break;
		case EFFECT_REPORT:
			execute_report(app, now, e);
			break;
		case EFFECT_FIB_SET:
		case EFFECT_FIB_DEL:
			execute_fib(app, e);
			app_refusals_changed(app, now);
			break;
		case EFFECT_NOTE:
			app_refusals_note(app, now, e);
			if (e->note.note == NOTE_GROUP_GONE)
				app_quality_gone(app, e->port, &e->note.group);
			app_log_note(app, now, e);
			break;
		}
	}
	if (app->fx.lost) {
		app->count.n_effects_lost += app->fx.lost;
		app->count.fib_unsure = true;
		app->retry_at = mono_min(app->retry_at, mono_add_ms(now, APP_RETRY_MS));
	}
	effects_clear(&app->fx);
}
