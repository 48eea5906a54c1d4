/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show config" and "metrics", see show.h: one long text as a value, in pieces. */

#include "base/cleanup.h"
#include "control/config/config_text.h"
#include "control/show/scrape.h"
#include "control/show/show.h"
#include "control/show/show_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 16384

struct text_answer {
	struct show_answer a;
	struct scrape *scrape; /* that makes the text; NULL if the text is there */
	json_t *head;	       /* the members before the text; NULL when written */
	char *text;	       /* owned */
	size_t len, pos;
};

/* How many of the next `n` bytes to write, so that no character is split. */
static size_t whole_characters(const char *text, size_t n)
{
	size_t cut = n;

	while (cut > 0 && n - cut < 4 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return cut > 0 ? cut : n;
}

static void write_text(struct text_answer *t)
{
	size_t n = t->len - t->pos;
	_cleanup_(freep) char *quoted = NULL;
	json_t *value;

	if (n > PIECE)
		n = whole_characters(t->text + t->pos, PIECE);
	value = json_of_bytes(t->text + t->pos, n);
	quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
	json_decref(value);
	t->pos += n;
	if (quoted) /* without the quotation marks */
		ctl_answer_write(&t->a.answer, quoted + 1, strlen(quoted) - 2);
	else
		t->a.answer.failed = true;
}

/* Returns false if there is more to do. */
static bool scrape_text(struct text_answer *t)
{
	if (!t->scrape)
		return true;
	if (scrape_slice(t->scrape))
		return false;
	t->text = scrape_take(t->scrape, &t->len);
	t->scrape = scrape_free(t->scrape);
	return true;
}

static int show_text_piece(struct ctl_answer *answer)
{
	struct text_answer *t = container_of(answer, struct text_answer, a.answer);

	if (!scrape_text(t))
		return 1;
	if (!t->text)
		return -ENOMEM;
	if (t->head) {
		show_open(&t->a, take_ptr(t->head));
		show_text(&t->a, ",\"text\":\"");
	}
	write_text(t);
	if (t->pos < t->len)
		return 1;
	show_text(&t->a, "\"}");
	return 0;
}

static void show_text_closed(struct ctl_answer *answer)
{
	struct text_answer *t = container_of(answer, struct text_answer, a.answer);

	scrape_free(t->scrape);
	json_decref(t->head);
	free(t->text);
	free(t);
}

static const struct ctl_answer_ops ops = {show_text_piece, show_text_closed};

json_t *show_config(void *ctx, const char *args, struct ctl_answer **ret)
{
	struct app *app = ctx;
	struct text_answer *t = show_answer_new(app, &ops, sizeof(*t), ret);
	_cleanup_(freep) char *config = t ? config_print(view_config(app)) : NULL;
	struct config_text text = {.bad = !config};

	if (!t)
		return NULL;
	t->head = json_pack("{so}", "file", json_of_text(view_config_path(app)));
	config_text_add(&text, "%s", config ? config : "");
	view_force_comment(app, &text);
	t->len = text.len;
	t->text = config_text_take(&text);
	return NULL;
}

json_t *show_metrics(void *ctx, const char *args, struct ctl_answer **ret)
{
	enum metrics_format format = METRICS_PROMETHEUS;
	struct app *app = ctx;
	struct text_answer *t;

	if (strcmp(args, "openmetrics") == 0)
		format = METRICS_OPENMETRICS;
	else if (*args)
		return ctl_error("metrics takes nothing, or openmetrics");
	t = show_answer_new(app, &ops, sizeof(*t), ret);
	if (!t)
		return NULL;
	if (scrape_new(app, format, &t->scrape) < 0) {
		free(t);
		*ret = NULL;
		return NULL;
	}
	t->head = json_pack("{ss}", "content_type", metrics_content_type(format));
	return NULL;
}
