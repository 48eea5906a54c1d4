/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * `ringcastctl watch`, see ctl_watch.h: asks the daemon for a page ("show top") at an
 * interval and shows it, full-screen if there is a terminal and ncurses, else as plain
 * text page by page. The view never waits for the daemon: keys work while it is busy,
 * and when it ends the view says so and retries.
 */

#include "tools/ctl/ctl_watch.h"

#include "base/cleanup.h"
#include "tools/ctl/watch/watch_curses.h"
#include "tools/ctl/watch/watch_layout.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MS    1000 /* at least, after a failure */
#define PATIENCE_MS 5000 /* after that the daemon is considered hung */
#define ONCE_MS	    1000 /* between two pages, for rates */

struct session {
	const struct ctl_context *ctx;
	struct watch w;
	struct watch_screen screen;
	bool curses, once;
	int fd;
	struct ctl_reply reply;
	bool waiting; /* for a reply */
	int64_t asked_ms, next_ms;
	unsigned n_pages;
	int status; /* of the program */
};

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
	ended = 1;
}

/* ---- showing ---- */

static void print_plain(struct session *s)
{
	bool terminal = isatty(STDOUT_FILENO);

	if (terminal && !s->once)
		fputs("\033[H\033[J", stdout);
	else if (s->n_pages > 1 && !s->once)
		putchar('\n');
	for (size_t i = 0; i < s->screen.n; i++) {
		const char *text = s->screen.line[i].text;
		size_t n = strlen(text);

		/* blanks at the end are for the colour of a screen */
		while (n > 0 && text[n - 1] == ' ')
			n--;
		if (s->screen.line[i].style != WATCH_FOOTER)
			printf("%.*s\n", (int)n, text);
	}
	/* the reader has gone */
	if (fflush(stdout) != 0)
		ended = 1;
}

static void show(struct session *s)
{
	watch_layout(&s->w, &s->screen);
	if (s->curses)
		watch_curses_draw(&s->screen);
	else
		print_plain(s);
}

/* ---- talking ---- */

static void hang_up(struct session *s)
{
	closep(&s->fd);
	s->fd = -1;
	ctl_client_forget(&s->reply);
	s->waiting = false;
}

static void fail(struct session *s, int64_t now, const char *why)
{
	int64_t interval = (int64_t)(s->w.interval * 1000);
	char text[128];

	hang_up(s);
	snprintf(text, sizeof(text), "daemon not reachable, retrying (%s)", why);
	watch_set_trouble(&s->w, text);
	s->next_ms = now + (interval > RETRY_MS ? interval : RETRY_MS);
	s->n_pages++;
	show(s);
}

static void ask(struct session *s, int64_t now)
{
	char request[WATCH_REQUEST_LEN];
	int r = 0;

	if (s->fd < 0) {
		s->fd = ctl_client_open(s->ctx->path);
		r = s->fd < 0 ? s->fd : 0;
	}
	if (r == 0)
		r = ctl_client_send(s->fd, watch_request(&s->w, request));
	if (r < 0) {
		fail(s, now, strerror(-r));
		return;
	}
	s->waiting = true;
	s->asked_ms = now;
}

static void take_page(struct session *s, int64_t now, const char *line)
{
	json_t *page = ctl_client_parse(line, s->ctx->as_json, NULL);
	const char *error = json_string_value(json_object_get(page, "error"));

	if (!json_is_object(page) || error) {
		fail(s, now, error ? error : "the reply is not a JSON object");
		json_decref(page);
		return;
	}
	if (s->ctx->as_json)
		ctl_client_print_json(s->ctx, page, line);
	watch_update(&s->w, page);
	s->n_pages++;
	s->next_ms = s->asked_ms + (int64_t)(s->w.interval * 1000);
	if (!s->ctx->as_json)
		show(s);
	else if (fflush(stdout) != 0)
		ended = 1;
}

static void hear(struct session *s, int64_t now)
{
	int r = ctl_client_receive(s->fd, &s->reply);

	if (r < 0)
		fail(s, now, strerror(-r));
	if (r <= 0)
		return;
	s->waiting = false;
	take_page(s, now, s->reply.line);
	ctl_client_forget(&s->reply);
}

