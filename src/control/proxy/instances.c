/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The instances of the process, see instances.h. An instance is identified by its name,
 * so it keeps its state if a reload changes its place in the file. RFC 4605 3: an
 * interface belongs to one instance, and each instance has one upstream.
 */

#include "control/proxy/instances.h"

#include <errno.h>
#include <stdlib.h>

int instances_new(
	const bool family[_FAMILY_N], uint64_t seed, struct instances **ret_instances)
{
	struct instances *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	memcpy(r->family, family, sizeof(r->family));
	rng_seed(&r->rng, seed);
	*ret_instances = r;
	return 0;
}

struct instances *instances_free(struct instances *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; i < r->n_instance; i++)
		proxy_free(r->instance[i].proxy);
	free(r->instance);
	free(r);
	return NULL;
}

/* ---- instances ---- */

/* index of the name in the configuration, or PROXY_NO_SECTION */
static unsigned section_of(const struct config *cfg, const char *name)
{
	for (unsigned i = 0; i < cfg->n_instance; i++)
		if (strcmp(cfg->instance[i].name, name) == 0)
			return config_instance_used(cfg, i) ? i : PROXY_NO_SECTION;
	return PROXY_NO_SECTION;
}

static bool has_section(const struct instances *r, unsigned section)
{
	for (size_t i = 0; i < r->n_instance; i++)
		if (r->instance[i].proxy->section == section)
			return true;
	return false;
}

/* NULL if no instance has the number */
static const struct instance *by_number(const struct instances *r, unsigned number)
{
	for (size_t i = 0; i < r->n_instance; i++)
		if (r->instance[i].proxy->instance == number)
			return &r->instance[i];
	return NULL;
}

static unsigned free_number(const struct instances *r)
{
	unsigned n = 0;

	while (by_number(r, n))
		n++;
	return n;
}

static int add_instance(struct instances *r, const struct config *cfg, unsigned section)
{
	struct instance *v =
		reallocarray(r->instance, r->n_instance + 1, sizeof(*r->instance));
	struct instance *in;
	int ret;

	if (!v)
		return -ENOMEM;
	r->instance = v;
	in = &v[r->n_instance];
	memcpy(in->name, cfg->instance[section].name, sizeof(in->name));
	ret = proxy_new(free_number(r), r->family, rng_next(&r->rng), &in->proxy);
	if (ret < 0)
		return ret;
	in->proxy->section = section;
	in->proxy->numbers = &r->numbers;
	memcpy(in->proxy->kernel, r->kernel, sizeof(r->kernel));
	in->proxy->all = r->port;
	r->n_instance++;
	return 0;
}

static void list_ports(struct instances *r)
{
	memset(r->port, 0, sizeof(r->port));
	for (size_t i = 0; i < r->n_instance; i++)
		proxy_ports_for_each (r->instance[i].proxy->port, pp)
			r->port[pp->port] = pp;
}

void instances_release(struct instances *r, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx)
{
	size_t left = 0;

	for (size_t i = 0; i < r->n_instance; i++) {
		struct instance *in = &r->instance[i];

		in->proxy->section = section_of(cfg, in->name);
		proxy_release(in->proxy, now, cfg, ifaces, fx);
		if (in->proxy->section == PROXY_NO_SECTION)
			proxy_free(in->proxy);
		else
			r->instance[left++] = *in;
	}
	r->n_instance = left;
	list_ports(r);
}

/* A quarter of the memory is for what LANs ask for, the same part for each LAN, so that
 * no host of a LAN can take all of it. */
static void share_memory(struct instances *r)
{
	unsigned n = 0;

	proxy_ports_for_each (r->port, pp)
		n += pp->role == CONFIG_ROLE_DOWNSTREAM;
	if (n == 0)
		return;
	proxy_ports_for_each (r->port, pp)
		if (pp->role == CONFIG_ROLE_DOWNSTREAM)
			mgroup_set_memory(&pp->groups, r->memory / 4 / n);
}

int instances_sync(struct instances *r, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx)
{
	int n_left = 0, ret = 0;

	for (unsigned i = 0; i < cfg->n_instance && ret == 0; i++)
		if (config_instance_used(cfg, i) && !has_section(r, i))
			ret = add_instance(r, cfg, i);
	/* all of them even if one fails, because the old configuration will be freed */
	for (size_t i = 0; i < r->n_instance; i++) {
		int n = proxy_sync(r->instance[i].proxy, now, cfg, ifaces, fx);

		if (n >= 0)
			n_left += n;
		else if (ret == 0)
			ret = n;
	}
	list_ports(r);
	share_memory(r);
	return ret < 0 ? ret : n_left;
}

