/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Channel names from M3U, SDP, XSPF and CSV: what each format gives, and what is said
 * about files that are wrong. */

#include "control/config/channels.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct channels *read_text(const char *text, int want)
{
	struct channels *c = NULL;

	assert_int_equal(channels_parse(text, strlen(text), &c), want);
	assert_non_null(c);
	return c;
}

/* "239.1.1.1=One; 239.1.1.2 from 10.0.0.1=Two" */
static char *table(const struct channels *c)
{
	char *out = NULL, group[ADDR_STRLEN], source[ADDR_STRLEN];
	size_t len;
	FILE *f = open_memstream(&out, &len);

	for (size_t i = 0; i < c->n; i++) {
		const struct channel *ch = &c->v[i];

		fprintf(f, "%s%s", i ? "; " : "", addr_format(&ch->group, group));
		if (!addr_is_any(&ch->source))
			fprintf(f, " from %s", addr_format(&ch->source, source));
		fprintf(f, "=%s", c->names + ch->name);
	}
	assert_int_equal(fclose(f), 0);
	return out;
}

struct file {
	const char *text;
	enum channels_format format;
	const char *table;
	size_t n_skipped;
};

static void check_files(const struct file *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct channels *c = read_text(row[i].text, 0);
		char *got = table(c);

		if (c->format != row[i].format || strcmp(got, row[i].table) != 0 ||
			c->n_skipped != row[i].n_skipped)
			fail_msg("row %zu: %s, %s, %zu skipped", i,
				channels_format_name(c->format), got, c->n_skipped);
		free(got);
		channels_free(c);
	}
}

#define M3U  CHANNELS_M3U
#define SDP  CHANNELS_SDP
#define XSPF CHANNELS_XSPF
#define CSV  CHANNELS_CSV

static void m3u(void **state)
{
	static const struct file row[] = {
		{"#EXTM3U\n#EXTINF:-1,One\nudp://@239.1.1.1:1234\n", M3U,
			"239.1.1.1=One"},
		{"#EXTM3U\r\n#EXTINF:-1,One\r\nudp://239.1.1.1:1234\r\n", M3U,
			"239.1.1.1=One"},
		{"#EXTINF:0,One\nrtp://239.1.1.1:1234", M3U, "239.1.1.1=One"},
		{"\xef\xbb\xbf#EXTM3U\n#EXTINF:-1,One\nigmp://239.1.1.1", M3U,
			"239.1.1.1=One"},
		{"#EXTM3U\n#EXTINF:-1 tvg-id=\"a,b\" group-title=\"News\",A, B\n"
		 "rtp://10.0.0.1@232.1.1.1:5000",
			M3U, "232.1.1.1 from 10.0.0.1=A, B"},
		{"#EXTM3U\n#EXTINF:-1,Six\nudp://@[ff3e::8000:1]:1234", M3U,
			"ff3e::8000:1=Six"},
		{"#EXTM3U\n#EXTINF:-1,S\nrtp://[2001:db8::1]@[ff3e::8000:1]:1234", M3U,
			"ff3e::8000:1 from 2001:db8::1=S"},
		{"#EXTM3U\n#EXTINF:-1,P\nhttp://192.168.1.1:4022/udp/239.1.1.1:1234",
			M3U, "239.1.1.1=P"},
		{"#EXTM3U\n#EXTINF:-1,P\nhttp://r:4022/rtp/239.1.1.1:1234?x=1", M3U,
			"239.1.1.1=P"},
		{"#EXTM3U\n#EXTINF:-1,Q\nudp://@239.1.1.1:1234?localaddr=10.0.0.2", M3U,
			"239.1.1.1=Q"},
		/* other lines in between, no name, no group */
		{"#EXTM3U\n#EXTINF:-1,One\n#EXTVLCOPT:x\n\nudp://@239.1.1.1:1\n"
		 "udp://@239.1.1.2:1\n#EXTINF:-1,Web\nhttps://example.com/live.m3u8\n",
			M3U, "239.1.1.1=One", 2},
		{"#EXTM3U\n#EXTINF:-1,U\nudp://192.0.2.1:1234", M3U, "", 1},
		{"#EXTM3U\n#EXTINF:-1,U\nudp://@239.1.1.1:99999", M3U, "", 1},
		{"#EXTM3U\n#EXTINF:-1,U\nudp://239.9.9.9@239.1.1.1:1", M3U, "", 1},
		{"#EXTM3U\n#EXTINF:-1,U\nudp://me@239.1.1.1:1", M3U, "", 1},
	};

	check_files(row, array_len(row));
}

