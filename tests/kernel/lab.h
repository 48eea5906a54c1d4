/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A network namespace with veth pairs, and packets to send through it. For tests that
 * run as root; every one of them gets fresh interfaces.
 */

#include "test.h"

/* Leave the caller's network: 0, or -errno when it is not permitted. */
int lab_enter(void);

/* Run an `ip` command line; the test fails when it fails. */
_printf_(1, 2) void lab_ip(const char *fmt, ...);
/* veth pair name0 (ours) and name1 (the world), both up and usable */
void lab_veth(const char *name);
void lab_delete(const char *name); /* no error when it is not there */

int lab_ifindex(const char *name);
void lab_mac(const char *name, uint8_t ret[6]);

/* packet socket that sends whole frames on an interface; receives what arrives
 * there */
int lab_socket(const char *name);
void lab_send(int fd, const void *frame, size_t len);
/* One multicast frame that carries UDP, or 0 after `ms` without one. */
size_t lab_receive(int fd, void *buf, size_t size, int ms);

/* the same on the character device of a TUN interface (opened without IFF_NO_PI: the
 * protocol that goes with a packet is written and checked) */
void lab_send_tun(int fd, const void *packet, size_t len);
size_t lab_receive_tun(int fd, void *buf, size_t size, int ms);

/* ordinary UDP socket that sends multicast out of an interface, with TTL 9 */
int lab_udp_sender(const char *name, const char *src);
/* Send to port 5000 of a group; If `segment` is not 0, it is one send() that the device
 * cuts (UDP_SEGMENT). Returns false if the kernel cannot do that. */
bool lab_udp_send(
	int fd, const char *group, const void *payload, size_t len, uint16_t segment);

struct lab_packet {
	const char *src, *group; /* the family is that of the group */
	uint8_t ttl;
	uint32_t number; /* first word of the payload */
	size_t payload;	 /* bytes, at least 4 */
};

#define LAB_L2 14
/* IP packet with correct checksums; returns its length */
size_t lab_build(uint8_t *out, const struct lab_packet *p);
/* the same after an Ethernet header to the group's MAC */
size_t lab_frame(uint8_t *out, const struct lab_packet *p, const uint8_t src_mac[6]);
/* the number in an IP packet made by lab_build() */
uint32_t lab_number(const uint8_t *ip);
/* UDP checksum of an IP packet is right and present */
bool lab_udp_ok(const uint8_t *ip, size_t len);

/* Ask `done` again and again until it says true; false after 10 s. */
bool lab_wait(bool (*done)(void *arg), void *arg);
