/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * config: words and lines, what the unusual files of real routers mean, and which
 * message each fault gets. A case is a text and either what the result must contain or
 * the place and a part of a message. Values are in test_config_value.c, printing and
 * random text in test_config_print.c, whole files in tests/golden.
 */

#include "config_fixture.h"
#include "control/config/config_keyword.h"

#include <errno.h>

/* --- words and lines --- */

static void tokens(void **state)
{
	static const char *const same[] = {
		"phyint u upstream threshold 1 phyint d downstream threshold 3",
		"phyint u\nupstream\nthreshold\n1\nphyint\nd\ndownstream\nthreshold\n3\n",
		"phyint u upstream\r\nthreshold 1\r\nphyint d downstream\r\nthreshold 3\r\n",
		"\t phyint u upstream threshold 1#c\nphyint d#\ndownstream threshold 3# 4",
		"phyint u upstream; threshold 1;\nphyint d; downstream;; ; threshold 3;",
		"\xef\xbb\xbfphyint u upstream threshold 1 phyint d downstream threshold 3",
		"#\n#phyint x\nphyint u upstream # d\nphyint d downstream threshold 3 \n\n",
	};

	for (size_t i = 0; i < array_len(same); i++) {
		struct config *c = parse(same[i], 0);

		assert_int_equal(c->n_message, 0);
		assert_int_equal(c->n_iface, 2);
		assert_int_equal(named(c, "u")->role, CONFIG_ROLE_UPSTREAM);
		assert_int_equal(named(c, "d")->role, CONFIG_ROLE_DOWNSTREAM);
		assert_int_equal(named(c, "d")->threshold, 3);
		config_free(c);
	}
}

static void place_of_phyint(void **state)
{
	struct config *c =
		parse("quickleave\n\tphyint u upstream\r\n  phyint d downstream", 0);

	assert_int_equal(named(c, "u")->line, 2);
	assert_int_equal(named(c, "u")->column, 2);
	assert_int_equal(named(c, "d")->line, 3);
	assert_int_equal(named(c, "d")->column, 3);
	config_free(c);
}

/* A NUL byte, which the table of messages cannot express. */
static void nul_byte(void **state)
{
	static const char text[] = ROLES "\n altnet\0 10.0.0.0/8";
	struct config *c;

	assert_int_equal(config_parse(text, sizeof(text) - 1, &c), 1);
	assert_int_equal(c->n_message, 1);
	assert_int_equal(c->message[0].line, 2);
	assert_int_equal(c->message[0].column, 8);
	assert_non_null(strstr(c->message[0].text, "NUL"));
	config_free(c);
}

static void long_words(void **state)
{
	enum { N = 200000 };
	_cleanup_(freep) char *text = malloc(N + 64);
	struct config *c;

	assert_non_null(text);
	strcpy(text, ROLES "user ");
	memset(text + strlen(ROLES "user "), 'x', N);
	text[strlen(ROLES "user ") + N] = '\0';
	c = parse(text, 0);
	assert_int_equal(strlen(c->user), N);
	config_free(c);

	memset(text, '/', N);
	c = parse(text, 1);
	assert_true(strlen(c->message[0].text) < 200);
	config_free(c);
}

/* sun_path has room for this many bytes and the NUL */
static void longest_socket_path(void **state)
{
	char text[200] = ROLES "control-socket /run";
	size_t start = strlen(text) - strlen("/run"), end = start + 107;
	struct config *c;

	memset(text + strlen(text), 'x', end - strlen(text));
	c = parse(text, 0);
	assert_int_equal(strlen(c->control_socket), 107);
	config_free(c);
	strcpy(text + end, "y");
	c = parse(text, 1);
	assert_non_null(strstr(c->message[0].text, "at most 107 bytes"));
	assert_non_null(strstr(c->message[0].text, "has 108"));
	config_free(c);
}

/* --- lines of files from the field --- */

struct fault {
	const char *text;
	int result;
	enum config_severity severity;
	unsigned line, column;
	const char *part; /* NULL if no message is expected */
};