static void csv(void **state)
{
	static const struct file row[] = {
		{"239.1.1.1,One\n239.1.1.2,Two,10.0.0.1\n", CSV,
			"239.1.1.1=One; 239.1.1.2 from 10.0.0.1=Two"},
		{"239.1.1.1;One, and more\n", CSV, "239.1.1.1=One, and more"},
		{"239.1.1.1\tOne\n", CSV, "239.1.1.1=One"},
		{"# comment\n\n239.1.1.1:1234 , \"A, \"\"B\"\"\"\n", CSV,
			"239.1.1.1=A, \"B\""},
		{"Nr,Name,Source,Group\n1,One,,239.1.1.1\n2,Two,10.0.0.1,239.1.1.2\n",
			CSV, "239.1.1.1=One; 239.1.1.2 from 10.0.0.1=Two"},
		{"title;url\nOne;udp://@239.1.1.1:1234\n", CSV, "239.1.1.1=One"},
		{"239.1.1.1,\n", CSV, "", 1},
		{"ff3e::1,Six\n[ff3e::2]:1234,Port\n", CSV,
			"ff3e::1=Six; ff3e::2=Port"},
		{"10.0.0.9@232.1.1.1,S\n", CSV, "232.1.1.1 from 10.0.0.9=S"},
		{"", CSV, ""},
	};

	check_files(row, array_len(row));
}

static void sdp(void **state)
{
	static const struct file row[] = {
		{"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=One\r\nc=IN IP4 239.1.1.1/127\r\n"
		 "t=0 0\r\nm=video 1234 RTP/AVP 33\r\n",
			SDP, "239.1.1.1=One"},
		/* of each media, and several in a row (RFC 8866 5.7) */
		{"v=0\ns=Two\nm=video 1 RTP/AVP 33\nc=IN IP4 239.1.1.1/127/2\n"
		 "m=audio 2 RTP/AVP 33\nc=IN IP6 ff15::101/2\n",
			SDP,
			"239.1.1.1=Two; 239.1.1.2=Two; ff15::101=Two; ff15::102=Two"},
		/* RFC 4570 */
		{"v=0\ns=F\nc=IN IP4 232.1.1.1/127\n"
		 "a=source-filter: incl IN IP4 232.1.1.1 10.0.0.1 10.0.0.2\n",
			SDP, "232.1.1.1 from 10.0.0.1=F; 232.1.1.1 from 10.0.0.2=F"},
		{"v=0\ns=F\nc=IN IP4 232.1.1.1\na=source-filter: incl IN * * 10.0.0.1\n"
		 "a=source-filter:excl IN IP4 * 10.0.0.2\n",
			SDP, "232.1.1.1 from 10.0.0.1=F"},
		/* several descriptions in a file */
		{"v=0\ns=One\nc=IN IP4 239.1.1.1\nv=0\ns=Two\nc=IN IP4 239.1.1.2\n",
			SDP, "239.1.1.1=One; 239.1.1.2=Two"},
		{"v=0\ns=-\nc=IN IP4 239.1.1.1\n", SDP, "", 1},
		{"v=0\ns=One\nc=IN IP4 192.0.2.1\n", SDP, ""},
		/* the row of groups ends where groups do */
		{"v=0\ns=One\nc=IN IP4 239.255.255.255/1/9\n", SDP,
			"239.255.255.255=One"},
	};

	check_files(row, array_len(row));
}

#define TRACK(inside)                                                                  \
	"<playlist><trackList><track>" inside "</track></trackList></playlist>"

static void xspf(void **state)
{
	static const struct file row[] = {
		{"<?xml version=\"1.0\"?>\n<playlist version=\"1\" "
		 "xmlns=\"http://xspf.org/ns/0/\">\n<trackList>\n<track>\n"
		 "<location>udp://@239.1.1.1:1234</location><title>One</title>\n"
		 "</track>\n</trackList></playlist>\n",
			XSPF, "239.1.1.1=One"},
		{TRACK("<title>A &amp; &lt;b&gt; &#233;&#x20AC;</title>"
		       "<location>239.1.1.1</location>"),
			XSPF, "239.1.1.1=A & <b> é€"},
		{TRACK("<title><![CDATA[<b>&]]></title><!-- <title>no</title> -->"
		       "<location>239.1.1.1</location>"),
			XSPF, "239.1.1.1=<b>&"},
		{TRACK("<x:title>N</x:title><location>239.1.1.1</location>"
		       "<location>239.1.1.2</location>"),
			XSPF, "239.1.1.1=N; 239.1.1.2=N"},
		/* the title of the list does not belong to a track, nor does one in an
		 * extension */
		{"<playlist><title>List</title><trackList><track>"
		 "<extension><title>E</title></extension><title>T</title>"
		 "<location a='>' b=\">\">239.1.1.1</location><image/>"
		 "</track></trackList></playlist>",
			XSPF, "239.1.1.1=T"},
		{TRACK("<title>T</title><location>http://example.com/</location>"),
			XSPF, "", 1},
		{TRACK("<location>239.1.1.1</location>"), XSPF, "", 1},
	};

	check_files(row, array_len(row));
}

