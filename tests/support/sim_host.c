/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The set-top box, see sim_host.h. It uses nothing of the control core. */

#include "sim_host.h"

#include "test.h"

#include <stdlib.h>

#define UNSOLICITED_MS	     1000  /* RFC 9776 8.11 */
#define OLDER_UNSOLICITED_MS 10000 /* RFC 2236 8.10 */
#define OLDER_QUERIER_MS     260000

static struct sim_host *host_of(const struct sim_node *n)
{
	return container_of((struct sim_node *)(uintptr_t)n, struct sim_host, node);
}

static struct sim *sim_of(const struct sim_host *h)
{
	return h->node.sim;
}

static enum gm_version version(const struct sim_host *h)
{
	enum gm_version v = h->max;

	for (int older = GM_V2; older >= GM_V1; older--)
		if (mono_before(sim_of(h)->now, h->older_until[older]) &&
			older < (int)v)
			v = (enum gm_version)older;
	return v;
}

static struct sim_member *member_find(
	const struct sim_host *h, const struct addr *group)
{
	for (size_t i = 0; i < h->n_members; i++)
		if (addr_eq(&h->member[i].group, group))
			return &h->member[i];
	return NULL;
}

static struct sim_member *member_get(struct sim_host *h, const struct addr *group)
{
	struct sim_member *m = member_find(h, group);

	if (m)
		return m;
	if (h->n_members == h->cap_members) {
		h->cap_members = h->cap_members ? 2 * h->cap_members : 8;
		h->member = realloc(h->member, h->cap_members * sizeof(*h->member));
		assert_non_null(h->member);
	}
	m = &h->member[h->n_members++];
	*m = (struct sim_member){.group = *group, .want.mode = GM_INCLUDE};
	m->change_at = m->answer_at = MONO_NEVER;
	return m;
}

static void member_deinit(struct sim_member *m)
{
	addrset_deinit(&m->want.src);
	addrset_deinit(&m->asked);
	free(m->owed);
}

static bool member_done(const struct sim_member *m)
{
	return gm_filter_is_none(&m->want) && m->change_at.ns == MONO_NEVER.ns;
}

static void forget_done(struct sim_host *h)
{
	size_t out = 0;

	for (size_t i = 0; i < h->n_members; i++)
		if (member_done(&h->member[i]))
			member_deinit(&h->member[i]);
		else
			h->member[out++] = h->member[i];
	h->n_members = out;
}

/* ---- sending ---- */

static void send(struct sim_host *h, const struct gm_record *rec, size_t n)
{
	h->n_sent++;
	sim_send_report_as(&h->node.port[0], &h->from, version(h), rec, n);
}

static void send_one(struct sim_host *h, enum gm_record_type type,
	const struct addr *group, const struct addr *src, size_t n_src)
{
	struct gm_record rec = {type, *group, src, n_src};

	send(h, &rec, 1);
}

static void send_state(struct sim_host *h, const struct sim_member *m)
{
	if (version(h) < GM_V3)
		send_one(h, GM_IS_EX, &m->group, NULL, 0);
	else
		send_one(h, m->want.mode == GM_INCLUDE ? GM_IS_IN : GM_IS_EX, &m->group,
			m->want.src.v, m->want.src.n);
}

/* Answers a general query with all memberships in as few messages as possible. */
static void send_all(struct sim_host *h)
{
	struct gm_record rec[64];
	size_t n = 0, bytes = 0, limit = h->node.port[0].link->mtu - 100;

	for (size_t i = 0; i < h->n_members; i++) {
		const struct sim_member *m = &h->member[i];
		size_t size = 20 + 16 * m->want.src.n;

		if (gm_filter_is_none(&m->want))
			continue;
		if (n == array_len(rec) || (n && bytes + size > limit)) {
			send(h, rec, n);
			n = bytes = 0;
		}
		rec[n++] = (struct gm_record){
			m->want.mode == GM_INCLUDE ? GM_IS_IN : GM_IS_EX, m->group,
			m->want.src.v, m->want.src.n};
		bytes += size;
	}
	if (n)
		send(h, rec, n);
}

