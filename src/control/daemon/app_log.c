/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Log lines about messages, and where the log goes. Everything here that another host
 * can cause is counted elsewhere first and goes through a bucket, so that no host can
 * fill a disk. Suppressed lines are counted, and the next line gives their number.
 */

#include "control/daemon/app_priv.h"

#include <stdio.h>

/* Level and text of a note; its group, host and value are added around it. A limit or
 * rule that is met has the level notice, because the daemon does what the file says; a
 * warning is for conditions that nobody configured. */
static const struct {
	enum log_level level;
	const char *text;
	const char *advice; /* after the value */
	/* A condition that lasts until the network is changed is logged once a minute
	 * (R057, R082). It is counted each time. */
	bool lasting;
} note_text[_NOTE_N] = {
	[NOTE_QUERIER_WON] = {LOG_LEVEL_NOTICE,
		"is no longer querier; this router asks the hosts again"},
	[NOTE_QUERIER_LOST] = {LOG_LEVEL_WARNING,
		"is querier now, because its address is lower; this router stops asking "
		"the hosts there but continues forwarding. If that is not wanted, turn off "
		"its querier or write always-querier"},
	[NOTE_QUERIER_UNICAST] = {LOG_LEVEL_INFO,
		"query by unicast, not used for the election"},
	[NOTE_OLDER_QUERIER] = {LOG_LEVEL_WARNING,
		"querier of an older version heard; set igmp-version or mld-version to the "
		"lowest one",
		.lasting = true},
	[NOTE_GROUP_NEW] = {LOG_LEVEL_INFO, "group has its first member"},
	[NOTE_GROUP_GONE] = {LOG_LEVEL_INFO, "group no longer has a member"},
	[NOTE_GROUP_LIMIT] = {LOG_LEVEL_NOTICE, "group refused: max-groups",
		"; raise it if all of them are wanted", .lasting = true},
	[NOTE_GROUP_MEMORY] = {LOG_LEVEL_NOTICE,
		"group refused: the memory for groups of a LAN is used up",
		"; lower max-groups-per-host, or use a machine with more memory",
		.lasting = true},
	[NOTE_SOURCE_LIMIT] = {LOG_LEVEL_NOTICE, "source refused: max-sources",
		"; raise it if all of them are wanted", .lasting = true},
	[NOTE_HOST_QUOTA] = {LOG_LEVEL_NOTICE, "group refused: max-groups-per-host",
		"; raise it if that is a router with many hosts behind it",
		.lasting = true},
	[NOTE_ADDRESS_LIMIT] = {LOG_LEVEL_NOTICE,
		"source refused: the addresses of all lists",
		"; lower max-sources or max-groups-per-host", .lasting = true},
	[NOTE_ADDRESS_SHARE] = {LOG_LEVEL_NOTICE,
		"source refused: the addresses of one host",
		"; find out what it does with so many sources", .lasting = true},
	[NOTE_GROUP_EVICTED] = {LOG_LEVEL_NOTICE,
		"group ended to make room for a host with less: the table is full",
		"; raise max-groups, or lower max-groups-per-host", .lasting = true},
	[NOTE_SOURCE_EVICTED] = {LOG_LEVEL_NOTICE,
		"source ended to make room for a host with less: max-sources",
		"; raise it if all of them are wanted", .lasting = true},
	[NOTE_HOST_LIMIT] = {LOG_LEVEL_NOTICE,
		"too many members to track, no fast leave for the group",
		.lasting = true},
	[NOTE_GROUP_DENIED] = {LOG_LEVEL_INFO,
		"group refused by whitelist, blacklist or boundary"},
	[NOTE_SSM_REFUSED] = {LOG_LEVEL_INFO,
		"membership without source refused for a source-specific group"},
	[NOTE_SSM_QUERY] = {LOG_LEVEL_INFO,
		"query of an older version for a source-specific group"},
	[NOTE_HOST_VERSION] = {LOG_LEVEL_NOTICE, "upstream protocol version changed"},
	[NOTE_REPORT_FOREIGN] = {LOG_LEVEL_NOTICE,
		"report refused: its sender is in no subnet or altnet of the interface"},
	[NOTE_FORWARDER_STOPPED] = {LOG_LEVEL_WARNING,
		"also forwards this stream there, so this router stops. If that is "
		"not wanted, end multicast forwarding on the other or write 'forwarding "
		"always'"},
	[NOTE_FORWARDER_RESUMED] = {LOG_LEVEL_NOTICE,
		"no longer forwards this stream, so this router forwards it again"},
	[NOTE_QUERIER_FOREIGN] = {LOG_LEVEL_WARNING,
		"query ignored: its sender is in no subnet of the interface. If it is a "
		"router of this LAN, give the interface an address of its subnet"},
	[NOTE_OWN_FRAMES] = {LOG_LEVEL_WARNING,
		"frames of another interface of this router come back here, so both are on "
		"one segment: separate their cables, or their VLANs in the switch",
		.lasting = true},
};

