# SPDX-License-Identifier: GPL-2.0-or-later
"""The demonstration of tools/demo: a provider with three television channels, a router with
ringcastd and an ordinary igmpproxy.conf, two LANs with an ordinary kernel receiver.

Loss is found by comparing contents. A tap at the provider keeps a digest of every datagram that it
sends, a receiver of every datagram that it gets. Between the first and the last datagram that a
receiver got of a channel, none may be missing or altered.
"""

import argparse
import hashlib
import os
import select
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                                "tests", "lib"))

import lab  # noqa: E402
import ringcast  # noqa: E402
import wire  # noqa: E402

CONF = os.path.join(lab.ROOT, "doc", "examples", "igmpproxy.conf")
PORT = 5000
NEWS, FILM, SPORT = "239.10.0.1", "232.10.0.2", "239.10.0.3"
CHANNELS = {NEWS: "news", FILM: "film", SPORT: "sport"}
WEB_PORT = 8080


def say(text=""):
    print(text, flush=True)


def chapter(text):
    say(f"\n=== {text}")


def transmitter(provider, group, seconds):
    """Start a process that sends one channel; returns it and its description."""
    if shutil.which("ffmpeg"):
        pictures = ["testsrc2", "smptebars", "testsrc"][list(CHANNELS).index(group)]
        target = (f"udp://{group}:{PORT}?pkt_size=1316&ttl=8"
                  f"&localaddr={lab.Topology.SOURCE}")
        cmd = ["ffmpeg", "-nostdin", "-loglevel", "error", "-re",
               "-f", "lavfi", "-i", f"{pictures}=size=720x576:rate=25",
               "-f", "lavfi", "-i", "sine=frequency=440",
               "-c:v", "mpeg2video", "-b:v", "2500k", "-g", "12", "-c:a", "mp2",
               "-f", "mpegts", "-t", str(seconds), target]
        what = "MPEG-TS, made by ffmpeg"
    else:
        cmd = [ringcast.binary("ringcast-gen"), "-m", group, "-p", str(PORT), "-t", "8",
               "--interface", "p0", "--source", lab.Topology.SOURCE, "--rate", "300",
               "--size", "1316", "--seconds", str(seconds)]
        what = "numbered datagrams of ringcast-gen (ffmpeg is not installed)"
    process = provider.popen(*cmd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return process, what


class Programme:
    """The datagrams that one receiver got of one channel."""

    def __init__(self, who, receiver):
        self.who, self.receiver = who, receiver
        self.joined, self.first_ms = time.monotonic(), None
        self.got = []

    def pump(self):
        for payload, _ in self.receiver.receive():
            if self.first_ms is None:
                self.first_ms = (time.monotonic() - self.joined) * 1000
            self.got.append(digest(payload))

    def compare(self, sent):
        """Returns (sent, received, lost, altered) while the receiver was a member."""
        at, start, altered = -1, None, 0
        for d in self.got:
            try:
                at = sent.index(d, at + 1)
            except ValueError:
                altered += 1
                continue
            start = at if start is None else start
        if start is None:
            return 0, len(self.got), 0, altered
        window = at - start + 1
        return window, len(self.got), window - (len(self.got) - altered), altered


def digest(payload):
    return hashlib.blake2b(payload, digest_size=8).digest()


class Relay(threading.Thread):
    """Carries connections from a port of this machine to the page in the router's namespace,
    which nobody outside could reach. The socket is made before the namespaces are."""

    KEY = "RINGCAST_DEMO_PAGE"  # in the environment: the descriptor of that socket

    @classmethod
    def prepare(cls):
        """Listen, and let the process that replaces this one inherit the socket."""
        if cls.KEY in os.environ:
            return
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", WEB_PORT))
        except OSError:
            s.bind(("127.0.0.1", 0))
        s.listen()
        s.set_inheritable(True)
        os.environ[cls.KEY] = str(s.detach())

    def __init__(self, router):
        super().__init__(daemon=True)
        self.router = router
        self.sock = socket.socket(fileno=int(os.environ[self.KEY]))
        self.url = f"http://127.0.0.1:{self.sock.getsockname()[1]}/"
        self.start()

    def run(self):
        while True:
            a, _ = self.sock.accept()
            b = self.router.socket()
            b.connect(("127.0.0.1", WEB_PORT))
            for x, y in ((a, b), (b, a)):
                threading.Thread(target=self.carry, args=(x, y), daemon=True).start()

    @staticmethod
    def carry(x, y):
        try:
            while data := x.recv(65536):
                y.sendall(data)
            y.shutdown(socket.SHUT_WR)
        except OSError:
            for s in (x, y):
                s.close()


class Demo:
    def __init__(self, seconds, page=False):
        self.seconds, self.page = seconds, page
        self.topology = lab.Topology()
        self.provider, self.router = self.topology.provider, self.topology.router
        self.tap = wire.Tap(self.provider, "p0", outgoing=True)
        self.sent = {group: [] for group in CHANNELS}
        self.programmes = []
        self.faults = []
        self.daemon = None

    def pump(self, seconds):
        """Let the streams run for some seconds, and receive."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            live = [p.receiver.sock for p in self.programmes if p.receiver.sock.fileno() >= 0]
            select.select([self.tap.sock, *live], [], [], 0.02)
            self.drain()

    def drain(self):
        for d in self.tap.udp():
            if d.group in self.sent:
                self.sent[d.group].append(digest(d.payload))
        for p in self.programmes:
            if p.receiver.sock.fileno() >= 0:
                p.pump()

    def join(self, host, group, source=None):
        version = 3 if source else 2
        ns = self.topology.hosts[host]
        ns.sysctl("net.ipv4.conf.eth0.force_igmp_version", version)
        say(f"{host}: joins {CHANNELS[group]}, {group}"
            + (f" from {source}" if source else "") + f", by IGMPv{version}")
        programme = Programme(host, lab.Receiver(ns, group, PORT, source=source))
        self.programmes.append(programme)
        return programme

    def leave(self, programme):
        programme.pump()
        programme.receiver.close()

    def table(self, what):
        say(f"\n$ ringcastctl show {what}")
        say(self.daemon.table(what).rstrip())

    def check(self, fine, fault):
        if not fine:
            self.faults.append(fault)

    def start(self):
        chapter("a router with ringcastd between a provider and two LANs")
        with open(CONF, encoding="utf-8") as f:
            text = f.read()
        say(f"configuration {os.path.relpath(CONF, lab.ROOT)}:")
        say("".join("    " + line + "\n" for line in text.splitlines()
                    if line.strip() and not line.startswith("#")).rstrip())
        if self.page:
            text = (f"web-listen :{WEB_PORT}\nchannel-names channels.csv\nhost-names hosts\n"
                    + text)
        self.daemon = ringcast.Daemon(self.router, text, start=False)
        with open(os.path.join(self.daemon.dir, "channels.csv"), "w", encoding="utf-8") as f:
            f.writelines(f"{g},{name.capitalize()} HD\n" for g, name in CHANNELS.items())
        with open(os.path.join(self.daemon.dir, "hosts"), "w", encoding="utf-8") as f:
            f.write("10.0.1.2 living-room\n10.0.2.2 kitchen\n")
        self.daemon.start()
        for line in self.daemon.log().splitlines():
            if "transmit" in line:
                say(line)

    def play(self):
        chapter("three channels on the air, two receivers tune in")
        air = self.seconds + 2
        on_air = [transmitter(self.provider, g, air) for g in CHANNELS]
        say(f"provider: sends {on_air[0][1]}")
        lab.wait_for(20, lambda: self.drain() or all(self.sent.values()), "channels are sent")
        first = self.join("lan1", NEWS)
        self.join("lan2", FILM, lab.Topology.SOURCE)
        self.pump(self.seconds / 2)
        self.table("groups")
        self.table("mfc")
        chapter("lan1 zaps")
        self.leave(first)
        self.join("lan1", SPORT)
        self.pump(self.seconds / 2)
        for what in ("mfc", "upstream", "interfaces"):
            self.table(what)
        self.kernel()
        # datagrams are in flight: receive until nothing new comes from the provider
        for process, _ in on_air:
            process.terminate()
        self.pump(0.3)
        for process, _ in on_air:
            process.wait(10)

    def stay(self):
        """Television for the page, until Ctrl-C: lan1 zaps, lan2 watches one channel."""
        on_air = [transmitter(self.provider, g, 86400)[0] for g in CHANNELS]
        relay = Relay(self.router)
        chapter(f"the page: {relay.url} (Ctrl-C ends the demonstration)")
        self.join("lan2", FILM, lab.Topology.SOURCE)
        here, channels, at = None, [NEWS, SPORT], time.monotonic()
        try:
            while True:
                if time.monotonic() >= at:
                    if here:
                        self.leave(here)
                        self.programmes.remove(here)
                    here = self.join("lan1", channels[0])
                    channels.reverse()
                    at = time.monotonic() + 20
                self.pump(1)
                for p in self.programmes:
                    p.got.clear()
                for sent in self.sent.values():
                    sent.clear()
        except KeyboardInterrupt:
            say()
        for process in on_air:
            process.terminate()
        return self.daemon.stop()

    def kernel(self):
        chapter("the kernel has no multicast routing socket: only the header line here")
        for name in ("ip_mr_vif", "ip_mr_cache"):
            text = self.router.read("/proc/net/" + name)
            say(f"$ cat /proc/net/{name}\n{text.rstrip()}")
            self.check(len(text.splitlines()) == 1, f"the kernel routes: /proc/net/{name}")

    def summary(self):
        status = self.daemon.stop()
        self.check(status == 0, f"ringcastd ended with {status}")
        chapter("summary")
        say("datagrams sent by the provider: "
            + ", ".join(f"{CHANNELS[g]} {len(s)}" for g, s in self.sent.items()))
        say(f"{'receiver':9} {'channel':6} {'group':11} {'first after':>11} "
            f"{'sent':>6} {'received':>8} {'lost':>5} {'altered':>7}")
        for p in self.programmes:
            group = p.receiver.group
            sent, received, lost, altered = p.compare(self.sent[group])
            first = f"{p.first_ms:.1f} ms" if p.first_ms is not None else "never"
            say(f"{p.who:9} {CHANNELS[group]:6} {group:11} {first:>11} "
                f"{sent:6} {received:8} {lost:5} {altered:7}")
            what = f"{p.who} {CHANNELS[group]}"
            self.check(received > 0, f"{what}: nothing received")
            self.check(not lost and not altered, f"{what}: {lost} lost, {altered} altered")
        say("(sent: between the first and the last datagram that the receiver got)")
        for fault in self.faults:
            say("FAULT: " + fault)
        say("it works" if not self.faults else "it does not work")
        return 1 if self.faults else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--page", action="store_true")
    args = parser.parse_args()
    if args.page:
        Relay.prepare()
    try:
        lab.enter()
    except lab.LabError as e:
        say(f"cannot make network namespaces: {e}")
        return 1
    demo = Demo(max(args.seconds, 4), args.page)
    try:
        demo.start()
        if args.page:
            return demo.stay()
        demo.play()
        return demo.summary()
    except (AssertionError, OSError, subprocess.SubprocessError) as e:
        say(f"\nFAULT: {e}")
        if demo.daemon:
            say("--- log of ringcastd\n" + demo.daemon.log())
        return 1


if __name__ == "__main__":
    sys.exit(main())
