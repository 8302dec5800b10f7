"""What make bench and make bench-io share: running, and reading of counters."""

import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("RF_BUILD", os.path.join(TOP, "build"))
OUT = os.path.join(BUILD, "bench")


def call(*command):
    """Run a step of the build; it is heard only if it fails."""
    done = subprocess.run(command, cwd=TOP, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"bench: {' '.join(command)} failed:\n{done.stdout[-3000:]}")


def program(name):
    """Path of tests/bench/NAME.c, built."""
    os.makedirs(OUT, exist_ok=True)
    path = os.path.join(OUT, name)
    call("gcc", "-O2", "-Wall", "-Wextra", "-static", "-o", path,
         f"tests/bench/{name}.c")
    return path


def plugin():
    """Path of profile-plugin.c, built."""
    os.makedirs(OUT, exist_ok=True)
    path = os.path.join(OUT, "profile.so")
    call("gcc", "-shared", "-fPIC", "-O2", "-fvisibility=hidden", "-o", path,
         "tests/bench/profile-plugin.c")
    return path


def run_vm(script, name, opts, prog, extra):
    """Status and lines of one run, the latter without their mark."""
    command = ["tests/harness/rfvm", script, "--name", name,
               "--host", opts.host, "--guest", opts.guest, "--smap", "off",
               "--bin", prog, "--guest-bin", prog, "--timeout", "2400",
               "--file", "tests/bench/follow.sh:/lib/follow.sh", "-q", *extra]
    status = subprocess.run(command, cwd=TOP).returncode
    with open(os.path.join(BUILD, "logs", name + ".log")) as f:
        return status, marked(f)


def io_options(guest, ops, devices, scheduler=""):
    """Of run_vm() for host-io.sh."""
    ata = f"{BUILD}/legacy-ata/{guest}/rf_legacy_ata.ko:/lib/rf_legacy_ata.ko"
    return ["--module", "brd", "--guest-drivers", "--guest-file", ata,
            "--guest-module", "libata", "--guest-module", "sd_mod",
            "--guest-module", "virtio_blk", "--env", "OPS=" + " ".join(ops),
            "--env", "DEVICES=" + " ".join(devices), "--env", "SCHEDULER=" + scheduler]


def marked(lines):
    return [line[6:].rstrip("\n") for line in lines if line.startswith("BENCH ")]


def totals(stats):
    """The VM's own counters; those of each vCPU are folders beside them."""
    return {k: v for k, v in {**stats, **stats.get("counters", {})}.items()
            if isinstance(v, (int, float))}


class Counters:
    """What the module counted while something was measured."""

    def __init__(self):
        self.before = None
        self.count = 0
        self.sums = {}      # what -> (how many were done, counters each time)

    def line(self, text):
        """READY or DONE, what, how many, JSON."""
        when, what, n, stats = text.split(" ", 3)
        try:
            now = totals(json.loads(stats))
        except ValueError:
            return
        if when == "READY":
            self.before, self.count = now, int(n)
        elif when == "DONE" and self.before:
            done, diffs = self.sums.setdefault(what, (0, []))
            diffs.append({k: now[k] - self.before.get(k, 0) for k in now})
            self.sums[what] = (done + self.count, diffs)
            self.before = None

    def each(self, what, names, nothing="nothing"):
        """Sum of counters for each that was done; None if they are not known.

        Reading the counters has its price: it is taken off.
        """
        n, diffs = self.sums[what]
        price = self.sums.get(nothing, (1, [{}]))[1][0]
        known = [x for x in names if x in diffs[0]]
        if not known:
            return None
        total = sum(diff[x] - price.get(x, 0) for diff in diffs for x in known)
        return round(max(total, 0) / n, 3)


def human(value):
    if value is None:
        return "-"
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e4)):
        if abs(value) >= size:
            size = 1e3 if unit == "k" else size
            return f"{value / size:.3g}{unit}" if unit != "k" else \
                f"{value / size:.1f}k"
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"
