/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A network namespace with veth pairs, and packets to send through it. For tests that
 * run as root; each of them gets fresh interfaces.
 */

#include "test.h"

#include <sched.h>

/* Leaves the caller's network. Returns 0, or -errno when that is not permitted. */
int lab_enter(void);

/* Runs an `ip` command line; the test fails when the command fails. */
_printf_(1, 2) void lab_ip(const char *fmt, ...);
/* Makes the veth pair name0 (ours) and name1 (the world), both up and usable. */
void lab_veth(const char *name);
void lab_delete(const char *name); /* no error if it does not exist */

int lab_ifindex(const char *name);
void lab_mac(const char *name, uint8_t ret[6]);

/* A packet socket that sends whole frames on an interface and receives those that
 * arrive there. */
int lab_socket(const char *name);
void lab_send(int fd, const void *frame, size_t len);
/* A socket that only counts the frames that arrive at an interface. */
int lab_counter(const char *name);
/* Number of frames that have arrived since the last call, at most 2^32 - 1. The kernel
 * counts a frame when it leaves the processor's queue, so the queue is empty once every
 * frame that was sent is counted. */
uint32_t lab_arrived(int counter);
/* Keeps the caller on its present processor, and lets it go again. Every processor has
 * a queue of its own, so a sender that moves on can overtake its own frames. */
void lab_stay(cpu_set_t *before);
void lab_move(const cpu_set_t *before);
/* Receives one multicast frame with UDP, or returns 0 after `ms` without one. */
size_t lab_receive(int fd, void *buf, size_t size, int ms);

/* Send and receive packets on the character device of a TUN interface. The device is
 * opened without IFF_NO_PI; the protocol of a packet is written and checked. */
void lab_send_tun(int fd, const void *packet, size_t len);
size_t lab_receive_tun(int fd, void *buf, size_t size, int ms);

/* An ordinary UDP socket that sends multicast out of an interface, with TTL 9. */
int lab_udp_sender(const char *name, const char *src);
/* Sends to port 5000 of a group. If `segment` is not 0, it is one send() that the
 * device cuts (UDP_SEGMENT). Returns false if the kernel cannot do that. */
bool lab_udp_send(
	int fd, const char *group, const void *payload, size_t len, uint16_t segment);

struct lab_packet {
	const char *src, *group; /* the family is that of the group */
	uint8_t ttl;
	uint32_t number; /* first word of the payload */
	size_t payload;	 /* bytes, at least 4 */
};

#define LAB_L2 14
/* Builds an IP packet with correct checksums and returns its length. */
size_t lab_build(uint8_t *out, const struct lab_packet *p);
/* Builds the same packet after an Ethernet header to the group's MAC. */
size_t lab_frame(uint8_t *out, const struct lab_packet *p, const uint8_t src_mac[6]);
/* The number in an IP packet made by lab_build(). */
uint32_t lab_number(const uint8_t *ip);
/* Whether the UDP checksum of an IP packet is present and right. */
bool lab_udp_ok(const uint8_t *ip, size_t len);

/* Calls `done` repeatedly until it returns true. Returns false after a minute. */
bool lab_wait(bool (*done)(void *arg), void *arg);
