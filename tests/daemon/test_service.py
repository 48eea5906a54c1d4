#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The systemd unit as it is installed, under a real systemd. That systemd is process 1 of its own
namespace, with its own control group, in the network namespace of the router. The tests start no
service of the machine and change none of its files."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from libnetns import (GROUP, PLAIN, Skip, assert_continuous, case, gaps, main, numbers,
                      ringcast, wait_datagrams, wait_for)

import apparmor  # noqa: E402

PLACE = "/run/ringcast-test"
FORBIDDEN = "/etc/machine-id"   # the AppArmor profile forbids it
TARGET = """[Unit]
Description=only what is tested
DefaultDependencies=no
Wants=systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service
Wants=ringcast.service
"""
# units that every unit depends on by default, left empty
EMPTY = ("sysinit.target", "basic.target", "shutdown.target", "network.target",
         "multi-user.target")
# Runs in new mount, process and control group namespaces. Below {here} are the programs, the
# configuration and the units. systemd sees no other units, and no file that it could write to.
BOOT = """set -e
mount --make-rprivate /
mount -t proc proc /proc
mkdir -p {here}/groups
mount -t cgroup2 none {here}/groups
mkdir {here}/groups/{name}
echo 0 >{here}/groups/{name}/cgroup.procs
cat {here}/passwd /etc/passwd >{here}/passwd.all
cat {here}/group /etc/group >{here}/group.all
mount --bind {here}/passwd.all /etc/passwd
mount --bind {here}/group.all /etc/group
exec unshare --cgroup bash -ec '
umount {here}/groups
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
mount --bind {here} /mnt
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs log /var/log
systemd-id128 new >/run/machine-id
touch /etc/machine-id 2>/dev/null || true
mount --bind /run/machine-id /etc/machine-id
mkdir -p {place} /run/systemd/system
mount --move /mnt {place}
cp {place}/*.service {place}/*.target /run/systemd/system/
for unit in systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket
do cp {units}/$unit /run/systemd/system/; done
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs -o mode=1777 tmp /var/tmp
mount -o remount,bind,ro /
export container=ringcast-test SYSTEMD_UNIT_PATH=/run/systemd/system \
    SYSTEMD_GENERATOR_PATH=/nonexistent SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/nonexistent
exec {systemd} --system --unit=ringcast-test.target --log-target=console \
    --log-level=info --show-status=no </dev/null'
"""


def systemd():
    for path in ("/usr/lib/systemd/systemd", "/lib/systemd/systemd"):
        if os.access(path, os.X_OK):
            return path
    raise Skip("systemd is not installed (package systemd)")


