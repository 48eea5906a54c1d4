/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show stats" as text, see ctl_tables.h: counters that are not zero, or all of
 * them. */

#include "tools/ctl/ctl_cell.h"
#include "tools/ctl/ctl_tables.h"
#include "tools/ctl/text_table.h"

static bool is_shown(const struct ctl_context *ctx, const json_t *v)
{
	if (json_is_integer(v))
		return ctx->all || json_integer_value(v) != 0;
	if (json_is_string(v))
		return ctx->all || *json_string_value(v);
	return json_is_boolean(v);
}

/* All scalars of an object; members of inner objects get the object's name as prefix,
 * one level deep. */
static void add_scalars(struct text_table *t, const struct ctl_context *ctx,
	const char *prefix, json_t *o)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v)
	{
		char inner[64];

		if (json_is_object(v) && !*prefix) {
			snprintf(inner, sizeof(inner), "%s ", key);
			add_scalars(t, ctx, inner, v);
		}
		if (!is_shown(ctx, v))
			continue;
		text_table_add(t, "%s%s", prefix, key);
		if (json_is_integer(v))
			text_table_add(t, "%lld", (long long)json_integer_value(v));
		else if (json_is_string(v))
			text_table_add(t, "%s", json_string_value(v));
		else
			text_table_add(t, "%s", json_is_true(v) ? "yes" : "no");
	}
}

/* `title` is NULL for the first block. */
static void print_section(
	const struct ctl_context *ctx, const char *title, json_t *o, FILE *out)
{
	static const struct text_column columns[] = {{"Counter"}, {"Value", true}};
	struct text_table t = TEXT_TABLE(columns);

	t.view = &ctx->view;
	add_scalars(&t, ctx, "", o);
	if (title && json_object_size(o) > 0)
		fprintf(out, "\n%s\n", title);
	if (t.n > 0)
		text_table_print(&t, out);
	else if (json_object_size(o) > 0)
		fputs("all are 0\n", out);
	text_table_deinit(&t);
}

/* "forwarded=7 no_group=3" */
static void list_verdicts(const json_t *p, char list[CELL_LIST_LEN])
{
	char item[64];
	const char *key;
	json_t *v;

	*list = '\0';
	json_object_foreach(json_object_get(p, "verdicts"), key, v)
	{
		if (json_integer_value(v) == 0)
			continue;
		snprintf(item, sizeof(item), "%s=%lld", key,
			(long long)json_integer_value(v));
		cell_append(list, " ", item);
	}
}

static void print_ports(const struct ctl_context *ctx, const json_t *ports, FILE *out)
{
	static const struct text_column columns[] = {
		{"Interface"},
		{"RingPkts", true},
		{"RingDrops", true},
		{"RingFreezes", true},
		{"Verdicts", .wrap = true},
	};
	struct text_table t = TEXT_TABLE(columns);
	size_t n, n_idle = 0;
	const json_t *p;

	t.view = &ctx->view;
	json_array_foreach(ports, n, p)
	{
		char list[CELL_LIST_LEN];

		list_verdicts(p, list);
		if (!ctx->all && !*list && cell_num(p, "ring_packets") == 0 &&
			cell_num(p, "ring_drops") == 0) {
			n_idle++;
			continue;
		}
		cell_text(&t, p, "name");
		cell_number(&t, p, "ring_packets");
		cell_number(&t, p, "ring_drops");
		cell_number(&t, p, "ring_freezes");
		text_table_add(&t, "%s", list);
	}
	fputs("\nPorts\n", out);
	if (t.n > 0)
		text_table_print(&t, out);
	if (n_idle > 0)
		fprintf(out, "%zu port%s received nothing\n", n_idle,
			n_idle == 1 ? " has" : "s have");
	text_table_deinit(&t);
}

static void print_workers(
	const struct ctl_context *ctx, const json_t *workers, FILE *out)
{
	static const struct text_column columns[] = {
		{"Thread"},
		{"CPU"},
		{"CpuMs", true},
		{"Frames", true},
		{"Bursts", true, TEXT_WIDE},
		{"Copies", true},
		{"Blocks", true, TEXT_WIDE},
		{"Timeouts", true, TEXT_WIDE},
		{"Wakeups", true},
		{"Transmit"},
	};
	struct text_table t = TEXT_TABLE(columns);
	const json_t *w;
	size_t n;

	t.view = &ctx->view;
	json_array_foreach(workers, n, w)
	{
		cell_number(&t, w, "thread");
		if (json_is_integer(json_object_get(w, "cpu")))
			cell_number(&t, w, "cpu");
		else
			text_table_add(&t, "any");
		cell_number(&t, w, "cpu_ms");
		cell_number(&t, w, "frames");
		cell_number(&t, w, "bursts");
		cell_number(&t, w, "copies");
		cell_number(&t, w, "blocks");
		cell_number(&t, w, "block_timeouts");
		cell_number(&t, w, "wakeups");
		cell_text(&t, w, "transmit");
	}
	fputs("\nThreads\n", out);
	text_table_print(&t, out);
	text_table_deinit(&t);
}

/* The two equations with their terms, and whether they hold. */
static void print_balance(const struct ctl_context *ctx, const json_t *b, FILE *out)
{
	const json_t *f = json_object_get(b, "frames"),
		     *c = json_object_get(b, "copies");
	int width = (int)ctx->view.width;
	char line[320];

	fputs("\nBalance\n", out);
	snprintf(line, sizeof(line),
		"%lld in the rings = %lld ring drops + %lld forwarded + "
		"%lld dropped + %lld abandoned + %lld waiting",
		cell_num(f, "ring_packets"), cell_num(f, "ring_drops"),
		cell_num(f, "forwarded"), cell_num(f, "dropped"),
		cell_num(f, "abandoned"), cell_num(f, "waiting"));
	fputs("frames:  ", out);
	text_wrap(line, 9, width, out);
	snprintf(line, sizeof(line),
		"%lld due + %lld more as fragments = %lld sent + %lld refused + "
		"%lld under way",
		cell_num(c, "due"), cell_num(c, "fragments"), cell_num(c, "sent"),
		cell_num(c, "refused"), cell_num(c, "under_way"));
	fputs("copies:  ", out);
	text_wrap(line, 9, width, out);
	fputs("balance: ", out);
	text_wrap(cell_str(b, "text"), 9, width, out);
}

int ctl_print_stats(const struct ctl_context *ctx, json_t *reply, FILE *out)
{
	json_t *general = json_copy(reply);

	json_object_del(general, "verdicts");
	json_object_del(general, "control");
	json_object_del(general, "ports");
	json_object_del(general, "workers");
	json_object_del(general, "balance");
	json_object_del(general, "joining");
	print_section(ctx, NULL, general, out);
	json_decref(general);
	print_section(ctx, "Verdicts", json_object_get(reply, "verdicts"), out);
	if (json_is_object(json_object_get(reply, "balance")))
		print_balance(ctx, json_object_get(reply, "balance"), out);
	print_section(ctx, "Joining", json_object_get(reply, "joining"), out);
	print_section(ctx, "Control", json_object_get(reply, "control"), out);
	if (json_array_size(json_object_get(reply, "workers")) > 0)
		print_workers(ctx, json_object_get(reply, "workers"), out);
	if (json_array_size(json_object_get(reply, "ports")) > 0)
		print_ports(ctx, json_object_get(reply, "ports"), out);
	return 0;
}