static void send_owed(struct sim_host *h, const struct sim_member *m, bool allow)
{
	struct addrset list = {0};

	for (size_t i = 0; i < m->n_owed; i++)
		if (m->owed[i].allow == allow)
			assert_int_equal(addrset_add(&list, &m->owed[i].addr), 0);
	if (list.n)
		send_one(h, allow ? GM_ALLOW : GM_BLOCK, &m->group, list.v, list.n);
	addrset_deinit(&list);
}

/* Sends one transmission of a state change, or of an unsolicited report. */
static void send_change(struct sim_host *h, struct sim_member *m)
{
	uint32_t ms = version(h) < GM_V3 ? OLDER_UNSOLICITED_MS : UNSOLICITED_MS;
	size_t out = 0;

	if (version(h) < GM_V3) {
		m->reporter = true;
		send_state(h, m);
	} else if (m->mode_left) {
		send_one(h, m->want.mode == GM_INCLUDE ? GM_TO_IN : GM_TO_EX, &m->group,
			m->want.src.v, m->want.src.n);
	} else {
		send_owed(h, m, true);
		send_owed(h, m, false);
	}
	if (m->mode_left)
		m->mode_left--;
	for (size_t i = 0; i < m->n_owed; i++)
		if (--m->owed[i].left)
			m->owed[out++] = m->owed[i];
	m->n_owed = out;
	m->change_at = m->mode_left || m->n_owed ? sim_random_after(sim_of(h), ms)
						 : MONO_NEVER;
}

/* ---- memberships ---- */

static void owe(
	struct sim_host *h, struct sim_member *m, const struct addr *a, bool allow)
{
	size_t i = 0;

	while (i < m->n_owed && !addr_eq(&m->owed[i].addr, a))
		i++;
	if (i == m->n_owed) {
		m->owed = realloc(m->owed, (m->n_owed + 1) * sizeof(*m->owed));
		assert_non_null(m->owed);
		m->n_owed++;
	}
	m->owed[i] = (struct sim_owed){*a, allow, h->robustness};
}

/* RFC 9776 5.1: the sources that differ, and in which direction. */
static void owe_difference(
	struct sim_host *h, struct sim_member *m, const struct addrset *now)
{
	bool include = m->want.mode == GM_INCLUDE;

	for (size_t i = 0; i < now->n; i++)
		if (!addrset_contains(&m->want.src, &now->v[i]))
			owe(h, m, &now->v[i], include);
	for (size_t i = 0; i < m->want.src.n; i++)
		if (!addrset_contains(now, &m->want.src.v[i]))
			owe(h, m, &m->want.src.v[i], !include);
}

static void change_older(struct sim_host *h, struct sim_member *m, bool was)
{
	bool is = !gm_filter_is_none(&m->want);

	if (is && !was) {
		m->mode_left = h->robustness;
		send_change(h, m);
	} else if (was && !is) {
		m->mode_left = 0;
		m->change_at = MONO_NEVER;
		if (version(h) == GM_V2 && m->reporter)
			send_one(h, GM_TO_IN, &m->group, NULL, 0);
	}
}

void sim_host_set(struct sim_host *h, const struct addr *group, enum gm_mode mode,
	const struct addr *src, size_t n_src)
{
	struct sim_member *m = member_get(h, group);
	bool was = !gm_filter_is_none(&m->want);
	struct gm_filter now = {.mode = mode};

	assert_int_equal(addrset_from_array(&now.src, src, n_src), 0);
	if (gm_filter_eq(&m->want, &now)) {
		addrset_deinit(&now.src);
		forget_done(h);
		return;
	}
	if (version(h) == GM_V3 && mode == m->want.mode) {
		owe_difference(h, m, &now.src);
	} else if (version(h) == GM_V3) {
		m->mode_left = h->robustness;
		m->n_owed = 0;
	}
	m->want.mode = mode;
	addrset_move(&m->want.src, &now.src);
	if (gm_filter_is_none(&m->want))
		m->answer_at = MONO_NEVER;
	if (version(h) == GM_V3)
		send_change(h, m);
	else
		change_older(h, m, was);
	forget_done(h);
	sim_node_arm(&h->node);
}

