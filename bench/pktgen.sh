#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sends multicast from a real interface with the kernel's pktgen, for measurements on hardware: one
# machine sends with this script, the router forwards, and the counters of the interfaces (ip -s
# link, ringcastctl show stats) tell what arrived. See doc/benchmarks.md.
set -u

usage()
{
	cat <<TXT
usage: bench/pktgen.sh --interface IF [--source ADDRESS] [--group ADDRESS] [--groups N]
                       [--size BYTES] [--rate DATAGRAMS/S] [--count N] [--cpu N]

  --source ADDRESS   of the datagrams (default: the first of the interface)
  --group ADDRESS    the first group (default 239.1.0.0)
  --groups N         groups in turn, 1 to 256 within the last octet (default 1)
  --size BYTES      of the Ethernet frame without FCS (default 1358)
  --rate N           datagrams per second (default: as fast as possible)
  --count N          datagrams (default 10000000)
  --cpu N            the processor that sends (default 0)
TXT
}

interface='' source='' group=239.1.0.0 groups=1 size=1358 rate=0 count=10000000 cpu=0
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit 0 ;;
	--interface | --source | --group | --groups | --size | --rate | --count | --cpu)
		[ $# -gt 1 ] || { usage >&2; exit 2; }
		declare "${1#--}=$2"
		shift
		;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
[ -n "$interface" ] || { usage >&2; exit 2; }
for n in "$groups" "$size" "$rate" "$count" "$cpu"; do
	case $n in
	'' | *[!0-9]*) usage >&2; exit 2 ;;
	esac
done

modprobe pktgen 2>/dev/null
control=/proc/net/pktgen
if [ ! -e $control/pgctrl ]; then
	echo "no pktgen in this kernel ($(uname -r), CONFIG_NET_PKTGEN): nothing was sent" >&2
	exit 77
fi
[ -n "$source" ] || source=$(ip -4 -o addr show dev "$interface" |
	awk '{ sub("/.*", "", $4); print $4; exit }')
[ -n "$source" ] || { echo "$interface has no IPv4 address; name one with --source" >&2; exit 2; }

IFS=. read -r a b c d <<<"$group"
if [ "$a" -lt 224 ] || [ $((d + groups)) -gt 256 ]; then
	echo "groups must be multicast, and differ only in the last octet" >&2
	exit 2
fi
mac=$(printf '01:00:5e:%02x:%02x:%02x' $((b & 127)) "$c" "$d")

put()
{
	echo "$2" >"$control/$1" || {
		echo "pktgen refuses \"$2\"" >&2
		exit 1
	}
}

thread=kpktgend_$cpu
finish()
{
	echo stop >$control/pgctrl
	echo rem_device_all >"$control/$thread"
}
trap finish EXIT
trap 'exit 130' INT TERM
put "$thread" rem_device_all
put "$thread" "add_device $interface"
put "$interface" "count $count"
put "$interface" "clone_skb 0"
put "$interface" "pkt_size $size"
put "$interface" "src_min $source"
put "$interface" "src_max $source"
put "$interface" "dst_min $group"
put "$interface" "dst_max $a.$b.$c.$((d + groups - 1))"
# the frame's address must be incremented together with the packet's
put "$interface" "dst_mac $mac"
put "$interface" "dst_mac_count $groups"
put "$interface" "udp_src_min 5000"
put "$interface" "udp_src_max 5000"
put "$interface" "udp_dst_min 5000"
put "$interface" "udp_dst_max 5000"
# pktgen would make wrong partial checksums, but real streams have checksums
put "$interface" "flag UDPCSUM"
[ "$rate" -eq 0 ] || put "$interface" "ratep $rate"
put pgctrl start
sed -n '/^Result/,$p' "$control/$interface"
