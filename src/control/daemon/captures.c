/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Captures, see captures.h. They get membership messages, and copies of frames from the
 * data plane (dataplane/io/sample.c). Each capture has a stream of the control socket
 * (ctl.c) and writes pcapng blocks to it (base/pcapng.c).
 *
 * Membership messages come from sockets without link header. Their Ethernet header is
 * built from the kernel's information: the sender, and whether it was sent to us, to a
 * group or to all.
 *
 * Interfaces are described when the capture begins, or before their first packet.
 */

#include "control/daemon/captures.h"

#include "base/cleanup.h"
#include "base/minmax.h"
#include "base/sys/clock.h"
#include "build_config.h"
#include "control/config/config_text.h"
#include "control/proto/igmp.h"
#include "control/proto/mld.h"
#include "control/sys/mcsock.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CAPTURES_MAX	   SAMPLE_WANTS_MAX
#define NAMES_MAX	   16
#define SNAPLEN_MIN	   64 /* of data frames */
#define SNAPLEN_DEFAULT	   256
#define SNAPLEN_MAX	   65535
#define DRAIN_MS	   10 /* between readings of the copies of data frames */
#define L2_LEN		   14
#define BLOCK_SIZE	   (L2_LEN + 65536 + 64)
#define PORT_NOT_DESCRIBED UINT32_MAX

/* an interface as described in the file */
struct described {
	unsigned port;
	uint64_t accepted, lost;
};

struct capture {
	struct ctl_stream stream;
	struct captures *captures;
	unsigned slot;
	uint32_t id;
	struct capfilter filter;
	bool data;
	uint32_t one_of, snaplen;
	char name[NAMES_MAX][IFNAMSIZ]; /* wanted interfaces */
	unsigned n_names;		/* 0 means all */
	uint64_t start_ns;
	bool ended; /* the statistics are written */
	struct {
		uint32_t interface; /* number in the file */
		char name[IFNAMSIZ];
		bool has_l2;
		uint64_t lost_before; /* copies lost before this capture */
	} port[CAPTURES_N];
	struct described *interface; /* owned */
	uint32_t n_interfaces;
};

_Static_assert(CAPTURES_MAX > CTL_MAX_STREAMS, "a stream without a slot");

struct captures {
	struct captures_ops ops;
	struct capture *capture[CAPTURES_MAX];
	unsigned n, n_data;
	uint32_t last_id;
	mono_t drain_at;
	uint8_t frame[BLOCK_SIZE], block[BLOCK_SIZE];
};

static uint64_t wall_clock_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_REALTIME);
}

/* ---- filters ---- */

static bool wants_port(const struct capture *c, const char *name)
{
	for (unsigned i = 0; i < c->n_names; i++)
		if (strcmp(c->name[i], name) == 0)
			return true;
	return c->n_names == 0;
}

static bool port_exists(const struct captures *t, const char *name)
{
	struct captures_port p;

	for (unsigned i = 0; i < CAPTURES_N; i++)
		if (t->ops.port(t->ops.ctx, i, &p) && strcmp(p.name, name) == 0)
			return true;
	return false;
}

/* Tells the data plane the ports and filters of data frames. */
static void captures_publish(struct captures *t)
{
	struct sample_spec *spec = t->n_data ? sample_spec_new() : NULL;

	for (unsigned i = 0; spec && i < CAPTURES_MAX; i++) {
		const struct capture *c = t->capture[i];
		struct sample_want want;
		struct captures_port p;

		if (!c || !c->data)
			continue;
		want = (struct sample_want){.id = c->id,
			.filter = c->filter,
			.one_of = c->one_of,
			.snaplen = c->snaplen};
		for (unsigned port = 0; port < PORT_MAX; port++)
			if (t->ops.port(t->ops.ctx, port, &p) && wants_port(c, p.name))
				portset_add(&want.ports, port);
		/* without memory it gets no data, which its statistics show */
		(void)sample_spec_set(spec, i, &want);
	}
	t->ops.sample(t->ops.ctx, spec);
}

/* ---- writing ---- */

static bool write_block(struct capture *c, int len)
{
	return len > 0 && ctl_stream_write(&c->stream, c->captures->block, (size_t)len);
}

