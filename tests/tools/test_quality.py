#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ringcast-replay --quality against a list of faults and a second analyser.

usage: test_quality.py REPLAY [--table]

A generator (tests/lib/stream_faults.py) makes streams with faults and knows what each must be
counted as; tests/lib/stream_reference.py analyses the same datagrams in another way. Every
counter of the program must be that of both. With --table it prints a Markdown table instead.
"""

import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import stream_faults as make  # noqa: E402
from stream_faults import Form, Television  # noqa: E402
from stream_reference import Stream  # noqa: E402

REPLAY = []
_cases = []


def case(name):
    def register(function):
        _cases.append((name, function))
        return function
    return register


def run(*arguments):
    r = subprocess.run([*REPLAY, "--quality", *arguments], capture_output=True, text=True,
                       check=False, timeout=100)
    assert r.returncode == 0, r.stderr
    return r.stdout


def measure(octets, people=False):
    """Returns the report about a capture, a dictionary of what was found in each stream, by its
    port, and the text for people if it is wanted."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.pcap")
        with open(path, "wb") as f:
            f.write(octets)
        report = json.loads(run("--json", path))
        text = run(path) if people else ""
    assert all(len(line) <= 80 for line in text.splitlines()), text
    return report, {s["port"]: s for s in report["streams"]}, text


def near(a, b, what):
    """Milliseconds of the program against nanoseconds: binary fractions of the same value"""
    if b is None or b < 0:
        assert a is None, (what, a, b)
    else:
        assert a is not None and abs(a * 1e6 - b) <= 1, (what, a, b)


