#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Does what openrc-run does with ringcast's init script: reads conf.d, then the script, then calls
# one of its functions. For test_initscripts.py.
# usage: openrc_stub.sh NAME SCRIPT CONFD FUNCTION
set -eu

# shellcheck disable=SC2034 # the script reads it
RC_SVCNAME=$1
confd=$3
function=$4

einfo() { echo "einfo $*"; }
ebegin() { echo "ebegin $*"; }
eend() { return "$1"; }
eerror() { echo "eerror $*"; }
service_started() { [ "${STARTED:-}" = "$1" ]; }
checkpath() { echo "checkpath $*"; }
need() { echo "need $*"; }
use() { echo "use $*"; }
after() { echo "after $*"; }
before() { echo "before $*"; }

# shellcheck disable=SC1090 # given by the caller
[ ! -e "$confd" ] || . "$confd"
# shellcheck disable=SC1090
. "$2"
if [ "$function" = variables ]; then
	for name in command command_args command_user capabilities supervisor no_new_privs \
		supervise_daemon_args required_files extra_commands extra_started_commands; do
		eval "echo \"$name=\${$name:-}\""
	done
else
	"$function"
fi
