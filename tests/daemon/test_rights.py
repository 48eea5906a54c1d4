#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rights of users on the control socket. A member of its group, root and the user who started the
daemon send every command of the daemon's own table. Such a member also attacks, to get
descriptors, a pause of the streams, a change, or root's rights."""

import array
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess

from libnetns import (PLAIN, Daemon, Skip, a_group, assert_continuous, case, lab, main,
                      need_users, ringcast, wait_datagrams, wait_for)
from manager import ManagedDaemon

MEMBER, STARTER, NOBODY = 12345, 12346, 65534
OTHER_MEMBER, THIRD_MEMBER = 12347, 12348
READ, CHANGE = "read", "change"
PATIENCE_S = 20
# shorter than an upgrade may wait for another process
HELD_S = 4
CLONE_NEWUSER, PR_SET_DUMPABLE = 0x10000000, 4

# command -> its possible arguments, and the right that each needs
EXAMPLES = {
    "show interfaces": [("", READ)],
    "show groups": [("", READ)],
    "show groups detail": [("", READ), ("239.1.2.3", READ)],
    "show mfc": [("", READ)],
    "show top": [("", READ), ("sort rate limit 3", READ)],
    "show upstream": [("", READ)],
    "show quality": [("", READ), ("since 60 blocks 1 239.1.2.3", READ)],
    "show zaps": [("", READ)],
    "show stats": [("", READ)],
    "show config": [("", READ)],
    "explain": [("239.1.2.3", READ)],
    "commands": [("", READ)],
    "version": [("", READ)],
    "metrics": [("", READ), ("openmetrics", READ)],
    "health": [("", READ), ("allow-down", READ)],
    "page": [("", READ)],
    "log": [("", READ), ("debug", CHANGE), ("default", CHANGE), ("x", CHANGE)],
    "capture": [("", READ), ("interface=lo", READ), ("snaplen=100", READ), ("data", CHANGE),
                ("sample=3", CHANGE), ("sample=", CHANGE), ("snaplen=100  data", CHANGE)],
    "clear group": [("239.1.2.3", CHANGE), ("239.1.2.3 lan1", CHANGE)],
    "monitor": [("", READ)],
    "reload": [("", CHANGE), ("x", CHANGE)],
    "upgrade": [("", CHANGE), ("store", CHANGE), ("hand-over", CHANGE), ("info", CHANGE)],
}

# requests of a member who wants more rights
ASKS = [b"upgrade hand-over", b"upgrade info", b"upgrade store", b"upgrade", b" \tupgrade",
        b"upgrade\t", b"upgrade   hand-over", b"UPGRADE hand-over", b"upgrad hand-over",
        b"upgrade\r", b"upgrade\0", b"upgrade hand-over\0", b"upgrade\thand-over", b"reload",
        b"reload x", b"clear group 239.1.2.3", b"clear group\t239.1.2.3", b"log debug", b"log   debug", b"log\tdebug", b"capture data",
        b"capture interface=lan1 data", b"capture sample=1", b"capture\tdata",
        b"capture   data", b"capture data data"]


# ---- other users ----

def enter_user_namespace():
    """Become root of a new namespace, without rights outside."""
    uid, libc = os.getuid(), ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_DUMPABLE, 1)   # otherwise the files below belong to root
    if libc.unshare(CLONE_NEWUSER) < 0:
        return   # not possible on this machine
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as f:
            f.write(text)


def as_user(uid, groups, function, preparation=lambda: None):
    """Return what function() returns in a process of that user."""
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.alarm(6 * PATIENCE_S)
            os.setgroups(groups)
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            preparation()
            said = {"value": function()}
        except BaseException as e:  # pylint: disable=broad-except
            said = {"error": repr(e)}
        with open(into, "w", encoding="utf-8") as f:
            json.dump(said, f)
        os._exit(0)
    os.close(into)
    with open(out, encoding="utf-8") as f:
        text = f.read()
    os.waitpid(pid, 0)
    said = json.loads(text) if text else {"error": "it was killed"}
    if "error" in said:
        raise AssertionError(f"uid {uid}: {said['error']}")
    return said["value"]


