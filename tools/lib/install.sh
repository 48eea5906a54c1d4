# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # the lists are for scripts that source this
# The only list of Debian packages that the tools install. Scripts source this file.

packages_build="gcc libc6-dev meson ninja-build pkgconf libpcap-dev liburing-dev
	liburcu-dev libmnl-dev libjansson-dev libcap-ng-dev libsystemd-dev
	libmicrohttpd-dev libseccomp-dev libncurses-dev python3"
packages_lab="iproute2 util-linux mount procps"
packages_coverage="libcmocka-dev gcovr"
# dvblast and ffmpeg count the faults of a stream a second time
# chromium (120 MB) opens the page of web-listen as its readers do
# nodejs (90 MB with dependencies) runs the pages for LuCI; Debian 12 has no smaller interpreter
# for that JavaScript
packages_test="$packages_build $packages_lab $packages_coverage clang strace libbpf-dev ethtool
	tmux cppcheck valgrind zsh fish mandoc nftables ppp python3-yaml shellcheck make nodejs
	chromium ffmpeg dvblast"
packages_fuzz="$packages_build clang libclang-rt-dev llvm libcmocka-dev"
packages_analyse="$packages_build clang cppcheck libcmocka-dev libbpf-dev"
packages_demo="$packages_build $packages_lab"
packages_bench="$packages_build $packages_lab clang libbpf-dev ethtool gnuplot-nox"
packages_deb="$packages_build libcmocka-dev build-essential debhelper dh-apparmor
	dpkg-dev lintian"
packages_stream="ffmpeg"
packages_fresh="debootstrap git python3 util-linux mount"
# another daemon for kernel routing, which bench/run measures for comparison; unpacked only
packages_witness="smcroute"
# the proxy with which the control plane is compared; unpacked only
packages_rivals="igmpproxy"
# other multicast routers for the tests; unpacked below build, never installed
packages_peers="frr pimd"
# programs that read the recipes of packaging and the AppArmor profile; unpacked only, because the
# packages bring services and would upgrade others
packages_recipes="apparmor nix-bin makepkg"
# a virtual machine with another kernel, for tools/vm
packages_vm="qemu-system-x86 busybox-static cpio"
# promtool, which checks the metrics; unpacked only, because its package would start a service
packages_promtool="prometheus"

# compilers for the machines that tools/test builds for; qemu-user-static is unpacked
packages_cross="gcc-arm-linux-gnueabihf gcc-i686-linux-gnu gcc-mipsel-linux-gnu gcc-s390x-linux-gnu"

# other machines for which tools/release makes static programs
static_targets="armhf i386 arm64 mipsel mips s390x"

# cross_packages TARGET : prints the packages that tools/cross TARGET installs
cross_packages()
{
	case $1 in
	armhf) echo gcc-arm-linux-gnueabihf libc6-dev-armhf-cross ;;
	armel) echo gcc-arm-linux-gnueabi libc6-dev-armel-cross ;;
	i386) echo gcc-i686-linux-gnu libc6-dev-i386-cross ;;
	arm64) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;;
	mips) echo gcc-mips-linux-gnu libc6-dev-mips-cross ;;
	mipsel) echo gcc-mipsel-linux-gnu libc6-dev-mipsel-cross ;;
	s390x) echo gcc-s390x-linux-gnu libc6-dev-s390x-cross ;;
	musl) echo musl-dev linux-libc-dev make cmake flex bison dpkg-dev gperf ;;
	musl-*) echo "$(cross_packages "${1#musl-}") make cmake flex bison dpkg-dev gperf" ;;
	esac
}

# missing_packages PACKAGE... : prints those that are not installed
missing_packages()
{
	local p
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q ' installed$' ||
			echo "$p"
	done
}

# install_packages PACKAGE... : installs those that are missing. Updates the package lists only if
# a package is unknown or cannot be downloaded with the present lists.
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
	echo "installing (a minute or two): $*"
	export DEBIAN_FRONTEND=noninteractive
	apt_install "$@" >/dev/null 2>&1 && return 0
	apt-get update -qq && apt_install "$@" >/dev/null
}

