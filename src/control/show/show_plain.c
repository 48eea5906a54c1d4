/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The streams as a page of HTML that needs no script, see show.h: the same rows as
 * "show mfc", written in pieces. Every text goes through plain_text(), which leaves
 * nothing that a browser would take for markup.
 */

#include "base/cleanup.h"
#include "control/show/show.h"
#include "control/show/show_answer.h"
#include "control/show/show_mfc.h"
#include "control/show/view.h"

#include <stdio.h>
#include <stdlib.h>

struct plain_answer {
	struct show_answer a;
	struct fib_cursor at;
	int work;
};

static const char head[] =
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta http-equiv=\"refresh\" content=\"10\">\n<title>ringcast</title>\n"
	"<link rel=\"stylesheet\" href=\"/page.css\">\n"
	"<link rel=\"icon\" href=\"/icon.svg\">\n</head>\n<body>\n<main class=\"plain\">\n"
	"<h1>Streams</h1>\n<p>This page needs no script. It is read again every 10 "
	"seconds.</p>\n<table>\n<thead>\n<tr><th scope=\"col\">Channel</th>"
	"<th scope=\"col\">Group</th><th scope=\"col\">Source</th>"
	"<th scope=\"col\">From</th><th scope=\"col\">To</th>"
	"<th scope=\"col\" class=\"num\">Viewers</th>"
	"<th scope=\"col\" class=\"num\">Mbit/s</th></tr>\n</thead>\n<tbody>\n";
static const char tail[] = "</tbody>\n</table>\n</main>\n</body>\n</html>\n";

/* Names of channels are UTF-8; those of interfaces may be any bytes. */
static void plain_text(struct show_answer *a, const char *s, bool utf8)
{
	for (; *s; s++) {
		char one[2] = {utf8 || (unsigned char)*s < 0x80 ? *s : '?', '\0'};

		show_text(a,
			*s == '<'	    ? "&lt;"
				: *s == '>' ? "&gt;"
				: *s == '&' ? "&amp;"
				: *s == '"' ? "&quot;"
					    : one);
	}
}

static void plain_cell(struct show_answer *a, const char *text, bool number)
{
	show_text(a, number ? "<td class=\"num\">" : "<td>");
	plain_text(a, text, true);
	show_text(a, "</td>");
}

static void plain_outputs(struct plain_answer *p, const struct fib_view *v)
{
	const char *comma = "";

	show_text(&p->a, "<td>");
	portset_for_each (&v->out, port) {
		const struct proxy_port *pp = view_instances(p->a.app)->port[port];

		if (!pp)
			continue;
		show_text(&p->a, comma);
		plain_text(&p->a, pp->name, false);
		comma = ", ";
	}
	show_text(&p->a, "</td>");
}

static void plain_entry(const struct fib_view *v, void *arg)
{
	struct plain_answer *p = arg;
	struct app *app = p->a.app;
	struct rate rate = show_rate_of(app, v);
	const struct proxy_port *in = v->seen && v->last_port < PORT_MAX
		? view_instances(app)->port[v->last_port]
		: NULL;
	const struct addr *source = v->seen ? &v->last_source : &v->source;
	const char *name = channels_name(view_channels(app), &v->group, source);
	char text[ADDR_STRLEN];

	/* the empty (*,G) entry of a group that is joined only for named sources */
	if (addr_is_any(&v->source) && portset_empty(&v->out) && !v->seen && !v->wrong)
		return;
	show_text(&p->a, "<tr>");
	plain_cell(&p->a, name ? name : "", false);
	plain_cell(&p->a, addr_format(&v->group, text), false);
	plain_cell(
		&p->a, addr_is_any(source) ? "any" : addr_format(source, text), false);
	show_text(&p->a, "<td>");
	plain_text(&p->a, in ? in->name : "", false);
	show_text(&p->a, "</td>");
	plain_outputs(p, v);
	snprintf(text, sizeof(text), "%u", show_count_members(app, v));
	plain_cell(&p->a, text, true);
	snprintf(text, sizeof(text), "%.2f", (double)rate.bytes * 8 / 1e6);
	plain_cell(&p->a, rate.known ? text : "", true);
	show_text(&p->a, "</tr>\n");
	p->work -= 2 * SHOW_ROW + (int)portset_count(&v->out);
}

static int plain_piece(struct ctl_answer *answer)
{
	struct plain_answer *p = container_of(answer, struct plain_answer, a.answer);

	if (!show_rates_ready(p->a.app, &p->a.rates))
		return 1;
	if (show_first(&p->a))
		show_text(&p->a, head);
	for (p->work = SHOW_WORK; !p->at.end && p->work > 0; p->work--)
		fib_step(dataplane_fib(view_dataplane(p->a.app)), &p->at, plain_entry,
			p);
	if (!p->at.end)
		return 1;
	show_text(&p->a, tail);
	return 0;
}

json_t *show_plain(void *ctx, const char *args, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {plain_piece, show_answer_closed};

	(void)show_answer_new(ctx, &ops, sizeof(struct plain_answer), ret);
	return NULL;
}
