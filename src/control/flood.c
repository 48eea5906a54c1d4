/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Limits of membership messages, see flood.h. mcsock asks for each message before it is
 * decoded. A bucket is one point in time, the one at which it will be empty again (the
 * virtual scheduling form of the generic cell rate algorithm, ITU-T I.371); hosts are
 * in a table of fixed size, four to a row, in which a new one takes the place of the
 * one that has been silent longest. A host that lost its place starts with empty
 * buckets: the error is always on the side of letting pass.
 */

#include "control/flood.h"

#include "base/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define ROWS (FLOOD_HOSTS / WAYS)

/* A bucket holds what comes in so long: hosts answer a query with all of their groups
 * at once. */
#define HOST_BURST_MS 2000
#define PORT_BURST_MS 1000
/* A host is quiet up to so many messages per second: somebody who changes channels, or
 * answers a query for some dozens of groups. */
#define QUIET_RATE 8
/* Dropped within a second before the kernel is asked to do it. */
#define SILENCE_MIN 100

struct host {
	uint64_t id; /* keyed hash of port and address; 0: the place is free */
	mono_t busy, quiet;
	mono_t since; /* n_dropped counts from here, for a second */
	uint32_t n_dropped;
};

struct flood {
	struct table hash; /* only its key */
	struct host row[ROWS][WAYS];
};

int flood_new(uint64_t seed, struct flood **ret_flood)
{
	struct flood *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	table_init(&f->hash, seed);
	*ret_flood = f;
	return 0;
}

struct flood *flood_free(struct flood *f)
{
	free(f);
	return NULL;
}

static struct host *find(
	struct flood *f, const struct flood_port *port, const void *address, size_t len)
{
	uint8_t key[sizeof(port) + 16] = {0};
	struct host *row, *oldest;
	uint64_t id;

	memcpy(key, &port, sizeof(port)); /* who it is, not what is in it */
	memcpy(key + sizeof(port), address, len < 16 ? len : 16);
	id = table_hash(&f->hash, key, sizeof(key)) | 1;
	row = f->row[(id >> 1) % ROWS];
	oldest = row;
	for (unsigned i = 0; i < WAYS; i++) {
		if (row[i].id == id)
			return &row[i];
		if (mono_before(row[i].busy, oldest->busy))
			oldest = &row[i];
	}
	*oldest = (struct host){.id = id};
	return oldest;
}

/* The bucket with one message more, at `rate` per second. */
static mono_t filled(mono_t bucket, mono_t now, uint32_t rate)
{
	return mono_add_ns(mono_max(bucket, now), NS_PER_SEC / rate);
}

static bool has_room(mono_t bucket, mono_t now, uint32_t rate, uint32_t burst_ms)
{
	return mono_due(filled(bucket, now, rate), mono_add_ms(now, burst_ms));
}

/* What a full port still takes from a host that is quiet. */
static bool take_quiet(
	struct host *h, mono_t now, struct flood_port *port, uint32_t port_rate)
{
	if (!has_room(h->quiet, now, QUIET_RATE, HOST_BURST_MS) ||
		!has_room(port->quiet, now, port_rate, PORT_BURST_MS))
		return false;
	h->quiet = filled(h->quiet, now, QUIET_RATE);
	port->quiet = filled(port->quiet, now, port_rate);
	return true;
}

static bool take(struct host *h, mono_t now, struct flood_port *port,
	const struct flood_limit *limit)
{
	uint32_t host_rate = limit->host_rate, port_rate = limit->port_rate;

	if (host_rate) {
		if (!has_room(h->busy, now, host_rate, HOST_BURST_MS))
			return false;
		h->busy = filled(h->busy, now, host_rate);
	}
	if (!port_rate)
		return true;
	if (!has_room(port->busy, now, port_rate, PORT_BURST_MS))
		return take_quiet(h, now, port, port_rate);
	port->busy = filled(port->busy, now, port_rate);
	return true;
}

enum flood_verdict flood_input(struct flood *f, mono_t now, struct flood_port *port,
	const struct flood_limit *limit, const void *host, size_t len)
{
	uint32_t many = limit->host_rate > SILENCE_MIN ? limit->host_rate : SILENCE_MIN;
	struct host *h;

	if (!limit->host_rate && !limit->port_rate)
		return FLOOD_PASS;
	h = find(f, port, host, len);
	if (take(h, now, port, limit))
		return FLOOD_PASS;
	port->n_dropped++;
	if (mono_due(mono_add_ns(h->since, NS_PER_SEC), now)) {
		h->since = now;
		h->n_dropped = 0;
	}
	/* of the port's limit many hosts may have a small part each */
	if (!limit->host_rate || ++h->n_dropped != many)
		return FLOOD_DROP;
	return FLOOD_SILENCE;
}
