/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * ringcastctl capture, see ctl_capture.h: compiles the filter (names in it may need a
 * name server, and the daemon must not wait for one), asks for the stream and hands it
 * to capture_out.c. An interrupt or the last wanted packet half-closes the connection;
 * the daemon then sends its statistics, and the file is complete.
 */

#include "tools/ctl/ctl_capture.h"

#include "tools/ctl/capture_out.h"

#include "base/cleanup.h"
#include "control/sys/ctl.h"
#include "dataplane/io/capfilter.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BUFFER_SIZE (1 << 20) /* larger than any block of the daemon */
#define LAST_WAIT_S 5	      /* how long we wait for the statistics at the end */
#define LAST_MAX_MS 60000     /* how long if more packets come meanwhile */

static const char usage_text[] =
	"usage: ringcastctl capture [OPTION]... [EXPRESSION]\n"
	"\n"
	"Shows the IGMP and MLD messages that ringcastd receives and sends, one line\n"
	"each, or writes them as pcapng. EXPRESSION is a filter as for tcpdump.\n"
	"\n"
	"options:\n"
	"  -f, --filter EXPRESSION  the same as EXPRESSION at the end\n"
	"  -i, --interface IF       only this interface; may be repeated\n"
	"  -d, --data               also data frames, as they were received\n"
	"  -n, --sample N           one of N data frames; implies --data\n"
	"  -S, --snaplen N          bytes of each data frame (256)\n"
	"  -c, --count N            end after N packets\n"
	"  -w, --write FILE         write pcapng to FILE; - is standard output\n"
	"  -j, --json               print lines as JSON\n"
	"  -s, --socket SOCKET      control socket of the daemon\n"
	"  -h, --help               this text\n"
	"\n"
	"Live in Wireshark: ringcastctl capture -w - | wireshark -k -i -\n";

