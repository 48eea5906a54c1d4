/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Captures: clients of the control socket that get, as a pcapng stream, all membership
 * messages that the daemon receives and sends, and on request copies of data frames. A
 * client that reads too slowly loses packets, which are counted; nothing waits for it.
 */

#include "base/addr.h"
#include "base/pcapng.h"
#include "control/sys/ctl.h"
#include "dataplane/io/sample.h"

struct captures;

/* Numbers of interfaces: first those of ports, then those of interfaces on which
 * upstreams report ("report-interface"), if these are different. */
#define CAPTURES_REPORT(port) (PORT_MAX + (port))
#define CAPTURES_N	      (2 * PORT_MAX)

/* a port as a capture shows it */
struct captures_port {
	const char *name;
	bool present;
	bool has_l2; /* its packets get an Ethernet header */
	uint8_t mac[6];
};

struct captures_ops {
	bool (*port)(void *ctx, unsigned number,
		struct captures_port *ret); /* false if there is none */
	/* functions of the data plane, see dataplane.h */
	void (*sample)(void *ctx, struct sample_spec *spec);
	bool (*samples)(
		void *ctx, void (*fn)(void *arg, const struct sample *s), void *arg);
	uint64_t (*samples_lost)(void *ctx, unsigned want, unsigned port);
	void *ctx;
};

int captures_new(
	const struct captures_ops *ops, struct captures **ret); /* copies `ops` */
/* After ctl_free(), which ends the captures; takes and returns NULL. */
struct captures *captures_free(struct captures *t);

/* Handler of the command "capture", see doc/control-socket.md. */
json_t *captures_open(struct captures *t, const char *args, struct ctl_stream **ret);
/* Does it ask for data frames, which only root and the starter may see? */
bool captures_shows_data(const char *args);

bool captures_is_active(const struct captures *t); /* is there a capture? */

/* A membership message, from its IP header on. */
struct captures_message {
	unsigned number; /* of the interface */
	enum pcapng_direction direction;
	enum pcapng_reception reception;
	enum family family;
	uint8_t from_mac[6]; /* of the sender; not looked at when outbound */
	const void *packet;
	uint32_t len;
};
/* PACKET_HOST etc., as in the file */
enum pcapng_reception captures_reception(uint8_t pkttype);
void captures_message(struct captures *t, const struct captures_message *m);

/* Ports were added, removed or renamed. */
void captures_ports_changed(struct captures *t);

/* Copies of data frames are fetched at intervals. */
mono_t captures_deadline(const struct captures *t);
void captures_tick(struct captures *t, mono_t now);