class Client:
    """A connection that looks for descriptors in everything it receives."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(path)   # waits while other connections are queued
        self.sock.settimeout(PATIENCE_S)
        self.octets = b""

    def send(self, octets, fds=()):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self.sock, [octets], list(fds))

    def line(self):
        """Returns the next reply, or None at the end."""
        while b"\n" not in self.octets:
            try:
                got, ancillary, _, _ = self.sock.recvmsg(65536, socket.CMSG_SPACE(4 * 253))
            except ConnectionResetError:
                return None
            fds = array.array("i")
            for _, kind, data in ancillary:
                if kind == socket.SCM_RIGHTS:
                    fds.frombytes(data)
            assert not fds, f"{len(fds)} descriptors of the daemon"
            if not got:
                return None
            self.octets += got
        line, self.octets = self.octets.split(b"\n", 1)
        return json.loads(line)

    def close(self):
        self.sock.close()


def ask(path, request):
    c = Client(path)
    c.send(request.encode() + b"\n")
    reply = c.line()
    c.close()
    return reply


# ---- every command ----

def table(d):
    """Returns the daemon's own table; it must have exactly the commands of EXAMPLES."""
    rows = {c["command"]: c for c in ask(d.socket, "commands")["commands"]}
    assert set(rows) == set(EXAMPLES), set(rows) ^ set(EXAMPLES)
    for name, c in rows.items():
        rights = {right for _, right in EXAMPLES[name]}
        assert rights == {c["right"], c["arguments"]}, (c, rights)
    return rows


def snapshot(d):
    """Returns the state that a user with read rights must not change."""
    reloads = [line for line in ask(d.socket, "metrics")["text"].splitlines()
               if line.startswith("ringcast_config_reloads")]
    assert reloads
    return (ask(d.socket, "version")["pid"], ask(d.socket, "log")["level"],
            ask(d.socket, "show config")["text"], reloads)


def requests():
    return [(f"{name} {args}".strip(), right) for name, examples in EXAMPLES.items()
            for args, right in examples]


def check_user(d, uid, groups, may_change, shown=None, preparation=lambda: None):
    """Check the answers to every command. A user without rights leaves no trace."""
    path, before = d.socket, snapshot(d)

    def everything():
        return [(request, right, ask(path, request)) for request, right in requests()]
    for request, right, reply in as_user(uid, groups, everything, preparation):
        error = reply.get("error", "") if reply else "no answer"
        if right == READ or may_change:
            assert "not allowed" not in error, (uid, request, error)
            assert right == CHANGE or not error or "interface lo does not belong" in error, \
                (uid, request, error)
            continue
        assert error.startswith(f"uid {shown or uid}"), (request, error)
        for words in (f"is not allowed to '{request}", "only root", "run the command as that user"):
            assert words in error, error
    if not may_change:
        assert snapshot(d) == before, "something has changed"


def open_to_all(d):
    """Open the socket to all users, so that the file's permissions do not refuse anything."""
    os.chmod(d.socket, 0o666)


@case("started by root, running as nobody: members and nobody may only look, root may do all")
def by_root(b):
    group = a_group()
    t = b.topology()
    d = b.run(t, f"control-group {group.gr_name}\nuser nobody\n" + PLAIN)
    table(d)
    gid = [group.gr_gid]
    check_user(d, MEMBER, gid, False)
    check_user(d, NOBODY, gid, False)
    # root of the user's own namespace has no rights here
    check_user(d, MEMBER, gid, False, preparation=enter_user_namespace)
    check_user(d, 0, [], True)
    # ringcastctl names the required group (N36)
    r = subprocess.run(["setpriv", f"--reuid={MEMBER}", f"--regid={MEMBER}", "--clear-groups",
                        ringcast.binary("ringcastctl"), "-s", d.socket, "version"],
                       capture_output=True, text=True, timeout=PATIENCE_S)
    assert r.returncode == 1 and f"member of the group {group.gr_name}:" in r.stderr, r
    assert f" {group.gr_name} " in r.stderr.splitlines()[-1], r
    try:
        as_user(MEMBER, [], lambda: ask(d.socket, "version"))
    except AssertionError as e:
        assert "PermissionError" in str(e), e
    else:
        raise AssertionError("somebody from outside of the group was answered")


def ordinary(*more):
    return ["setpriv", f"--reuid={STARTER}", f"--regid={STARTER}", "--clear-groups", *more]


def started_by(b, wrap):
    need_users()
    d = b.daemon = b.own(Daemon(b.topology().router, PLAIN, start=False, wrap=wrap))
    d.belongs_to(STARTER)
    d.start()
    open_to_all(d)
    table(d)
    return d