static void expect_fault(const struct fault *t)
{
	struct config *c = parse(t->text, t->result);
	const struct config_message *m = c->message;

	if (!t->part) {
		if (c->n_message)
			fail_msg("'%s': unexpected '%s'", t->text, m->text);
	} else {
		if (c->n_message != 1)
			fail_msg("'%s': %zu messages, first '%s'", t->text,
				c->n_message, c->n_message ? m->text : "");
		if (m->line != t->line || m->column != t->column ||
			m->severity != t->severity || !strstr(m->text, t->part))
			fail_msg("'%s': %u:%u: %s", t->text, m->line, m->column,
				m->text);
	}
	config_free(c);
}

#define W CONFIG_WARNING
#define E CONFIG_ERROR

static void real_world_rows(void **state)
{
	static const struct fault t[] = {
		{ROLES "altnet 192.0.2.0/24;", 0, W, 0, 0, NULL},
		{ROLES "altnet 10.0.0.1;", 0, W, 0, 0, NULL},
		{"phyint u upstream; phyint d downstream; phyint lo disabled;", 0, W, 0,
			0, NULL},
		{ROLES "\naltnet 217.0.119.194/16;", 0, W, 2, 8, "217.0.0.0/16"},
		{"phyint d downstream phyint u upstream\n altnet 239.0.0.0/8;", 0, W, 2,
			9, "remove it"}, /* K29 */
		{"phyint d downstream phyint u upstream\n altnet 232.0.0.0/8", 0, W, 2,
			9, "matches sources, not groups"},
		{ROLES "altnet 192.168.40.200/32", 0, W, 0, 0, NULL},
		{ROLES "\nphyint wlan0\nphyint lo disabled", 0, W, 2, 1,
			"'phyint wlan0' has no role; it is disabled"},
		{"defaultdown " ROLES "\n phyint wlan0", 0, W, 2, 2,
			"it is downstream"},
		{ROLES "phyint blue0 disabled # text", 0, W, 0, 0, NULL},
		{"phyint red0.8 upstream ratelimit 0 threshold 1 phyint d downstream",
			0, W, 0, 0, NULL},
		{"phyint ppp0 upstream phyint d downstream\nphyint ppp0 disabled", 0, W,
			2, 1, "already at line 1"},
		{"phyint d downstream threshold 3 altnet 172.0.0.0/8\n"
		 "phyint u upstream threshold 3",
			0, W, 2, 19, "'threshold' has no effect on upstream 'u'"},
		{ROLES "altnet 0.0.0.0/0", 0, W, 0, 0, NULL},
		{ROLES "altnet 10.0.0.0/8", 0, W, 0, 0, NULL},
	};

	for (size_t i = 0; i < array_len(t); i++)
		expect_fault(&t[i]);
}

static void k21_k27_as_igmpproxy_reads_it(void **state)
{
	static const struct fault t[] = {
		{ROLES "altnet 172.0/11", 0, W, 1, 46, "read as 172.0.0.0/11"},
		{ROLES "altnet 0/0", 0, W, 1, 46, "read as 0.0.0.0/0"},
		{ROLES "altnet 10.0/8;", 0, W, 1, 46, "read as 10.0.0.0/8"},
		{ROLES "altnet 10.0/8,", 0, W, 1, 46, "remove ','"},
		{ROLES "whitelist 232.0/16", 0, W, 1, 49, "read as 232.0.0.0/16"},
		{ROLES "blacklist 239.0", 0, W, 1, 49, "read as 239.0.0.0/32"},
		{ROLES "altnet 192.168.001.0/24", 0, W, 1, 46,
			"read as 192.168.1.0/24"},
		{ROLES "altnet 010.0.0.0/8", 0, W, 1, 46, "read as 8.0.0.0/8"},
		{"quickleave hashtablesize 1024b " ROLES, 0, W, 1, 26, "read as 1024"},
		{"quickleave hashtablesize 99999999999 " ROLES, 0, W, 1, 26,
			"'hashtablesize' has no effect"},
	};

	for (size_t i = 0; i < array_len(t); i++)
		expect_fault(&t[i]);
}

static void k27_ratelimit_beyond_an_int(void **state)
{
	struct config *c = parse(ROLES "ratelimit 10000000000", 0);

	assert_int_equal(c->n_message, 2);
	assert_non_null(strstr(c->message[1].text, "remove it"));
	config_free(c);
}