int instances_each_missing(const struct instances *r, const struct iface_table *ifaces,
	int (*fn)(void *arg, const char *name, const struct config_iface *ci),
	void *arg)
{
	int ret = 0;

	for (size_t i = 0; i < r->n_instance && ret == 0; i++)
		if (r->instance[i].proxy->cfg)
			ret = proxy_each_missing(r->instance[i].proxy, ifaces, fn, arg);
	return ret;
}

/* ---- time ---- */

mono_t instances_deadline(const struct instances *r)
{
	mono_t at = MONO_NEVER;

	for (size_t i = 0; i < r->n_instance; i++)
		at = mono_min(at, proxy_deadline(r->instance[i].proxy));
	return at;
}

void instances_tick(struct instances *r, mono_t now, struct effects *fx)
{
	for (size_t i = 0; i < r->n_instance; i++)
		proxy_tick(r->instance[i].proxy, now, fx);
}

void instances_resume(struct instances *r, mono_t now, struct effects *fx)
{
	for (size_t i = 0; i < r->n_instance; i++)
		proxy_resume(r->instance[i].proxy, now, fx);
}

void instances_shutdown(struct instances *r, mono_t now, struct effects *fx)
{
	for (size_t i = 0; i < r->n_instance; i++)
		proxy_shutdown(r->instance[i].proxy, now, fx);
}

void instances_kernel_changed(struct instances *r, mono_t now, enum family family,
	const struct kgroups *old, const struct kgroups *new)
{
	r->kernel[family] = new;
	for (size_t i = 0; i < r->n_instance; i++) {
		struct proxy *p = r->instance[i].proxy;

		p->kernel[family] = new;
		proxy_kernel_changed(p, now, family, old);
	}
}

/* ---- questions ---- */

struct proxy_port *instances_port_by_index(const struct instances *r, int ifindex)
{
	proxy_ports_for_each (r->port, pp)
		if (pp->report_ifindex == ifindex)
			return pp;
	return NULL;
}

const char *instances_name(const struct instances *r, unsigned number)
{
	const struct instance *in = by_number(r, number);

	return in ? in->name : "";
}

bool instances_has_entry(const struct instances *r, unsigned number,
	const struct addr *group, const struct addr *source)
{
	const struct instance *in = by_number(r, number);

	return in && mdb_has_entry(&in->proxy->mdb, group, source);
}

void instances_emit_all(const struct instances *r, struct effects *fx)
{
	for (size_t i = 0; i < r->n_instance; i++)
		mdb_emit_all(&r->instance[i].proxy->mdb, fx);
}

size_t instances_n_groups(const struct instances *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_instance; i++)
		n += r->instance[i].proxy->mdb.groups.n;
	return n;
}

/* ---- live upgrade ---- */

#define TAG_INSTANCE 1

void instances_export(const struct instances *r, struct state_out *o)
{
	for (size_t i = 0; i < r->n_instance; i++) {
		size_t at = state_begin(o, TAG_INSTANCE);

		state_put_text(o, r->instance[i].name);
		proxy_export(r->instance[i].proxy, o);
		state_end(o, at);
	}
}

static struct proxy *find_instance(const struct instances *r, const char *name)
{
	for (size_t i = 0; i < r->n_instance; i++)
		if (strcmp(r->instance[i].name, name) == 0)
			return r->instance[i].proxy;
	return NULL;
}

int instances_import(
	struct instances *r, mono_t now, struct state_in *in, struct effects *fx)
{
	struct state_in section;
	uint32_t tag;
	int ret = 0;

	while (ret == 0 && state_get_section(in, &tag, &section)) {
		char name[CONFIG_INSTANCE_MAX];
		struct proxy *p;

		if (tag != TAG_INSTANCE)
			continue;
		state_get_text(&section, name, sizeof(name));
		p = find_instance(r, name);
		if (state_is_bad(&section))
			ret = -EINVAL;
		else if (p)
			ret = proxy_import(p, now, &section, fx);
	}
	return ret == 0 && state_is_bad(in) ? -EINVAL : ret;
}