static const char strict_text[] =
	"is querier now, because its address is lower; this router stops asking the hosts "
	"there and forwards nothing, as 'forwarding querier' says. If that is not wanted, "
	"turn off its querier or write always-querier";

static const char *text_of(const struct addr *a, char buf[ADDR_STRLEN])
{
	return addr_is_any(a) ? NULL : gm_format_host(a, buf);
}

struct app_limits *app_limits(struct app *app, unsigned port)
{
	struct app_limits *l = &app->limits[port];

	if (l->ready)
		return l;
	for (enum note n = NOTE_QUERIER_WON; n < _NOTE_N; n++)
		l->note[n] = note_text[n].lasting ? LOG_LIMIT(1, 60000)
						  : LOG_LIMIT(20, 3000);
	l->send = LOG_LIMIT(10, 6000);
	l->bad = LOG_LIMIT(10, 6000);
	l->notice = LOG_LIMIT(10, 6000);
	l->link = LOG_LIMIT(6, 10000);
	l->source = LOG_LIMIT(3, 60000);
	l->ready = true;
	return l;
}

void app_log_note(struct app *app, mono_t now, const struct effect *e)
{
	enum note note = e->note.note;
	char group[ADDR_STRLEN], host[ADDR_STRLEN], value[IFNAMSIZ + 8] = "";
	char mac[ADDR_STRLEN] = "";
	const char *text = note_text[note].text;
	struct log_about about;

	app->count.n_notes[note]++;
	if (!log_enabled(note_text[note].level) &&
		!monitor_has_followers(&app->monitor) && !app->web)
		return;
	about = (struct log_about){.interface = app_port_name(app, e->port),
		.group = text_of(&e->note.group, group),
		.host = text_of(&e->note.peer, host),
		.cause = note_name(note)};
	if (note == NOTE_OWN_FRAMES)
		snprintf(value, sizeof(value), " (%s)",
			app_port_name(app, e->note.value));
	else if (note == NOTE_QUERIER_LOST && e->note.value)
		text = strict_text;
	else if (e->note.value)
		snprintf(value, sizeof(value), " (%u)", e->note.value);
	if (note == NOTE_FORWARDER_STOPPED || note == NOTE_FORWARDER_RESUMED)
		gm_format_mac(&e->note.mac, mac);
	app_monitor_note(app, now, note_name(note), &about, text, e->note.value);
	log_limited(&app_limits(app, e->port)->note[note], now, note_text[note].level,
		&about, "%s%s%s%s%s", mac, *mac ? " " : "", text, value,
		note_text[note].advice ? note_text[note].advice : "");
}

void app_log_effects(struct app *app, mono_t now)
{
	effects_for_each (&app->fx, e) {
		bool fib = e->type == EFFECT_FIB_SET || e->type == EFFECT_FIB_DEL;
		char line[512], group[ADDR_STRLEN], source[ADDR_STRLEN];
		struct log_about about = {0};

		if (e->type == EFFECT_NOTE)
			continue;
		if (!fib)
			about.interface = app_port_name(app, e->port);
		effect_format(e, line, sizeof(line));
		/* the text also names them, but the journal can only search fields */
		if (fib)
			about = (struct log_about){
				.group = text_of(&e->fib.group, group),
				.source = text_of(&e->fib.source, source)};
		else if (e->type == EFFECT_QUERY)
			about.group = text_of(&e->query.q.group, group);
		log_limited(
			&app->debug_limit, now, LOG_LEVEL_DEBUG, &about, "%s", line);
	}
}