/* ---- the loop ---- */

static void take_keys(struct session *s, int64_t now)
{
	unsigned rows, cols;
	bool draw = false;
	int key;

	while ((key = watch_curses_key()) != -1) {
		if (key == WATCH_CURSES_RESIZED) {
			watch_curses_size(&rows, &cols);
			watch_resize(&s->w, rows, cols);
			draw = true;
			s->next_ms = now;
			continue;
		}
		switch (watch_input(&s->w, key)) {
		case WATCH_NOTHING:
			break;
		case WATCH_DRAW:
			draw = true;
			break;
		case WATCH_REFRESH:
			draw = true;
			s->next_ms = now;
			break;
		case WATCH_QUIT:
			ended = 1;
			break;
		}
	}
	if (draw)
		show(s);
}

static void wait_for_something(struct session *s, const sigset_t *mask)
{
	int64_t now = ctl_client_now_ms();
	int64_t until = s->waiting ? s->asked_ms + PATIENCE_MS : s->next_ms;
	int64_t ms = until > now ? until - now : 0;
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
	struct pollfd p[] = {
		{.fd = s->waiting ? s->fd : -1, .events = POLLIN},
		{.fd = s->curses ? STDIN_FILENO : -1, .events = POLLIN},
	};

	if (ppoll(p, 2, &ts, mask) < 0 && errno != EINTR)
		ended = 1;
	if (p[1].revents & (POLLHUP | POLLERR | POLLNVAL))
		ended = 1; /* the terminal is gone */
	now = ctl_client_now_ms();
	if (s->curses)
		take_keys(s, now);
	if (s->waiting && p[0].revents)
		hear(s, now);
	/* even if the daemon keeps sending small parts */
	if (s->waiting && now >= s->asked_ms + PATIENCE_MS)
		fail(s, now, "no answer");
}

static void loop(struct session *s)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked, before;

	/* the signals are delivered only while the loop waits */
	sigemptyset(&blocked);
	for (size_t i = 0; i < array_len(signals); i++) {
		sigaddset(&blocked, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, &before);
	while (!ended) {
		int64_t now = ctl_client_now_ms();

		if (!s->waiting && now >= s->next_ms)
			ask(s, now);
		wait_for_something(s, &before);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Gets two pages, because rates need two. */
static int watch_once(struct session *s)
{
	struct timespec pause = {ONCE_MS / 1000, 0};
	int status = CTL_EXIT_OK;

	for (unsigned i = 0; i < 2 && status == CTL_EXIT_OK; i++) {
		char request[WATCH_REQUEST_LEN];
		json_t *page;

		if (i > 0)
			nanosleep(&pause, NULL);
		status = ctl_client_request(s->fd, s->ctx->path,
			watch_request(&s->w, request), s->ctx->as_json, &page);
		if (status == CTL_EXIT_OK)
			watch_update(&s->w, page);
	}
	if (status != CTL_EXIT_OK)
		return status;
	if (s->ctx->as_json)
		ctl_client_print_json(s->ctx, s->w.now, NULL);
	else
		show(s);
	return CTL_EXIT_OK;
}

/* ---- options ---- */

static void usage(FILE *out)
{
	fputs("usage: ringcastctl watch [--interval S] [--once] [--sort ORDER] [--filter "
	      "TEXT]\n"
	      "\n"
	      "Shows interfaces, groups with rates and members, drops and the state of\n"
	      "the upstream on a page that is refreshed: full-screen on a terminal (h shows\n"
	      "the keys), else as text.\n"
	      "\n"
	      "options:\n"
	      "  -i, --interval S   seconds between two pages (2; at least 0.5)\n"
	      "  -1, --once         print one page as text and end\n"
	      "      --sort ORDER   rate, packets, members, wrong or group\n"
	      "      --filter TEXT  only groups, sources, interfaces with this text\n"
	      "      --plain        text also where full-screen would be possible\n"
	      "  -j, --json         the daemon's pages, a line each\n"
	      "  -h, --help         this text\n",
		out);
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);
	long n = value ? strtol(value, NULL, 10) : 0;

	return n > 0 && n <= WATCH_COLS_MAX ? (unsigned)n : otherwise;
}

static void plain_size(unsigned *ret_rows, unsigned *ret_cols)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	*ret_rows = from_environment("LINES", size.ws_row);
	*ret_cols = from_environment("COLUMNS", size.ws_col);
}