/* Describes a port; returns false without room or memory. */
static bool captures_describe(
	struct capture *c, unsigned port, const struct captures_port *p)
{
	struct described *v;

	v = realloc(c->interface, (c->n_interfaces + 1) * sizeof(*v));
	if (!v)
		return false;
	c->interface = v;
	if (!write_block(c,
		    pcapng_write_interface(c->captures->block, BLOCK_SIZE,
			    p->has_l2 ? PCAPNG_ETHERNET : PCAPNG_RAW_IP, p->name)))
		return false;
	v[c->n_interfaces] = (struct described){.port = port};
	c->port[port].interface = c->n_interfaces++;
	c->port[port].has_l2 = p->has_l2;
	snprintf(c->port[port].name, IFNAMSIZ, "%s", p->name);
	return true;
}

/* The port's interface in the file; describes it if it is new or has changed. */
static struct described *interface_of(struct capture *c, unsigned port)
{
	const struct captures *t = c->captures;
	struct captures_port p;

	if (c->ended || !t->ops.port(t->ops.ctx, port, &p) || !p.present ||
		!wants_port(c, p.name))
		return NULL;
	if (c->port[port].interface == PORT_NOT_DESCRIBED ||
		c->port[port].has_l2 != p.has_l2 ||
		strcmp(c->port[port].name, p.name) != 0) {
		if (!captures_describe(c, port, &p))
			return NULL;
	}
	return &c->interface[c->port[port].interface];
}

static void write_packet(struct capture *c, unsigned port, struct pcapng_packet *p)
{
	struct described *d = interface_of(c, port);

	if (!d)
		return;
	d->accepted++;
	p->interface = c->port[port].interface;
	if (!write_block(c, pcapng_write_packet(c->captures->block, BLOCK_SIZE, p)))
		d->lost++;
}

/* ---- data frames ---- */

enum pcapng_reception captures_reception(uint8_t pkttype)
{
	switch (pkttype) {
	case PACKET_HOST:
		return PCAPNG_UNICAST;
	case PACKET_BROADCAST:
		return PCAPNG_BROADCAST;
	case PACKET_MULTICAST:
		return PCAPNG_MULTICAST;
	case PACKET_OTHERHOST:
		return PCAPNG_PROMISCUOUS;
	default:
		return PCAPNG_UNKNOWN;
	}
}

static void take_sample(void *arg, const struct sample *s)
{
	struct captures *t = arg;

	for (unsigned i = 0; i < CAPTURES_MAX; i++) {
		struct capture *c = t->capture[i];
		struct pcapng_packet p;
		uint32_t caplen;

		/* it may have been copied for an earlier capture */
		if (!c || !s->id[i] || s->id[i] != c->id)
			continue;
		caplen = min(s->caplen, c->snaplen);
		p = (struct pcapng_packet){.time_ns = s->time_ns,
			.caplen = caplen,
			.len = s->len,
			.direction = PCAPNG_INBOUND,
			.reception = captures_reception(s->pkttype),
			.data = s->data};
		write_packet(c, s->port, &p);
	}
}

static bool take_samples(struct captures *t)
{
	return t->ops.samples(t->ops.ctx, take_sample, t);
}

mono_t captures_deadline(const struct captures *t)
{
	return t->drain_at;
}

void captures_tick(struct captures *t, mono_t now)
{
	if (!mono_due(t->drain_at, now))
		return;
	t->drain_at = take_samples(t) ? now : mono_add_ms(now, DRAIN_MS);
	if (t->n_data == 0)
		t->drain_at = MONO_NEVER;
}

/* ---- membership messages ---- */

static void destination_mac(
	const struct captures_message *m, const struct captures_port *p, uint8_t mac[6])
{
	size_t header = m->family == FAMILY_IPV4 ? 20 : 40;
	struct addr to;

	if (m->reception == PCAPNG_BROADCAST) {
		memset(mac, 0xff, 6);
	} else if (m->reception == PCAPNG_UNICAST) {
		memcpy(mac, p->mac, 6);
	} else if (m->len < header) {
		memset(mac, 0, 6);
	} else {
		to = gm_packet_destination(m->family, m->packet);
		addr_group_mac(&to, mac);
	}
}

/* Builds the message as a frame of its link. Returns the bytes, or 0 if the message has
 * an impossible length. */
