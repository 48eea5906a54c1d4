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
	/* Returns false if no port has the number. */
	bool (*port)(void *ctx, unsigned number, struct captures_port *ret);
	/* functions of the data plane, see dataplane.h */
	void (*sample)(void *ctx, struct sample_spec *spec);
	bool (*samples)(
		void *ctx, void (*fn)(void *arg, const struct sample *s), void *arg);
	uint64_t (*samples_lost)(void *ctx, unsigned want, unsigned port);
	void *ctx;
};

/* Copies `ops`. Returns 0 or -ENOMEM. */
int captures_new(const struct captures_ops *ops, struct captures **ret);
/* Call it after ctl_free(), which ends the captures. */
struct captures *captures_free(struct captures *t);

/* Handler of the command "capture", see doc/control-socket.md. */
json_t *captures_open(struct captures *t, const char *args, struct ctl_stream **ret);
/* Do these arguments ask for data frames? Only root and the user that has started the
 * daemon may see them. */
bool captures_shows_data(const char *args);

bool captures_is_active(const struct captures *t); /* is there a capture? */

/* A membership message, from its IP header on. */
struct captures_message {
	unsigned number; /* of the interface */
	enum pcapng_direction direction;
	enum pcapng_reception reception;
	enum family family;
	uint8_t from_mac[6]; /* of the sender; not used for an outbound message */
	const void *packet;
	uint32_t len;
};
/* Converts PACKET_HOST and the other types of packet(7) to the codes of pcapng. */
enum pcapng_reception captures_reception(uint8_t pkttype);
void captures_message(struct captures *t, const struct captures_message *m);

/* Ports were added, removed or renamed. */
void captures_ports_changed(struct captures *t);

/* Fetches copies of data frames from the data plane, at the intervals that
 * captures_deadline() gives. */
mono_t captures_deadline(const struct captures *t);
void captures_tick(struct captures *t, mono_t now);