static const struct option long_options[] = {
	{"filter", required_argument, NULL, 'f'},
	{"interface", required_argument, NULL, 'i'},
	{"data", no_argument, NULL, 'd'},
	{"sample", required_argument, NULL, 'n'},
	{"snaplen", required_argument, NULL, 'S'},
	{"count", required_argument, NULL, 'c'},
	{"write", required_argument, NULL, 'w'},
	{"json", no_argument, NULL, 'j'},
	{"socket", required_argument, NULL, 's'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct request {
	char line[CTL_MAX_REQUEST];
	size_t len;
	bool overflow;
};

struct args {
	const char *socket;
	const char *filter;
	struct capture_out_params out;
	struct request request;
};

/* ---- the request ---- */

static void append(struct request *r, const char *format, ...) _printf_(2, 3);
static void append(struct request *r, const char *format, ...)
{
	size_t left = sizeof(r->line) - r->len;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(r->line + r->len, left, format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n + 1 >= left) /* and the newline */
		r->overflow = true;
	else
		r->len += (size_t)n;
}

static void append_program(
	struct request *r, const char *key, const struct bpf_program *p)
{
	append(r, " %s=", key);
	for (unsigned i = 0; i < p->bf_len; i++)
		append(r, "%04x%02x%02x%08x", p->bf_insns[i].code, p->bf_insns[i].jt,
			p->bf_insns[i].jf, p->bf_insns[i].k);
}

/* Returns false if libpcap refuses it, with its message in `why`. */
static bool compile(struct request *r, const char *key, int link_type,
	const char *expression, char *why, size_t size)
{
	pcap_t *p = pcap_open_dead(link_type, PCAPNG_SNAPLEN);
	struct bpf_program program;
	bool ok;

	if (!p) {
		snprintf(why, size, "out of memory");
		return false;
	}
	ok = pcap_compile(p, &program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (ok) {
		append_program(r, key, &program);
		pcap_freecode(&program);
	} else {
		snprintf(why, size, "%s", pcap_geterr(p));
	}
	pcap_close(p);
	return ok;
}

/* Some expressions are valid only with a link header ("ether host"), others only
 * without. */
static bool add_filter(struct request *r, const char *expression)
{
	static struct bpf_insn reject = {.code = BPF_RET | BPF_K};
	struct bpf_program nothing = {.bf_len = 1, .bf_insns = &reject};
	char why[PCAP_ERRBUF_SIZE], other[PCAP_ERRBUF_SIZE];
	bool ethernet =
		compile(r, "ethernet", DLT_EN10MB, expression, why, sizeof(why));
	bool raw = compile(r, "raw", DLT_RAW, expression, other, sizeof(other));

	if (!ethernet && !raw) {
		fprintf(stderr, "ringcastctl: filter '%s': %s\n", expression, why);
		return false;
	}
	if (!ethernet)
		append_program(r, "ethernet", &nothing);
	if (!raw)
		append_program(r, "raw", &nothing);
	return true;
}

/* ---- options ---- */

static bool parse_number(const char *s, const char *option, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || v == 0) {
		fprintf(stderr, "ringcastctl: --%s takes a number from 1, not '%s'\n",
			option, s);
		return false;
	}
	*ret = v;
	return true;
}

static bool is_word(const char *s, const char *option)
{
	if (*s && !strpbrk(s, " \t\r\n"))
		return true;
	fprintf(stderr, "ringcastctl: --%s '%s': no such name\n", option, s);
	return false;
}

/* returns -1 to continue, else the exit status */
static int option(struct args *a, int c)
{
	uint64_t n;

	switch (c) {
	case 'f':
		a->filter = optarg;
		return -1;
	case 'i':
		append(&a->request, " interface=%s", optarg);
		return is_word(optarg, "interface") ? -1 : CTL_EXIT_USAGE;
	case 'd':
		append(&a->request, " data");
		return -1;
	case 'n':
		if (!parse_number(optarg, "sample", &n))
			return CTL_EXIT_USAGE;
		append(&a->request, " sample=%llu", (unsigned long long)n);
		return -1;
	case 'S':
		if (!parse_number(optarg, "snaplen", &n))
			return CTL_EXIT_USAGE;
		append(&a->request, " snaplen=%llu", (unsigned long long)n);
		return -1;
	case 'c':
		return parse_number(optarg, "count", &a->out.count) ? -1
								    : CTL_EXIT_USAGE;
	case 'w':
		a->out.path = optarg;
		return -1;
	case 'j':
		a->out.as_json = true;
		return -1;
	case 's':
		a->socket = optarg;
		return -1;
	case 'h':
		fputs(usage_text, stdout);
		return CTL_EXIT_OK;
	default: /* getopt has said what is wrong */
		fputs(usage_text, stderr);
		return CTL_EXIT_USAGE;
	}
}

/* The words after the options are an expression, as with tcpdump. malloc'ed. */
static char *join(char **words, int n)
{
	size_t size = 1;
	char *text;

	for (int i = 0; i < n; i++)
		size += strlen(words[i]) + 1;
	text = calloc(1, size);
	for (int i = 0; text && i < n; i++) {
		strcat(text, words[i]);
		if (i + 1 < n)
			strcat(text, " ");
	}
	return text;
}

static int parse(struct args *a, int argc, char **argv)
{
	_cleanup_(freep) char *rest = NULL;
	const char *filter;
	int c;

	append(&a->request, "capture");
	while ((c = getopt_long(argc, argv, "f:i:dn:S:c:w:js:h", long_options, NULL)) !=
		-1) {
		int status = option(a, c);

		if (status >= 0)
			return status;
	}
	filter = a->filter;
	if (optind < argc) {
		rest = join(argv + optind, argc - optind);
		if (a->filter || !rest) {
			fputs("ringcastctl: one filter is enough\n", stderr);
			return CTL_EXIT_USAGE;
		}
		filter = rest;
	}
	if (filter && *filter && !add_filter(&a->request, filter))
		return CTL_EXIT_USAGE;
	if (!a->request.overflow)
		return -1;
	fputs("ringcastctl: the filter is too long\n", stderr);
	return CTL_EXIT_USAGE;
}

/* ---- the stream ---- */

/* Waits for bytes or a signal. Returns false if the daemon has ended the stream. */
static bool wait_readable(int fd, const sigset_t *mask, bool ending)
{
	struct timespec limit = {.tv_sec = LAST_WAIT_S};
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return ppoll(&p, 1, ending ? &limit : NULL, mask) != 0;
}

/* Takes bytes until the end of the stream. Returns the exit status. */
static int receive(int fd, struct capture_out *out)
{
	_cleanup_(freep) uint8_t *buf = malloc(BUFFER_SIZE);
	bool ending = false;
	int64_t end_ms = 0;
	sigset_t mask;
	size_t n = 0;

	if (!buf) {
		fputs("ringcastctl: out of memory\n", stderr);
		return CTL_EXIT_USAGE;
	}
	ctl_client_catch(&mask);
	for (;;) {
		ssize_t got;
		long used;

		if (!ending && (ctl_client_interrupted || capture_out_is_full(out))) {
			ending = true;
			end_ms = ctl_client_now_ms() + LAST_MAX_MS;
			ctl_client_interrupted = 0;
			shutdown(fd, SHUT_WR);
		}
		if (!wait_readable(fd, &mask, ending) ||
			(ending && ctl_client_interrupted) ||
			(ending && ctl_client_now_ms() > end_ms))
			break;
		got = recv(fd, buf + n, BUFFER_SIZE - n, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
		used = capture_out_blocks(out, buf, n);
		if (used < 0)
			return CTL_EXIT_USAGE;
		n -= (size_t)used;
		memmove(buf, buf + used, n);
	}
	if (ending)
		return CTL_EXIT_OK;
	fputs("ringcastctl: the daemon has ended the capture: it is stopping, or root or a user with "
	      "fewer streams took the place; try again\n",
		stderr);
	return CTL_EXIT_DAEMON;
}

static int capture(const struct args *a)
{
	_cleanup_(closep) int fd = ctl_client_connect(a->socket);
	struct capture_out *out;
	int status;

	if (fd < 0)
		return CTL_EXIT_UNREACHABLE;
	status = ctl_client_stream(fd, a->socket, a->request.line);
	if (status != CTL_EXIT_OK)
		return status;
	out = capture_out_open(&a->out);
	if (!out)
		return CTL_EXIT_USAGE;
	status = receive(fd, out);
	if (!capture_out_close(out, true) && status == CTL_EXIT_OK)
		status = CTL_EXIT_USAGE;
	return status;
}

int ctl_capture_run(const struct ctl_context *ctx, int argc, char **argv)
{
	struct args a = {.socket = ctx->path, .out.as_json = ctx->as_json};
	int status = parse(&a, argc, argv);

	return status >= 0 ? status : capture(&a);
}
