/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Budgets of membership messages, see admission.h. Each message is judged before it is
 * decoded. A bucket is one point in time: when it will be empty again (the virtual
 * scheduling form of the generic cell rate algorithm, ITU-T I.371). Beyond its burst a
 * bucket has a zone in which the chance of admission falls to zero. Under a lasting
 * flood each message then has the same chance, whenever it arrives.
 *
 * Hosts and messages are in tables of fixed size with four entries to a row. A new
 * entry replaces the one whose bucket has been empty longest. A host that lost its
 * entry starts again with an empty bucket, so an error always admits too much, and the
 * port's budgets bound it. A member keeps its entry until its groups have ended, or
 * until another port with fewer entries in that row needs it.
 */

#include "control/proto/admission.h"

#include "base/minmax.h"
#include "base/rng.h"
#include "base/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROW_PLACES 4
#define ROWS	   (ADMISSION_HOSTS / ROW_PLACES)

/* A full budget is worth this much time at its rate, because a host answers a query
 * with all of its groups at once. */
#define HOST_BURST_MS 2000
#define PORT_BURST_MS 1000
#define WAY_BURST_MS  250
/* The zone in which chance decides is this part of the burst. */
#define ZONE_DIVISOR 4

/* A host is quiet as long as it causes at most this much work per second, and at once.
 * That is enough to change channels, or to answer a query for a few dozen groups. */
#define QUIET_WORK  16
#define QUIET_BURST 64
/* Each of the two budgets of a member is enough for an answer to a general query with a
 * few dozen groups, and for the next answer 125 s later. All members together cause no
 * more work than this way allows on a port without a limit. */
#define MEMBER_WORK	  4
#define MEMBER_BURST	  64
#define MEMBER_ROW_PLACES 8
#define MEMBER_ROWS	  (ADMISSION_MEMBERS / MEMBER_ROW_PLACES)
#define SAID		  2 /* messages that are remembered of a member */
/* How often per second, and at once, the same message may come from the same addresses:
 * hosts repeat their reports. */
#define SAME_RATE  2
#define SAME_BURST 4
/* Bytes of a message that are compared. Its length is always compared. */
#define SAME_BYTES 256

/* The other ways on a port without a limit. */
#define DEFAULT_PORT_RATE 20000

struct entry {
	uint64_t id; /* keyed hash; 0 if the place is free */
	mono_t busy; /* MONO_UNSET if nothing has been charged */
};

struct host {
	struct entry e;		/* e.busy is the bucket of work */
	mono_t messages, quiet; /* the other buckets */
	mono_t since;		/* start of the second that n_refused counts */
	uint32_t n_refused;
};

struct member {
	const void *port;    /* its identity; the contents are not read */
	mono_t since, until; /* `until`: its groups end */
	mono_t any, known;   /* buckets: of all messages, of those that it has sent
			      * before */
	struct {
		uint64_t digest;
		mono_t at; /* when it was last heard */
	} said[SAID];
};

struct member_row {
	uint64_t id[MEMBER_ROW_PLACES]; /* keyed hash; 0 if the place is free */
	struct member v[MEMBER_ROW_PLACES];
};

struct admission {
	struct table hash; /* only for its key */
	struct rng rng;
	struct host host[ROWS][ROW_PLACES];
	struct entry same[ROWS][ROW_PLACES];
	struct member_row member[MEMBER_ROWS];
	uint64_t last_id; /* sender of the last message, or 0 if nobody is limited */
	/* the entry that the last message was charged to as a repetition, or NULL */
	struct entry *last;
	mono_t last_before;
};

/* units per second, and units at once */
struct budget {
	int64_t unit_ns, burst_ns;
};

static struct budget budget(uint64_t rate, int64_t burst_ms)
{
	return (struct budget){
		.unit_ns = rate > NS_PER_SEC ? 1 : NS_PER_SEC / (int64_t)rate,
		.burst_ns = burst_ms * NS_PER_MS};
}

int admission_new(uint64_t seed, struct admission **ret_admission)
{
	struct admission *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	table_init(&f->hash, seed);
	rng_seed(&f->rng, table_hash(&f->hash, &seed, sizeof(seed)));
	*ret_admission = f;
	return 0;
}

struct admission *admission_free(struct admission *f)
{
	free(f);
	return NULL;
}

/* ---- tables ---- */

/* The entry of `id` in its row, or the one that it replaces. Entries are `size` bytes
 * apart. */
static struct entry *admission_find(void *row, size_t size, uint64_t id)
{
	struct entry *oldest = row;

	for (unsigned i = 0; i < ROW_PLACES; i++) {
		struct entry *e = (struct entry *)((char *)row + i * size);

		if (e->id == id)
			return e;
		if (mono_before(e->busy, oldest->busy))
			oldest = e;
	}
	memset(oldest, 0, size);
	oldest->id = id;
	return oldest;
}

/* `port` is an identity; its contents are not read. */
static uint64_t host_id(const struct admission *f, const struct admission_port *port,
	const struct admission_host *host)
{
	uint8_t key[sizeof(port) + sizeof(host->mac) + sizeof(host->from) + 1],
		*p = key;

	memcpy(p, &port, sizeof(port));
	p += sizeof(port);
	memcpy(p, &host->mac, sizeof(host->mac));
	p += sizeof(host->mac);
	memcpy(p, &host->from, sizeof(host->from));
	p += sizeof(host->from);
	*p = host->has_mac;
	return table_hash(&f->hash, key, sizeof(key)) | 1;
}

static struct host *find_host(struct admission *f, uint64_t id)
{
	return (struct host *)admission_find(
		f->host[(id >> 1) % ROWS], sizeof(struct host), id);
}

static struct entry *find_same(
	struct admission *f, uint64_t host, const struct admission_message *m)
{
	size_t len = min(m->len, SAME_BYTES);
	uint64_t key[3] = {host, m->len, table_hash(&f->hash, m->bytes, len)};
	uint64_t id = table_hash(&f->hash, key, sizeof(key)) | 1;

	return admission_find(f->same[(id >> 1) % ROWS], sizeof(struct entry), id);
}

static struct member *find_member(struct admission *f, uint64_t id)
{
	struct member_row *row = &f->member[(id >> 1) % MEMBER_ROWS];

	for (unsigned i = 0; i < MEMBER_ROW_PLACES; i++)
		if (row->id[i] == id)
			return &row->v[i];
	return NULL;
}

static unsigned n_of_port(const struct member_row *row, const void *port)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MEMBER_ROW_PLACES; i++)
		n += row->v[i].port == port;
	return n;
}

/* The place that a new member of the port may take: one that is free, else the
 * youngest of another port that has at least two more in the row. MEMBER_ROW_PLACES if
 * there is none. */
static unsigned free_place(const struct member_row *row, mono_t now, const void *port)
{
	unsigned most = n_of_port(row, port) + 1, place = MEMBER_ROW_PLACES;

	for (unsigned i = 0; i < MEMBER_ROW_PLACES; i++) {
		const struct member *m = &row->v[i];
		unsigned n;

		if (mono_due(m->until, now))
			return i;
		n = n_of_port(row, m->port);
		if (n > most ||
			(n == most && place < MEMBER_ROW_PLACES &&
				mono_before(row->v[place].since, m->since))) {
			most = n;
			place = i;
		}
	}
	return place;
}

/* Finds or adds the entry. Returns NULL if all places are taken. */
static struct member *get_member(
	struct admission *f, mono_t now, uint64_t id, const void *port)
{
	struct member_row *row = &f->member[(id >> 1) % MEMBER_ROWS];
	struct member *m = find_member(f, id);
	unsigned i;

	if (m)
		return m;
	i = free_place(row, now, port);
	if (i == MEMBER_ROW_PLACES)
		return NULL;
	row->id[i] = id;
	row->v[i] = (struct member){.port = port, .since = now};
	return &row->v[i];
}

static uint64_t digest(const struct admission *f, const struct admission_message *m)
{
	return table_hash(&f->hash, m->bytes, m->len);
}

/* ---- buckets ---- */

static int64_t bucket_fill(mono_t bucket, mono_t now)
{
	return mono_due(bucket, now) ? 0 : bucket.ns - now.ns;
}

static void charge(mono_t *bucket, mono_t now, const struct budget *b, uint32_t units)
{
	*bucket = mono_add_ns(mono_max(*bucket, now), b->unit_ns * units);
}

/* How many of `want` units fit; charges nothing. */
static uint32_t bucket_room(
	mono_t bucket, mono_t now, const struct budget *b, uint32_t want)
{
	int64_t left = (b->burst_ns - bucket_fill(bucket, now)) / b->unit_ns;

	return left <= 0 ? 0 : left < want ? (uint32_t)left : want;
}

/* How many of `want` units fit, if chance decides within the zone. All messages can
 * expect the same amount of work, so a large one is admitted less often than a small
 * one. */
static uint32_t room_by_chance(struct admission *f, mono_t bucket, mono_t now,
	const struct budget *b, uint32_t want)
{
	int64_t zone = b->burst_ns / ZONE_DIVISOR;
	int64_t left = b->burst_ns + zone - bucket_fill(bucket, now);
	uint64_t large = max(want, ADMISSION_SMALL);

	if (left <= 0)
		return 0;
	if (left < zone &&
		rng_below(&f->rng, (uint64_t)zone * large) >=
			(uint64_t)left * ADMISSION_SMALL)
		return 0;
	left = left / b->unit_ns + 1;
	return left < want ? (uint32_t)left : want;
}

