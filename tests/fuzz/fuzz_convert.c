/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Configurations of other programs: any text is refused with a reason, or becomes a
 * configuration that loads, with one line for each line that was meant. The first byte
 * chooses the dialect; a NUL byte between two texts of OpenWrt makes them two files.
 */

#include "control/config/config.h"
#include "fuzz.h"
#include "tools/convert/convert.h"

static unsigned count_lines(const struct convert_source *s)
{
	unsigned n = 1;

	for (size_t i = 0; i < s->len; i++)
		n += s->text[i] == '\n';
	return n;
}

static void check_messages(const struct conversion *r,
	const struct convert_source *source, size_t n_source)
{
	size_t n_errors = 0;

	for (size_t i = 0; i < r->n_message; i++) {
		const struct convert_message *m = &r->message[i];
		size_t k = 0;

		while (k < n_source && m->file != source[k].name)
			k++;
		fuzz_assert(k < n_source && m->line <= count_lines(&source[k]));
		fuzz_assert(m->text && m->text[0] && strlen(m->text) < 1000);
		for (const char *p = m->text; *p; p++)
			fuzz_assert((unsigned char)*p >= 0x20 && *p != 0x7f);
		n_errors += m->is_error;
	}
	fuzz_assert(n_errors == r->n_errors);
}

/* Lines must begin with keywords that the converters write. */
static void check_text(const char *text)
{
	static const char *const words[] = {"#", "phyint ", "quickleave\n", "ipv4 off ",
		"ipv6 off ", "forward-from-downstream ", "instance ", "\n", "\taltnet ",
		"\twhitelist ", "\tblacklist ", "\tthreshold ", "\tigmp-version ",
		"\tmld-version ", "\tfast-leave\n", "\tboundary ", "\tboundary-scope ",
		"\t#"};
	struct config *cfg = NULL;

	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		size_t k = 0;

		while (k < array_len(words) &&
			strncmp(line, words[k], strlen(words[k])))
			k++;
		fuzz_assert(k < array_len(words) && strchr(line, '\n'));
	}
	fuzz_assert(config_parse(text, strlen(text), &cfg) == 0);
	config_free(cfg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct convert_device devices[] = {
		{"lan", "br-lan"}, {"tv", "eth0.4"}};
	struct rd rd = rd_init(data, size);
	unsigned what = fuzz_below(&rd, 8);
	enum convert_dialect dialect =
		(enum convert_dialect)(CONVERT_IMPROXY + what % 3);
	size_t len, n_source = 1;
	_cleanup_(freep) char *text = (char *)fuzz_rest(&rd, &len);
	struct convert_source source[2] = {{.name = "one", .text = text, .len = len}};
	const char *nul = dialect == CONVERT_OPENWRT ? memchr(text, '\0', len) : NULL;
	struct conversion *result = NULL;
	int r;

	if (nul) {
		source[0].len = (size_t)(nul - text);
		source[1] = (struct convert_source){
			.name = "two", .text = nul + 1, .len = len - source[0].len - 1};
		n_source = 2;
	}
	r = convert_run(dialect, source, n_source, devices, what / 3, &result);
	fuzz_assert((r == 0 || r == 1) && result);
	fuzz_assert((r == 1) == (result->n_errors > 0) && (r == 1) == !result->text);
	check_messages(result, source, n_source);
	if (result->text)
		check_text(result->text);
	conversion_free(result);
	return 0;
}