/* Bytes that form no message are logged at level info. Messages that are merely not for
 * us are not logged. */
void app_log_message(struct app *app, mono_t now, const struct proxy_port *pp,
	const struct addr *from, size_t len, enum gm_bad bad)
{
	bool broken = bad != GM_OK && bad <= GM_BAD_SOURCE && bad != GM_BAD_TYPE;
	char host[ADDR_STRLEN];
	struct log_about about = {
		.interface = pp->name, .cause = bad ? gm_bad_name(bad) : NULL};

	if (bad == GM_BAD_MEMORY)
		log_limited(&app_limits(app, pp->port)->bad, now, LOG_LEVEL_WARNING,
			&about, "no memory for a membership message");
	if (broken)
		app_monitor_note(
			app, now, "message_refused", &about, gm_bad_name(bad), 0);
	if (!log_enabled(broken ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG))
		return;
	if (from)
		about.host = addr_format(from, host);
	if (broken)
		log_limited(&app_limits(app, pp->port)->bad, now, LOG_LEVEL_INFO,
			&about, "message of %zu bytes refused: %s", len,
			gm_bad_name(bad));
	else
		log_limited(&app->debug_limit, now, LOG_LEVEL_DEBUG, &about,
			"message of %zu bytes: %s", len,
			bad == GM_OK ? "accepted" : gm_bad_name(bad));
}

const char *app_format_host(
	const struct admission_host *who, char buf[VIEW_HOST_STRLEN])
{
	char ip[ADDR_STRLEN], mac[ADDR_STRLEN];

	addr_format(&who->from, ip);
	if (who->has_mac)
		snprintf(buf, VIEW_HOST_STRLEN, "%s (%s)",
			gm_format_mac(&who->mac, mac), ip);
	else
		snprintf(buf, VIEW_HOST_STRLEN, "%s", ip);
	return buf;
}

#define LIMITED_MS 60000 /* between two lines of an interface about the same limit */

const char *app_format_struck(
	const struct admission_struck *s, mono_t now, char buf[VIEW_STRUCK_STRLEN])
{
	int64_t seconds = (now.ns - s->since.ns) / NS_PER_SEC + 1;

	snprintf(buf, VIEW_STRUCK_STRLEN,
		"%llu message%s refused and %llu used in part within %lld s",
		(unsigned long long)s->n_refused, s->n_refused == 1 ? "" : "s",
		(unsigned long long)s->n_cut, (long long)seconds);
	return buf;
}

/* What happened to this message, or to all messages since the limit was met. */
static const char *format_limited(const struct admission_struck *s, mono_t now,
	const struct mcsock_limited *what, char buf[VIEW_STRUCK_STRLEN])
{
	if (s->n_refused + s->n_cut > 1)
		return app_format_struck(s, now, buf);
	if (what->left == 0)
		return "a message was refused";
	snprintf(buf, VIEW_STRUCK_STRLEN, "%zu %s%s of a message %s left out",
		what->left, what->query ? "source" : "record",
		what->left == 1 ? "" : "s", what->left == 1 ? "was" : "were");
	return buf;
}

static const char *const limited_text[] = {
	[ADMISSION_BY_HOST] = "sends more than host-message-rate allows",
	[ADMISSION_BY_PORT] = "all hosts together send more than message-rate allows",
};

static void say_limited(mono_t now, const struct app_port *ap,
	const struct log_about *about, const struct mcsock_limited *what)
{
	bool by_host = what->cause == ADMISSION_BY_HOST;
	unsigned long long rate =
		by_host ? ap->admission_limit.host_rate : ap->admission_limit.port_rate;
	char done[VIEW_STRUCK_STRLEN];

	log_about(LOG_LEVEL_NOTICE, about,
		"%s (%llu messages or %llu units of work a second): %s; raise the limit if "
		"%s, else find the sender, its addresses may be forged; "
		"'ringcastctl health' has the present count%s",
		limited_text[what->cause], rate,
		rate * (by_host ? ADMISSION_HOST_WORK : ADMISSION_PORT_WORK),
		format_limited(&ap->admission.struck[what->cause], now, what, done),
		by_host ? "the host is meant to send so much"
			: "so many hosts are there",
		by_host ? "" : " and names the last one");
}