@case("started by an ordinary user with the capability: that user and root may do all")
def by_user(b):
    d = started_by(b, ordinary("--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw"))
    for uid, may_change in ((STARTER, True), (0, True), (MEMBER, False), (NOBODY, False)):
        check_user(d, uid, [STARTER], may_change)


@case("the same if the file of the program has the capability")
def by_file_capability(b):
    need_users()
    copy = "/run/ringcastd-with-capability"
    shutil.copy(ringcast.binary("ringcastd"), copy)
    r = subprocess.run(["setcap", "cap_net_raw+ep", copy], capture_output=True, text=True)
    if r.returncode:
        raise Skip("no file capabilities: " + r.stderr.strip())
    d = started_by(b, ordinary("sh", "-c", f'shift; exec {copy} "$@"', "sh"))
    for uid, may_change in ((STARTER, True), (0, True), (MEMBER, False)):
        check_user(d, uid, [STARTER], may_change)


@case("in a user namespace whose root has started it: users that are not mapped may only look")
def in_namespace(b):
    d = started_by(b, ordinary("unshare", "--user", "--net", "--map-root-user"))
    check_user(d, STARTER, [], True)
    for uid in (0, MEMBER):
        check_user(d, uid, [], False, shown=NOBODY)


@case("started by a user that is not mapped: nobody may change anything")
def unmapped_starter(b):
    d = started_by(b, ordinary("unshare", "--user", "--net", "--keep-caps"))
    for uid in (0, STARTER, MEMBER):
        check_user(d, uid, [], False, shown=NOBODY)


@case("after an upgrade by the service manager the rights are the same")
def after_upgrade(b):
    group = a_group()
    t = b.topology()
    d = b.daemon = b.own(ManagedDaemon(
        t.router, f"control-group {group.gr_name}\nuser nobody\n" + PLAIN))
    d.start()
    assert d.ctl_run("upgrade").returncode == 0
    for uid in (MEMBER, NOBODY):
        check_user(d, uid, [group.gr_gid], False)


@case("the tables in the documents are the daemon's")
def documents(b):
    d = b.run(b.topology())
    for path, is_row in (("doc/control-socket.md", r"\| `(.*?)` \| (read|change) \|"),
                         ("SECURITY.md", r"\| (read|change) \| [^|]* \| (.*) \|")):
        with open(os.path.join(lab.ROOT, path), encoding="utf-8") as f:
            found = re.findall(is_row, f.read())
        if path == "SECURITY.md":
            found = [(name, right) for right, names in found
                     for name in re.findall("`(.*?)`", names)]
        else:
            found = [(name.split(" [")[0].replace(" ...", ""), right) for name, right in found]
        said = {(re.sub(r" (GROUP|LEVEL|data|sample=N).*", "", name), right)
                for name, right in found}
        want = {(c["command"], right) for c in table(d).values()
                for right in (c["right"], c["arguments"])}
        assert said == want, (path, said ^ want)


# ---- attacks ----

def descriptors(d):
    return len(os.listdir(f"/proc/{ask(d.socket, 'version')['pid']}/fd"))


def is_refused(reply):
    assert reply is None or "error" in reply, reply


def asks_alone(path):
    for octets in ASKS:
        c = Client(path)
        c.send(octets + b"\n")
        is_refused(c.line())
        c.close()


def asks_in_pieces(path):
    for octets in ASKS:
        c = Client(path)
        for i in range(len(octets)):
            c.send(octets[i:i + 1])
        c.send(b"\n")
        is_refused(c.line())
        c.close()


def asks_behind_others(path):
    for octets in ASKS:
        c = Client(path)
        c.send(b"version\n" + octets + b"\nversion\n" + octets + b"\n")
        assert c.line()["name"] == "ringcastd"
        is_refused(c.line())
        assert c.line()["name"] == "ringcastd"
        is_refused(c.line())
        c.close()


def goes_early(path):
    for octets in ASKS:
        for end in (b"", b"\n", b"\n+", b"\n" + octets):
            c = Client(path)
            c.send(octets + end)
            c.close()


def confirms(path):
    """Send a confirmation although none was asked for."""
    for octets in ASKS:
        c = Client(path)
        c.send(octets + b"\n+")
        is_refused(c.line())
        c.sock.shutdown(socket.SHUT_WR)
        while (reply := c.line()) is not None:
            is_refused(reply)
        c.close()