static void k24_a_whitelist_of_link_local_groups(void **state)
{
	static const struct fault t[] = {
		{ROLES "whitelist 224.0.0.0/24", 0, W, 1, 49, "lets nothing pass"},
		{ROLES "whitelist 224.0.0.22", 0, W, 1, 49, "lets nothing pass"},
		{ROLES "whitelist ff02::/16", 0, W, 1, 49, "lets nothing pass"},
		{ROLES "whitelist 224.0.0.0/23", 0, W, 0, 0, NULL},
		{ROLES "blacklist 224.0.0.0/24", 0, W, 0, 0, NULL},
	};

	for (size_t i = 0; i < array_len(t); i++)
		expect_fault(&t[i]);
}

/* K22: the interface's own block wins, wherever it is in the file. */
static void k22_the_interface_goes_before_its_label(void **state)
{
	struct config *c = parse("phyint u upstream phyint d:1 downstream threshold 3 "
				 "phyint d downstream threshold 2 phyint lo downstream",
		0);

	assert_int_equal(c->n_iface, 2);
	assert_int_equal(named(c, "d")->threshold, 2);
	config_free(c);
	c = parse("phyint u upstream phyint d:1 downstream threshold 3 "
		  "phyint d:2 downstream",
		0);
	assert_int_equal(c->n_iface, 2);
	assert_int_equal(named(c, "d")->threshold, 3);
	config_free(c);
	/* a disabled alias does not disable its interface */
	c = parse("defaultdown phyint u upstream phyint d:1 disabled", 0);
	assert_int_equal(config_iface_find(c, "d")->role, CONFIG_ROLE_DOWNSTREAM);
	config_free(c);
}

/* K33: a file of another program gets one message, whatever follows. */
static void k33_files_of_other_programs(void **state)
{
	static const struct {
		const char *text, *part;
	} t[] = {
		{"{\n \"protocols\": {\n  \"igmp-proxy\": {", "config.gateway.json"},
		{"{\"protocols\":{}}", "config.gateway.json"},
		{"firewall {\n all-ping enable\n }", "--from vyos"},
		{"/* comment */ interfaces {", "--from vyos"},
		{"set protocols igmp-proxy interface eth0 role upstream",
			"--from vyos"},
		{"<?xml version=\"1.0\"?>\n<opnsense>", "XML"},
		{"<igmpproxy>\n<igmpentry>", "pfSense"},
		{"uci set igmpproxy.@phyint[0].network=wan", "OpenWrt"},
		{"config igmpproxy\n\toption quickleave 1", "--from openwrt"},
		{"# udm-iptv\nIPTV_WAN_INTERFACE=\"eth8\"\nIPTV_WAN_VLAN=4",
			"udm-iptv"},
		{"WAN=eth0\nLAN=br0", "shell script"},
		{"pinstance main: eth0 ==> eth1;", "--from mcproxy"},
		{"protocol IGMPv3;\npinstance main: eth0 ==> eth1;", "--from mcproxy"},
		{"mgroup from eth0 group 225.1.2.3", "smcroute"},
		{"phyint eth0 enable ttl-threshold 2", "smcroute"},
		{"igmp enable version 3\nupstream eth0", "--from improxy"},
	};

	for (size_t i = 0; i < array_len(t); i++)
		expect_fault(&(struct fault){
			t[i].text, 1, E, 1 + (i == 9), 1 + 12 * (i == 14), t[i].part});
}

/* K31: the first message names the character and the remedy */
static void k31_what_editors_make_of_text(void **state)
{
	static const struct fault t[] = {
		{"phyint\xc2\xa0u upstream", 1, E, 1, 7, "no-break space"},
		{ROLES "threshold 3\xe2\x80\xaf", 1, E, 1, 50, "narrow"},
		{ROLES "altnet 10.0.0.0/8 \xe2\x80\x9cx", 1, E, 1, 57, "remove it"},
		{ROLES "fast\xe2\x80\x93leave", 1, E, 1, 43, "write '-'"},
		{ROLES "\xef\xbb\xbf", 1, E, 1, 39, "byte order mark"},
		{"\xff\xfe"
		 "q",
			1, E, 1, 1, "UTF-16"},
		{"\xef\xbb\xbf" ROLES "# \xc3\xbc\xc2\xa0\xe2\x80\x9c", 0, W, 0, 0,
			NULL},
		{"# for Mac\rphyint u upstream\rphyint d\tdownstream # it\rthreshold 0",
			1, E, 4, 11, "from 1 to 255"},
		{"# for DOS\r\nphyint u upstream\r\nphyint d downstream\r\nthreshold 0\r\n",
			1, E, 4, 11, "from 1 to 255"},
	};

	for (size_t i = 0; i < array_len(t); i++)
		expect_fault(&t[i]);
}