static uint32_t build_frame(struct captures *t, const struct captures_message *m,
	const struct captures_port *p)
{
	uint32_t l2 = p->has_l2 ? L2_LEN : 0;
	uint8_t *f = t->frame;

	if (m->len > sizeof(t->frame) - l2)
		return 0;
	if (l2) {
		destination_mac(m, p, f);
		memcpy(f + 6, m->direction == PCAPNG_OUTBOUND ? p->mac : m->from_mac,
			6);
		f[12] = m->family == FAMILY_IPV4 ? 0x08 : 0x86;
		f[13] = m->family == FAMILY_IPV4 ? 0x00 : 0xdd;
	}
	memcpy(f + l2, m->packet, m->len);
	return l2 + m->len;
}

bool captures_is_active(const struct captures *t)
{
	return t->n > 0;
}

void captures_message(struct captures *t, const struct captures_message *m)
{
	struct pcapng_packet packet;
	struct captures_port p;
	uint32_t len;

	if (t->n == 0 || !t->ops.port(t->ops.ctx, m->number, &p))
		return;
	if (t->n_data) /* earlier frames come before it */
		(void)take_samples(t);
	len = build_frame(t, m, &p);
	packet = (struct pcapng_packet){.time_ns = wall_clock_ns(),
		.caplen = len,
		.len = len,
		.direction = m->direction,
		.reception = m->reception,
		.data = t->frame};
	for (unsigned i = 0; i < CAPTURES_MAX && len; i++) {
		struct capture *c = t->capture[i];

		if (c && capfilter_match(&c->filter, p.has_l2, t->frame, len, len))
			write_packet(c, m->number, &packet);
	}
}

void captures_ports_changed(struct captures *t)
{
	if (t->n_data)
		captures_publish(t);
}

/* ---- life of a capture ---- */

static struct capture *capture_of(struct ctl_stream *s)
{
	return container_of(s, struct capture, stream);
}

static void begin_capture(struct ctl_stream *s)
{
	struct capture *c = capture_of(s);

	write_block(c,
		pcapng_write_section(
			c->captures->block, BLOCK_SIZE, "ringcast " RINGCAST_VERSION));
	for (unsigned i = 0; i < CAPTURES_N; i++)
		(void)interface_of(c, i);
}

static void end_capture(struct ctl_stream *s)
{
	struct capture *c = capture_of(s);
	struct captures *t = c->captures;

	if (c->data)
		(void)take_samples(t);
	for (uint32_t i = 0; i < c->n_interfaces; i++) {
		const struct described *d = &c->interface[i];
		struct pcapng_stats st = {.interface = i,
			.start_ns = c->start_ns,
			.end_ns = wall_clock_ns(),
			.accepted = d->accepted,
			.lost = d->lost};

		if (c->data && d->port < PORT_MAX && c->port[d->port].interface == i) {
			uint64_t n = t->ops.samples_lost(t->ops.ctx, c->slot, d->port);

			st.lost += n - c->port[d->port].lost_before;
			st.accepted += n - c->port[d->port].lost_before;
		}
		st.delivered = st.accepted - st.lost;
		write_block(c, pcapng_write_stats(t->block, BLOCK_SIZE, &st));
	}
	c->ended = true;
}

static struct capture *capture_free(struct capture *c)
{
	if (!c)
		return NULL;
	capfilter_deinit(&c->filter);
	free(c->interface);
	free(c);
	return NULL;
}

static void captures_closed(struct ctl_stream *s)
{
	struct capture *c = capture_of(s);
	struct captures *t = c->captures;

	t->capture[c->slot] = NULL;
	t->n--;
	if (c->data) {
		t->n_data--;
		captures_publish(t);
	}
	capture_free(c);
}

static const struct ctl_stream_ops stream_ops = {
	.opened = begin_capture,
	.ending = end_capture,
	.closed = captures_closed,
};

/* ---- the request ---- */

