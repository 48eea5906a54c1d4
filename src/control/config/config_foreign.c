/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Files of other programs that people give to a program that reads igmpproxy.conf. Each
 * gets one line of advice. Such a file is wrong as a whole, and a message for each of
 * its words would hide that.
 */

#include "control/config/config_foreign.h"

#include "base/cleanup.h"

#include <stdbool.h>
#include <string.h>

#define CONVERT_IT(from) "convert it with 'ringcastctl convert --from " from " FILE'"
#define CONVERT(from)	 "if this file is written for another program, " CONVERT_IT(from)
#define WRITE(instead)	 "; write " instead " in its place"

static const char settings[] =
	"these are settings of a shell script; name each interface with a phyint, see "
	"'man ringcast.conf'";
static const char smcroute[] =
	"this is a file of smcroute; ringcastd finds joins and routes itself, so write "
	"only 'phyint NAME upstream' and 'phyint NAME downstream'";

/* The first match counts. A word that ends in '_', or begins with '{' or '<', matches
 * all words that begin like it. */
static const struct {
	const char *word, *advice;
} known[] = {
	{"igmp", CONVERT("improxy")},
	{"mld", CONVERT("improxy")},
	{"down_to_up", CONVERT("improxy")},
	{"set", CONVERT("vyos")},
	{"protocols", CONVERT("vyos")},
	{"igmp-proxy", CONVERT("vyos")},
	{"firewall", CONVERT("vyos")},
	{"interfaces", CONVERT("vyos")},
	{"system", CONVERT("vyos")},
	{"service", CONVERT("vyos")},
	{"/*", CONVERT("vyos")},
	{"{",
		"this is JSON; if it is the config.gateway.json of a UniFi gateway, " CONVERT_IT(
			"vyos")},
	{"package", CONVERT("openwrt")},
	{"config", CONVERT("openwrt")},
	{"option", CONVERT("openwrt")},
	{"list", CONVERT("openwrt")},
	{"uci",
		"these are commands of OpenWrt; run them there, then convert "
		"/etc/config/igmpproxy with 'ringcastctl convert --from openwrt FILE'"},
	{"pinstance", CONVERT("mcproxy")},
	{"protocol", CONVERT("mcproxy")},
	{"table", CONVERT("mcproxy")},
	{"mgroup", smcroute},
	{"mroute", smcroute},
	{"enable", smcroute},
	{"ttl-threshold", smcroute},
	{"mrdisc", smcroute},
	{"<?xml",
		"this is XML; if it is the config.xml of pfSense or OPNsense, take the "
		"igmpproxy.conf that the system has made of it"},
	{"<igmpproxy>",
		"this is a part of the config.xml of pfSense; take the igmpproxy.conf "
		"that the system has made of it"},
	{"<pfsense>",
		"this is the config.xml of pfSense; take the igmpproxy.conf that the "
		"system has made of it"},
	{"IPTV_",
		"these are the settings of udm-iptv; take the file that it makes of "
		"them, /var/run/igmpproxy.iptv.conf"},
};

static bool is_assignment(const char *word)
{
	size_t n = strspn(word,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
		"0123456789");

	return n > 0 && word[n] == '=';
}

const char *config_foreign_advice(const char *word)
{
	for (size_t i = 0; i < array_len(known); i++) {
		const char *k = known[i].word;
		size_t n = strlen(k);
		bool begins = k[n - 1] == '_' || k[0] == '{' || k[0] == '<';

		if (begins ? strncmp(word, k, n) == 0 : strcmp(word, k) == 0)
			return known[i].advice;
	}
	return is_assignment(word) ? settings : NULL;
}

const char *config_foreign_encoding(const char *text, size_t len, size_t *ret_at)
{
	static const char little[] = {'\xff', '\xfe'}, big[] = {'\xfe', '\xff'};
	const char *nul = len ? memchr(text, '\0', len) : NULL;

	*ret_at = 0;
	if (len >= 2 && (memcmp(text, little, 2) == 0 || memcmp(text, big, 2) == 0))
		return "this file is UTF-16; save it as UTF-8, for example with 'iconv -f "
		       "UTF-16 -t UTF-8'";
	if (!nul)
		return NULL;
	*ret_at = (size_t)(nul - text);
	return "this is not plain text, because it has a NUL byte; save it as UTF-8";
}

size_t config_foreign_character(const char *word, const char **ret_what)
{
	static const struct {
		const char *utf8, *what;
	} t[] = {
		{"\xc2\xa0", "a no-break space (U+00A0)" WRITE("an ordinary blank")},
		{"\xe2\x80\xaf",
			"a narrow no-break space (U+202F)" WRITE("an ordinary blank")},
		{"\xe2\x80\x89", "a thin space (U+2009)" WRITE("an ordinary blank")},
		{"\xe3\x80\x80",
			"an ideographic space (U+3000)" WRITE("an ordinary blank")},
		{"\xe2\x80\x8b", "an invisible character (U+200B); remove it"},
		{"\xef\xbb\xbf", "a byte order mark (U+FEFF); remove it"},
		{"\xc2\xad", "a soft hyphen (U+00AD); remove it"},
		{"\xe2\x80\x93", "a dash (U+2013)" WRITE("'-'")},
		{"\xe2\x80\x94", "a dash (U+2014)" WRITE("'-'")},
		{"\xe2\x80\x90", "a hyphen (U+2010)" WRITE("'-'")},
		{"\xe2\x80\x91", "a no-break hyphen (U+2011)" WRITE("'-'")},
		{"\xe2\x80\x9c", "a quotation mark (U+201C); remove it"},
		{"\xe2\x80\x9d", "a quotation mark (U+201D); remove it"},
		{"\xe2\x80\x9e", "a quotation mark (U+201E); remove it"},
		{"\xe2\x80\x98", "a quotation mark (U+2018); remove it"},
		{"\xe2\x80\x99", "a quotation mark (U+2019); remove it"},
	};
	size_t best = strlen(word);

	for (size_t i = 0; i < array_len(t); i++) {
		const char *at = strstr(word, t[i].utf8);

		if (at && (size_t)(at - word) < best) {
			best = (size_t)(at - word);
			*ret_what = t[i].what;
		}
	}
	return best;
}