def sends_descriptors(path):
    out, into = os.pipe()
    for octets in ASKS:
        c = Client(path)
        c.send(octets[:3], [out, into] * 60)
        c.send(octets[3:] + b"\n", [into] * 253)
        is_refused(c.line())
        c.send(b"version\n", [c.sock.fileno()])
        assert c.line()["name"] == "ringcastd"
        c.close()
    os.close(into)
    # no other process holds the other end: the daemon has closed what it was sent
    signal.alarm(PATIENCE_S)
    assert os.read(out, 1) == b""
    os.close(out)


def many_at_once(path):
    clients = []
    for i in range(200):
        clients.append(Client(path))
        clients[-1].send(ASKS[i % len(ASKS)] + b"\n")
    for c in clients:
        is_refused(c.line())
        c.close()


def attacked(b):
    group = a_group()
    t = b.topology()
    d = b.daemon = b.own(ManagedDaemon(
        t.router, f"control-group {group.gr_name}\nuser nobody\n" + PLAIN))
    d.start()
    receiver = b.receiver(t.hosts["lan1"])
    lab.receive_buffer(receiver.sock, 8 << 20)
    b.stream(t)
    got = wait_datagrams(receiver, 50)
    return d, [group.gr_gid], receiver, got


def unharmed(d, before, n_fds, receiver, got):
    got += wait_datagrams(receiver, 100, HELD_S)
    assert_continuous(got, at_least=150)
    assert snapshot(d) == before
    wait_for(PATIENCE_S, lambda: descriptors(d) == n_fds, f"{n_fds} descriptors as before")
    for words in ("another process takes over", "continues"):
        assert words not in d.log(), "it had stopped"
    assert d.started == 1 and not d.said("FDSTORE"), d.messages


@case("a member sends every request in every form: no descriptor, no pause, no change")
def member(b):
    d, gid, receiver, got = attacked(b)
    before, n_fds = snapshot(d), descriptors(d)
    for attack in (asks_alone, asks_in_pieces, asks_behind_others, goes_early, confirms,
                   sends_descriptors, many_at_once):
        as_user(MEMBER, gid, lambda a=attack: a(d.socket))
        got += receiver.receive()
    unharmed(d, before, n_fds, receiver, got)


@case("a member that holds the connection open stops no stream")
def holds(b):
    d, gid, receiver, got = attacked(b)
    before, n_fds = snapshot(d), descriptors(d)
    for octets in (b"upgrade hand-over\n", b"upgrade store\n", b"upgrade\n", b"upgrade"):
        mine, theirs = socket.socketpair()

        def hold(octets=octets, theirs=theirs):
            c = Client(d.socket)
            c.send(octets)
            theirs.send(b"x")
            theirs.recv(1)
            c.close()
        pid = os.fork()
        if pid == 0:
            mine.close()
            with contextlib.suppress(BaseException):
                as_user(MEMBER, gid, hold)
            os._exit(0)
        theirs.close()
        mine.settimeout(PATIENCE_S)
        assert mine.recv(1) == b"x"
        got += wait_datagrams(receiver, 100, HELD_S)
        mine.close()
        os.waitpid(pid, 0)
    unharmed(d, before, n_fds, receiver, got)


def passed_on(uid, groups, path):
    """A connection that another user made and passed to us."""
    mine, theirs = socket.socketpair()

    def give():
        c = Client(path)
        socket.send_fds(theirs, [b"x"], [c.sock.fileno()])
    as_user(uid, groups, give)
    _, fds, _, _ = socket.recv_fds(mine, 1, 1)
    mine.close()
    theirs.close()
    return fds[0]


@case("a connection that is passed on has the rights of the user that made it")
def inherited(b):
    d, gid, receiver, got = attacked(b)
    before, n_fds = snapshot(d), descriptors(d)

    def says(fd):
        c = Client.__new__(Client)
        c.sock, c.octets = socket.socket(fileno=fd), b""
        c.sock.settimeout(PATIENCE_S)
        c.send(b"log debug\n")
        reply = c.line()
        c.close()
        return reply
    # as from a program of root whose standard error a member has chosen
    assert says(passed_on(MEMBER, gid, d.socket))["error"].startswith(f"uid {MEMBER} is not allowed to")
    # root passes a connection on deliberately
    fd = passed_on(0, [], d.socket)
    assert as_user(MEMBER, gid, lambda: says(fd)) == {"level": "debug"}
    os.close(fd)
    assert ask(d.socket, "log default")["level"] == before[1]
    unharmed(d, before, n_fds, receiver, got)


