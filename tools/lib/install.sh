# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # the lists are for those who source this
# What tools/demo and tools/test install from Debian, and the only list of it. Sourced.

packages_build="gcc libc6-dev meson ninja-build pkgconf libpcap-dev liburing-dev
	liburcu-dev libmnl-dev libjansson-dev libcap-ng-dev python3"
packages_lab="iproute2 util-linux mount procps"
packages_test="$packages_build $packages_lab clang libcmocka-dev"
packages_demo="$packages_build $packages_lab"
packages_stream="ffmpeg"

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

# give_back DIRECTORY : after sudo, what was built belongs to the user who called it
give_back()
{
	if [ -n "${SUDO_UID:-}" ] && [ -d "$1" ]; then
		chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$1"
	fi
}