/* Called for each message that is refused or cut, so it formats nothing unless it is
 * logged. */
void app_log_limited(void *ctx, const struct mcsock_limited *what)
{
	struct app_port *ap = ctx;
	struct app *app = ap->app;
	mono_t now = loop_now(app->loop);
	enum admission_cause cause = what->cause;
	bool by_host = cause == ADMISSION_BY_HOST;
	char host[VIEW_HOST_STRLEN];
	struct log_about about = {.interface = app_port_name(app, ap->number),
		.cause = by_host ? "host-message-rate" : "message-rate"};

	if (!mono_due(ap->admission_say_at[cause], now))
		return;
	ap->admission_say_at[cause] = mono_add_ms(now, LIMITED_MS);
	if (by_host)
		about.host = app_format_host(what->who, host);
	app_monitor_note(app, now, "messages_limited", &about, limited_text[cause], 0);
	say_limited(now, ap, &about, what);
}

void app_log_sampled(void *ctx, const struct admission_host *who)
{
	struct app_port *ap = ctx;
	struct app *app = ap->app;
	char host[VIEW_HOST_STRLEN];

	log_limited(&app->sample_limit, loop_now(app->loop), LOG_LEVEL_NOTICE,
		&(struct log_about){.interface = app_port_name(app, ap->number),
			.host = app_format_host(who, host),
			.cause = "host-message-rate"},
		"floods: more than %u messages of it had to be refused within a second, so "
		"the kernel lets only a part of them through for 1 to 8 s, chosen by "
		"chance; find the sender on this link, its addresses may be forged",
		ap->admission_limit.loud_rate);
}

/* Every sender could send it in one piece. */
void app_log_fragment(
	void *ctx, const struct admission_host *who, enum reassemble_result why)
{
	struct app_port *ap = ctx;
	struct app *app = ap->app;
	char host[VIEW_HOST_STRLEN];

	log_limited(&app_limits(app, ap->number)->bad, loop_now(app->loop),
		LOG_LEVEL_INFO,
		&(struct log_about){.interface = app_port_name(app, ap->number),
			.host = app_format_host(who, host),
			.cause = reassemble_name(why)},
		"message in fragments refused: %s; let it send messages that fit the MTU",
		reassemble_name(why));
}

/* ---- sink and level ---- */

static enum log_sink sink_of(const struct app *app, const struct config *cfg)
{
	/* without a terminal there is no stderr */
	bool detached = !app->options.foreground;

	switch (cfg->log_to) {
	case CONFIG_LOG_STDERR:
		return detached ? LOG_SINK_SYSLOG : LOG_SINK_STDERR;
	case CONFIG_LOG_SYSLOG:
		return LOG_SINK_SYSLOG;
	case CONFIG_LOG_JOURNAL:
		return LOG_SINK_JOURNAL;
	case CONFIG_LOG_AUTO:
		break;
	}
	return app->options.log_sink;
}

static enum log_level level_of(const struct app *app, const struct config *cfg)
{
	if (app->options.log_level_given || cfg->log_level == CONFIG_LOG_LEVEL_DEFAULT)
		return app->options.log_level;
	return (enum log_level)(cfg->log_level - CONFIG_LOG_LEVEL_DEFAULT);
}

void app_log_default_level(const struct app *app)
{
	log_set_level(level_of(app, app->cfg));
}

void app_log_started(const struct app *app)
{
	if (!app->options.log_to_stderr)
		(void)log_set_sink(sink_of(app, app->cfg));
}

void app_log_configure(
	const struct app *app, const struct config *old, const struct config *cfg)
{
	enum log_sink sink = sink_of(app, cfg);

	if (!old || old->log_level != cfg->log_level)
		log_set_level(level_of(app, cfg));
	if (app->options.log_to_stderr || (old && old->log_to == cfg->log_to))
		return;
	/* connects before the root changes; errors of the start are also logged
	 * there */
	if (!old && sink == LOG_SINK_SYSLOG)
		sink = LOG_SINK_BOTH;
	if (log_set_sink(sink) < 0)
		log_warn(
			"log-to journal: the journal is not there, or this program was "
			"built without libsystemd; the log stays where it is");
}
