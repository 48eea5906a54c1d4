#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon in its confinement (seccomp, Landlock): it may do everything that it does after the
start, and no more. Other test files run with the same filter; this one checks that it is
active."""

import contextlib
import errno
import json
import os
import shutil
import signal
import socket
import tempfile
import urllib.request

from libnetns import (GROUP, PLAIN, QUICK, Daemon, Skip, assert_continuous, case, main,
                      ringcast, wait_datagrams, wait_for)
from manager import ManagedDaemon
import oldkernel  # libnetns knows where it is

METRICS = "metrics-listen 127.0.0.1:9337\n"
PAGE = "web-listen 127.0.0.1:8089\n"
FILTERED, CONFINED = "system calls are filtered (seccomp)", "files are confined (landlock"


def status(pid, key):
    """The values of a line of /proc/PID/status in all threads."""
    values = set()
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as f:
            values |= {line.split()[1] for line in f if line.startswith(key + ":")}
    return values


def need(d, what):
    """Skip if the log says that the build or the kernel lacks it."""
    log = d.log()
    if what in log:
        return
    word = what.split("(")[1].rstrip(")")
    why = [line for line in log.splitlines() if f"{word}: " in line and "are not" in line]
    assert why, f"neither {what!r} nor why not: {log}"
    raise Skip(why[0])


def is_confined(b, d, pid=None):
    """Check that the daemon uses every confinement that is available; note those that are
    missing."""
    for what in (FILTERED, CONFINED):
        try:
            need(d, what)
        except Skip as e:
            b.note(str(e))
    if FILTERED in d.log():
        filters = status(pid or d.process.pid, "Seccomp")
        assert filters == {"2"}, f"a thread without the filter: {filters}"


def alive(d):
    assert d.process.poll() is None, f"ended with {d.process.returncode}"


def ctl(d, *args):
    r = d.ctl_run(*args)
    assert r.returncode == 0, f"{args}: {r.returncode}: {r.stdout}{r.stderr}"
    return r.stdout


def scrape(ns, host="127.0.0.1"):
    with ns.inside(), urllib.request.urlopen(f"http://{host}:9337/metrics",
                                             timeout=20) as reply:
        return reply.read().decode()


def flows(receiver):
    receiver.receive()
    assert_continuous(wait_datagrams(receiver, 100), at_least=100)


def everything(b, config):
    t = b.topology()
    d = b.run(t, config)
    is_confined(b, d)
    r = b.receiver(t.hosts["lan1"])
    b.stream(t)
    flows(r)

    # commands that only read
    for what in ("interfaces", "groups", "mfc", "upstream", "stats", "config"):
        ctl(d, "show", what)
    assert GROUP in ctl(d, "explain", GROUP)
    assert "ringcast_build_info" in scrape(t.router)
    ctl(d, "metrics")
    assert ctl(d, "log", "info") == "info\n"
    ctl(d, "log", "default")
    path = os.path.join(d.dir, "x.pcapng")
    ctl(d, "capture", "-d", "-c", "3", "-w", path)
    assert os.path.getsize(path) > 100
    d.process.send_signal(signal.SIGUSR1)
    d.wait_log("transmit by")

    # another daemon, which ours finds by /proc and by its socket
    other = b.own(Daemon(t.router, PLAIN))
    wait_for(10, lambda: d.show("interfaces")["rivals"], "the other daemon is seen")
    assert other.stop() == 0

    # changes of the network
    t.router.ip("link", "del", "lan2")
    wait_for(10, lambda: not d.interface("lan2")["present"], "the loss is seen")
    t.add_lan(2)
    r2 = b.receiver(t.hosts["lan2"])
    flows(r2)
    d.write(config.replace("127.0.0.1", "127.0.0.2").replace("threshold 1", "threshold 2")
            + "log-to syslog\n")
    assert "reloaded" in ctl(d, "reload")
    assert "ringcast_build_info" in scrape(t.router, host="127.0.0.2")
    d.write(config)
    d.hup()

    def back():
        with contextlib.suppress(OSError):
            return "ringcast_build_info" in scrape(t.router)
    wait_for(10, back, "the listener is back")
    alive(d)
    flows(r)
    return d


@case("forwards, answers, captures, reloads, follows interfaces, and ends well")
def whole(b):
    everything(b, METRICS + "threads 2\n" + QUICK)


@case("the same as another user with sendmmsg and latency low, where io_uring is forbidden")
def as_user(b):
    need_ids()
    d = everything(b, METRICS + "user nobody\ntransmit sendmmsg\nlatency low\n" + QUICK)
    assert status(d.process.pid, "Uid") == {"65534"}


@case("an upgrade is made from outside, and the next process is also confined")
def upgrade(b):
    t = b.topology()
    d = b.daemon = b.own(ManagedDaemon(t.router, PLAIN))
    d.start()
    is_confined(b, d)
    r = b.receiver(t.hosts["lan1"])
    b.stream(t)
    flows(r)
    for _ in range(2):
        ctl(d, "upgrade")
        is_confined(b, d)
        flows(r)
    assert d.started == 3 and d.stop() == 0


@case("in the background, in a chroot, under the name of igmpproxy")
def background(b):
    t = b.topology()
    d = b.own(Daemon(t.router, "", start=False))
    d.write(f"chroot {d.dir}\n" + PLAIN)
    link = os.path.join(d.dir, "igmpproxy")
    os.symlink(ringcast.binary("ringcastd"), link)
    r = t.router.run(link, "-vv", "-s", d.socket, d.conf)
    assert r.returncode == 0, r
    pid = json.loads(ctl(d, "--json", "version"))["pid"]
    receiver = b.receiver(t.hosts["lan1"])
    b.stream(t)
    wait_datagrams(receiver, 20)
    d.write("rescanvif\n" + f"chroot {d.dir}\n" + PLAIN)
    assert "reloaded" in ctl(d, "reload")
    wait_datagrams(receiver, 20)
    os.kill(pid, signal.SIGTERM)

    def gone():
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return not os.path.exists(f"/proc/{pid}")
    wait_for(20, gone, "it ends")


def moved(b, t, config):
    """Turn the configuration file into a link to a file in another directory."""
    d = b.run(t, config)
    outside = os.path.join("/run", "elsewhere.conf")
    shutil.copy(d.conf, outside)
    os.unlink(d.conf)
    os.symlink(outside, d.conf)
    return d


@case("where the kernel permits neither, the daemon says so and forwards")
def neither(b):
    t = b.topology()
    d = b.run(t, preexec=lambda: oldkernel.refuse("confinement forbidden"))
    for word, what in (("seccomp", "filtered"), ("landlock", "confined")):
        assert any(line.startswith(f"info: {word}: ") and f"are not {what}" in line
                   for line in d.log().splitlines()), d.log()
    b.stream(t)
    flows(b.receiver(t.hosts["lan1"]))


@case("a file of names in the root directory does not open all other files")
def names_in_root(b):
    with tempfile.NamedTemporaryFile("w", prefix="ringcast-test-", suffix=".csv", dir="/") as f:
        f.write(f"{GROUP},News\n")
        f.flush()
        os.chmod(f.name, 0o644)
        config = f"channel-names {f.name}\n" + PLAIN
        d = moved(b, b.topology(), config)
        need(d, CONFINED)
        assert d.ctl_run("reload").returncode == 4, d.log()
        os.unlink(d.conf)
        d.write(config)
        assert "reloaded" in ctl(d, "reload")


@case("a configuration file that moves out of its directory is refused with the reason")
def file_outside(b):
    d = moved(b, b.topology(), PLAIN)
    need(d, CONFINED)
    r = d.ctl_run("reload")
    assert r.returncode == 4, r
    for text in (r.stdout, d.log()):
        assert "Permission denied" in text and "landlock" in text, text
    # back to a plain file
    os.unlink(d.conf)
    d.write(PLAIN)
    assert "reloaded" in ctl(d, "reload")


@case("seccomp off, landlock off: no filter, files anywhere; a reload does not change it")
def switched_off(b):
    t = b.topology()
    for config in ("seccomp off\n", "landlock off\n"):
        d = moved(b, t, config + PLAIN)
        log = d.log()
        if "seccomp" in config:
            assert "filtered" not in log, log
            assert status(d.process.pid, "Seccomp") == status("self", "Seccomp")
            os.unlink(d.conf)
        else:
            assert "confined" not in log, log
            assert "reloaded" in ctl(d, "reload")
        d.write(PLAIN)
        assert "reloaded" in ctl(d, "reload")
        assert f"{config.split()[0]} cannot change while running" in d.log(), d.log()
        assert d.stop() == 0


@case("a link that leads elsewhere at the start is followed on reload")
def link_at_start(b):
    t = b.topology()
    d = b.daemon = b.own(Daemon(t.router, "", start=False))
    os.mkdir("/run/real")
    os.unlink(d.conf)
    os.symlink("/run/real/new.conf", d.conf)
    d.write(PLAIN)
    d.start()
    with open("/run/real/next.conf", "w", encoding="utf-8") as f:
        f.write("rescanvif\n" + PLAIN)
    os.rename("/run/real/next.conf", "/run/real/new.conf")
    assert "reloaded" in ctl(d, "reload")
    assert "rescanvif\n" in ctl(d, "show", "config")


@case("lines go to the journal")
def to_journal(b):
    os.makedirs("/run/systemd/journal", exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.settimeout(20)
        journal.bind("/run/systemd/journal/socket")
        os.chmod("/run/systemd/journal/socket", 0o666)  # the permissions of the journal's socket
        t = b.topology()
        d = b.daemon = b.own(Daemon(t.router, "log-to journal\n" + PLAIN, start=False))
        with open(d.logfile, "w", encoding="utf-8") as log:
            d.process = t.router.popen(ringcast.binary("ringcastd"), "-n", "-v", "-s", d.socket,
                                       d.conf, stdout=log, stderr=log)
        wait_for(20, d._answers, "it answers")
        ctl(d, "reload")

        def reloaded():
            return b"reloaded" in journal.recv(65536)
        try:
            wait_for(20, reloaded, "a line about the reload")
        except TimeoutError:
            if "journal" in d.log():
                raise Skip("built without libsystemd") from None
            raise
    os.unlink("/run/systemd/journal/socket")


# Attempts of an attacker who controls the daemon (forbidden_call.c). With the filter of system
# calls, the kernel ends the daemon, or the call fails with this errno.
CALLS = {name: None for name in (
    "connect_to_socket_of_root", "connect_to_datagrams_of_root", "connect_to_abstract_socket",
    "connect_tcp", "listen_tcp", "udp", "raw_ip", "netlink", "limits_of_root",
    "affinity_of_root", "kill_root", "tgkill_root", "signal_root_by_descriptor",
    "remove_file", "rename_file", "make_file", "write_file", "truncate_file", "truncate_log",
    "forge_log", "temporary_file", "change_mode", "make_node", "core_pattern", "make_process", "execute",
    "execute_memory", "trace_root", "write_memory_of_root", "descriptor_of_root",
    "new_namespace", "other_namespace", "mount_something", "key", "bpf", "perf_event",
    "user_faults", "type_into_terminal", "become_dumpable")}
CALLS.update(write_by_openat2=errno.ENOSYS, make_code=errno.EACCES, another_io_uring=errno.EPERM)
# Calls that root's user id made possible, and those that were refused even then.
AS_ROOT = ("connect_to_socket_of_root", "limits_of_root", "remove_file", "make_file",
           "write_file", "core_pattern", "connect_tcp", "listen_tcp", "udp", "raw_ip")
MODULE = os.path.join(os.environ.get("RINGCAST_BUILD", ""), "tests", "kernel",
                      "forbidden_call.so")


def root_things(ns):
    """Make a directory with files that belong only to root, and sockets on which root listens."""
    path = tempfile.mkdtemp(prefix="root-", dir="/run")
    with open(os.path.join(path, "file"), "w", encoding="ascii") as f:
        f.write("root's")
    os.chmod(f.name, 0o600)
    socks = []
    for name, kind in (("root.sock", socket.SOCK_STREAM), ("root.dgram", socket.SOCK_DGRAM),
                       ("\0victim", socket.SOCK_STREAM)):
        s = ns.socket(socket.AF_UNIX, kind)   # abstract names belong to the network namespace
        s.bind(name if name[0] == "\0" else os.path.join(path, name))
        if kind == socket.SOCK_STREAM:
            s.listen()
        if name[0] != "\0":
            os.chmod(os.path.join(path, name), 0o600)
        socks.append(s)
    return path, socks


def attempt(b, t, calls, config, path):
    """Make each call in a daemon of its own. Returns the result of each: -SIGSYS, an errno, or 0
    for a success."""
    results, names = {}, list(calls)
    while names:
        some, names = names[:8], names[8:]
        daemons = {}
        for name in some:
            d = daemons[name] = b.own(Daemon(t.router, config + PLAIN, start=False, wrap=(
                "env", f"LD_PRELOAD={MODULE}", "ASAN_OPTIONS=verify_asan_link_order=0",
                f"FORBIDDEN_CALL={name}",
                f"FORBIDDEN_DIR={path}", f"FORBIDDEN_PID={os.getpid()}")))
            d.spawn()
        for d in daemons.values():
            wait_for(20, d._answers, "it answers")
            b.daemon = d
            d.process.send_signal(signal.SIGUSR2)
        for name, d in daemons.items():
            def done():
                return d.process.poll() is not None or "\nresult " in d.log()
            wait_for(20, done, f"{name} is made")
            status = d.process.poll()   # before the log is read
            said = [line for line in d.log().splitlines() if line.startswith("result ")]
            assert "taken over" in d.log(), d.log()
            results[name] = int(said[0].split()[1]) if said else status
            d.close()
    b.daemon = None
    return results


def need_filter(b, t):
    d = b.run(t)
    need(d, FILTERED)
    d.stop()
    need_ids()


def need_ids():
    with open("/proc/self/uid_map", encoding="ascii") as f:
        if sum(int(line.split()[2]) for line in f) < 65535:
            raise Skip("only one user id in this user namespace")


def all_refused(b, calls, config):
    t = b.topology()
    need_filter(b, t)
    path, socks = root_things(t.router)
    want = {name: -signal.SIGSYS if CALLS[name] is None else CALLS[name] for name in calls}
    got = attempt(b, t, calls, config, path)
    wrong = {name: r for name, r in got.items() if r != want[name]}
    assert not wrong, f"config {config!r}: {wrong}"
    with open(os.path.join(path, "file"), encoding="ascii") as f:
        assert f.read() == "root's"
    for s in socks:
        s.close()


@case("taken over as root, without Landlock: every call that it does not need is refused")
def root_without_landlock(b):
    all_refused(b, CALLS, "user root\nlandlock off\n")


@case("taken over as root, with Landlock: the same")
def root_with_landlock(b):
    all_refused(b, AS_ROOT, "user root\n")


@case("taken over as its own user: the same")
def own_user(b):
    all_refused(b, CALLS, "")


@case("taken over as its own user, without Landlock: the same")
def own_user_without_landlock(b):
    all_refused(b, AS_ROOT, "landlock off\n")


@case("with metrics-listen or web-listen TCP sockets can be made, which can only serve its port")
def with_metrics(b):
    t = b.topology()
    need_filter(b, t)
    path, socks = root_things(t.router)
    for listen in (METRICS, PAGE):
        got = attempt(b, t, ("connect_tcp", "listen_tcp", "udp", "raw_ip",
                             "connect_to_socket_of_root", "fast_open_by_sendto",
                             "fast_open_by_sendmsg", "fast_open_by_sendmmsg",
                             "fast_open_by_ring"), listen + "user root\n", path)
        assert got.pop("listen_tcp") in (errno.EACCES, 0), got  # 0 before Linux 6.7
        assert set(got.values()) == {-signal.SIGSYS}, got
    for s in socks:
        s.close()


@case("transmit io_uring with metrics-listen: a warning, because a ring could connect")
def ring_with_metrics(b):
    t = b.topology()
    d = b.run(t, PAGE + PLAIN)
    need(d, FILTERED)
    assert "with web-listen frames are sent by sendmmsg" in d.log(), d.log()
    assert "transmit by sendmmsg" in d.log(), d.log()
    assert d.stop() == 0
    d.write(METRICS + PLAIN)
    d.start()
    assert "with metrics-listen frames are sent by sendmmsg" in d.log(), d.log()
    assert d.stop() == 0
    d.write("transmit io_uring\n" + METRICS + PLAIN)
    try:
        d.start()
    except AssertionError:
        assert "the kernel or its policy refuses io_uring" in d.log(), d.log()
        raise Skip("no io_uring here") from None
    assert "can connect to any TCP service" in d.log(), d.log()
    assert "transmit by io_uring" in d.log(), d.log()


@case("without the filter Landlock and the user refuse files, TCP and signals")
def without_filter(b):
    t = b.topology()
    d = b.run(t)
    need(d, CONFINED)
    version = int(d.log().split("(landlock, version ")[1].split(")")[0])
    d.stop()
    need_ids()
    path, socks = root_things(t.router)
    files = ("remove_file", "make_file", "write_file", "truncate_file", "temporary_file",
             "write_by_openat2", "make_node", "core_pattern", "environment_of_root")
    calls = files + (("connect_tcp", "listen_tcp") if version >= 4 else ()) + (
        ("kill_root", "signal_root_by_descriptor") if version >= 6 else ())
    for user in ("user root\n", ""):
        for name, r in attempt(b, t, calls, "seccomp off\n" + user, path).items():
            # F_SETOWN succeeds, but the signal is not sent
            assert r in (errno.EACCES, errno.EPERM) or name == "signal_root_by_descriptor", \
                (user, name, r)
    # only the user's rights restrict chmod, not Landlock (SECURITY.md)
    for user, want in (("user root\n", {0}), ("", {errno.EACCES, errno.EPERM})):
        got = attempt(b, t, ("change_mode",), "seccomp off\n" + user, path)
        assert set(got.values()) <= want, (user, got)
    got = attempt(b, t, ("connect_to_socket_of_root", "limits_of_root", "affinity_of_root"),
                  "seccomp off\n", path)
    assert set(got.values()) <= {errno.EACCES, errno.EPERM}, got
    for s in socks:
        s.close()


@case("the logger is restarted: lines arrive again")
def logger_restarts(b):
    t = b.topology()
    path = tempfile.mkdtemp(prefix="dev-", dir="/run")
    os.chmod(path, 0o755)

    def logger():
        s = b.own(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        s.settimeout(20)
        s.bind(os.path.join(path, "log"))
        os.chmod(os.path.join(path, "log"), 0o666)
        return s

    def reloaded(s):
        while b"reloaded" not in s.recv(65536):
            pass
    before = logger()
    d = b.daemon = b.own(Daemon(t.router, "log-to syslog\n" + PLAIN, start=False, wrap=(
        "unshare", "--mount", "sh", "-c",
        f'mount -t tmpfs none /dev && ln -s {path}/log /dev/log && exec "$@"', "sh")))
    d.log_to_stderr = False
    d.start()
    ctl(d, "reload")
    reloaded(before)
    before.close()
    os.unlink(os.path.join(path, "log"))
    after = logger()
    ctl(d, "reload")
    reloaded(after)
    alive(d)


@case("the port of metrics-listen stays that of the start; its address may change")
def metrics_port(b):
    t = b.topology()
    d = b.run(t, METRICS + PLAIN)
    d.write("metrics-listen 127.0.0.1:9338\n" + PLAIN)
    ctl(d, "reload")
    d.wait_log("port 9338 cannot be bound while running; restart the daemon for that")
    assert "ringcast_build_info" in scrape(t.router)
    d.write("metrics-listen 127.0.0.2:9337\n" + PLAIN)
    ctl(d, "reload")
    assert "ringcast_build_info" in scrape(t.router, host="127.0.0.2")
    d.write(PLAIN)
    ctl(d, "reload")
    d.write(METRICS + PLAIN)
    ctl(d, "reload")
    assert "ringcast_build_info" in scrape(t.router)
    assert d.stop() == 0
    d.write(PLAIN)
    d.start()
    d.write(METRICS + PLAIN)
    ctl(d, "reload")
    d.wait_log("port 9337 cannot be bound while running")
    alive(d)


if __name__ == "__main__":
    main()
