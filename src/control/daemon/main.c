/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ringcastd: the command line and the exit status. Everything else is in app.c. */

#include "base/cleanup.h"
#include "build_config.h"
#include "control/daemon/app.h"
#include "control/daemon/check.h"
#include "control/sys/ctl.h"
#include "control/sys/inherit.h"
#include "control/sys/sdnotify.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* of the service; checked if no file is named */
#define SERVICE_CONFIG RINGCAST_SYSCONFDIR "/ringcast.conf"

static const char usage_text[] =
	"Usage: %s [-n | -b] [-d] [-v]... [-s SOCKET] FILE\n"
	"       %s -C [FILE]\n"
	"       %s -V | -h\n"
	"IGMP and MLD proxy that forwards multicast in userspace. FILE is an\n"
	"igmpproxy.conf. Without FILE, -C checks " SERVICE_CONFIG ".\n"
	"\n"
	"  -n, --foreground     stay in the foreground (the default)\n"
	"  -b, --background     go into the background once everything is open\n"
	"  -d, --debug          log to standard error, whatever FILE says, and stay in\n"
	"                       the foreground\n"
	"  -v, --verbose        log more; three times is everything\n"
	"  -s, --socket SOCKET  control socket (default: control-socket of FILE, or\n"
	"                       " CTL_DEFAULT_PATH ")\n"
	"  -C, --check          check FILE, say what each interface will do, and exit\n"
	"  -V, --version        print the version and exit\n"
	"  -h, --help           print this and exit\n"
	"\n"
	"Exit status: 0 clean stop, 1 usage, 2 configuration error, 3 missing capability\n"
	"or kernel feature, 4 failure while running, 5 another process takes over and must\n"
	"be started at once (ringcastctl upgrade under a service manager).\n";

/* of a link named igmpproxy */
static const char igmpproxy_text[] =
	"Usage: %s [-h] [-n] [-d] [-v [-v]] FILE\n"
	"This is ringcastd under the name of igmpproxy. It goes into the background once\n"
	"everything is open and logs to syslog. FILE is an igmpproxy.conf.\n"
	"\n"
	"  -n  stay in the foreground\n"
	"  -d  stay in the foreground and log to standard error\n"
	"  -v  log more; twice is everything\n"
	"  -h  print this and exit\n"
	"\n"
	"ringcastd -h tells about further options, which work here as well.\n";

/* The names borrow from *ret_list; NULL if they cannot be read. */
static const char **interfaces(struct if_nameindex **ret_list)
{
	struct if_nameindex *list = if_nameindex();
	const char **names = NULL;
	size_t n = 0;

	*ret_list = list;
	while (list && list[n].if_name)
		n++;
	if (list)
		names = calloc(n + 1, sizeof(*names));
	for (size_t i = 0; names && i < n; i++)
		names[i] = list[i].if_name;
	return names;
}

static char *main_describe(const char *path, const struct config *cfg)
{
	struct if_nameindex *list;
	const char **names = interfaces(&list);
	_cleanup_(freep) char *missing = names ? config_missing(cfg, names) : NULL;
	char *text = config_describe(cfg, names);

	if (missing)
		log_warn("%s: %s", path, missing);
	check_links(path, cfg);
	free(names);
	if (list)
		if_freenameindex(list);
	return text;
}

static int check(const char *path)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(closep) int fd = app_open_dir_of(path);
	int status = APP_EXIT_OK;
	struct config *cfg;
	gid_t gid;

	cfg = app_read_config(fd, path, &status, NULL);
	if (!cfg)
		return status;
	status = app_find_group(path, cfg, &gid);
	if (status == APP_EXIT_OK) {
		text = main_describe(path, cfg);
		check_files(path, fd, cfg);
		if (text)
			fputs(text, stdout);
		else
			status = APP_EXIT_FAILURE;
	}
	config_free(cfg);
	return status;
}

/* of a process that goes into the background; -1 if there is none */
struct background {
	int word; /* to the process that was started */
	int null; /* /dev/null, which does not exist in a chroot */
};

/* Forks. The parent waits for the child's exit status and exits with it, so that an
 * error at the start is visible to the caller. Returns 0 or -errno. */
