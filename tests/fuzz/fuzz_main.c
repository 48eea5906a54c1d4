/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Passes files to a fuzz target: the named ones, and all files of named directories,
 * sorted by name. tools/test replays earlier findings of the fuzzer in this way, with
 * every compiler and sanitizer. With one file it serves for debugging. Without an
 * argument the input is standard input.
 */

#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)

__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return 0;
}

static bool play(FILE *f)
{
	uint8_t *buf = malloc(INPUT_MAX), *exact;
	size_t n;

	if (!buf)
		return false;
	n = fread(buf, 1, INPUT_MAX, f);
	/* memory of the exact size, so that the sanitizer finds reads beyond it */
	exact = malloc(n ? n : 1);
	if (exact) {
		memcpy(exact, buf, n);
		(void)LLVMFuzzerTestOneInput(exact, n);
	}
	free(buf);
	free(exact);
	return exact && !ferror(f);
}

static bool play_file(const char *path)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	ok = play(f);
	fclose(f);
	return ok;
}

static int is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static bool play_path(const char *path, unsigned *n)
{
	struct dirent **names;
	struct stat st;
	bool ok = true;
	int count;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		(*n)++;
		return play_file(path);
	}
	count = scandir(path, &names, is_visible, alphasort);
	for (int i = 0; i < count; i++) {
		char *inner = NULL;

		ok = ok && asprintf(&inner, "%s/%s", path, names[i]->d_name) > 0 &&
			play_path(inner, n);
		free(inner);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return ok && count >= 0;
}

int main(int argc, char **argv)
{
	unsigned n = 0;
	bool ok = true;

	LLVMFuzzerInitialize(&argc, &argv);
	if (argc < 2)
		ok = play(stdin);
	for (int i = 1; i < argc && ok; i++)
		ok = play_path(argv[i], &n);
	if (argc >= 2)
		fprintf(stderr, "%u inputs\n", n);
	/* a directory that is empty by mistake must not count as success */
	return ok && (argc < 2 || n > 0) ? 0 : 1;
}