struct arguments {
	struct ctl_context ctx;
	double interval;
	bool once, plain;
	enum watch_sort sort;
	const char *filter;
};

static bool read_interval(const char *text, double *ret)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end ||
		!(v >= WATCH_INTERVAL_MIN && v <= WATCH_INTERVAL_MAX)) {
		fprintf(stderr,
			"ringcastctl: '%s' is not an interval from %g to %g seconds\n",
			text, WATCH_INTERVAL_MIN, WATCH_INTERVAL_MAX);
		return false;
	}
	*ret = v;
	return true;
}

static bool read_option(struct arguments *a, int c)
{
	switch (c) {
	case 'i':
		return read_interval(optarg, &a->interval);
	case '1':
		a->once = true;
		return true;
	case 'p':
		a->plain = true;
		return true;
	case 's':
		a->ctx.path = optarg;
		return true;
	case 'j':
		a->ctx.as_json = a->plain = true;
		return true;
	case 'f':
		a->filter = optarg;
		if (strlen(optarg) < WATCH_FILTER_LEN && !strpbrk(optarg, " \r\n"))
			return true;
		fputs("ringcastctl: the filter is too long or has spaces\n", stderr);
		return false;
	case 'o':
		if (watch_sort_parse(optarg, &a->sort) == 0)
			return true;
		fprintf(stderr,
			"ringcastctl: no order '%s'; there are rate, packets, members, "
			"wrong and group\n",
			optarg);
		return false;
	default: /* getopt has said what is wrong */
		usage(stderr);
		return false;
	}
}

/* returns -1 to continue, else the exit status */
static int read_arguments(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{"interval", required_argument, NULL, 'i'},
		{"once", no_argument, NULL, '1'},
		{"sort", required_argument, NULL, 'o'},
		{"filter", required_argument, NULL, 'f'},
		{"plain", no_argument, NULL, 'p'},
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "i:1s:jh", options, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout);
			return CTL_EXIT_OK;
		}
		if (!read_option(a, c))
			return CTL_EXIT_USAGE;
	}
	if (optind == argc)
		return -1;
	usage(stderr);
	return CTL_EXIT_USAGE;
}

int ctl_watch(const struct ctl_context *ctx, int argc, char **argv)
{
	struct arguments a = {.ctx = *ctx, .interval = 2, .plain = ctx->as_json};
	struct session s = {.ctx = &a.ctx, .fd = -1, .status = CTL_EXIT_OK};
	int status = read_arguments(&a, argc, argv);
	unsigned rows, cols;

	if (status >= 0)
		return status;
	a.ctx.pretty &= a.once; /* else a line for each page */
	/* no daemon at the start is an error; later we wait for it */
	s.fd = ctl_client_connect(a.ctx.path);
	if (s.fd < 0)
		return CTL_EXIT_UNREACHABLE;
	setlocale(LC_CTYPE, "");
	s.once = a.once;
	s.curses = !a.once && !a.plain && watch_curses_start();
	if (s.curses)
		watch_curses_size(&rows, &cols);
	else
		plain_size(&rows, &cols);
	watch_init(&s.w, rows, cols, a.interval);
	s.w.sort = a.sort;
	if (a.filter)
		strcpy(s.w.filter, a.filter);
	if (a.once)
		status = watch_once(&s);
	else
		loop(&s);
	if (s.curses)
		watch_curses_stop();
	hang_up(&s);
	watch_screen_deinit(&s.screen);
	watch_deinit(&s.w);
	return a.once ? status : s.status;
}
