#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""channel-names: every table has names next to groups, and SIGHUP reloads them."""

import os
import signal

from libnetns import GROUP, PLAIN, Daemon, case, main, wait_for

NAMES = f"""#EXTM3U
#EXTINF:-1 tvg-id="a,b",Télé \x1b[2J5
udp://@{GROUP}:5000
#EXTINF:-1,Another
rtp://@{GROUP}:5000
#EXTINF:-1,<b>Web</b>
rtp://@239.1.2.4:5000
"""


def begin(b, names):
    """Start a daemon that has the file, with a stream and a member."""
    t = b.topology(lans=1)
    d = b.daemon = b.own(Daemon(t.router, "channel-names tv.m3u\n" + PLAIN, start=False))
    path = os.path.join(d.dir, "tv.m3u")
    if names is not None:
        with open(path, "w", encoding="utf-8") as f:
            f.write(names)
    d.start()
    b.receiver(t.hosts["lan1"])
    b.stream(t)
    d.wait_member("lan1", GROUP)
    return t, d, path


def channel(d, what="mfc", group=GROUP):
    return next(e["channel"] for e in d.show(what)[what] if e["group"] == group)


def reload(d, path, text):
    """Replace the file, then SIGHUP; returns when the daemon has reloaded."""
    before = d.log().count("reloaded")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    d.process.send_signal(signal.SIGHUP)
    wait_for(10, lambda: d.log().count("reloaded") > before, "the daemon reloads")


@case("channel-names: the first name is in tables, explain, watch and metrics; SIGHUP reads "
      "the file again")
def names(b):
    _, d, path = begin(b, NAMES)
    d.wait_log(f'tv.m3u:5: {GROUP} is called "Another" here and "Télé [2J5" at line 3')
    d.wait_log("names of 2 channels (M3U)")
    for what in ("mfc", "groups"):
        assert channel(d, what) == "Télé [2J5", what
    for table in ("mfc", "groups"):
        text = d.table(table)
        assert "Channel" in text and "Télé [2J5" in text, text
    said = d.ctl_run("explain", GROUP).stdout
    assert said.startswith(f"{GROUP} (Télé [2J5): "), said
    assert d.ctl_run("explain", "239.1.2.4").stdout.startswith("239.1.2.4 (<b>Web</b>): ")
    for words in (["<b>web</b>"], ["web"], ["Web", "--on", "lan1"]):
        r = d.ctl_run("explain", *words)
        assert r.stdout.startswith("239.1.2.4 (<b>Web</b>): "), r
    assert "'nowhere' is not an address, nor the name of a channel" in d.ctl_run(
        "explain", "nowhere").stderr
    assert "nor the name" not in d.ctl_run("explain", GROUP, "10.0.0.1", "extra").stderr
    page = d.ctl_run("watch", "--once", "--filter", "télé").stdout
    assert "T?l? [2J5" in page and GROUP in page, page
    metrics = d.ctl_run("metrics").stdout
    assert f'group="{GROUP}",source="*",channel="Télé [2J5"' in metrics
    reload(d, path, f"{GROUP},Renamed\n239.1.2.5,Unnamed\n")
    assert channel(d) == "Renamed"
    assert "several channels, such as Renamed and Unnamed" in d.ctl_run("explain", "named").stderr


@case("channel-names: a file that is missing or wrong is logged and changes nothing else")
def wrong_files(b):
    _, d, path = begin(b, None)
    d.wait_log("channel-names tv.m3u: cannot read it: No such file or directory; correct the "
               "path, then reload")
    assert channel(d) is None and "Channel" not in d.table("mfc")
    reload(d, path, NAMES)
    assert channel(d) == "Télé [2J5"
    reload(d, path, "<playlist><trackList>")
    d.wait_log("tv.m3u:1: the file ends before </playlist>")
    assert channel(d) == "Télé [2J5", "the names of the last good file stay"
    os.unlink(path)
    os.mkfifo(path)
    d.process.send_signal(signal.SIGHUP)
    d.wait_log("cannot read it: Invalid argument; name a plain file")
    assert channel(d) == "Télé [2J5"
    d.write(PLAIN)
    assert d.ctl_run("reload").returncode == 0
    assert channel(d) is None


if __name__ == "__main__":
    main()
