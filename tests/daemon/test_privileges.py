#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The rights of the daemon: capabilities, the group of its control socket, and seccomp without
io_uring."""

import grp
import os
import pwd
import stat
import subprocess

from libnetns import (GROUP, PLAIN, Daemon, a_group, assert_continuous, case, main, need_users,
                      ringcast, wait_datagrams)
from manager import ManagedDaemon
import oldkernel  # libnetns has set the path

ONLY_NET_RAW = ["setpriv", "--inh-caps=-all,+net_raw", "--bounding-set=-all,+net_raw"]
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
          "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw",
          "--bounding-set=-all,+net_raw"]


def plays(b, config=PLAIN, **kw):
    t = b.topology()
    d = b.run(t, config, **kw)
    b.stream(t)
    assert_continuous(wait_datagrams(b.receiver(t.hosts["lan1"]), 100), at_least=100)
    return d


def ends(b, config=PLAIN, **kw):
    """Start a daemon that is expected to end by itself; returns (exit status, log)."""
    t = b.topology()
    d = b.own(Daemon(t.router, config, start=False, **kw))
    b.daemon = d
    d.spawn()
    return d.process.wait(20), d.log()


@case("without CAP_NET_RAW it exits 3 and names the capability")
def no_net_raw(b):
    status, log = ends(b, wrap=["setpriv", "--inh-caps=-net_raw", "--bounding-set=-net_raw"])
    assert status == 3, status
    assert "CAP_NET_RAW" in log, log


@case("with CAP_NET_RAW and no other capability it works")
def only_net_raw(b):
    d = plays(b, wrap=ONLY_NET_RAW)
    with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
        effective = [line.split()[1] for line in f if line.startswith("CapEff")][0]
    assert int(effective, 16) & ~(1 << 13) == 0, effective


def uids(d):
    with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
        return next(line.split()[1:] for line in f if line.startswith("Uid:"))


@case("started by root it becomes nobody where there is no user ringcast, and says how to make it")
def default_nobody(b):
    need_users()
    if any(p.pw_name == "ringcast" for p in pwd.getpwall()):
        raise Skip("there is a user ringcast")
    d = plays(b)
    assert uids(d) == ["65534"] * 4, uids(d)
    assert "becomes nobody (65534)" in d.log() and "useradd --system" in d.log(), d.log()
    d.hup()
    d.wait_log("reloaded")


@case("started by root it becomes ringcast where there is that user; root and starter have the socket")
def default_user(b):
    need_users()
    d = plays(b, wrap=with_ringcast())
    assert uids(d) == ["4711"] * 4, uids(d)
    assert "nobody" not in d.log() and "warning" not in d.log(), d.log()
    s = os.stat(d.socket)
    assert (s.st_uid, stat.S_IMODE(s.st_mode)) == (0, 0o660), s
    assert d.ctl_run("reload").returncode == 0


def with_ringcast():
    """Returns a command that runs another one where a user ringcast exists."""
    with open("/etc/passwd", encoding="utf-8") as f:
        text = "".join(line for line in f if not line.startswith("ringcast:"))
    with open("/run/passwd", "w", encoding="utf-8") as f:
        f.write(text + "ringcast:x:4711:4711::/nonexistent:/usr/sbin/nologin\n")
    return ["unshare", "--mount", "sh", "-c",
            'mount --bind /run/passwd /etc/passwd && exec "$@"', "sh"]


@case("user root: it stays root with CAP_NET_RAW alone, and warns at each start")
def user_root(b):
    d = plays(b, "user root\n" + PLAIN)
    assert uids(d) == ["0"] * 4, uids(d)
    assert "warning: user root: an attacker who takes over this daemon is root" in d.log(), d.log()


@case("in a container that cannot change its user it stays root, and says so")
def stays_root(b):
    d = plays(b, wrap=ONLY_NET_RAW)
    assert uids(d) == ["0"] * 4, uids(d)
    assert "info: the daemon stays root: it cannot become user" in d.log(), d.log()


@case("a file that only root may read: warned of at the start, and a reload says why it is refused")
def private_file(b):
    need_users()
    t = b.topology()
    d = b.own(Daemon(t.router, PLAIN, start=False))
    b.daemon = d
    os.chmod(d.conf, 0o600)
    d.start()
    assert f"warning: {d.conf}: the user that this daemon has become" in d.log(), d.log()
    r = d.ctl_run("reload")
    assert r.returncode == 4 and "Permission denied: the user that the daemon" in r.stdout, r
    assert d.show("config")
    os.chmod(d.conf, 0o644)
    assert d.ctl_run("reload").returncode == 0


@case("as user nobody with CAP_NET_RAW it works")
def nobody(b):
    need_users()
    t = b.topology()
    d = b.daemon = b.own(Daemon(t.router, PLAIN, start=False, wrap=NOBODY))
    d.belongs_to(65534)
    d.start()
    b.stream(t)
    assert_continuous(wait_datagrams(b.receiver(t.hosts["lan1"]), 100), at_least=100)


def ctl_as_nobody(d, groups, *args):
    return subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", groups,
         ringcast.binary("ringcastctl"), "-s", d.socket, *args],
        capture_output=True, text=True, timeout=20)


def of_group(b, d, group):
    """Check that members may use ringcastctl, and that others are told why they must not."""
    s = os.stat(d.socket)
    assert (s.st_gid, stat.S_IMODE(s.st_mode)) == (group.gr_gid, 0o660), s
    r = ctl_as_nobody(d, f"--groups={group.gr_gid}", "show", "interfaces")
    assert r.returncode == 0 and "lan1" in r.stdout, r
    r = ctl_as_nobody(d, "--clear-groups", "show", "interfaces")
    assert r.returncode != 0, r
    for words in ("Permission denied", f"a member of the group {group.gr_name}"):
        assert words in r.stderr, r.stderr


@case("control-group: members use ringcastctl, others are told why not; an upgrade changes it")
def control_group(b):
    group = a_group()
    other = next(g for g in grp.getgrall() if g.gr_gid not in (0, 65534, group.gr_gid))
    config = f"control-group {group.gr_name}\nuser nobody\n" + PLAIN
    t = b.topology()
    d = b.daemon = b.own(ManagedDaemon(t.router, config))
    d.start()
    receiver = b.receiver(t.hosts["lan1"])
    b.stream(t)
    wait_datagrams(receiver, 100)
    of_group(b, d, group)
    d.write(config.replace(group.gr_name, other.gr_name, 1))
    assert d.ctl_run("reload").returncode == 0
    d.wait_log("control-group cannot change while running")
    of_group(b, d, group)
    r = d.ctl_run("upgrade")
    assert r.returncode == 0, r
    of_group(b, d, other)
    receiver.receive()
    assert_continuous(wait_datagrams(receiver, 100), at_least=100)


@case("control-group with chroot")
def control_group_chroot(b):
    group = a_group()
    t = b.topology()
    d = b.own(Daemon(t.router, "", start=False))
    b.daemon = d
    d.write(f"control-group {group.gr_name}\nchroot {d.dir}\nuser nobody\n" + PLAIN)
    d.start()
    of_group(b, d, group)
    d.hup()
    d.wait_log("reloaded")
    of_group(b, d, group)


@case("control-group that does not exist: exits 2 and says where")
def control_group_unknown(b):
    config = "quickleave\ncontrol-group no-such\n" + PLAIN
    status, log = ends(b, config)
    assert status == 2, status
    assert f"{b.daemon.conf}:2:1: control-group: there is no group 'no-such'" in log, log
    r = subprocess.run([ringcast.binary("ringcastd"), "-C", b.daemon.conf],
                       capture_output=True, text=True, timeout=20)
    assert r.returncode == 2 and ":2:1: control-group" in r.stderr, r


@case("control-group that the daemon cannot give: exits 4 and says what to do")
def control_group_refused(b):
    group = a_group()
    status, log = ends(b, f"control-group {group.gr_name}\n" + PLAIN, wrap=NOBODY)
    assert status == 4, status
    assert "start as root, or as a member of the group" in log, log


def forbid_io_uring():
    oldkernel.refuse("io_uring forbidden")


@case("with io_uring forbidden by seccomp it works and says which path it took")
def no_io_uring(b):
    d = plays(b, preexec=forbid_io_uring)
    assert "sendmmsg" in d.log(), "the log does not name the transmit path"
    assert "sendmmsg" in d.interface("lan1")["transmit"], d.interface("lan1")
    assert d.group("lan1", GROUP)


@case("io_uring required but forbidden: exits 3 and says so")
def io_uring_required(b):
    status, log = ends(b, "transmit io_uring\n" + PLAIN, preexec=forbid_io_uring)
    assert status == 3, status
    assert "io_uring" in log, log


if __name__ == "__main__":
    main()