/* ---- four ways ---- */

struct input {
	struct admission *f;
	mono_t now;
	struct admission_port *port;
	const struct admission_limit *limit;
	const struct admission_message *m;
	uint64_t id;
	struct host *h;
};

/* A message cannot be cut to less than its first records. */
static bool is_enough(uint32_t granted, uint32_t want)
{
	return granted >= min(want, ADMISSION_SMALL);
}

/* How much of `want` a host or port has room for at this rate of messages and work,
 * whose buckets these are. */
static uint32_t full_room(const struct input *in, uint64_t rate, uint32_t work_rate,
	int64_t burst_ms, mono_t messages, mono_t work, uint32_t want)
{
	struct budget by_message, by_work;

	if (!rate)
		return want;
	by_message = budget(rate, burst_ms);
	by_work = budget(rate * work_rate, burst_ms);
	if (!room_by_chance(in->f, messages, in->now, &by_message, 1))
		return 0;
	return room_by_chance(in->f, work, in->now, &by_work, want);
}

static void charge_full(const struct input *in, uint32_t units)
{
	uint64_t host = in->limit->host_rate, port = in->limit->port_rate;
	struct budget b;

	/* without a limit it says how recently the host was heard */
	b = budget(host ? host * ADMISSION_HOST_WORK : NS_PER_SEC, HOST_BURST_MS);
	charge(&in->h->e.busy, in->now, &b, units);
	if (host) {
		b = budget(host, HOST_BURST_MS);
		charge(&in->h->messages, in->now, &b, 1);
	}
	if (port) {
		b = budget(port, PORT_BURST_MS);
		charge(&in->port->messages, in->now, &b, 1);
		b = budget(port * ADMISSION_PORT_WORK, PORT_BURST_MS);
		charge(&in->port->work, in->now, &b, units);
	}
}

static uint32_t take_full(const struct input *in, enum admission_cause *ret_cause)
{
	uint32_t want = in->m->work, granted = 0;
	uint32_t by_host = full_room(in, in->limit->host_rate, ADMISSION_HOST_WORK,
		HOST_BURST_MS, in->h->messages, in->h->e.busy, want);

	if (is_enough(by_host, want))
		granted = full_room(in, in->limit->port_rate, ADMISSION_PORT_WORK,
			PORT_BURST_MS, in->port->messages, in->port->work, by_host);
	*ret_cause = by_host < want ? ADMISSION_BY_HOST
		: granted < want    ? ADMISSION_BY_PORT
				    : ADMISSION_NOTHING;
	if (!is_enough(granted, want))
		return 0;
	charge_full(in, granted);
	return granted;
}

static struct budget way(const struct input *in)
{
	uint64_t rate = in->limit->port_rate ? in->limit->port_rate : DEFAULT_PORT_RATE;

	return budget(rate * ADMISSION_PORT_WORK, WAY_BURST_MS);
}

static bool has_said(const struct admission *f, const struct member *p,
	const struct admission_message *m)
{
	uint64_t d = digest(f, m);

	for (unsigned i = 0; i < SAID; i++)
		if (mono_is_set(p->said[i].at) && p->said[i].digest == d)
			return true;
	return false;
}

/* Each attempt is charged to its host, so a host that has used up its places does not
 * block others, however often it tries. */
static uint32_t take_member(const struct input *in)
{
	struct budget own = budget(MEMBER_WORK, MEMBER_BURST * 1000 / MEMBER_WORK);
	struct budget port = way(in);
	struct member *p = find_member(in->f, in->id);
	uint32_t want = in->m->work, granted, known = 0;
	mono_t *bucket;

	if (!p || mono_due(p->until, in->now))
		return 0;
	bucket = &p->any;
	granted = bucket_room(*bucket, in->now, &own, want);
	if (want > ADMISSION_SMALL && has_said(in->f, p, in->m))
		known = bucket_room(p->known, in->now, &own, want);
	if (known >= granted && known) {
		bucket = &p->known;
		granted = known;
	}
	if (!is_enough(granted, want))
		return 0;
	charge(bucket, in->now, &own, granted);
	granted = room_by_chance(in->f, in->port->member, in->now, &port, granted);
	if (!is_enough(granted, want))
		return 0;
	charge(&in->port->member, in->now, &port, granted);
	return granted;
}