static void first_block_of_a_name_counts(void **state)
{
	struct config *c =
		parse("phyint ppp0 upstream altnet 10.0.0.0/8 phyint d downstream "
		      "phyint ppp0 disabled altnet 11.0.0.0/8 ratelimit 3",
			0);

	assert_int_equal(c->n_iface, 2);
	assert_int_equal(c->n_message, 1);
	assert_int_equal(named(c, "ppp0")->role, CONFIG_ROLE_UPSTREAM);
	assert_int_equal(named(c, "ppp0")->n_altnet, 1);
	config_free(c);
}

static void warnings(void **state)
{
	static const struct fault t[] = {
		{"hashtablesize 32\n" ROLES, 0, W, 1, 1, "igmpproxy refuses it"},
		{"quickleave hashtablesize 32\n" ROLES, 0, W, 0, 0, NULL},
		{ROLES "ratelimit 7", 0, W, 1, 39, "nothing limits the rate"},
		{ROLES "ratelimit fast", 0, W, 1, 49, "read as 0"},
		{ROLES "threshold 3x", 0, W, 1, 49, "read as 3"},
		{ROLES "altnet 10.0.0.0/8,", 0, W, 1, 46,
			"read as 10.0.0.0/8; remove ','"},
		{ROLES "altnet 213.75.0.0", 0, W, 1, 46, "write 213.75.0.0/16"},
		{ROLES "altnet 213.75.9.0/32", 0, W, 0, 0, NULL},
		{ROLES "altnet 213.75.9.7", 0, W, 0, 0, NULL},
		{ROLES "whitelist 239.1.2.0", 0, W, 1, 49, "write 239.1.2.0/24"},
		{"web-allow 192.168.1.0 " ROLES, 0, W, 1, 11, "192.168.1.0/24"},
		{ROLES "altnet ff05::/16", 0, W, 1, 46, "remove it"},
		{ROLES "altnet 224.0.0.0/3", 0, W, 0, 0, NULL},
		{ROLES "whitelist 10.0.0.0/8", 0, W, 1, 49, "did you mean 'altnet'"},
		{ROLES "blacklist 2001:db8::/32", 0, W, 1, 49, "matches no group"},
		{ROLES "blacklist 0.0.0.0/0 blacklist ::/0", 0, W, 0, 0, NULL},
		{ROLES "whitelist 239.1.2.3/16", 0, W, 1, 49, "239.1.0.0/16"},
		{"phyint u upstream phyint v upstream\nphyint d downstream", 0, W, 1,
			19, "second upstream"},
		{"phyint u upstream", 0, W, 0, 0, "no interface is a downstream"},
		{"defaultdown phyint u upstream", 0, W, 0, 0, NULL},
		{"robustness 1\n" ROLES, 0, W, 1, 1, "one lost packet"},
		{"robustness 8\n" ROLES, 0, W, 1, 1, "sent as 0"},
		{"phyint d downstream phyint u upstream fast-leave", 0, W, 1, 39,
			"give it to a downstream"},
		{"phyint d downstream phyint u upstream always-querier", 0, W, 1, 39,
			"only answers queries"},
		{"phyint d downstream phyint u upstream fast-leave off", 0, W, 0, 0,
			NULL},
		{ROLES "report-interface x", 0, W, 1, 39, "it is for an upstream"},
		{ROLES "version-fallback on", 0, W, 1, 39, "only an upstream"},
		{ROLES "instance a\nphyint v upstream", 0, W, 1, 39, "no downstream"},
		{ROLES "ipv4 off ipv6 off", 0, W, 1, 19, "does nothing"},
		{ROLES "phyint eth0:1 disabled", 0, W, 1, 39, "remove it"}, /* K30 */
		{ROLES "phyint eth0:1 downstream", 0, W, 1, 39,
			"read as 'phyint eth0'"}, /* K22 */
		{ROLES "phyint u:0 downstream", 0, W, 1, 39, "at line 1"},
		{ROLES "phyint lo downstream", 0, W, 1, 39, "loopback"}, /* K28 */
		{ROLES "phyint lo disabled", 0, W, 0, 0, NULL},
		{"phyint u upstream phyint d downstream phyint v upstream", 0, W, 1, 39,
			"give each an 'instance'"}, /* K35 */
		{ROLES "phyint a/b disabled", 0, W, 1, 46,
			"no interface can be called"},
	};

	for (size_t i = 0; i < array_len(t); i++)
		expect_fault(&t[i]);
}