@case("root cannot take the sockets over the connection either")
def root_asks(b):
    d, _, receiver, got = attacked(b)
    before, n_fds = snapshot(d), descriptors(d)
    for octets in ASKS[:3]:
        c = Client(d.socket)
        c.send(octets + b"\n+")
        assert "upgrade takes no argument" in c.line()["error"]
        c.close()
    unharmed(d, before, n_fds, receiver, got)


def connected(uid, groups, path):
    """A client whose connection that user made."""
    c = Client.__new__(Client)
    c.sock, c.octets = socket.socket(fileno=passed_on(uid, groups, path)), b""
    c.sock.settimeout(PATIENCE_S)
    return c


class Members:
    """Clients of several users, all in the group of the control socket."""

    def __init__(self, b):
        group = a_group()
        self.gid = [group.gr_gid]
        self.d = b.run(b.topology(), f"control-group {group.gr_name}\nuser nobody\n" + PLAIN)

    def connect(self, uid):
        return connected(uid, self.gid, self.d.socket)

    def ask(self, uid, request="monitor"):
        c = self.connect(uid)
        c.send(request.encode() + b"\n")
        reply = c.line()
        c.error = reply.get("error") if reply else "no answer"
        return c

    def follow(self, uid):
        c = self.ask(uid)
        assert not c.error, c.error
        return c


def has_ended(c):
    return c.line() is None


@case("one member cannot hold all streams: root gets one, and so does another member")
def streams(b):
    m = Members(b)
    greedy = [m.follow(MEMBER) for _ in range(4)]
    fifth = m.ask(MEMBER)
    assert f"uid {MEMBER} has 4 streams already" in fifth.error, fifth.error
    others = [m.follow(OTHER_MEMBER) for _ in range(2)]
    # the greedy member loses a place: its oldest stream ends first
    others.append(m.follow(OTHER_MEMBER))
    assert has_ended(greedy[0])
    late = m.ask(OTHER_MEMBER)
    assert "6 streams already, and other places are kept for root" in late.error, late.error
    third = m.follow(THIRD_MEMBER)
    assert has_ended(greedy[1])
    # a request that fails ends no other stream, even from root
    roots = [m.follow(0), m.follow(0)]
    assert "unknown word" in m.ask(0, "capture nonsense").error
    assert "is not understood" in m.ask(0, "monitor nonsense").error
    # root can get all streams
    roots += [m.follow(0) for _ in range(6)]
    for c in greedy[2:] + others + [third]:
        assert has_ended(c)
    assert "8 streams already" in m.ask(0).error
    assert "8 streams already" in m.ask(MEMBER).error
    roots.pop().close()
    wait_for(PATIENCE_S, lambda: not m.ask(0).error, "there is a place again")
    for c in roots:
        c.send(b"ignored\n")
        c.sock.shutdown(socket.SHUT_WR)
        assert has_ended(c)


@case("connections of a member never take a place reserved for root")
def connections(b):
    m = Members(b)
    roots = m.connect(0)     # sends nothing for a while
    roots.send(b"version\n")
    assert roots.line()["name"] == "ringcastd"
    many = [m.connect(MEMBER) for _ in range(40)]
    many[-1].send(b"version\n")
    assert many[-1].line()["name"] == "ringcastd"   # so the daemon has accepted all earlier ones
    other = m.ask(OTHER_MEMBER, "version")
    assert not other.error
    assert has_ended(many[0])
    for c in (roots, other):
        c.send(b"version\n")
        reply = c.line()
        assert reply and reply["name"] == "ringcastd", "it was dropped"


THIEF = """
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
s.listen()
answer = ('{"ok":true,"managed":false,"pid":%d,"uid":0,"gid":0,"name":"ringcastd","argv":'
          '["/bin/sh","-c","touch /run/taken"],"directory":"/","config":"/dev/null",'
          '"binary":"/bin/sh","fds":["state"],"version":"9"}\\n')
pid = 0
print("ready", flush=True)
while True:
    c, _ = s.accept()
    line = c.makefile().readline()
    print(line.strip() or "nothing", flush=True)
    pid = 77 if "same" in sys.argv else pid + 1
    try:
        c.sendall((answer % pid).encode())
    except OSError:
        pass
    c.close()
"""


