# SPDX-License-Identifier: GPL-2.0-or-later
"""Trials of one contestant in one bed, and the search for the highest rate without loss (after RFC
2544 26.1 and RFC 3918 4.2)."""

import time

import bed as beds

RESOLUTION = 1.03      # how close to the limit a search comes; set once
VERBOSE = False
SAMPLES = 5
PATIENCE_S = 60        # how long a whole run waits for a busy machine
HOPEFUL = 0.15         # a trial with less loss than this is repeated once
LATE_OK = 0.05         # how far the generator may stay below the requested rate


class Calm:
    """Detects whether other programs use the processors, which would spoil a trial: several tasks
    are ready to run although none of ours is."""

    waited_s = 0.0

    @staticmethod
    def disturbed():
        busy = 0
        for _ in range(SAMPLES):
            time.sleep(0.002)
            with open("/proc/loadavg", encoding="ascii") as f:
                busy += int(f.read().split()[3].split("/")[0]) > 1
        return busy > SAMPLES // 2

    @classmethod
    def wait(cls):
        """Wait until the processors are free, within limits."""
        start = time.monotonic()
        while cls.disturbed() and cls.waited_s < PATIENCE_S:
            cls.waited_s += time.monotonic() - start
            start = time.monotonic()


class Trial:
    """One run. `copies` is what the sinks received, per second from the first datagram sent to the
    last one received."""

    def __init__(self, bed, outputs, rate, seconds, case, extra=()):
        Calm.wait()
        self.asked = rate
        f = bed.flood(rate, seconds, case, extra)
        self.sent = f["sent"] + f["failed"]
        self.totals = bed.sink.ask("wait", -(-self.sent * outputs // bed.ports), beds.QUIET_MS)
        t = self.totals
        duration = max(f["seconds"], t["last"] - f["begin"])
        self.rate = self.sent / duration
        self.copies = t["datagrams"] / duration
        self.due = self.sent * outputs
        self.missing = self.due - t["datagrams"]
        self.wrong = t["duplicate"] + t["late"] + t["corrupt"]
        self.clean = not (self.missing or self.wrong or t["lost"])
        # late because the generator is at its limit
        self.generator_bound = self.sent / f["seconds"] < rate * (1 - LATE_OK)
        self.joined = t["datagrams"] / t["skbs"] if t["skbs"] else 0
        if VERBOSE:
            print(f"  asked {rate:9.0f} sent {self.rate:9.0f}/s copies {self.copies:9.0f}/s "
                  f"missing {self.missing} of {self.due} wrong {self.wrong} skb {self.joined:.1f}"
                  f"{' generator-bound' if self.generator_bound else ''}", flush=True)


class Rate:
    """The highest rate without loss. `copies` is the number per second at that rate; `bound` says
    that the generator could not send more."""

    def __init__(self, trial):
        self.trial, self.bound = trial, False
        self.copies = trial.copies if trial else 0.0


def attempt(bed, outputs, rate, seconds, case, extra=()):
    """Run a trial, and repeat it once if it lost little. Usually another program, on this machine
    or its host, used the processor."""
    t = Trial(bed, outputs, rate, seconds, case, extra)
    if not t.clean and not t.wrong and (t.missing <= t.due * HOPEFUL or t.generator_bound):
        t = Trial(bed, outputs, rate, seconds, case, extra)
    return t


def lossless(bed, outputs, case, guess, step, seconds, extra=()):
    """Search from `guess` (datagrams per second) in steps, then by bisection."""
    best, low, high = Rate(None), None, None
    rate = guess
    while low is None or high is None or high / low > RESOLUTION:
        t = attempt(bed, outputs, rate, seconds, case, extra)
        if t.wrong:
            raise AssertionError(f"duplicate, late or corrupt datagrams: {t.totals}")
        if t.clean:
            low = rate
            if t.copies > best.copies:
                best.trial, best.copies = t, t.copies
            if t.generator_bound:
                best.bound = True
                break
        else:
            high = rate
            if rate < 50:
                break
        if low is None:
            rate = high / step
        elif high is None:
            rate = low * step
        else:
            rate = (low * high) ** 0.5
    return best