class Service(ringcast.Daemon):
    """ringcast.service of this build; `process` is unshare, which waits for systemd."""

    def __init__(self, ns, config):
        super().__init__(ns, config, start=False)
        self.systemd = None     # its process id outside of the namespace
        self.name = os.path.basename(tempfile.mktemp(prefix="ringcast-test-"))
        os.chmod(self.dir, 0o755)
        os.chmod(self.conf, 0o644)
        for program in ("ringcastd", "ringcastctl"):
            shutil.copy(ringcast.binary(program), self.dir)
        with open(os.path.join(os.environ["RINGCAST_BUILD"], "data", "ringcast.service"),
                  encoding="utf-8") as f:
            unit = re.sub(r"(Exec\w+=)\S*/(ringcast\w+) ", rf"\1{PLACE}/\2 ", f.read())
        unit, n = re.subn(r"\S+/ringcast\.conf$", f"{PLACE}/ringcast.conf", unit, flags=re.M)
        assert n == 1, unit
        unit, n = re.subn("^AppArmorProfile=-ringcastd$", f"AppArmorProfile=-{apparmor.NAME}",
                          unit, flags=re.M)
        assert n == 1, unit
        self.confined = not apparmor.missing()
        if self.confined:
            apparmor.load(os.environ["RINGCAST_BUILD"], f"{PLACE}/** mr,")
        self.put("ringcast.service", unit)
        self.put("ringcast-test.target", TARGET)
        for name in EMPTY:
            self.put(name, "[Unit]\nDefaultDependencies=no\n")
        self.put("passwd", "ringcast:x:64321:64321::/nonexistent:/usr/sbin/nologin\n")
        self.put("group", "ringcast:x:64321:\n")

    def put(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    def spawn(self):
        boot = BOOT.format(here=self.dir, place=PLACE, name=self.name, systemd=systemd(),
                           units=os.path.join(os.path.dirname(systemd()), "system"))
        with open(self.logfile, "a", encoding="utf-8") as log:
            self.process = self.ns.popen(
                "unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc",
                "bash", "-c", boot, stdout=log, stderr=log)
        self.systemd = wait_for(10, self._child, "systemd begins")
        self.socket = os.path.join("/proc", str(self.systemd), "root",
                                   "run/ringcast/ringcast.sock")

    def _child(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as f:
            children = f.read().split()
        return int(children[0]) if children else None

    def enter(self, *cmd):
        """Run a command in the namespaces of systemd."""
        return subprocess.run(["nsenter", "-t", str(self.systemd), "--mount", "--root", "--pid",
                               "--net", "--", *cmd], capture_output=True, text=True, timeout=60)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"systemd ended with {self.process.returncode}: {self.log()}")
        return self.ctl_run("version").returncode == 0

    def ctl_run(self, *args):
        return self.enter(f"{PLACE}/ringcastctl", "-s", "/run/ringcast/ringcast.sock", *args)

    def systemctl(self, *args, status=0):
        r = self.enter("systemctl", *args)
        assert r.returncode == status, f"systemctl {args}: {r.returncode} {r.stderr}{self.log()}"
        return r.stdout

    def property(self, name):
        return self.systemctl("show", "-P", name, "ringcast.service").strip()

    def main_pid(self):
        return int(self.property("MainPID"))

    def journal(self):
        """Returns the journal entries of the unit."""
        r = self.enter("journalctl", "-u", "ringcast.service", "-o", "json", "--no-pager")
        return [json.loads(line) for line in r.stdout.splitlines()]

    def stop(self, how=signal.SIGTERM, seconds=20):
        if self.property("ActiveState") == "active":
            self.systemctl("stop", "ringcast.service")
        return 0 if self.property("Result") == "success" else 1

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()     # the kernel then ends everything in the namespace
            self.process.wait()
        super().close()
        self.remove_group()
        if self.confined:
            apparmor.unload(os.environ["RINGCAST_BUILD"])

    def remove_group(self):
        """Remove the groups that systemd made in its control group, innermost first."""
        with tempfile.TemporaryDirectory(dir="/run") as groups:
            if subprocess.run(["mount", "-t", "cgroup2", "none", groups]).returncode:
                return

            def removed():
                top = os.path.join(groups, self.name)
                for path, _, _ in os.walk(top, topdown=False):
                    try:
                        os.rmdir(path)
                    except OSError:
                        return False    # a process that was killed has not quite ended
                return not os.path.exists(top)
            try:
                wait_for(10, removed, "the control group is gone")
            finally:
                subprocess.run(["umount", groups], check=True)


def boots(b, config=PLAIN):
    if os.geteuid() != 0 or subprocess.run(
            ["unshare", "--mount", "sh", "-c", "mount -t cgroup2 none /mnt"],
            capture_output=True).returncode:
        raise Skip("no control groups of version 2 to be had")
    t = b.topology()
    d = b.daemon = b.own(Service(t.router, config))
    d.start(60)
    return t, d


def status_of(d, pid):
    text = d.enter("cat", f"/proc/{pid}/status").stdout
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


@case("systemd starts the unit: ready, with one capability, as its user; a stream passes")
def starts(b):
    t, d = boots(b, "log-level info\n" + PLAIN)
    assert d.property("ActiveState") == "active"
    status = status_of(d, d.main_pid())
    assert status["Uid"].split() == ["64321"] * 4, status["Uid"]
    for which in ("CapEff", "CapPrm", "CapBnd"):
        assert int(status[which], 16) == 1 << 13, (which, status[which])   # CAP_NET_RAW
    stat = d.enter("cat", f"/proc/{d.main_pid()}/stat").stdout
    assert stat.rpartition(")")[2].split()[16] == "-10", "nice: " + stat
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    # the unit allows the calls with which the daemon confines itself further
    said = [e["MESSAGE"] for e in d.journal()]
    for what in ("seccomp", "landlock"):
        line = next(m for m in said if what in m)
        assert "kernel" not in line, line
    b.stream(t)
    for lan in ("lan1", "lan2"):
        assert_continuous(wait_datagrams(b.receiver(t.hosts[lan]), 100), at_least=100)
    assert d.property("StatusText") == "forwarding", d.property("StatusText")
    d.systemctl("stop", "ringcast.service")
    assert d.property("Result") == "success"


@case("systemctl reload waits until the file is in force, and fails when it is refused")
def reloads(b):
    t, d = boots(b)
    pid = d.main_pid()
    d.write(PLAIN.replace("phyint lan2 downstream\n", "phyint lan2 disabled\n"))
    d.systemctl("reload", "ringcast.service")
    assert not [i for i in d.show("interfaces")["interfaces"]
                if (i["name"], i["role"]) == ("lan2", "downstream")]
    d.write(PLAIN + "phyint lan9 sideways\n")
    d.systemctl("reload", "ringcast.service", status=1)
    assert d.property("ActiveState") == "active" and d.main_pid() == pid
    b.stream(t)
    assert_continuous(wait_datagrams(b.receiver(t.hosts["lan1"]), 50), at_least=50)


@case("a daemon that is killed is started again at once, and the stream comes back")
def killed(b):
    t, d = boots(b)
    b.stream(t)
    r = b.receiver(t.hosts["lan1"])
    wait_datagrams(r, 20)
    pid = d.main_pid()
    d.enter("kill", "-KILL", str(pid))
    wait_for(20, lambda: d.main_pid() not in (0, pid), "another process")
    r.receive()
    assert_continuous(wait_datagrams(r, 100, seconds=20)[-50:], at_least=50)
    assert d.property("NRestarts") == "1"


@case("a configuration with an error: systemd does not try again, the log says where it is")
def refused(b):
    t, d = boots(b)
    d.write(PLAIN + "phyint lan9 sideways\n")
    d.systemctl("restart", "ringcast.service", status=1)
    assert d.property("ExecMainStatus") == "2" and d.property("NRestarts") == "0"
    said = [e["MESSAGE"] for e in d.journal() if e["PRIORITY"] == "3"]
    assert any(re.search(r"ringcast\.conf:\d+:\d+: .*sideways", m) for m in said), said
    d.write(PLAIN)
    d.systemctl("restart", "ringcast.service")
    wait_for(20, d._answers, "it answers again")


@case("a failure at run time: systemd tries again, but not ten times a second")
def retries(b):
    _, d = boots(b)
    # a daemon that is, for example, out of memory
    d.enter("sed", "-i", "s#^ExecStart=.*#ExecStart=/bin/sh -c 'exit 4'#",
            "/run/systemd/system/ringcast.service")
    d.systemctl("daemon-reload")
    begun = time.monotonic()
    d.systemctl("restart", "ringcast.service", status=1)
    wait_for(120, lambda: int(d.property("NRestarts")) >= 8, "eight attempts")
    assert time.monotonic() - begun > 6     # RestartSec alone would cause 0.8 s
    d.systemctl("stop", "ringcast.service")
    d.systemctl("reset-failed", "ringcast.service")


@case("where there is AppArmor, the unit has its profile, which refuses other files")
def apparmor_profile(b):
    if apparmor.missing():
        raise Skip(apparmor.missing())
    _, d = boots(b)
    pid = d.main_pid()
    label = d.enter("cat", f"/proc/{pid}/attr/current").stdout.strip()
    assert label == f"{apparmor.NAME} (enforce)", label
    # a file that every user may read, and a program that the profile allows
    d.enter("sed", "-i", f"s#^ExecStart=.*#ExecStart=/bin/sh -c 'read a <{FORBIDDEN} || exit 3'#",
            "/run/systemd/system/ringcast.service")
    d.systemctl("daemon-reload")
    d.systemctl("restart", "ringcast.service", status=1)
    assert d.property("ExecMainStatus") == "3", d.property("ExecMainStatus")
    d.systemctl("reset-failed", "ringcast.service")


@case("the journal has a field for each thing that a line is about")
def fields(b):
    t, d = boots(b)
    assert d.ctl_run("log", "debug").returncode == 0
    b.receiver(t.hosts["lan1"])
    d.wait_member("lan1", GROUP)

    def first_member():
        return [e for e in d.journal() if e.get("RINGCAST_GROUP") == GROUP
                and e.get("RINGCAST_INTERFACE") == "lan1"]
    entry = wait_for(10, first_member, "an entry with the fields of the group")[0]
    assert entry["SYSLOG_IDENTIFIER"] == "ringcastd", entry
    assert entry["_SYSTEMD_UNIT"] == "ringcast.service", entry
    found = d.enter("journalctl", "-o", "cat", f"RINGCAST_GROUP={GROUP}").stdout
    assert "first member" in found, found


@case("ringcastctl upgrade under systemd: none lost, none doubled")
def upgrade(b):
    t, d = boots(b)
    stream = b.stream(t)
    r = b.receiver(t.hosts["lan1"])
    got = wait_datagrams(r, 50)
    for _ in range(2):
        pid = d.main_pid()
        answer = d.ctl_run("upgrade")
        assert answer.returncode == 0, answer.stderr + d.log()
        wait_for(20, lambda: d.main_pid() not in (0, pid), "another process")
        got += wait_datagrams(r, 100)
    sent = stream.stop()
    wait_for(10, lambda: got.extend(r.receive()) or numbers(got[-1:])[0] == sent - 1,
             "the last datagram")
    missing, disorder = gaps(numbers(got))
    assert not missing and not disorder, (missing, disorder)
    b.note(f"{len(got)} datagrams through 2 upgrades")


@case("AppArmor has refused nothing in the cases before")
def refused_nothing(_):
    if apparmor.missing():
        raise Skip(apparmor.missing())
    refused = [line for line in apparmor.denials() if FORBIDDEN not in line]
    assert not refused, "\n".join(refused)


if __name__ == "__main__":
    main()