@case("root's ringcastctl trusts no socket in a directory of others, and starts no program")
def thief(b):
    need_users()
    for mode, owner, group, believed in (
            (0o1777, 0, 0, False), (0o777, MEMBER, 0, False), (0o775, MEMBER, MEMBER, False),
            (0o775, MEMBER, 0, True), (0o755, MEMBER, MEMBER, True)):
        place = f"/run/place-{mode:o}-{owner}-{group}"
        os.mkdir(place)
        os.chown(place, owner, group)
        os.chmod(place, mode)
        path = place + "/ctl.sock"
        p = b.own(Process(["setpriv", f"--reuid={MEMBER}", f"--regid={MEMBER}",
                           "--clear-groups", "python3", "-c", THIEF, path]))
        assert p.line() == "ready"
        for words in (["upgrade"], ["reload"], ["log", "debug"], ["health"], ["version"]):
            r = subprocess.run([ringcast.binary("ringcastctl"), "-s", path, *words],
                               capture_output=True, text=True, timeout=60)
            assert "python" not in r.stderr, r   # the program that answers
            if not believed:
                assert r.returncode == 1, r
                assert "belongs neither to root nor to the owner" in r.stderr, r
            else:
                assert p.line() == " ".join(words), "another request"
                if words == ["upgrade"]:
                    assert p.line() == "version"
        if not believed:
            p.all_heard(path)
        assert not os.path.exists("/run/taken")


class Answerer:
    """A program of that user that answers every request at the path."""

    def __init__(self, b, path, uid=0, *how):
        self.p = b.own(Process(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups",
                                "python3", "-c", THIEF, path, *how]))
        assert self.p.line() == "ready"


def reload(path):
    return subprocess.run([ringcast.binary("ringcastctl"), "-s", path, "reload"],
                          capture_output=True, text=True, timeout=60)


def make(path, mode=0o755, owner=0):
    os.mkdir(path)
    os.chown(path, owner, owner)
    os.chmod(path, mode)
    return path


@case("root's ringcastctl sends nothing where another user can change the way to the socket")
def way(b):
    need_users()
    place = make("/run/way")
    theirs = make(place + "/theirs", owner=MEMBER)
    for folder in (place, theirs, make(theirs + "/ours"), make(place + "/open", 0o777),
                   make(place + "/group", 0o775), make(place + "/tmp", 0o1777),
                   make(place + "/tmp/ours")):
        Answerer(b, folder + "/sock")
    os.symlink(place, place + "/tmp/link")
    os.symlink("../sock", place + "/tmp/relative")
    os.symlink("loop", place + "/loop")
    as_user(MEMBER, [], lambda: os.symlink(place, place + "/tmp/trap"))
    as_user(MEMBER, [], lambda: os.symlink(place + "/sock", place + "/tmp/trap.sock"))
    os.symlink(place + "/tmp/trap", place + "/deep")
    for path in ("sock", "group/sock", "tmp/sock", "tmp/ours/sock", "tmp/link/sock",
                 "tmp/relative", "tmp/../sock", "./sock", "/sock"):
        assert reload(f"{place}/{path}").returncode != 1, path
    for path in ("theirs/sock", "theirs/ours/sock", "open/sock", "tmp/trap/sock",
                 "tmp/trap.sock", "deep/sock"):
        r = reload(f"{place}/{path}")
        # with fs.protected_symlinks the kernel itself refuses the last link of a path in /tmp
        words = ["change the path to it"] + ["Permission denied"] * (path == "tmp/trap.sock")
        assert r.returncode == 1 and any(w in r.stderr for w in words), (path, r)
    assert reload(place + "/loop").returncode == 1
    os.chdir(place)
    try:
        assert reload("sock").returncode != 1
        assert "change the path to it" in reload("theirs/sock").stderr
    finally:
        os.chdir("/")


@case("an upgrade counts only when another process answers as a ringcastd")
def no_upgrade(b):
    path = make("/run/no-upgrade") + "/sock"
    Answerer(b, path, 0, "same")
    r = subprocess.run([ringcast.binary("ringcastctl"), "-s", path, "upgrade"],
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 4 and not r.stdout, r
    assert "has handed over, but no new one answers" in r.stderr, r


class Process:
    def __init__(self, command):
        self.p = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def line(self):
        return self.p.stdout.readline().strip()

    def all_heard(self, path):
        """Check that so far every connection was closed without a request."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            s.sendall(b"the end\n")
            while (line := self.line()) != "the end":
                assert line == "nothing", line

    def close(self):
        self.p.kill()
        self.p.wait()
        self.p.stdout.close()


if __name__ == "__main__":
    main()
