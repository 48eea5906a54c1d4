# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # the lists are for those who source this
# What tools/demo and tools/test install from Debian, and the only list of it. Sourced.

packages_build="gcc libc6-dev meson ninja-build pkgconf libpcap-dev liburing-dev
	liburcu-dev libmnl-dev libjansson-dev libcap-ng-dev libsystemd-dev
	libmicrohttpd-dev libseccomp-dev libncurses-dev python3"
packages_lab="iproute2 util-linux mount procps"
packages_coverage="libcmocka-dev gcovr"
packages_test="$packages_build $packages_lab $packages_coverage clang strace libbpf-dev ethtool
	tmux nftables cppcheck valgrind zsh fish mandoc"
packages_fuzz="$packages_build clang llvm libcmocka-dev"
packages_analyse="$packages_build clang cppcheck"
packages_demo="$packages_build $packages_lab"
packages_bench="$packages_build $packages_lab clang libbpf-dev ethtool gnuplot-nox"
packages_deb="$packages_build libcmocka-dev debhelper dpkg-dev lintian"
packages_stream="ffmpeg"
# another daemon for kernel routing, beside which bench/run measures; unpacked as well
packages_witness="smcroute"
# the proxy that the control plane is compared with; unpacked likewise
packages_rivals="igmpproxy"
# other multicast routers that tests talk to; unpacked below build, never installed
packages_peers="frr libyang2 pimd"
# a virtual machine with another kernel, for tools/vm
packages_vm="qemu-system-x86 busybox-static cpio"
# promtool, which checks the metrics; unpacked for the same reason: its package is a service
packages_promtool="prometheus"

# missing_packages PACKAGE... : those that are not installed
missing_packages()
{
	local p
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q ' installed$' ||
			echo "$p"
	done
}

# install_packages PACKAGE... : install what is missing. The package lists are fetched only
# when a package is unknown or not to be had as they stand.
install_packages()
{
	local missing
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	# shellcheck disable=SC2086 # a list of words
	set -- $missing
	if [ "$(id -u)" -ne 0 ]; then
		echo "missing packages, and no right to install them: $*" >&2
		echo "run this with sudo, or: apt-get install $*" >&2
		return 1
	fi
	echo "installing: $*"
	export DEBIAN_FRONTEND=noninteractive
	apt_install "$@" >/dev/null 2>&1 && return 0
	apt-get update -qq && apt_install "$@" >/dev/null
}

apt_install()
{
	apt-get install -qq -y --no-install-recommends "$@"
}

# unpack_packages DIRECTORY PACKAGE... : the files of packages, without installing them
unpack_packages()
{
	local dir=$1 p
	shift
	for p in "$@"; do
		[ ! -e "$dir/.$p" ] || continue
		echo "unpacking: $p"
		unpack_package "$dir" "$p" || return 1
		: >"$dir/.$p"
	done
}

unpack_package()
{
	local deb
	mkdir -p "$1/.deb" || return 1
	(cd "$1/.deb" && apt-get download -qq "$2" >/dev/null 2>&1) || {
		[ "$(id -u)" -ne 0 ] || apt-get update -qq
		(cd "$1/.deb" && apt-get download -qq "$2" >/dev/null 2>&1)
	} || return 1
	for deb in "$1/.deb/$2"_*.deb; do
		dpkg-deb -x "$deb" "$1" || return 1
	done
}

# give_back DIRECTORY : after sudo, what was built belongs to the user who called it
give_back()
{
	if [ -n "${SUDO_UID:-}" ] && [ -d "$1" ]; then
		chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$1"
	fi
}