static void two_roles(void **state)
{
	struct config *c = parse("phyint d upstream downstream downstream\n"
				 "phyint u upstream",
		0);

	assert_int_equal(c->n_message, 1);
	assert_int_equal(c->message[0].column, 19);
	assert_non_null(strstr(c->message[0].text, "'d' has two roles"));
	assert_int_equal(named(c, "d")->role, CONFIG_ROLE_DOWNSTREAM);
	config_free(c);
}

static const struct fault error_rows[] = {
	{"", 1, E, 0, 0, "add 'phyint NAME upstream'"},
	{"# nothing\n", 1, E, 0, 0, "no interface is an upstream"},
	{ROLES "\n  foo 1 2 3", 1, E, 2, 3, "unknown word 'foo'"},
	{ROLES "\nquickleeve", 1, E, 2, 1, "did you mean 'quickleave'"},
	{ROLES "\nQuickLeave", 1, E, 2, 1, "did you mean 'quickleave'"},
	{ROLES "\nfast_leave", 1, E, 2, 1, "did you mean 'fast-leave'"},
	{ROLES "\nigmp enable version 3", 1, E, 2, 1, "--from improxy"},
	{ROLES "\nset protocols igmp-proxy", 1, E, 2, 1, "--from vyos"},
	{ROLES "\nconfig phyint", 1, E, 2, 1, "--from openwrt"},
	{ROLES "\naltnet", 1, E, 2, 1, "the file ends here"},
	{ROLES "\nthreshold # 3", 1, E, 2, 1, "the file ends here"},
	{ROLES "\nphyint", 1, E, 2, 1, "the name of an interface"},
	{ROLES "\nuser\nquickleave", 1, E, 2, 1, "'quickleave' follows"},
	{ROLES "\naltnet phyint x disabled", 1, E, 2, 1, "'phyint' follows"},
	{ROLES "\nthreshold 0", 1, E, 2, 11, "from 1 to 255"},
	{ROLES "\nthreshold 256", 1, E, 2, 11, "from 1 to 255"},
	{ROLES "\nthreshold -1", 1, E, 2, 11, "not '-1'"},
	{ROLES "\nthreshold abc", 1, E, 2, 11, "not 'abc'"},
	{ROLES "\nthreshold 99999999999999999999", 1, E, 2, 11, "from 1 to 255"},
	{ROLES "\nratelimit -5", 1, E, 2, 11, "not '-5'"},
	{ROLES "\naltnet 10/8", 1, E, 2, 8, "'10.0.0.0/8'"},
	{ROLES "\naltnet 192.168/16", 1, E, 2, 8, "'192.168.0.0/16'"},
	{ROLES "\naltnet 192.168.1/24", 1, E, 2, 8, "'192.168.1.0/24'"},
	{ROLES "\naltnet 192.168.", 1, E, 2, 8, "'192.168.0.0/16'"},
	{ROLES "\nwhitelist 239", 1, E, 2, 11, "'239.0.0.0/8'"},
	{ROLES "\naltnet 10.0.0.0/33", 1, E, 2, 8, "from 0 to 32"},
	{ROLES "\naltnet 2001:db8::/129", 1, E, 2, 8, "from 0 to 128"},
	{ROLES "\naltnet 10.0.0.0/", 1, E, 2, 8, "missing after '/'"},
	{ROLES "\naltnet 10.0.0.0/255.255.255.0", 1, E, 2, 8, "'/24'"},
	{ROLES "\naltnet 10.0.0.0/255.0.255.0", 1, E, 2, 8, "from 0 to 32"},
	{ROLES "\naltnet example.org", 1, E, 2, 8, "not 'example.org'"},
	{ROLES "\naltnet 08.0.0.0/8", 1, E, 2, 8, "takes a source prefix"},
	{ROLES "\naltnet 1.2.3.4.5/8", 1, E, 2, 8, "takes a source prefix"},
	{ROLES "\naltnet 10.0.0.0.", 1, E, 2, 8, "takes a source prefix"},
	{ROLES "\naltnet 10.0.0.0/8 11.0.0.0/8", 1, E, 2, 19, "needs its own"},
	{ROLES "\nphyint averyverylongname downstream threshold 3 altnet 10.0.0.0/8", 1,
		E, 2, 8, "at most 15 characters"},
	{"quickleave hashtablesize 0 " ROLES, 1, E, 1, 26, "from 1 to 536870912"},
	{"quickleave hashtablsize 3 " ROLES, 1, E, 1, 12,
		"did you mean 'hashtablesize'"},
	/* the rest of the statement belongs to the intended keyword and gets no
	 * message */
	{ROLES "\nphyitn x upstream ratelimit 0", 1, E, 2, 1, "'phyint'"},
	{ROLES "\nthreshhold 3 altnet 10.0.0.0/8", 1, E, 2, 1, "'threshold'"},
	{ROLES "\nsomething x upstream threshold 0", 1, E, 2, 1, "'something'"},
	{ROLES "\nquickleave threshold 0 altnet 10/8\nphyint x disabled", 1, E, 2, 12,
		"put it before"},
	{"upstream eth0", 1, E, 1, 1, "'phyint NAME upstream'"},
	/* K34: no message about a missing role */
	{"upstream phyint eth0", 1, E, 1, 1, "'phyint eth0 upstream'"},
	{"upstream\nphyint eth0", 1, E, 1, 1, "'phyint NAME upstream'"},
	{ROLES "\nphyint eth0 lan threshold 1", 1, E, 2, 13, "is not a role"},
	{ROLES "\nphyint eth0 eth1 downstream", 1, E, 2, 13, "one name too many"},
	{ROLES "\nphyint \"eth0\" downstream", 0, W, 2, 8, "remove them"},
	{ROLES "\nphyint eth0,eth1 downstream", 0, W, 2, 8, "taken as one name"},
	{"interface u upstream phyint d downstream", 1, E, 1, 1,
		"did you mean 'phyint'"},
	{"phyint u upstream alt-subnet 10.0.0.0/8 phyint d downstream", 1, E, 1, 19,
		"did you mean 'altnet'"},
	{ROLES "\nphyint x downstream allow 239.1.0.0/16", 1, E, 2, 21,
		"did you mean 'whitelist'"},
	{ROLES "\nphyint eth0 Downstream", 1, E, 2, 13, "mean 'downstream'"},
	{"report-interface x " ROLES, 1, E, 1, 1, "must follow the interface"},
	{ROLES "quickleave\nthreshold 3", 1, E, 2, 1,
		"'quickleave' has ended the block of 'd'"},
	{"query-interval 10s " ROLES, 1, E, 1, 16, "plain number"},
	{"query-interval .5 " ROLES, 1, E, 1, 16, "plain number"},
	{"query-interval 5. " ROLES, 1, E, 1, 16, "plain number"},
	{"query-interval 0.5 " ROLES, 1, E, 1, 16, "from 1 to 31744 seconds"},
	{"query-interval 31744.1 " ROLES, 1, E, 1, 16, "from 1 to 31744"},
	{"query-response-interval 0.05 " ROLES, 1, E, 1, 25, "from 0.1 to 3174.4"},
	{"query-response-interval 1.2345 " ROLES, 1, E, 1, 25, "plain number"},
	{"refresh-interval 0.5 " ROLES, 1, E, 1, 18, "or 0 for off"},
	{"robustness 256 " ROLES, 1, E, 1, 12, "from 1 to 255"},
	{"last-member-query-count 0 " ROLES, 1, E, 1, 25, "from 1 to 255"},
	{"timers rfc2236 " ROLES, 1, E, 1, 8, "takes rfc9776 or rfc3376"},
	{"forward-from-downstream upstream " ROLES, 1, E, 1, 25, "none, downstream"},
	{"forward-from-downstream al " ROLES, 1, E, 1, 25, "did you mean 'all'"},
	{"transmit io-uring " ROLES, 1, E, 1, 10, "did you mean 'io_uring'"},
	{"ssm-range 10.0.0.0/8 " ROLES, 1, E, 1, 11, "not a range of groups"},
	{"ssm-range 0.0.0.0/0 " ROLES, 1, E, 1, 11, "not a range of groups"},
	{"ssm-range none ssm-range 239.0.0.0/8 " ROLES, 1, E, 1, 26,
		"must be the only one"},
	{"ssm-range 239.0.0.0/8 ssm-range none " ROLES, 1, E, 1, 33,
		"must be the only one"},
	{"ssm-range 239.0.0.0/8 ssm-range default " ROLES, 1, E, 1, 33, "before"},
	{"threads 0 " ROLES, 1, E, 1, 9, "from 1 to 64"},
	{"threads 65 " ROLES, 1, E, 1, 9, "from 1 to 64"},
	{"cpu-affinity 3-1 " ROLES, 1, E, 1, 14, "such as 2 or 0,2-5"},
	{"ring-size 63K " ROLES, 1, E, 1, 11, "from 64K to 1G"},
	{"quality-memory 63K " ROLES, 1, E, 1, 16, "from 64K to 1G"},
	{"ring-size 2G " ROLES, 1, E, 1, 11, "from 64K to 1G"},
	{"ring-size 8MB " ROLES, 1, E, 1, 11, "such as 8M"},
	{"control-socket run/x " ROLES, 1, E, 1, 16, "from the root"},
	{"metrics-listen 9100 " ROLES, 1, E, 1, 16, "ADDRESS:PORT"},
	{"web-listen 8080 " ROLES, 1, E, 1, 12, "ADDRESS:PORT"},
	{"web-allow lan " ROLES, 1, E, 1, 11, "prefix"},
	{"web-allow 239.0.0.0/8 " ROLES, 1, E, 1, 11, "names groups"},
	{"host-names a host-names b host-names c host-names d host-names e " ROLES, 1,
		E, 1, 64, "can name 4 files"},
	{"web-listen 10.0.0.1:80 " ROLES, 0, W, 1, 1, "only this system can read"},
	{"web-listen :80 metrics-listen :80 " ROLES, 1, E, 1, 1, "the same port"},
	{"metrics-listen 0.0.0.0:80 web-listen :80 " ROLES, 1, E, 1, 27,
		"the same port"},
	{"metrics-listen ::1:9100 " ROLES, 1, E, 1, 16, "ADDRESS:PORT"},
	{"metrics-listen 127.0.0.1:0 " ROLES, 1, E, 1, 16, "ADDRESS:PORT"},
	{"metrics-listen [::1]9100 " ROLES, 1, E, 1, 16, "ADDRESS:PORT"},
	{"metrics-listen [127.0.0.1]:9100 " ROLES, 1, E, 1, 16, "ADDRESS:PORT"},
	{"metrics-listen : " ROLES, 1, E, 1, 16, "ADDRESS:PORT"},
	{"metrics-listen []:1 " ROLES, 1, E, 1, 16, "ADDRESS:PORT"},
	{"metrics-listen localhost:1 " ROLES, 1, E, 1, 16, "ADDRESS:PORT"},
	{"metrics-listen :65536 " ROLES, 1, E, 1, 16, "ADDRESS:PORT"},
	{"metrics-groups 65537 " ROLES, 1, E, 1, 16, "from 0 to 65536"},
	{ROLES "boundary 10.0.0.0/8", 1, E, 1, 48, "not a range of groups"},
	{ROLES "boundary-scope 1", 1, E, 1, 54, "from 2 to 14"},
	{ROLES "boundary-scope 15", 1, E, 1, 54, "from 2 to 14"},
	{"phyint d downstream phyint u upstream version-fallback", 1, E, 1, 39,
		"the file ends here"},
	{ROLES "instance", 1, E, 1, 39, "the file ends here"},
	{ROLES "instance a/b", 1, E, 1, 48, "letters"},
	{ROLES "instance a\nphyint v downstream", 1, E, 1, 39, "has no upstream"},
	{ROLES "instance a\nphyint v upstream phyint w upstream phyint e downstream", 1,
		E, 2, 19, "second upstream of instance 'a'"},
	{ROLES "instance a\nphyint v upstream\nphyint d downstream", 1, E, 3, 1,
		"belongs to one instance"},
	{ROLES "instance a\nphyint v upstream\ninstance a phyint e downstream", 1, E, 3,
		1, "already at line 1"},
	{"phyint d downstream phyint u upstream report-interface d", 1, E, 1, 21,
		"is a downstream"},
	{ROLES "igmp-version 4", 1, E, 1, 52, "from 1 to 3"},
	{ROLES "mld-version 3", 1, E, 1, 51, "from 1 to 2"},
	{ROLES "ipv4 yes", 1, E, 1, 44, "takes on or off, not 'yes'"},
	{ROLES "ipv4 disabled", 1, E, 1, 44, "takes on or off, not 'disabled'"},
	{ROLES "max-groups 4294967296", 1, E, 1, 50, "from 0 to 4294967295"},
	{"phyint d downstream phyint u upstream report-interface "
	 "averyverylongname",
		1, E, 1, 56, "15 characters"},
	{ROLES "\n\x1b[31m\xff", 1, E, 2, 1, "'\\x1b[31m\\xff'"},
};

