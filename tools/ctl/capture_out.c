/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Output of "ringcastctl capture", see capture_out.h. A file has whole blocks at any
 * time, so it can be read to its last packet even after a full disk, an interrupt or
 * the end of the daemon.
 */

#include "tools/ctl/capture_out.h"

#include "tools/ctl/packet_text.h"
#include "tools/ctl/printable.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

struct interface {
	char name[PCAPNG_NAME_LEN];
	enum pcapng_link link;
};

struct capture_out {
	struct capture_out_params params;
	int fd; /* of the file; -1 means lines on standard output */
	off_t written;
	bool regular; /* it is a regular file, which can be shortened */
	struct interface *interface;
	uint32_t n_interfaces;
	struct gm_scratch *scratch;
	uint64_t n_packets, n_lost;
	bool begun; /* and said so */
};

static const char *target(const struct capture_out *o)
{
	return !o->params.path || strcmp(o->params.path, "-") == 0 ? "standard output"
								   : o->params.path;
}

static bool complain(const struct capture_out *o, const char *what, int err)
{
	fprintf(stderr, "ringcastctl: cannot %s %s: %s\n", what, target(o),
		strerror(err));
	return false;
}

static bool open_target(struct capture_out *o)
{
	struct stat st;

	if (!o->params.path)
		return true;
	if (strcmp(o->params.path, "-") != 0)
		o->fd = open(
			o->params.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	else if (isatty(STDOUT_FILENO))
		return complain(o, "write packets to", ENOTSUP);
	else
		o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (o->fd < 0)
		return complain(o, "open", errno);
	o->regular = fstat(o->fd, &st) == 0 && S_ISREG(st.st_mode) &&
		strcmp(o->params.path, "-") != 0;
	return true;
}

static struct capture_out *out_free(struct capture_out *o)
{
	closep(&o->fd);
	free(o->interface);
	free(o->scratch);
	free(o);
	return NULL;
}

struct capture_out *capture_out_open(const struct capture_out_params *params)
{
	struct capture_out *o = calloc(1, sizeof(*o));

	if (!o) {
		fputs("ringcastctl: out of memory\n", stderr);
		return NULL;
	}
	o->params = *params;
	o->fd = -1;
	o->scratch = malloc(sizeof(*o->scratch));
	if (!o->scratch || !open_target(o))
		return out_free(o);
	return o;
}

/* ---- blocks to a file ---- */

/* Bytes of whole blocks among the first n. */
static size_t whole_blocks(const uint8_t *p, size_t n)
{
	struct pcapng_block b;
	size_t at = 0;

	while (pcapng_read(p + at, n - at, &b) == 1)
		at += b.size;
	return at;
}

static bool write_bytes(struct capture_out *o, const uint8_t *p, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = write(o->fd, p + done, n - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			break;
		done += (size_t)r;
	}
	if (done == n) {
		o->written += (off_t)n;
		return true;
	}
	complain(o, "write", errno);
	o->written += (off_t)whole_blocks(p, done);
	if (o->regular && ftruncate(o->fd, o->written) < 0)
		complain(o, "shorten", errno);
	return false;
}

/* ---- lines ---- */

static bool print_packet(struct capture_out *o, const struct pcapng_packet *p)
{
	struct packet_text t = {.scratch = o->scratch};
	json_t *json;

	t.interface = o->interface[p->interface].name;
	t.link = o->interface[p->interface].link;
	if (o->params.as_json) {
		json = packet_text_json(&t, p);
		if (json)
			json_dumpf(json, stdout, JSON_COMPACT);
		fputc('\n', stdout);
		json_decref(json);
	} else {
		packet_text_print(&t, p, stdout);
	}
	return fflush(stdout) == 0 || complain(o, "write", errno);
}

/* ---- both ---- */

static bool add_interface(struct capture_out *o, const struct pcapng_block *b)
{
	struct interface *v = realloc(o->interface, (o->n_interfaces + 1) * sizeof(*v));

	if (!v)
		return complain(o, "write", ENOMEM);
	o->interface = v;
	v[o->n_interfaces].link = b->interface.link;
	strcpy(v[o->n_interfaces].name, b->interface.name);
	printable(v[o->n_interfaces++].name, "");
	return true;
}

static bool take_packet(struct capture_out *o, const struct pcapng_packet *p)
{
	if (p->interface >= o->n_interfaces)
		return complain(o, "understand the stream for", EBADMSG);
	o->n_packets++;
	return o->params.path || print_packet(o, p);
}

bool capture_out_is_full(const struct capture_out *o)
{
	return o->params.count && o->n_packets >= o->params.count;
}

/* Does the packet go into the file? */
static bool take_block(
	struct capture_out *o, const struct pcapng_block *b, bool *ret_failed)
{
	*ret_failed = false;
	switch (b->type) {
	case PCAPNG_INTERFACE:
		*ret_failed = !add_interface(o, b);
		return true;
	case PCAPNG_STATS:
		o->n_lost += b->stats.lost;
		return true;
	case PCAPNG_PACKET:
		if (capture_out_is_full(o))
			return false; /* enough packets have come already */
		*ret_failed = !take_packet(o, &b->packet);
		return true;
	default:
		return true;
	}
}

/* Before the first packet, which may come late. */
static void say_begun(struct capture_out *o)
{
	if (o->begun || o->n_interfaces == 0)
		return;
	o->begun = true;
	fputs("capturing on ", stderr);
	for (uint32_t i = 0; i < o->n_interfaces; i++)
		fprintf(stderr, "%s%s", i ? ", " : "", o->interface[i].name);
	fputs("; Ctrl-C ends\n", stderr);
}

long capture_out_blocks(struct capture_out *o, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	size_t at = 0, from = 0; /* `from` is the first byte that is not in the file */
	struct pcapng_block b;
	bool failed = false;
	int r;

	while (!failed && (r = pcapng_read(p + at, len - at, &b)) == 1) {
		bool keep = take_block(o, &b, &failed);

		if (!keep && o->fd >= 0 && at > from &&
			!write_bytes(o, p + from, at - from))
			return -1;
		at += b.size;
		if (!keep)
			from = at;
	}
	say_begun(o);
	if (failed)
		return -1;
	if (r < 0) {
		complain(o, "understand the stream for", -r);
		return -1;
	}
	if (o->fd >= 0 && at > from && !write_bytes(o, p + from, at - from))
		return -1;
	return (long)at;
}

bool capture_out_close(struct capture_out *o, bool summary)
{
	bool ok = true;

	if (!o)
		return true;
	/* some file systems tell only now that there is no room */
	if (o->fd >= 0 && close(take_fd(&o->fd)) < 0)
		ok = complain(o, "write", errno);
	if (summary)
		fprintf(stderr,
			"%" PRIu64 " packet%s captured on %" PRIu32
			" interface%s, %" PRIu64 " lost\n",
			o->n_packets, o->n_packets == 1 ? "" : "s", o->n_interfaces,
			o->n_interfaces == 1 ? "" : "s", o->n_lost);
	out_free(o);
	return ok;
}