static void xspf_refused(void **state)
{
	static const struct {
		const char *text, *says;
		unsigned line;
	} row[] = {
		{"<!DOCTYPE a [<!ENTITY x \"y\">]><playlist/>", "document type", 1},
		{"<playlist>\n<trackList>\n", "ends before </playlist>", 3},
		{"<html></html>", "not one <playlist>", 1},
		{"<playlist>\n</trackList></playlist>", "closed that is not open", 2},
		{"<playlist></playlist><playlist></playlist>", "not one <playlist>", 1},
		{"<playlist><trackList", "inside a tag", 1},
		{"<playlist><!-- ", "inside a tag or comment", 1},
		{"<playlist>a & b</playlist>", "begins no entity", 1},
		{"<playlist>&nbsp;</playlist>", "begins no entity", 1},
		{"<playlist>&#xg;</playlist>", "begins no entity", 1},
		{"<playlist>< a></playlist>", "begins no element", 1},
		{"<playlist><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
			"inside each other", 1},
	};

	for (size_t i = 0; i < array_len(row); i++) {
		struct channels *c = read_text(row[i].text, 1);

		assert_int_equal(c->n, 0);
		assert_int_equal(c->n_messages, 1);
		if (!strstr(c->message[0].text, row[i].says) ||
			c->message[0].line != row[i].line)
			fail_msg("row %zu: %u: %s", i, c->message[0].line,
				c->message[0].text);
		channels_free(c);
	}
}

/* Names are text of people, whatever the file has. */
static void names_are_cleaned(void **state)
{
	static const struct file row[] = {
		{"239.1.1.1,a\x1b[2Jb\x7f\xc2\x9b"
		 "c\n",
			CSV, "239.1.1.1=a [2Jb c"},
		{"239.1.1.1,  a \t  b  \n", CSV, "239.1.1.1=a b"},
		/* ISO 8859-1, whose C1 controls are controls here as well */
		{"239.1.1.1,T\xe9l\xe9 5\x9b\n", CSV, "239.1.1.1=Télé 5"},
		/* overlong, surrogate, cut short: no UTF-8 */
		{"239.1.1.1,\xc0\xaf\n", CSV, "239.1.1.1=\xc3\x80\xc2\xaf"},
		{"239.1.1.1,<script>alert(1)</script>\n", CSV,
			"239.1.1.1=<script>alert(1)</script>"},
		/* 95 bytes at most, in whole characters */
		{"239.1.1.1,"
		 "1234567890123456789012345678901234567890123456789012345678901234567890"
		 "123456789012345678901234\xc3\xa9\n",
			CSV,
			"239.1.1.1="
			"1234567890123456789012345678901234567890123456789012345678901234567"
			"890123456789012345678901234"},
	};

	check_files(row, array_len(row));
}

static void first_name_wins(void **state)
{
	struct channels *c = read_text("239.1.1.2,Other\n"
				       "239.1.1.1,One\n"
				       "239.1.1.1,Two\n"
				       "239.1.1.1,One\n"
				       "239.1.1.1,S,10.0.0.1\n",
		0);
	char *got = table(c);

	assert_string_equal(
		got, "239.1.1.1=One; 239.1.1.1 from 10.0.0.1=S; 239.1.1.2=Other");
	free(got);
	assert_int_equal(c->n_messages, 1);
	assert_int_equal(c->message[0].line, 3);
	assert_string_equal(c->message[0].text,
		"239.1.1.1 is called \"Two\" here and \"One\" at line 2; the first one "
		"counts, remove the other");
	channels_free(c);
}