static void errors(void **state)
{
	for (size_t i = 0; i < array_len(error_rows); i++)
		expect_fault(&error_rows[i]);
}

static void r044_response_less_than_query_interval(void **state)
{
	static const struct fault t[] = {
		{"query-interval 10\n" ROLES, 1, E, 1, 1, "must be less than"},
		{"query-interval 10\nquery-response-interval 20 " ROLES, 1, E, 2, 1,
			"query-response-interval (20 s)"},
		{"query-response-interval 125 " ROLES, 1, E, 1, 1,
			"query-interval (125 s)"},
		{"query-response-interval 124.9 " ROLES, 0, E, 0, 0, NULL},
		{"robustness 0 " ROLES, 1, E, 1, 12, "from 1 to 255"},
		{"robustness 1 " ROLES, 0, W, 1, 1, "2 or more"},
	};

	for (size_t i = 0; i < array_len(t); i++)
		expect_fault(&t[i]);
}

/* One run reports all faults in file order, without faults that only follow from
 * others. */
static void several_faults(void **state)
{
	static const struct {
		unsigned line, column;
	} at[] = {{1, 12}, {2, 19}, {3, 9}, {4, 1}, {6, 8}};
	struct config *c = parse("robustness 0\n"
				 "phyint u upstream ratlimit 0 threshold 1\n"
				 "\taltnet 10/8\n"
				 "bar x y\n"
				 "\taltnet 10.0.0.0/8\n"
				 "phyint waytoolonginterfacename\n"
				 "\taltnet 239.0.0.0/8\n",
		1);

	assert_int_equal(c->n_message, array_len(at));
	for (size_t i = 0; i < array_len(at); i++) {
		assert_int_equal(c->message[i].line, at[i].line);
		assert_int_equal(c->message[i].column, at[i].column);
	}
	config_free(c);
}

