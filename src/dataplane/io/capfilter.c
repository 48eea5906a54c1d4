/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Filters of captures, see capfilter.h. The client compiles expressions, because names
 * in them may need a name server, and the daemon must not wait. The daemon runs them in
 * the data-plane threads (sample.c) and on membership messages
 * (control/daemon/captures.c).
 */

#include "dataplane/io/capfilter.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads n hexadecimal digits. Returns false if there are fewer. */
static bool take_hex(const char **p, unsigned n, uint32_t *ret)
{
	uint32_t v = 0;

	for (; n > 0; n--, (*p)++) {
		int d = hex_digit(**p);

		if (d < 0)
			return false;
		v = v << 4 | (uint32_t)d;
	}
	*ret = v;
	return true;
}

static bool parse_insn(const char **p, struct bpf_insn *ret)
{
	uint32_t code, jt, jf, k;

	if (!take_hex(p, 4, &code) || !take_hex(p, 2, &jt) || !take_hex(p, 2, &jf) ||
		!take_hex(p, 8, &k))
		return false;
	*ret = (struct bpf_insn){
		.code = (u_short)code, .jt = (u_char)jt, .jf = (u_char)jf, .k = k};
	return true;
}

/* Does the program jump back? libpcap makes such jumps ("protochain"), but a thread in
 * a loop would not forward. */
static bool jumps_back(const struct bpf_program *p)
{
	for (unsigned i = 0; i < p->bf_len; i++) {
		const struct bpf_insn *in = &p->bf_insns[i];

		if (in->code == (BPF_JMP | BPF_JA) && in->k >= p->bf_len - i)
			return true;
	}
	return false;
}

int capfilter_parse(const char *text, struct bpf_program *ret)
{
	size_t n = strlen(text) / CAPFILTER_DIGITS;
	_cleanup_(freep) struct bpf_insn *insn = NULL;
	struct bpf_program p;

	if (n == 0 || n > CAPFILTER_MAX || strlen(text) % CAPFILTER_DIGITS)
		return -EINVAL;
	insn = calloc(n, sizeof(*insn));
	if (!insn)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!parse_insn(&text, &insn[i]))
			return -EINVAL;
	p = (struct bpf_program){.bf_len = (u_int)n, .bf_insns = insn};
	if (!bpf_validate(p.bf_insns, (int)n) || jumps_back(&p))
		return -EINVAL;
	insn = NULL;
	*ret = p;
	return 0;
}

static int copy_program(struct bpf_program *to, const struct bpf_program *from)
{
	struct bpf_insn *insn;

	*to = (struct bpf_program){0};
	if (from->bf_len == 0)
		return 0;
	insn = calloc(from->bf_len, sizeof(*insn));
	if (!insn)
		return -ENOMEM;
	memcpy(insn, from->bf_insns, from->bf_len * sizeof(*insn));
	*to = (struct bpf_program){.bf_len = from->bf_len, .bf_insns = insn};
	return 0;
}

int capfilter_copy(struct capfilter *to, const struct capfilter *from)
{
	struct capfilter copy = {0};

	if (copy_program(&copy.ethernet, &from->ethernet) < 0 ||
		copy_program(&copy.raw_ip, &from->raw_ip) < 0) {
		capfilter_deinit(&copy);
		return -ENOMEM;
	}
	*to = copy;
	return 0;
}

void capfilter_deinit(struct capfilter *f)
{
	free(f->ethernet.bf_insns);
	free(f->raw_ip.bf_insns);
	*f = (struct capfilter){0};
}

bool capfilter_match(const struct capfilter *f, bool has_l2, const void *data,
	uint32_t caplen, uint32_t len)
{
	const struct bpf_program *p = has_l2 ? &f->ethernet : &f->raw_ip;

	return p->bf_len == 0 || bpf_filter(p->bf_insns, data, len, caplen) != 0;
}
