/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * State that outlives a process: a daemon writes it for the daemon that takes over
 * (live upgrade). It consists of sections, each with a tag and a length, so that a
 * reader can skip unknown ones. A header with version and checksum lets the reader
 * refuse garbage and other formats as a whole. The error is sticky: after the first
 * one, writing does nothing, and reading gives 0.
 */

#include "base/addr.h"
#include "base/bytes.h"
#include "base/mono.h"

#define STATE_VERSION 5
#define STATE_MAX     (256u << 20) /* bytes; a million groups take about 100 MB */

struct state_out {
	uint8_t *buf; /* owned */
	size_t n, cap;
	bool bad; /* out of memory, or too large */
	int64_t ahead_ns;
};

/* Begins a state at the time `now`, which is `system_now` by the system's clock. Times
 * are written by the system's clock, because that is the only clock that two processes
 * share. */
void state_out_init(struct state_out *o, mono_t now, mono_t system_now);
void state_out_deinit(struct state_out *o);
/* Completes the header. Returns 0, or -ENOMEM if something could not be written. */
int state_out_seal(struct state_out *o);

void state_put_u8(struct state_out *o, uint8_t v);
void state_put_u32(struct state_out *o, uint32_t v);
void state_put_u64(struct state_out *o, uint64_t v);
void state_put_time(struct state_out *o, mono_t t);
void state_put_addr(struct state_out *o, const struct addr *a);
void state_put_addrs(struct state_out *o, const struct addr *v, size_t n);
void state_put_text(struct state_out *o, const char *s); /* at most 255 bytes */
/* Writes the number of counters, and each of them. */
void state_put_counts(struct state_out *o, const uint64_t *v, uint32_t n);
/* A section contains everything that is written between the two calls. state_begin()
 * returns the `begun` of state_end(). A section may contain others. */
size_t state_begin(struct state_out *o, uint32_t tag);
void state_end(struct state_out *o, size_t begun);

enum state_bad {
	STATE_OK = 0,
	STATE_FOREIGN, /* not a state of this program */
	STATE_OTHER_VERSION,
	STATE_CUT_OFF,
	STATE_DAMAGED, /* wrong checksum */
	STATE_TOO_OLD, /* written long before `now`, or after it */
};

struct state_in {
	struct rd rd;
	mono_t written; /* when the state was written */
};

/* Checks the header. `buf` is borrowed for the lifetime of the reader and its sections.
 * A state older than `max_age_ms` is refused. */
enum state_bad state_in_init(struct state_in *in, const void *buf, size_t len,
	mono_t now, int64_t max_age_ms);
const char *state_bad_text(enum state_bad bad); /* "is damaged", ... */

uint8_t state_get_u8(struct state_in *in);
uint32_t state_get_u32(struct state_in *in);
uint64_t state_get_u64(struct state_in *in);
/* Reads a number of at most `max`; a larger one is an error. */
uint32_t state_get_up_to(struct state_in *in, uint32_t max);
bool state_get_bool(struct state_in *in);
/* Reads a time: MONO_UNSET, MONO_NEVER, or the plausible start or end of a timer that
 * ran when the state was written. Anything else is an error and gives MONO_NEVER. */
mono_t state_get_time(struct state_in *in);
struct addr state_get_addr(struct state_in *in);
/* Reads the number of items that follow. Each has at least `size` bytes, so more items
 * than the remaining bytes can hold are an error. */
size_t state_get_count(struct state_in *in, size_t size);
/* Reads the first n counters. If another version has written fewer counters, the rest
 * of `v` does not change. If it has written more, they are skipped. */
void state_get_counts(struct state_in *in, uint64_t *v, uint32_t n);
/* Reads a text into a buffer of `size` bytes, with a NUL at its end. A longer text is
 * an error and gives "". */
void state_get_text(struct state_in *in, char *buf, size_t size);
/* Reads the next section. Returns false if there is none, or after an error. Bytes of
 * the section that the caller does not read are skipped, and its errors are those of
 * *ret_section and not of `in`. */
bool state_get_section(
	struct state_in *in, uint32_t *ret_tag, struct state_in *ret_section);
void state_set_bad(struct state_in *in);
static inline bool state_is_bad(const struct state_in *in)
{
	return in->rd.bad;
}
