/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * ringcastctl convert: reads the files, has convert.c translate them, prints messages
 * as FILE:LINE and the result to standard output or a file. The result is parsed before
 * it is written, so that ringcastd can load all that this command writes.
 */

#include "tools/ctl/ctl_convert.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "control/config/config.h"
#include "tools/convert/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_BYTES   (16u << 20) /* of a file */
#define MAX_FILES   16
#define MAX_DEVICES 64

enum {
	EXIT_DONE = 0,
	EXIT_CALLER = 1,
	EXIT_INPUT = 2,
	EXIT_FAULT = 4, /* out of memory, or a mistake in this program */
};

struct arguments {
	enum convert_dialect dialect; /* 0 if not given */
	const char *output;	      /* NULL means standard output */
	struct convert_device device[MAX_DEVICES];
	size_t n_device;
	char *const *file;
	size_t n_file;
};

static void usage(FILE *out)
{
	fputs("usage: ringcastctl convert --from PROGRAM [-o OUT] FILE...\n"
	      "Writes a configuration of ringcast that does what FILE does. FILE '-' is\n"
	      "standard input. A line without an equivalent becomes a comment and a\n"
	      "warning here.\n"
	      "\n"
	      "  -f, --from improxy     IMProxy's configuration\n"
	      "  -f, --from vyos        'set protocols igmp-proxy ...' commands, the section\n"
	      "                         with braces, a whole config.boot, or the\n"
	      "                         config.gateway.json of a UniFi gateway\n"
	      "  -f, --from openwrt     /etc/config/igmpproxy or /etc/config/omcproxy; with\n"
	      "                         /etc/config/network before it, networks get their\n"
	      "                         devices\n"
	      "  -f, --from mcproxy     mcproxy's configuration\n"
	      "  -d, --device NET=DEV   OpenWrt: the network NET is the device DEV, for\n"
	      "                         example lan=br-lan; may be repeated\n"
	      "  -o, --output OUT       write to this file instead of standard output\n"
	      "  -h, --help             this text\n"
	      "\n"
	      "An igmpproxy.conf needs no conversion. Exit status: 0 done, 1 usage or a file\n"
	      "that cannot be read or written, 2 FILE has errors (nothing is written).\n",
		out);
}

static int complain(const char *text, const char *word)
{
	fprintf(stderr, "ringcastctl convert: %s%s%s; see ringcastctl convert --help\n",
		text, *word ? " " : "", word);
	return EXIT_CALLER;
}

/* 0 or an exit status. */
static int take_dialect(struct arguments *a, const char *word)
{
	if (convert_dialect_parse(word, &a->dialect) == 0)
		return 0;
	if (strcmp(word, "igmpproxy") == 0)
		return complain("an igmpproxy.conf needs no conversion: "
				"ringcastd -C FILE reads it",
			"");
	if (strcmp(word, "smcroute") == 0)
		return complain("a smcroute file names joins and routes, which hosts "
				"decide here: doc/migration.md has four lines for it",
			"");
	return complain("--from takes improxy, vyos, openwrt or mcproxy, not", word);
}

/* NET=DEV, cut in place. 0 or an exit status. */
static int take_device(struct arguments *a, char *word)
{
	char *equals = strchr(word, '=');

	if (!equals || equals == word || !equals[1])
		return complain("--device takes NETWORK=DEVICE, not", word);
	if (a->n_device == MAX_DEVICES)
		return complain("too many --device", "");
	*equals = '\0';
	a->device[a->n_device++] =
		(struct convert_device){.network = word, .device = equals + 1};
	return 0;
}

static int check_arguments(const struct arguments *a)
{
	size_t n_stdin = 0;

	if (!a->dialect)
		return complain(
			"--from improxy, vyos, openwrt or mcproxy is missing", "");
	if (a->n_file == 0)
		return complain("no FILE is given", "");
	if (a->n_file > (a->dialect == CONVERT_OPENWRT ? MAX_FILES : 1))
		return complain("too many files; the first one too many is",
			a->file[a->dialect == CONVERT_OPENWRT ? MAX_FILES : 1]);
	if (a->n_device && a->dialect != CONVERT_OPENWRT)
		return complain("--device belongs to --from openwrt", "");
	for (size_t i = 0; i < a->n_file; i++)
		n_stdin += strcmp(a->file[i], "-") == 0;
	return n_stdin > 1 ? complain("standard input is given twice", "") : 0;
}

/* Returns -1 to continue, else the exit status. */
static int parse(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{"from", required_argument, NULL, 'f'},
		{"device", required_argument, NULL, 'd'},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int opt, r;

	while ((opt = getopt_long(argc, argv, "f:d:o:h", options, NULL)) != -1) {
		switch (opt) {
		case 'f':
			r = take_dialect(a, optarg);
			if (r)
				return r;
			break;
		case 'd':
			r = take_device(a, optarg);
			if (r)
				return r;
			break;
		case 'o':
			a->output = optarg;
			break;
		case 'h':
			usage(stdout);
			return EXIT_DONE;
		default: /* getopt has said what is wrong */
			usage(stderr);
			return EXIT_CALLER;
		}
	}
	a->file = argv + optind;
	a->n_file = (size_t)(argc - optind);
	r = check_arguments(a);
	return r ? r : -1;
}

/* 0 or -errno; source->text is malloc'ed */
static int read_stream(FILE *f, struct convert_source *source)
{
	_cleanup_(freep) char *text = NULL;
	size_t len = 0, cap = 0;

	for (;;) {
		if (array_reserve(text, cap, len + 1, 65536) < 0)
			return -ENOMEM;
		len += fread(text + len, 1, cap - len, f);
		if (ferror(f))
			return -(errno ? errno : EIO);
		if (feof(f))
			break;
		if (len > MAX_BYTES)
			return -EFBIG;
	}
	source->text = take_ptr(text);
	source->len = len;
	return 0;
}

