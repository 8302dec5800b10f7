"""What operations do that is dear on hardware, counted by profile-plugin.c."""

import collections
import json
import os

import benchlib
from benchlib import BUILD, OUT
from profilelib import classify, host_offset, read_log

VECTORS, STUB_BYTES = 256, 16
# Kind of mark -> operation of the one-file guests that mark themselves, and how many.
ONE_FILE = {2: ("hypercall_fast", 10000), 3: ("hypercall_host", 10000)}
# The function by which a guest changes its roots.
ROOT_CHANGE = "xen_write_cr3"
# Where a host's kernel begins to serve a trap or an interrupt.
ENTRIES = ("asm_exc_", "asm_sysvec_", "asm_common_interrupt")


class Block:
    """One line of the plugin."""

    def __init__(self, line):
        kind, run, va, ptr, insns, count, operation, dear = line.split()
        self.kind, self.run, self.operation = int(kind), int(run), int(operation)
        self.va, self.ptr = int(va, 16), int(ptr, 16)
        self.insns, self.count = int(insns), int(count)
        self.dear = {} if dear == "-" else \
            {k: int(n) for k, n in (x.split(":") for x in dear.split(","))}


def is_entry(block, where, host):
    """Whether the CPU came here by an exception or interrupt."""
    if where == "switcher":
        start = (host.by_name["rf_hole_vectors"] - host.by_name["rf_switcher_text"]) & 0x3ffff
        offset = (block.va & 0x3ffff) - start
        return 0 <= offset < VECTORS * STUB_BYTES and offset % STUB_BYTES == 0
    if where != "host":
        return False
    name = host.name(block.va)
    return name.startswith(ENTRIES) and host.by_name[name] == block.va


def tally(blocks, host, guest):
    """(place, what) -> how often, of one operation's blocks."""
    out = collections.Counter()
    offset = host_offset((b.va, b.ptr) for b in blocks)
    for b in blocks:
        where, _ = classify(b.va, b.ptr, host, guest, offset)
        out[where, "instructions"] += b.insns * b.count
        for what, n in b.dear.items():
            out[where, what] += n * b.count
        if is_entry(b, where, host):
            out[where, "exception"] += b.count
        if where == "guest" and guest.by_name.get(ROOT_CHANGE) == b.va:
            out[where, "root_change"] += b.count
    return out


def per_operation(counter, n):
    """The same as folders of places, divided."""
    out = {}
    for (where, what), count in sorted(counter.items()):
        out.setdefault(where, {})[what] = round(count / n, 4)
    return out


def order_of(lines):
    """[(op, side, how many)], as the program marks them."""
    found = []
    for line in lines:
        side, _, rest = line.partition(" ")
        if side in ("native", "guest"):
            got = json.loads(rest)
            if "n" in got and "runs" in got:
                found.append((got["op"], side, got["n"]))
    return found


def combine(path, host, guest, lines):
    """op -> {"native": counts, "guest": counts}."""
    picked = collections.defaultdict(list)
    last = {}
    with open(path) as f:
        for line in f:
            b = Block(line)
            if b.kind in ONE_FILE:
                # Several runs of each: the last one is a warm one.
                if last.get(b.kind) != b.run:
                    picked["kind", b.kind] = []
                last[b.kind] = b.run
                picked["kind", b.kind].append(b)
            elif b.operation:
                picked["op", b.operation].append(b)
    out = {}
    for i, (op, side, n) in enumerate(order_of(lines), 1):
        out.setdefault(op, {})[side] = per_operation(tally(picked["op", i], host, guest), n)
    for kind, (op, n) in ONE_FILE.items():
        if picked["kind", kind]:
            out[op] = {"guest": per_operation(tally(picked["kind", kind], host, guest), n)}
    out.pop("nothing", None)
    return out


def record(opts, ops):
    """Run operations natively and in a guest under the plugin; their counts."""
    name = "bench-counts"
    raw = os.path.join(OUT, name + ".out")
    plugin = benchlib.plugin()
    benchlib.call("make", "-s", "module", f"HOST={opts.host}")
    benchlib.call("make", "-s", "launcher", "guest-tests")
    benchlib.run_vm("tests/bench/host.sh", name, opts, benchlib.program("ops"),
                    ["--icount", "--append", "nokaslr", "--env", "SYMBOLS=1",
                     "--env", "GUEST_CMDLINE=nokaslr rf.symbols",
                     "--env", "OPS=" + " ".join(ops), "--qemu-arg=-plugin",
                     f"--qemu-arg=file={plugin},out={raw},picked=on"])
    host, guest, lines = read_log(os.path.join(BUILD, "logs", name + ".log"))
    return combine(raw, host, guest, lines)