static void errors_are_bounded(void **state)
{
	_cleanup_(freep) char *text = calloc(1, 4001);
	struct config *c;

	assert_non_null(text);
	for (int i = 0; i < 2000; i++)
		memcpy(text + 2 * i, "x\n", 2);
	c = parse(text, 1);
	assert_true(c->n_message < 30);
	assert_non_null(strstr(c->message[c->n_message - 1].text, "too many errors"));
	config_free(c);
}

/* ---- the table of keywords ---- */

static void no_keyword_resembles_another_too_much(void **state)
{
	/* a keyword is never "corrected" to another one */
	for (size_t i = 0; i < config_n_keywords; i++)
		assert_string_equal(config_keyword_suggest(config_keywords[i].name),
			config_keywords[i].name);
	assert_null(config_keyword_suggest("television"));
	assert_null(config_keyword_suggest(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens),
		cmocka_unit_test(place_of_phyint),
		cmocka_unit_test(nul_byte),
		cmocka_unit_test(long_words),
		cmocka_unit_test(longest_socket_path),
		cmocka_unit_test(real_world_rows),
		cmocka_unit_test(k21_k27_as_igmpproxy_reads_it),
		cmocka_unit_test(k27_ratelimit_beyond_an_int),
		cmocka_unit_test(k24_a_whitelist_of_link_local_groups),
		cmocka_unit_test(k22_the_interface_goes_before_its_label),
		cmocka_unit_test(k33_files_of_other_programs),
		cmocka_unit_test(k31_what_editors_make_of_text),
		cmocka_unit_test(first_block_of_a_name_counts),
		cmocka_unit_test(warnings),
		cmocka_unit_test(two_roles),
		cmocka_unit_test(errors),
		cmocka_unit_test(r044_response_less_than_query_interval),
		cmocka_unit_test(several_faults),
		cmocka_unit_test(errors_are_bounded),
		cmocka_unit_test(no_keyword_resembles_another_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