static int background(struct background *ret)
{
	uint8_t status = APP_EXIT_FAILURE;
	int word[2];
	pid_t pid;

	if (pipe2(word, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(word[1]);
		if (read(word[0], &status, 1) != 1)
			status = APP_EXIT_FAILURE;
		_exit(status);
	}
	close(word[0]);
	setsid();
	*ret = (struct background){
		.word = word[1], .null = open("/dev/null", O_RDWR | O_CLOEXEC)};
	return 0;
}

static void background_done(const struct background *b, int status)
{
	uint8_t byte = (uint8_t)status;

	if (status == APP_EXIT_OK) {
		for (int fd = 0; fd <= 2 && b->null >= 0; fd++)
			dup2(b->null, fd);
		if (chdir("/") < 0)
			log_info("cannot change to /: %s", strerror(errno));
	}
	if (b->null > 2)
		close(b->null);
	if (write(b->word, &byte, 1) != 1)
		log_info("no process waits for the start");
	close(b->word);
}

struct cmdline {
	struct app_options options;
	struct inherit_fds handed;
	enum log_level level;
	bool check_only;
	/* a link named igmpproxy behaves like that program, including its log */
	bool as_igmpproxy;
	const char *ident;
};

/* Starts the log that counts until the file has been read, and also afterwards if the
 * file does not change it. */
static void start_log(struct cmdline *c)
{
	bool to_syslog = c->as_igmpproxy && !c->options.log_to_stderr && !c->check_only;
	bool here = c->options.log_to_stderr || c->check_only || !c->options.foreground;
	enum log_sink sink = here ? LOG_SINK_STDERR : log_default_sink();

	c->options.log_level = c->level;
	c->options.log_sink =
		to_syslog || !c->options.foreground ? LOG_SINK_SYSLOG : sink;
	/* the reason of a failed start should be in both places */
	log_open(c->ident, to_syslog ? LOG_SINK_BOTH : sink, c->level);
}

/* Collects the inherited descriptors before the process forks, because the variables
 * name its id. */
static void look_around(struct cmdline *c)
{
	int r = inherit_collect(&c->handed);

	if (r < 0)
		log_warn(
			"LISTEN_FDS: the descriptors cannot be used: %s", strerror(-r));
	c->options.handed = &c->handed;
}

static int main_run(struct cmdline *c)
{
	struct background b = {-1, -1};
	struct app *app;
	int r, status;

	start_log(c);
	if (c->check_only)
		return check(c->options.config_path);
	/* before the threads, because fork() keeps only the calling one */
	if (!c->options.foreground) {
		r = background(&b);
		if (r < 0) {
			log_err("cannot go into the background: %s", strerror(-r));
			return APP_EXIT_FAILURE;
		}
	}
	r = sdnotify_open();
	if (r < 0)
		log_warn("NOTIFY_SOCKET: cannot reach the service manager: %s",
			strerror(-r));
	status = app_new(&c->options, &app);
	if (status == APP_EXIT_OK)
		app_log_started(app);
	if (b.word >= 0)
		background_done(&b, status);
	if (status != APP_EXIT_OK)
		return status;
	status = app_run(app);
	app_free(app);
	return status;
}

static void usage(FILE *f, const struct cmdline *c, const char *name)
{
	if (c->as_igmpproxy)
		fprintf(f, igmpproxy_text, name);
	else
		fprintf(f, usage_text, name, name, name);
}

/* Handles -v, which adds one level. igmpproxy has no level between warning and info. */
static void more_verbose(struct cmdline *c)
{
	if (c->level < LOG_LEVEL_DEBUG)
		c->level++;
	if (c->as_igmpproxy && c->level == LOG_LEVEL_NOTICE)
		c->level++;
}

/* The file must be named to run: a daemon that is started without arguments, just to
 * see its usage, would forward every stream a second time next to the service. Returns
 * -1 to run, else the exit status. */
static int take_file(struct cmdline *c, const char *name, int n, char **files)
{
	if (n == 0 && c->check_only) {
		c->options.config_path = SERVICE_CONFIG;
		return -1;
	}
	if (n == 1) {
		c->options.config_path = files[0];
		return -1;
	}
	fprintf(stderr, "%s: exactly one configuration file is needed\n", name);
	usage(stderr, c, name);
	return APP_EXIT_USAGE;
}

/* returns -1 to run, else the exit status */
static int parse_options(struct cmdline *c, const char *name, int argc, char **argv)
{
	static const struct option options[] = {
		{"foreground", no_argument, NULL, 'n'},
		{"background", no_argument, NULL, 'b'},
		{"debug", no_argument, NULL, 'd'},
		{"verbose", no_argument, NULL, 'v'},
		{"socket", required_argument, NULL, 's'},
		{"check", no_argument, NULL, 'C'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "nbdvs:CVh", options, NULL)) != -1) {
		switch (opt) {
		case 'd': /* ringcastd in the foreground logs to stderr anyway */
			c->options.log_to_stderr = true;
			c->options.foreground = true;
			break;
		case 'n':
			c->options.foreground = true;
			break;
		case 'b':
			c->options.foreground = false;
			break;
		case 'v':
			c->options.log_level_given = true;
			more_verbose(c);
			break;
		case 's':
			c->options.control_socket = optarg;
			break;
		case 'C':
			c->check_only = true;
			break;
		case 'V':
			printf("ringcastd %s\n", RINGCAST_VERSION);
			return APP_EXIT_OK;
		case 'h':
			usage(stdout, c, name);
			return APP_EXIT_OK;
		default:
			usage(stderr, c, name);
			return APP_EXIT_USAGE;
		}
	}
	return take_file(c, name, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	bool as_igmpproxy = strcmp(name, "igmpproxy") == 0;
	struct cmdline c = {
		.options.foreground = !as_igmpproxy,
		.as_igmpproxy = as_igmpproxy,
		.level = as_igmpproxy ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		.ident = as_igmpproxy ? "igmpproxy" : "ringcastd",
	};
	int status = parse_options(&c, name, argc, argv);

	if (status >= 0)
		return status;
	look_around(&c);
	status = main_run(&c);
	inherit_deinit(&c.handed);
	sdnotify_close();
	log_close();
	return status;
}