/* "key=value" -> value */
static const char *value_of(const char *word, const char *key)
{
	size_t n = strlen(key);

	return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static bool parse_number(const char *s, uint32_t lo, uint32_t hi, uint32_t *ret)
{
	uint64_t v;
	const char *rest = config_scan_number(s, &v);

	if (!rest || *rest || v < lo || v > hi)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static json_t *add_interface(struct capture *c, const char *name)
{
	if (!port_exists(c->captures, name))
		return ctl_error("interface %s does not belong to this daemon", name);
	if (c->n_names == NAMES_MAX || strlen(name) >= IFNAMSIZ)
		return ctl_error("too many interfaces");
	strcpy(c->name[c->n_names++], name);
	return NULL;
}

static json_t *parse_filter(const char *text, struct bpf_program *ret)
{
	int r;

	if (ret->bf_insns)
		return ctl_error("more than one filter");
	r = capfilter_parse(text, ret);
	if (r == -EINVAL)
		return ctl_error("the filter is not a program, or it has loops");
	return r < 0 ? ctl_error("%s", strerror(-r)) : NULL;
}

static bool means_data(const char *word)
{
	return strcmp(word, "data") == 0 || value_of(word, "sample");
}

/* NULL, or what is wrong */
static json_t *parse_word(struct capture *c, const char *word)
{
	const char *v;

	c->data |= means_data(word);
	if (strcmp(word, "data") == 0)
		return NULL;
	if ((v = value_of(word, "sample")))
		return parse_number(v, 1, UINT32_MAX, &c->one_of)
			? NULL
			: ctl_error("sample is a number from 1");
	if ((v = value_of(word, "snaplen")))
		return parse_number(v, SNAPLEN_MIN, SNAPLEN_MAX, &c->snaplen)
			? NULL
			: ctl_error("snaplen is a number from %d to %d", SNAPLEN_MIN,
				  SNAPLEN_MAX);
	if ((v = value_of(word, "interface")))
		return add_interface(c, v);
	if ((v = value_of(word, "ethernet")))
		return parse_filter(v, &c->filter.ethernet);
	if ((v = value_of(word, "raw")))
		return parse_filter(v, &c->filter.raw_ip);
	return ctl_error("unknown word '%s'", word);
}

static json_t *parse_words(struct capture *c, const char *args)
{
	_cleanup_(freep) char *copy = strdup(args);
	char *save = NULL;

	if (!copy)
		return ctl_error("out of memory");
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		json_t *error = parse_word(c, w);

		if (error)
			return error;
	}
	if (!c->filter.ethernet.bf_insns != !c->filter.raw_ip.bf_insns)
		return ctl_error("a filter has two programs, ethernet and raw");
	return NULL;
}

bool captures_shows_data(const char *args)
{
	_cleanup_(freep) char *copy = strdup(args);
	char *save = NULL;

	if (!copy)
		return true;
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (means_data(w))
			return true;
	return false;
}

static void enter(struct captures *t, struct capture *c)
{
	while (t->capture[c->slot])
		c->slot++;
	t->capture[c->slot] = c;
	if (++t->last_id == 0)
		t->last_id = 1;
	c->id = t->last_id;
	c->start_ns = wall_clock_ns();
	t->n++;
	for (unsigned i = 0; i < CAPTURES_N; i++)
		c->port[i].interface = PORT_NOT_DESCRIBED;
	for (unsigned i = 0; i < PORT_MAX; i++)
		c->port[i].lost_before = t->ops.samples_lost(t->ops.ctx, c->slot, i);
	if (!c->data)
		return;
	t->n_data++;
	t->drain_at = MONO_UNSET; /* drains at once, and then at intervals */
	captures_publish(t);
}

json_t *captures_open(struct captures *t, const char *args, struct ctl_stream **ret)
{
	struct capture *c = t->n < CAPTURES_MAX ? calloc(1, sizeof(*c)) : NULL;
	json_t *error;

	if (!c)
		return ctl_error("too many captures, or out of memory");
	c->captures = t;
	c->stream.ops = &stream_ops;
	c->one_of = 1;
	c->snaplen = SNAPLEN_DEFAULT;
	error = parse_words(c, args);
	if (error) {
		capture_free(c);
		return error;
	}
	enter(t, c);
	*ret = &c->stream;
	return json_pack("{s:s}", "capture", "pcapng");
}

int captures_new(const struct captures_ops *ops, struct captures **ret)
{
	struct captures *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->ops = *ops;
	t->drain_at = MONO_NEVER;
	*ret = t;
	return 0;
}

struct captures *captures_free(struct captures *t)
{
	free(t);
	return NULL;
}