void sim_host_join(struct sim_host *h, const struct addr *group)
{
	sim_host_set(h, group, GM_EXCLUDE, NULL, 0);
}

void sim_host_join_source(
	struct sim_host *h, const struct addr *group, const struct addr *src)
{
	sim_host_set(h, group, GM_INCLUDE, src, 1);
}

void sim_host_leave(struct sim_host *h, const struct addr *group)
{
	sim_host_set(h, group, GM_INCLUDE, NULL, 0);
}

void sim_host_repeat(struct sim_host *h, const struct addr *group)
{
	const struct sim_member *m = member_find(h, group);

	if (m)
		send_state(h, m);
}

void sim_host_unplug(struct sim_host *h)
{
	h->node.dead = true;
	sim_node_arm(&h->node);
}

/* ---- queries and the reports of others ---- */

/* An older querier cancels pending messages of another version. */
static void hear_older(struct sim_host *h, enum gm_version v)
{
	enum gm_version before = version(h);

	h->older_until[v] = mono_add_ms(sim_of(h)->now, OLDER_QUERIER_MS);
	if (version(h) == before)
		return;
	h->general_at = MONO_NEVER;
	for (size_t i = 0; i < h->n_members; i++) {
		struct sim_member *m = &h->member[i];

		m->change_at = m->answer_at = MONO_NEVER;
		m->mode_left = 0;
		m->n_owed = 0;
	}
	forget_done(h);
}

static void schedule(struct sim_host *h, struct sim_member *m, const struct gm_query *q)
{
	mono_t at = sim_random_after(sim_of(h), q->max_resp_ms);

	if (gm_filter_is_none(&m->want))
		return;
	if (m->answer_at.ns == MONO_NEVER.ns) {
		addrset_clear(&m->asked);
		m->asked_all = false;
	}
	if (q->n_src == 0 || version(h) < GM_V3)
		m->asked_all = true;
	for (size_t i = 0; i < q->n_src; i++)
		assert_int_equal(addrset_add(&m->asked, &q->src[i]), 0);
	m->answer_at = mono_min(m->answer_at, at);
}

static void hear_query(struct sim_host *h, const struct gm_msg *msg)
{
	const struct gm_query *q = &msg->query;
	bool general = addr_is_any(&q->group);

	if (general && msg->version < GM_V3)
		hear_older(h, msg->version);
	if (msg->version == GM_V3 && q->qrv)
		h->robustness = q->qrv;
	if (general && version(h) == GM_V3) {
		h->general_at = mono_min(
			h->general_at, sim_random_after(sim_of(h), q->max_resp_ms));
		return;
	}
	for (size_t i = 0; i < h->n_members; i++)
		if (general || addr_eq(&h->member[i].group, &q->group))
			schedule(h, &h->member[i], q);
}

/* RFC 2236 3: another host has reported the group. */
static void hear_report(struct sim_host *h, const struct gm_msg *msg)
{
	struct sim_member *m = member_find(h, &msg->rec[0].group);

	if (!m || msg->version > GM_V2 || version(h) > GM_V2 ||
		msg->rec[0].type != GM_IS_EX)
		return;
	m->answer_at = m->change_at = MONO_NEVER;
	m->mode_left = 0;
	m->reporter = false;
}

static void node_input(struct sim_node *n, unsigned port, const struct gm_msg *msg)
{
	struct sim_host *h = host_of(n);

	if (msg->kind == GM_QUERY && !(h->deaf_to && addr_eq(h->deaf_to, &msg->from)))
		hear_query(h, msg);
	else if (msg->n_rec)
		hear_report(h, msg);
}

/* ---- time ---- */

static mono_t node_deadline(const struct sim_node *n)
{
	const struct sim_host *h = host_of(n);
	mono_t at = h->general_at;

	for (size_t i = 0; i < h->n_members; i++)
		at = mono_min(
			at, mono_min(h->member[i].change_at, h->member[i].answer_at));
	return at;
}