/* Reads a file, or standard input for "-". */
static int read_file(const char *path, struct convert_source *source)
{
	FILE *f;
	int r;

	if (strcmp(path, "-") == 0) {
		source->name = "(standard input)";
		return read_stream(stdin, source);
	}
	f = fopen(path, "re");
	if (!f)
		return -errno;
	source->name = path;
	r = read_stream(f, source);
	fclose(f);
	return r;
}

static void print_messages(const struct conversion *r)
{
	for (size_t i = 0; i < r->n_message; i++) {
		const struct convert_message *m = &r->message[i];

		fprintf(stderr, "%s:", m->file);
		if (m->line)
			fprintf(stderr, "%u:", m->line);
		fprintf(stderr, " %s: %s\n", m->is_error ? "error" : "warning",
			m->text);
	}
}

/* If the result is refused, this program is wrong. Then it is better to write nothing
 * than a file that does not load. */
static int check_result(const char *text)
{
	struct config *cfg;
	int r = config_parse(text, strlen(text), &cfg);

	if (r < 0)
		return EXIT_FAULT;
	for (size_t i = 0; r > 0 && i < cfg->n_message; i++)
		if (cfg->message[i].severity == CONFIG_ERROR)
			fprintf(stderr, "ringcastctl convert: result:%u: error: %s\n",
				cfg->message[i].line, cfg->message[i].text);
	config_free(cfg);
	return r ? EXIT_FAULT : EXIT_DONE;
}

/* The name of a copy of `path`: the first one of path.old, path.old2 ... that is free,
 * as an open file with the rights of `path`. NULL if there is none. */
static FILE *open_copy(const char *path, char *name, size_t size)
{
	struct stat st;
	int fd = -1;
	FILE *f;

	if (stat(path, &st) < 0)
		return NULL;
	for (unsigned i = 1; i < 100; i++) {
		char number[8] = "";

		if (i > 1)
			snprintf(number, sizeof(number), "%u", i);
		snprintf(name, size, "%s.old%s", path, number);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			st.st_mode & 0777);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f && fd >= 0)
		close(fd);
	return f;
}

/* Copies what the file has before it is replaced. Returns false after a message if that
 * fails. */
static bool keep_old(const char *path, const char *text)
{
	struct convert_source old = {0};
	_cleanup_(freep) char *there = NULL;
	char name[PATH_MAX];
	struct stat st;
	bool same, bad;
	FILE *f;
	int r;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return true; /* nothing to keep, or writing will fail */
	r = read_file(path, &old);
	if (r < 0 || !old.text) {
		fprintf(stderr,
			"ringcastctl convert: cannot keep a copy of %s: %s; name another "
			"file with -o\n",
			path, strerror(r < 0 ? -r : EIO));
		return false;
	}
	there = (char *)(uintptr_t)old.text;
	same = old.len == strlen(text) && memcmp(there, text, old.len) == 0;
	if (same)
		return true;
	f = open_copy(path, name, sizeof(name));
	bad = !f || fwrite(there, 1, old.len, f) != old.len;
	if (f)
		bad |= fclose(f) != 0;
	if (bad)
		fprintf(stderr,
			"ringcastctl convert: cannot keep a copy of %s: %s; name another "
			"file with -o\n",
			path, strerror(errno));
	else
		fprintf(stderr, "%s has the previous contents of %s\n", name, path);
	return !bad;
}

static int write_result(const struct arguments *a, const char *text)
{
	bool bad;
	FILE *f;

	if (a->output && !keep_old(a->output, text))
		return EXIT_CALLER;
	f = a->output ? fopen(a->output, "we") : stdout;
	bad = !f || fputs(text, f) < 0;
	if (f && a->output)
		bad |= fclose(f) != 0;
	else if (f)
		bad |= fflush(f) != 0;
	if (bad) {
		fprintf(stderr, "ringcastctl convert: cannot write %s: %s\n",
			a->output ? a->output : "the result", strerror(errno));
		return EXIT_CALLER;
	}
	if (a->output)
		fprintf(stderr,
			"%s is written; read it, and check it with 'ringcastd -C %s'\n",
			a->output, a->output);
	return EXIT_DONE;
}

static int run(const struct arguments *a, struct convert_source *source)
{
	struct conversion *result;
	int r;

	for (size_t i = 0; i < a->n_file; i++) {
		r = read_file(a->file[i], &source[i]);
		if (r < 0) {
			fprintf(stderr, "ringcastctl convert: cannot read %s: %s\n",
				a->file[i], strerror(-r));
			return EXIT_CALLER;
		}
	}
	r = convert_run(a->dialect, source, a->n_file, a->device, a->n_device, &result);
	if (r < 0) {
		fprintf(stderr, "ringcastctl convert: %s\n", strerror(-r));
		return EXIT_FAULT;
	}
	print_messages(result);
	r = result->text ? check_result(result->text) : EXIT_INPUT;
	if (r == EXIT_DONE)
		r = write_result(a, result->text);
	conversion_free(result);
	return r;
}

int ctl_convert(const struct ctl_context *ctx, int argc, char **argv)
{
	struct convert_source source[MAX_FILES] = {0};
	struct arguments a = {0};
	int status = parse(&a, argc, argv);

	if (status >= 0)
		return status;
	status = run(&a, source);
	for (size_t i = 0; i < MAX_FILES; i++)
		free((char *)(uintptr_t)source[i].text);
	return status;
}
