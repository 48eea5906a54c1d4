/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The config.gateway.json of a UniFi gateway: the tree of VyOS as JSON. It becomes set
 * commands, which convert_vyos_read.c reads like any others:
 *
 *   {"protocols": {"igmp-proxy": {"interface": {"eth0": {"role": "upstream"}}}}}
 *   set "protocols" "igmp-proxy" "interface" "eth0" "role" "upstream"
 */

#include "tools/convert/convert_vyos.h"

#include <jansson.h>
#include <string.h>

#define MAX_DEPTH 8 /* no statement of igmp-proxy is longer */

struct writer {
	struct converter *c;
	struct config_text out;
	const char *word[MAX_DEPTH];
	unsigned n;
};

static void put_word(struct writer *w, const char *word)
{
	config_text_add(&w->out, " \"");
	for (; *word; word++)
		config_text_add(&w->out, "%s%c",
			*word == '"' || *word == '\\' ? "\\" : "",
			(unsigned char)*word < ' ' ? '?' : *word);
	config_text_add(&w->out, "\"");
}

/* `value` is the last word, or NULL */
static void put_command(struct writer *w, const char *value)
{
	config_text_add(&w->out, "set");
	for (unsigned i = 0; i < w->n; i++)
		put_word(w, w->word[i]);
	if (value)
		put_word(w, value);
	config_text_add(&w->out, "\n");
}

static void put_scalar(struct writer *w, const json_t *v)
{
	char number[32];

	if (json_is_integer(v)) {
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			json_integer_value(v));
		put_command(w, number);
		return;
	}
	/* EdgeOS writes '' where a setting has no value */
	if (json_is_string(v) && *json_string_value(v) &&
		strcmp(json_string_value(v), "''") != 0)
		put_command(w, json_string_value(v));
	else
		put_command(w, NULL);
}

static void put_tree(struct writer *w, json_t *tree)
{
	const char *key;
	json_t *value, *one;
	size_t i;

	json_object_foreach(tree, key, value)
	{
		if (w->n == MAX_DEPTH)
			return;
		w->word[w->n++] = key;
		if (json_is_object(value)) {
			if (json_object_size(value) == 0)
				put_command(w, NULL);
			put_tree(w, value);
		} else if (json_is_array(value)) {
			json_array_foreach(value, i, one) put_scalar(w, one);
		} else {
			put_scalar(w, value);
		}
		w->n--;
	}
}

char *vyos_commands_of_json(struct converter *c, const char *text)
{
	struct writer w = {.c = c};
	json_error_t error;
	json_t *root = json_loads(text, 0, &error);

	if (!root && json_error_code(&error) == json_error_out_of_memory)
		c->no_memory = true;
	else if (!root)
		convert_error(c, (unsigned)error.line,
			"this JSON is not valid: %s; correct it at column %d",
			config_show(error.text).s, error.column);
	if (!root)
		return NULL;
	config_text_add(&w.out, "%s", "");
	put_tree(&w, root);
	json_decref(root);
	c->no_memory |= w.out.bad;
	return config_text_take(&w.out);
}