static void lookups(void **state)
{
	static const struct {
		const char *group, *source, *name;
	} row[] = {
		{"239.1.1.1", NULL, "One"},
		{"239.1.1.1", "0.0.0.0", "One"},
		{"239.1.1.1", "10.0.0.7", "One"},
		{"239.1.1.1", "10.0.0.1", "S1"},
		{"239.1.1.1", "10.0.0.2", "S2"},
		{"239.1.1.2", NULL, "Only"},
		{"239.1.1.2", "10.0.0.3", "Only"},
		{"239.1.1.2", "10.0.0.4", NULL},
		{"239.1.1.0", NULL, NULL},
		{"239.1.1.3", NULL, NULL},
		{"ff3e::1", NULL, "Six"},
		{"ff3e::1", "::", "Six"},
		{"ff3e::2", NULL, NULL},
	};
	struct channels *c = read_text(
		"239.1.1.1,S2,10.0.0.2\n239.1.1.1,One\n239.1.1.1,S1,10.0.0.1\n"
		"239.1.1.2,Only,10.0.0.3\nff3e::1,Six\n",
		0);

	for (size_t i = 0; i < array_len(row); i++) {
		struct addr group = a(row[i].group);
		struct addr source = row[i].source ? a(row[i].source) : group;
		const char *name =
			channels_name(c, &group, row[i].source ? &source : NULL);

		if (!name != !row[i].name || (name && strcmp(name, row[i].name) != 0))
			fail_msg("row %zu: %s", i, name ? name : "none");
		assert_null(channels_name(NULL, &group, NULL));
	}
	channels_free(c);
}

static void found_by_name(void **state)
{
	static const char text[] =
		"239.1.1.1,ZDF neo\n239.1.1.2,ZDF\n239.1.1.3,Arte HD\n"
		"232.1.1.4,Das Erste,10.0.0.1\n239.1.1.5,arte\n";
	static const struct {
		const char *text, *group, *other;
	} rows[] = {
		{"zdf", "239.1.1.2", NULL},
		{"ZDF NEO", "239.1.1.1", NULL},
		{"erste", "232.1.1.4", NULL},
		{"arte", "239.1.1.5", NULL},
		{"art", "239.1.1.3", "arte"},
		{"df", "239.1.1.1", "ZDF"},
		{"", NULL, NULL},
		{"RTL", NULL, NULL},
	};
	struct channels *c;
	const char *other;

	assert_int_equal(channels_parse(text, strlen(text), &c), 0);
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct channel *ch = channels_find(c, rows[i].text, &other);
		struct addr group;

		assert_int_equal(ch != NULL, rows[i].group != NULL);
		if (!ch)
			continue;
		group = a(rows[i].group);
		assert_true(addr_eq(&ch->group, &group));
		if (rows[i].other)
			assert_string_equal(other, rows[i].other);
		else
			assert_null(other);
	}
	assert_null(channels_find(NULL, "zdf", &other));
	channels_free(c);
}

static void messages(void **state)
{
	static const struct {
		const char *text, *says;
		unsigned line;
	} row[] = {
		{"hello\n", "'hello' is not a group", 1},
		{"239.1.1.1,A\n192.0.2.1,B\n", "'192.0.2.1' is not a group", 2},
		{"239.1.1.1,A,x\n", "the source is not an address", 1},
		{"239.1.1.1,A,2001:db8::1\n", "the source is not an address", 1},
		{"#EXTM3U\n", "read as M3U", 0},
	};

	for (size_t i = 0; i < array_len(row); i++) {
		struct channels *c = read_text(row[i].text, 0);

		assert_true(c->n_messages > 0);
		if (!strstr(c->message[0].text, row[i].says) ||
			c->message[0].line != row[i].line)
			fail_msg("row %zu: %u: %s", i, c->message[0].line,
				c->message[0].text);
		channels_free(c);
	}
}

/* A file with too much of everything. */
static void limits(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct channels *c;

	for (unsigned i = 0; i < CHANNELS_MAX + 100; i++)
		fprintf(f, "239.%u.%u.%u,Name %u\n", i >> 16, i >> 8 & 255, i & 255, i);
	for (unsigned i = 0; i < 100; i++)
		fprintf(f, "nonsense %u\n", i);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(channels_parse(text, len, &c), 0);
	assert_int_equal(c->n, CHANNELS_MAX);
	assert_int_equal(c->n_messages, 1);
	assert_non_null(strstr(c->message[0].text, "split the file"));
	channels_free(c);
	/* without the many names */
	c = read_text(strstr(text, "nonsense"), 0);
	assert_int_equal(c->n_messages, CHANNELS_MAX_MESSAGES);
	assert_int_equal(c->n_more, 100 + 1 - CHANNELS_MAX_MESSAGES);
	channels_free(c);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(m3u),
		cmocka_unit_test(csv),
		cmocka_unit_test(sdp),
		cmocka_unit_test(xspf),
		cmocka_unit_test(xspf_refused),
		cmocka_unit_test(names_are_cleaned),
		cmocka_unit_test(first_name_wins),
		cmocka_unit_test(lookups),
		cmocka_unit_test(found_by_name),
		cmocka_unit_test(messages),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