static void answer(struct sim_host *h, struct sim_member *m)
{
	struct addrset list = {0};

	m->answer_at = MONO_NEVER;
	if (version(h) < GM_V3)
		m->reporter = true;
	if (m->asked_all) {
		send_state(h, m);
		return;
	}
	for (size_t i = 0; i < m->asked.n; i++)
		if (addrset_contains(&m->want.src, &m->asked.v[i]) ==
			(m->want.mode == GM_INCLUDE))
			assert_int_equal(addrset_add(&list, &m->asked.v[i]), 0);
	if (list.n)
		send_one(h, GM_IS_IN, &m->group, list.v, list.n);
	addrset_deinit(&list);
}

static void node_tick(struct sim_node *n)
{
	struct sim_host *h = host_of(n);
	mono_t now = n->sim->now;

	if (mono_due(h->general_at, now)) {
		h->general_at = MONO_NEVER;
		send_all(h);
	}
	for (size_t i = 0; i < h->n_members; i++) {
		if (mono_due(h->member[i].change_at, now))
			send_change(h, &h->member[i]);
		if (mono_due(h->member[i].answer_at, now))
			answer(h, &h->member[i]);
	}
	forget_done(h);
}

/* ---- data ---- */

bool sim_host_wants(
	const struct sim_host *h, const struct addr *src, const struct addr *group)
{
	const struct sim_member *m = member_find(h, group);

	return !h->node.dead && m &&
		addrset_contains(&m->want.src, src) == (m->want.mode == GM_INCLUDE);
}

static void node_data(struct sim_node *n, unsigned port, const struct sim_data *d)
{
	struct sim_host *h = host_of(n);
	struct sim_rx *rx = &h->rx[d->stream];

	if (!sim_host_wants(h, &d->src, &d->group))
		return;
	if (rx->started && d->seq <= rx->last) {
		rx->duplicates++;
		return;
	}
	if (rx->started)
		rx->lost += d->seq - rx->last - 1;
	if (!rx->n)
		rx->first_at = n->sim->now;
	if (n->sim->now.ns - rx->last_at.ns > rx->gap_ns)
		rx->gap_ns = n->sim->now.ns - rx->last_at.ns;
	rx->started = true;
	rx->last = d->seq;
	rx->last_at = n->sim->now;
	rx->n++;
}

const struct sim_rx *sim_host_rx(const struct sim_host *h, const struct sim_stream *s)
{
	return &h->rx[s->number];
}

void sim_host_rx_reset(struct sim_host *h, const struct sim_stream *s)
{
	h->rx[s->number] = (struct sim_rx){.last_at = sim_of(h)->now};
}

int64_t sim_host_gap_ms(const struct sim_host *h, const struct sim_stream *s)
{
	const struct sim_rx *rx = &h->rx[s->number];
	int64_t open = sim_of(h)->now.ns - rx->last_at.ns;

	return (rx->gap_ns > open ? rx->gap_ns : open) / NS_PER_MS;
}

bool sim_host_quiet(const struct sim_host *h)
{
	return node_deadline(&h->node).ns == MONO_NEVER.ns;
}

/* ---- life ---- */

static void node_free(struct sim_node *n)
{
	struct sim_host *h = host_of(n);

	for (size_t i = 0; i < h->n_members; i++)
		member_deinit(&h->member[i]);
	free(h->member);
	free(h);
}

static const struct sim_node_ops ops = {
	.input = node_input,
	.data = node_data,
	.deadline = node_deadline,
	.tick = node_tick,
	.free = node_free,
};

struct sim_host *sim_host_new(struct sim_link *link, unsigned n, enum gm_version max)
{
	struct sim_host *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->max = max;
	h->robustness = 2;
	h->general_at = MONO_NEVER;
	h->from = sim_station(link->sim, link, n);
	sim_node_init(link->sim, &h->node, &ops, "host");
	sim_attach(&h->node, link, &h->from);
	return h;
}