static uint32_t take_quiet(const struct input *in)
{
	struct budget quiet = budget(QUIET_WORK, QUIET_BURST * 1000 / QUIET_WORK);
	struct budget port = way(in);
	uint32_t granted = bucket_room(in->h->quiet, in->now, &quiet, in->m->work);

	if (!is_enough(granted, in->m->work))
		return 0;
	granted = room_by_chance(in->f, in->port->quiet, in->now, &port, granted);
	if (!is_enough(granted, in->m->work))
		return 0;
	charge(&in->h->quiet, in->now, &quiet, granted);
	charge(&in->port->quiet, in->now, &port, granted);
	return granted;
}

static uint32_t take_fresh(const struct input *in)
{
	struct budget same = budget(SAME_RATE, SAME_BURST * 1000 / SAME_RATE);
	struct budget port = way(in);
	struct entry *e = find_same(in->f, in->id, in->m);
	uint32_t granted = min(in->m->work, ADMISSION_SMALL);

	if (!bucket_room(e->busy, in->now, &same, 1) ||
		!is_enough(
			room_by_chance(in->f, in->port->fresh, in->now, &port, granted),
			granted))
		return 0;
	in->f->last = e;
	in->f->last_before = e->busy;
	charge(&e->busy, in->now, &same, 1);
	charge(&in->port->fresh, in->now, &port, granted);
	return granted;
}

/* ---- input ---- */

bool admission_is_struck(
	const struct admission_port *port, enum admission_cause cause, mono_t now)
{
	mono_t at = port->struck[cause].at;

	return mono_is_set(at) && !mono_due(mono_add_ms(at, ADMISSION_STRUCK_MS), now);
}

static struct admission_struck *note_struck(struct admission_port *port, mono_t now,
	enum admission_cause cause, const struct admission_host *host)
{
	struct admission_struck *s = &port->struck[cause];

	if (!admission_is_struck(port, cause, now))
		*s = (struct admission_struck){.since = now};
	s->host = *host;
	s->at = now;
	return s;
}

void admission_cut(struct admission_port *port, mono_t now, enum admission_cause cause,
	const struct admission_host *host)
{
	note_struck(port, now, cause, host)->n_cut++;
}

/* Counts a refused message. Returns true if the host has had too many within a
 * second. */
static bool count_refused(struct host *h, mono_t now, uint32_t loud_rate)
{
	if (mono_due(mono_add_ns(h->since, NS_PER_SEC), now)) {
		h->since = now;
		h->n_refused = 0;
	}
	h->n_refused++;
	return loud_rate && h->n_refused % loud_rate == 0;
}

struct admission_verdict admission_input(struct admission *f, mono_t now,
	struct admission_port *port, const struct admission_limit *limit,
	const struct admission_message *m)
{
	struct input in = {f, now, port, limit, m, .id = 0};
	struct admission_verdict v = {.work = m->work};

	f->last = NULL;
	f->last_id = 0;
	if (!limit->host_rate && !limit->port_rate)
		return v;
	f->last_id = in.id = host_id(f, port, &m->host);
	in.h = find_host(f, in.id);
	v.work = take_full(&in, &v.cause);
	if (v.cause == ADMISSION_NOTHING)
		return v;
	/* Ask the budget of the member even if a part was granted; otherwise strangers
	 * could cause a member's message to be cut. */
	v.work = max(v.work, take_member(&in));
	if (!v.work)
		v.work = take_quiet(&in);
	if (!v.work)
		v.work = take_fresh(&in);
	if (!v.work) {
		note_struck(port, now, v.cause, &m->host)->n_refused++;
		v.loud = count_refused(in.h, now, limit->loud_rate);
	}
	return v;
}

/* Remembers the message of a member. A remembered one that was repeated within the life
 * of a membership is not replaced, so a forger cannot displace it. */
static void note_said(struct member *p, mono_t now, uint64_t d)
{
	int64_t life = p->until.ns - now.ns;
	unsigned oldest = 0;

	for (unsigned i = 0; i < SAID; i++) {
		if (mono_is_set(p->said[i].at) && p->said[i].digest == d) {
			p->said[i].at = now;
			return;
		}
		if (mono_before(p->said[i].at, p->said[oldest].at))
			oldest = i;
	}
	if (mono_is_set(p->said[oldest].at) &&
		!mono_due(mono_add_ns(p->said[oldest].at, life), now))
		return;
	p->said[oldest].digest = d;
	p->said[oldest].at = now;
}

void admission_member(struct admission *f, mono_t now,
	const struct admission_port *port, const struct admission_message *m,
	uint32_t granted, mono_t until)
{
	struct member *p = f->last_id ? get_member(f, now, f->last_id, port) : NULL;

	if (!p)
		return;
	p->until = until;
	if (m->work > ADMISSION_SMALL && granted == m->work)
		note_said(p, now, digest(f, m));
}

void admission_bad(struct admission *f)
{
	if (f->last)
		f->last->busy = f->last_before;
	f->last = NULL;
}