apt_install()
{
	apt-get install -qq -y --no-install-recommends "$@"
}

# unpack_packages DIRECTORY PACKAGE... : unpacks the files of packages, and of libraries that they
# need and the machine lacks, without installing them. If some cannot be downloaded, names them,
# unpacks the rest, and returns 1.
unpack_packages()
{
	local dir=$1 p status=0
	shift
	# shellcheck disable=SC2046 # a list of words
	for p in "$@" $(missing_libraries "$@"); do
		[ ! -e "$dir/.$p" ] || continue
		echo "unpacking: $p"
		if unpack_package "$dir" "$p"; then
			: >"$dir/.$p"
		else
			echo "continuing without $p: apt-get does not have it"
			status=1
		fi
	done
	return $status
}

# unpack_qemu DIR : unpacks the programs of qemu-user that are linked statically. In Debian 13 they
# are in qemu-user, and qemu-user-static is an empty package that depends on it.
unpack_qemu()
{
	local package=qemu-user-static
	if LC_ALL=C apt-cache depends $package 2>/dev/null | grep -q 'Depends: qemu-user$'; then
		package=qemu-user
	fi
	unpack_packages "$1" $package
}

# missing_libraries PACKAGE... : prints the libraries that apt-get would also install
missing_libraries()
{
	local p
	for p in "$@"; do
		LC_ALL=C apt-get install -s --no-install-recommends "$p" 2>/dev/null
	done | awk '$1 == "Inst" && $2 ~ /^lib/ && $2 !~ /^libjs-/ {print $2}' | sort -u
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

# shellcheck disable=SC2154 # top is the tree, set by the scripts that source this
# configure DIRECTORY [OPTION...] : sets up a build. If the build is older than the last change of
# the machine's packages, it looks again for libraries and tools, because tools/demo may have
# configured it before bench/run installed clang.
configure()
{
	local dir=$1
	shift
	if [ ! -f "$dir/build.ninja" ]; then
		meson setup "$@" "$dir" "$top"
	elif [ /var/lib/dpkg/status -nt "$dir/build.ninja" ]; then
		meson setup --reconfigure "$dir" "$top"
	fi
}

# build_release [TARGET...] : builds build/release, which demo, soak and bench use
build_release()
{
	local dir=$top/build/release log
	[ -f "$dir/build.ninja" ] || echo "building in build/release (half a minute)"
	log=$(configure "$dir" --buildtype=release -Dtests=false 2>&1 &&
		ninja -C "$dir" "$@" 2>&1) || {
		printf '%s\nthe build failed\n' "$log" >&2
		return 1
	}
}

# shellcheck disable=SC2034 # install and arguments are for the caller
# read_options PROGRAM "$@" : reads options for tools whose other options a Python program reads.
# Sets install to yes or no, and arguments. Help works without installing or building anything.
read_options()
{
	local program=$1 a
	shift
	install=yes arguments=()
	for a in "$@"; do
		case $a in
		--no-install) install=no ;;
		-h | --help)
			need_tools python3 || exit 1
			exec python3 -B "$program" --help
			;;
		*) arguments+=("$a") ;;
		esac
	done
}

# need_tools TOOL... : exits if one is missing, for runs that must not install anything
need_tools()
{
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || {
			echo "$tool is missing: run $0 as root without --no-install" >&2
			return 1
		}
	done
}

# give_back DIRECTORY : after sudo, gives the build to the user who called it
give_back()
{
	if [ -n "${SUDO_UID:-}" ] && [ -d "$1" ]; then
		chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$1"
	fi
}

# need_suite NAME : exits if there is no such suite, before anything is installed or built
need_suite()
{
	local known
	known=$(sed -n "s/.*suite: '\([a-z]*\)'.*/\1/p" "$top"/tests/*/meson.build | sort -u)
	grep -qxF -e "$1" <<<"$known" || {
		# shellcheck disable=SC2086 # a list of words
		echo "there is no suite $1, but:" $known >&2
		return 1
	}
}
