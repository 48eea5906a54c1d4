#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ringcast-gen against itself in a network namespace of its own: any-source and
# source-specific joins, both families, and that the receiver notices what is wrong. IPv4 runs
# over lo; IPv6 over the sender's own copy on a veth, as lo has no IPv6 multicast neighbours.
# usage: gen.sh GEN      (status 77: no privileges for a namespace)

set -u
gen=$1

if [ "${GEN_TEST_INSIDE:-}" != 1 ]; then
	for how in "unshare -n" "unshare -rn"; do
		if $how true 2>/dev/null; then
			GEN_TEST_INSIDE=1 exec $how "$0" "$@"
		fi
	done
	echo "skipped: cannot make a network namespace"
	exit 77
fi

dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
ip link set lo up multicast on || exit 77
ip addr add 10.9.9.1/32 dev lo
ip addr add 10.9.9.2/32 dev lo
ip route add 224.0.0.0/4 dev lo
ip link add gen0 type veth peer name gen1 || exit 77
ip link set gen0 up
ip link set gen1 up
ip -6 addr add 2001:db8::1/128 dev gen0 nodad
ip -6 addr add 2001:db8::2/128 dev gen0 nodad

link=lo
failed=0
fail() {
	echo "FAIL: $case: $*"
	failed=1
}

# receive ARGS: start a receiver and wait until it has joined
receive() {
	: >"$dir/err"
	"$gen" receive --interface $link --seconds 20 --json "$@" >"$dir/out" 2>"$dir/err" &
	receiver=$!
	until grep -q joined "$dir/err"; do
		kill -0 $receiver 2>/dev/null || {
			fail "receiver ended: $(cat "$dir/err")"
			return
		}
	done
}

send() {
	"$gen" send --interface $link --json "$@" >"$dir/sent" || fail "sender"
}

# status WANTED: wait for the receiver
status() {
	wait $receiver
	got=$?
	[ $got -eq "$1" ] || fail "status $got, not $1: $(cat "$dir/out" "$dir/err")"
}

# has PATTERN [FILE]
has() {
	grep -Eq "$1" "${2:-$dir/out}" || fail "no $1 in $(cat "${2:-$dir/out}")"
}

clean='"lost":0,"duplicate":0,"reordered":0,"corrupt":0,"foreign":0'

case="IPv4, any source, short options"
receive -m 239.1.2.3 -p 5000 -r --expect 200
send -m 239.1.2.3 -p 5000 -t 1 --count 200 --rate 2000
status 0
has "\"received\":200,.*$clean"
has '"latency_ms":\{"n":200,"min":'
has '"first_ms":[0-9]'
has '"sent":200,"errors":0' "$dir/sent"

case="exact rate"
receive -m 239.1.2.3 --expect 100
send -m 239.1.2.3 --count 101 --rate 200
status 0
# 101 datagrams at 200 per second take 100 intervals of 5 ms
has '"seconds":0\.5[0-9]' "$dir/sent"

case="IPv4, groups, ports and the form of MPEG-TS"
receive -m 239.1.2.254 -p 6000 --groups 4 --ports 2 --expect 800
send -m 239.1.2.254 -p 6000 --groups 4 --ports 2 --ts --count 800 --rate 8000
status 0
has "\"received\":800,\"bytes\":1052800,$clean"
has '"group":"239.1.3.1","port":6001,'
[ "$(grep -o '"received":100,' "$dir/out" | wc -l)" -eq 8 ] || fail "not 8 streams of 100"

case="IPv4, source-specific: the named source comes"
receive -m 232.1.2.3 -s 10.9.9.1 --expect 50
send -m 232.1.2.3 --source 10.9.9.2 --count 50 --rate 1000
send -m 232.1.2.3 --source 10.9.9.1 --count 50 --rate 1000
status 0
has "^\{\"received\":50,.*$clean"
has '"source":"10.9.9.1"'
grep -q 10.9.9.2 "$dir/out" && fail "the other source also came"

case="IPv4, an excluded source does not come"
receive -m 239.1.2.3 --exclude 10.9.9.2 --expect 50
send -m 239.1.2.3 --source 10.9.9.2 --count 50 --rate 1000
send -m 239.1.2.3 --source 10.9.9.1 --count 50 --rate 1000
status 0
grep -q 10.9.9.2 "$dir/out" && fail "the excluded source came"

link=gen0
case="IPv6, any source"
receive -m ff3e::1:2:3 --expect 100
send -m ff3e::1:2:3 --count 100 --rate 1000
status 0
has "\"received\":100,.*$clean"

case="IPv6, source-specific"
receive -m ff3e::8000:1 -s 2001:db8::1 --expect 50
send -m ff3e::8000:1 --source 2001:db8::2 --count 50 --rate 1000
send -m ff3e::8000:1 --source 2001:db8::1 --count 50 --rate 1000
status 0
has '^\{"received":50,'
grep -q 2001:db8::2 "$dir/out" && fail "the other source also came"

link=lo
case="too few datagrams"
receive -m 239.1.2.3 --expect 50 --idle-exit 0.2
send -m 239.1.2.3 --count 49 --rate 1000
status 1
has '"received":49,'

case="datagrams of another program"
receive -m 239.1.2.3 --expect 1
printf 'hello, this is not a stamp of ours but long enough' >"$dir/hello"
python3 - "$dir/hello" <<'PY' || fail "python3"
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(open(sys.argv[1], "rb").read(), ("239.1.2.3", 1234))
PY
status 0
has '"received":1,.*"foreign":1'

case="SIGTERM prints the summary"
receive -m 239.1.2.3
send -m 239.1.2.3 --count 5 --rate 1000
until [ "$(awk '/^ *[0-9]+: .*:04D2/ { split($5, q, ":"); n += q[2] != "00000000" }
	END { print n + 0 }' /proc/net/udp)" -eq 0 ]; do :; done
kill -TERM $receiver
status 0
has '"received":5,'

case="how long datagrams come after a leave"
receive -m 239.1.2.3 --leave-after 0.3 --idle-exit 0.3
send -m 239.1.2.3 --seconds 0.8 --rate 100
status 0
has '"received":[1-9]'
has '"after_leave":[1-9][0-9]*,"leave_to_last_ms":[1-9][0-9]'

case="interface by its address"
"$gen" receive -l 10.9.9.1 -m 239.1.2.3 --seconds 0.01 >"$dir/out" 2>/dev/null
has 'no datagram'
"$gen" receive -l 10.9.9.77 -m 239.1.2.3 --seconds 0.01 >"$dir/out" 2>/dev/null
[ $? -eq 4 ] || fail "an address of no interface is accepted"

case="wrong usage"
"$gen" -m 10.1.1.1 2>/dev/null
[ $? -eq 2 ] || fail "a unicast address is accepted"
"$gen" 2>/dev/null
[ $? -eq 2 ] || fail "no group is accepted"
"$gen" -m 239.1.2.3 --ts --size 1000 2>/dev/null
[ $? -eq 2 ] || fail "1000 bytes of MPEG-TS are accepted"

[ $failed -eq 0 ] && echo "all cases passed"
exit $failed
