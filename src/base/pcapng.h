/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Writes and parses blocks of a pcapng file (draft-ietf-opsawg-pcapng), because libpcap
 * reads the format but does not write it. Only the blocks of our own captures are
 * supported. They are little-endian, with times in nanoseconds. A file begins with a
 * section header. Each interface is described before its first packet. Statistics are
 * at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kind of header that an interface's packets begin with, by its number in the
 * registry of link types. */
enum pcapng_link {
	PCAPNG_ETHERNET = 1,
	PCAPNG_RAW_IP = 101,
};

/* The most bytes captured of a packet; libpcap requires the same value for all
 * interfaces. */
#define PCAPNG_SNAPLEN 262144

enum pcapng_direction {
	PCAPNG_INBOUND = 1,
	PCAPNG_OUTBOUND = 2,
};

enum pcapng_reception {
	PCAPNG_UNKNOWN = 0,
	PCAPNG_UNICAST = 1,
	PCAPNG_MULTICAST = 2,
	PCAPNG_BROADCAST = 3,
	PCAPNG_PROMISCUOUS = 4,
};

struct pcapng_packet {
	uint32_t interface; /* number of its description, in order of the file */
	uint64_t time_ns;   /* since 1970 */
	uint32_t caplen, len;
	enum pcapng_direction direction;
	enum pcapng_reception reception;
	const void *data; /* borrowed */
};

struct pcapng_stats {
	uint32_t interface;
	uint64_t start_ns, end_ns;
	uint64_t accepted;  /* packets that passed the filter */
	uint64_t lost;	    /* accepted packets for which there was no room */
	uint64_t delivered; /* the other accepted packets */
};

/* Each function writes one block to buf. Returns its length, or -EMSGSIZE if it does
 * not fit. Strings are cut at 255 bytes. */
int pcapng_write_section(void *buf, size_t size, const char *application);
int pcapng_write_interface(
	void *buf, size_t size, enum pcapng_link link, const char *name);
int pcapng_write_packet(void *buf, size_t size, const struct pcapng_packet *p);
int pcapng_write_stats(void *buf, size_t size, const struct pcapng_stats *s);

enum pcapng_type {
	PCAPNG_SECTION = 0x0a0d0d0a,
	PCAPNG_INTERFACE = 1,
	PCAPNG_STATS = 5,
	PCAPNG_PACKET = 6,
};

#define PCAPNG_NAME_LEN 64 /* with the NUL at its end */

/* A block as the functions above write it. */
struct pcapng_block {
	uint32_t type; /* one of enum pcapng_type, or another */
	uint32_t size;
	union {
		struct {
			enum pcapng_link link;
			char name[PCAPNG_NAME_LEN];
		} interface;
		struct pcapng_packet packet; /* points into the bytes that were read */
		struct pcapng_stats stats;
	};
};

/* Reads the block at the start of buf. Returns 1; 0 if the block is not complete; or
 * -EBADMSG if it is faulty. */
int pcapng_read(const void *buf, size_t len, struct pcapng_block *ret);