def same_as_reference(found, datagrams):
    ref = Stream(datagrams)
    wrong = {name: (n, ref.count[name]) for name, n in found["counters"].items()
             if n != ref.count[name]}
    assert not wrong, f"counter: (program, reference): {wrong}"
    assert not set(ref.count) - set(found["counters"]), ref.count
    assert found["kind"] == ref.kind, (found["kind"], ref.kind)
    if not ref.count["kind_changes"]:
        assert {p["pid"]: p["continuity"] for p in found["pids"]} == +ref.pids, found["pids"]
    rtp, ts = (word in ref.kind for word in ("RTP", "TS"))
    near(found["gap_max_ms"], ref.gap_max, "gap")
    near(found["usual_spacing_ms"], ref.usual or None, "usual")
    near(found["delay_factor_ms"], ref.df, "DF")
    near(found["delay_factor_max_ms"], ref.df_max, "highest DF")
    near(found["pat_gap_max_ms"], ref.longest["pat"] if ts else None, "PAT gap")
    near(found["pmt_gap_max_ms"], ref.longest["pmt"] if ts else None, "PMT gap")
    if "pat" in ref.first:
        near(found["first_pat_ms"], ref.first["pat"] - ref.start, "first PAT")
    assert found["media_loss_rate_max"] == ref.mlr_max
    for name, value in (("jitter_ms", ref.was_rtp.jitter), ("jitter_max_ms",
                        ref.was_rtp.jitter_max)) if rtp and ref.was_rtp.rate else ():
        near(found[name], value // 16 * make.SECOND // ref.was_rtp.rate, name)
    return ref


def same_as_list(found, expected, without=()):
    wrong = {name: (n, expected[name]) for name, n in found["counters"].items()
             if n != expected[name] and name not in without}
    assert not wrong, f"counter: (program, list): {wrong}"
    assert set(expected) <= set(found["counters"]), expected


def full(datagrams):
    return [(at, d, len(d)) for at, d in datagrams]


def check(tv):
    """Plain, and joined to super-frames"""
    datagrams, expected = tv.finish()
    family = tv.form.family
    _, found, _ = measure(make.capture([(at, make.frame(d, family)) for at, d in datagrams]))
    same_as_list(found[5000], expected)
    ref = same_as_reference(found[5000], full(datagrams))
    cut, joined = make.super_frames(datagrams, 8, tv.form)
    _, super_found, _ = measure(make.capture(
        [(at, make.frame(d, family)) for at, d in joined]))
    assert super_found[5000]["super_frames"] > len(joined) // 2, super_found
    same_as_list(super_found[5000], expected, ("error_seconds", "seconds", "silent_gaps"))
    same_as_reference(super_found[5000], full(cut))
    return expected, found[5000]["counters"], ref.count


# ---- the list of faults ----

FORMS = {
    "RTP": Form(),
    "RTP over IPv6": Form(family=6),
    "UDP": Form(rtp=False),
    "UDP over IPv6": Form(rtp=False, family=6),
    "UDP, 204 bytes": Form(rtp=False, size=204),
    "RTP, 204 bytes, IPv6": Form(size=204, family=6),
    "RTP with padding": Form(padding=12),
    "RTP with extension": Form(extension=3),
    "RTP with 15 CSRCs": Form(csrcs=15),
    "RTP with all three, IPv6": Form(padding=4, extension=1, csrcs=2, family=6),
}


def network(tv):
    """Faults that a network makes"""
    tv.pause()
    tv.lose()
    tv.lose(2)
    tv.lose(9)
    if tv.form.rtp:
        tv.repeat()
        tv.reorder(1)
        tv.reorder(40)
    tv.pause(55_000_000)


def sender(tv):
    """Faults that a sender makes, and what only looks like one"""
    tv.no_pat()
    tv.copy()
    tv.copy(2)
    tv.without_payload()
    tv.jump(5)
    tv.jump(15)
    tv.jump(3, signalled=True)
    tv.transport_error()
    tv.sync_byte()
    tv.sync_byte(3)
    tv.scramble()
    if tv.form.rtp:
        tv.restart()
        tv.change_ssrc()


def outage(tv):
    tv.outage()
    tv.lose()


def splice(tv):
    tv.splice()
    tv.splice(signalled=False)


def clean(tv):
    pass


FAULTS = [network, sender, outage, splice, clean]


def listed(form, faults):
    n = 1600 if faults is sender else 1300
    tv = Television(FORMS[form], n, seed=FAULTS.index(faults) + 10 * len(form))
    faults(tv)
    return check(tv)


for _number, _form in enumerate(FORMS):
    # the first four have all faults, the others those that touch their form
    for _faults in FAULTS if _number < 4 else FAULTS[:2]:
        @case(f"{_form}: {_faults.__name__}")
        def _listed(form=_form, faults=_faults):
            listed(form, faults)


# ---- what is not television, or is not all there ----

def rtp(seq, kind=96, ssrc=7, stamp=0, payload=bytes(100), first=0x80):
    return make.struct.pack("!BBHII", first, kind, seq % 65536, stamp, ssrc) + payload


def check_only(datagrams, port=5000, snaplen=65535):
    """Compares with the reference alone, and returns what was found in the one stream."""
    octets = make.capture([(at, make.frame(d, port=port)) for at, d in datagrams], snaplen)
    _, found, text = measure(octets, True)
    head = 14 + 20 + 8
    same_as_reference(found[port], [(at, d[:max(snaplen - head, 0)], len(d))
                                    for at, d in datagrams])
    return found[port], text


def spaced(payloads, spacing=make.SPACING):
    return [(make.START + i * spacing, p) for i, p in enumerate(payloads)]


@case("other RTP: lost, late, doubled, restarted, RTCP between, another SSRC")
def other_rtp():
    numbers = [65530, 65531, 65532, 65534, 65533, 65535, 0, 0, 3, 4, 20000, 20001, 20002, 19999]
    payloads = [rtp(n) for n in numbers]
    payloads.insert(5, bytes([0x80, 200]) + bytes(30))
    payloads += [rtp(5, ssrc=8), rtp(20003), rtp(6, ssrc=8), rtp(7, ssrc=8), b"junk" * 9]
    found, _ = check_only(spaced(payloads))
    assert found["kind"] == "RTP" and found["rtp_lost"] == 2 and found["jitter_ms"] is None
    same_as_list(found, make.Counter(
        rtp_missing=3, rtp_reordered=1, rtp_duplicated=1, rtp_restarts=1, rtp_skipped=4,
        rtp_ssrc_changes=1, rtp_control=1, misfits=1),
        ("datagrams", "bytes", "media_bytes"))


@case("jitter of G.711, whose clock rate is known")
def jitter():
    rng = random.Random(3)
    payloads = [rtp(i, 8, stamp=160 * i, payload=bytes(160)) for i in range(400)]
    datagrams = [(at + rng.randrange(3_000_000), p) for at, p in spaced(payloads, 20_000_000)]
    found, _ = check_only(datagrams)
    assert 0.5 < found["jitter_ms"] < 1.5 and found["counters"]["rtp_missing"] == 0


@case("FEC of SMPTE 2022-1 on another port is named and is not a fault")
def fec():
    def packet(n, row):
        header = make.struct.pack("!HHB3sIBBBB", n, 0, 0x80 | 33, bytes(3), 0,
                                  0 if row else 0x40, *((1, 5) if row else (5, 10)), 0)
        return rtp(n * 3, payload=header + bytes(1328))   # its numbers have gaps
    media, expected = Television(Form(), n=700).finish()
    frames = [(at, make.frame(d)) for at, d in media]
    for i, (at, _) in enumerate(media):
        if i % 5 == 0:
            # packets in order show that the stream is RTP; later ones may do anything
            n = i // 5 if i > 10 else 0
            p = packet(n, False) if i else packet(0, False)
            p = p[:2] + make.struct.pack("!H", i // 5 if i <= 10 else 3 * i) + p[4:]
            frames.append((at, make.frame(p, port=5002)))
    frames.sort(key=lambda f: f[0])
    _, found, text = measure(make.capture(frames), True)
    same_as_list(found[5000], expected)
    assert found[5002]["kind"] == "2022-1 FEC" and "2022-1 FEC" in text
    same_as_list(found[5002], make.Counter(), ("datagrams", "bytes", "media_bytes", "seconds"))


@case("of unknown data only arrival is judged, though a quarter of it looks like RTP")
def unknown():
    rng = random.Random(5)
    found, _ = check_only(spaced([rng.randbytes(400) for _ in range(1000)]))
    assert found["kind"] == "unknown"
    same_as_list(found, make.Counter(datagrams=1000, bytes=400000, media_bytes=400000,
                                     seconds=4))


@case("captured with 96 bytes of each frame: RTP is judged, and the output says what is not")
def snaplen():
    tv = Television(Form(), n=700)
    tv.lose()
    tv.repeat()
    datagrams, expected = tv.finish()
    found, text = check_only(datagrams, snaplen=96)
    assert found["unjudged"] == ["continuity", "sync", "pat", "pmt", "pcr"]
    assert "cannot be judged" in text
    for name, n in found["counters"].items():
        if name.startswith("ts_"):
            assert n == 0, name
        elif name != "truncated":
            assert n == expected[name], name
    assert found["counters"]["truncated"] == expected["datagrams"]
    plain, _ = Television(Form(rtp=False), n=300).finish()
    found, _ = check_only(plain, snaplen=60)
    assert found["kind"] == "MPEG-TS" and not found["counters"]["misfits"]
    found, _ = check_only(plain, snaplen=42)   # headers alone
    assert found["kind"] == "unknown"


@case("a stream that changes its kind is recognised again after 16 datagrams")
def changes():
    a, _ = Television(Form(), n=200).finish()
    b, _ = Television(Form(rtp=False), n=200).finish()
    found, _ = check_only(a + [(at + make.SECOND, d) for at, d in b])
    assert found["kind"] == "MPEG-TS"
    assert (found["counters"]["kind_changes"], found["counters"]["misfits"]) == (1, 16)


@case("a pause every second becomes usual; more than 96 PIDs are counted as such")
def bounds():
    at, datagrams = make.START, []
    for i in range(4000):
        at += 60_000_000 if i > 1000 and i % 100 == 99 else 5_000_000
        datagrams.append((at, bytes([i % 251]) * 100))
    found, _ = check_only(datagrams)
    assert 0 < found["counters"]["silent_gaps"] < 25, found
    packets = [make.Packet(pid, 0, pid).octets() for pid in range(32, 32 + 140)]
    found, text = check_only(spaced([b"".join(packets[i:i + 7]) for i in range(0, 140, 7)]))
    assert found["counters"]["ts_unwatched"] == 45 and "beyond those watched" in text


@case("a clock that is set back, or forward by a year")
def clock():
    tv, _ = Television(Form(), n=400).finish()
    datagrams = [(at - 10 ** 9 if i >= 200 else at, d) for i, (at, d) in enumerate(tv)]
    found, _ = check_only(datagrams)
    assert found["counters"]["time_steps"] == 199
    year = 365 * 86400 * make.SECOND
    found, _ = check_only([(at + year if i >= 200 else at, d) for i, (at, d) in enumerate(tv)])
    assert found["counters"]["outages"] == 1 and found["counters"]["error_seconds"] > 31_000_000


@case("fragments, unicast and link-local groups are not streams")
def not_streams():
    payload = bytes(100)
    whole = make.frame(payload)
    fragment = whole[:20] + b"\x20\0" + whole[22:]
    frames = [fragment, make.frame(payload, group="203.0.113.1"),
              make.frame(payload, group="224.0.0.251"),
              make.frame(payload, 6, group="ff02::fb"), whole[:40]]
    report, found, text = measure(make.capture([(make.START, f) for f in frames]), True)
    assert not found and report["fragments"] == 1 and "No multicast stream" in text


# ---- anything may happen: the reference alone knows ----

def soup(seed):
    rng = random.Random(seed)
    form = rng.choice(list(FORMS.values()))
    tv = Television(form, n=rng.choice((150, 400, 900)), seed=seed)
    datagrams, _ = tv.finish()
    out, shift = [], 0
    for at, d in datagrams:
        r = rng.random()
        shift += rng.choice((0, 0, 0, 1_000, 100_000, 3_000_000)) if r < 0.5 else 0
        if r < 0.003:
            shift += rng.choice((30_000_000, 600_000_000, 1_700_000_000, 3_000_000_000))
        if 0.01 < r < 0.03:
            continue
        if 0.03 < r < 0.06:
            d = bytearray(d)
            for _ in range(rng.choice((1, 3, 20))):
                d[rng.choice((rng.randrange(len(d)), rng.randrange(20)))] = rng.randrange(256)
            d = bytes(d)
        if 0.06 < r < 0.07:
            d = d[:rng.randrange(len(d))]
        out.append((at + shift, d))
        if 0.07 < r < 0.1 and len(out) > 20:
            out.append((at + shift, out[-rng.randrange(1, 20)][1]))
        if 0.1 < r < 0.105:
            out += [(at + shift, rng.randbytes(60))] * rng.randrange(20)
    if rng.random() < 0.3:
        i = rng.randrange(len(out))
        out[i:i] = [(out[i][0], d) for _, d in out[:rng.choice((10, 30))]]
    return [(at, d) for at, d in out if d]


@case("a hundred damaged streams")
def damaged():
    for first in range(0, 100, 20):
        streams = {5000 + seed: soup(seed) for seed in range(first, first + 20)}
        frames = sorted(((at, i, make.frame(d, port=port)) for port, s in streams.items()
                         for i, (at, d) in enumerate(s)), key=lambda f: f[:2])
        _, found, _ = measure(make.capture([(at, f) for at, _, f in frames]))
        for port, s in streams.items():
            try:
                order = [d for _, d in sorted(enumerate(s), key=lambda x: (x[1][0], x[0]))]
                same_as_reference(found[port], full(order))
            except AssertionError as e:
                raise AssertionError(f"seed {port - 5000}: {e}") from e


def table():
    print("| stream | fault | list | program | reference |\n|---|---|---|---|---|")
    for form in ("RTP", "UDP over IPv6"):
        for faults in FAULTS[:-1]:
            expected, program, reference = listed(form, faults)
            for name in program:
                if program[name] and name not in ("bytes", "media_bytes"):
                    print(f"| {form}: {faults.__name__} | `{name}` | {expected[name]} | "
                          f"{program[name]} | {reference[name]} |")


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 1
    # in a cross build meson names an emulator in this variable
    REPLAY[:] = [*os.environ.get("MESON_EXE_WRAPPER", "").split(), sys.argv[1]]
    if sys.argv[2:] == ["--table"]:
        table()
        return 0
    failed = 0
    print(f"1..{len(_cases)}")
    for n, (name, function) in enumerate(_cases, 1):
        why = ""
        try:
            function()
        except AssertionError as e:
            why = str(e) or repr(e)
            failed += 1
        print(f"{'not ok' if why else 'ok'} {n} - {name}", flush=True)
        for line in why.splitlines():
            print(f"# {line[:2000]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
