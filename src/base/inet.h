/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Lengths and numbers of IP headers, in host byte order, and names that the headers of
 * older C libraries and kernels lack.
 */

#define IPV4_HLEN 20 /* without options */
#define IPV6_HLEN 40
#define UDP_HLEN  8u

/* the field of IPv4 that has the flags and the fragment offset */
#define IPV4_DF	      0x4000u
#define IPV4_MF	      0x2000u
#define IPV4_OFF_MASK 0x1fffu

/* protocols and IPv6 extension headers (IANA) */
#define PROTO_HOPOPTS  0
#define PROTO_IGMP     2
#define PROTO_TCP      6
#define PROTO_UDP      17
#define PROTO_ROUTING  43
#define PROTO_FRAGMENT 44
#define PROTO_AH       51
#define PROTO_ICMPV6   58
#define PROTO_DSTOPTS  60
#define PROTO_PIM      103

/* Linux 4.20 */
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif
/* Linux 6.2 */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif
