"""Names for what profile-plugin.c counted: symbols of host and guest, and places."""

import base64
import bisect
import gzip

HOLE = 0xffff830000000000
KERNEL, MODULES, MODULES_END = 0xffffffff80000000, 0xffffffffa0000000, 0xffffffffff000000


class Symbols:
    """Address -> name, from lines of /proc/kallsyms."""

    def __init__(self, lines):
        found = []
        for line in lines:
            word = line.split()
            if len(word) >= 3 and word[1] in "tTwW":
                found.append((int(word[0], 16), word[2]))
        found.sort()
        self.addresses = [a for a, _ in found]
        self.names = [n for _, n in found]
        self.by_name = {n: a for a, n in found}
        self.end_of_modules = max((a for a in self.addresses if MODULES <= a < MODULES_END),
                                  default=MODULES) + 0x1000

    def name(self, address):
        i = bisect.bisect_right(self.addresses, address) - 1
        return self.names[i] if i >= 0 else hex(address)


def read_log(path):
    """Symbols of host and guest, and all else that is for whoever measures."""
    packed, lines = {"symbols": [], "guest-symbols": []}, []
    with open(path, errors="replace") as f:
        for line in f:
            mark, _, rest = line.rstrip("\n").partition(" ")
            what, _, text = rest.partition(" ")
            if mark == "BENCH" and what in packed:
                packed[what].append(text)
            elif mark == "BENCH":
                lines.append(rest)
    host, guest = (Symbols(gzip.decompress(base64.b64decode("".join(p))).decode().splitlines())
                   for p in packed.values())
    return host, guest, lines


def host_offset(addresses):
    """Both kernels are at the same addresses; the host's is lower in memory."""
    return min((ptr - va for va, ptr in addresses if KERNEL <= va < MODULES), default=0)


def classify(va, ptr, host, guest, offset):
    """(place, function) of a block; offset is host_offset()."""
    if HOLE <= va < HOLE + (1 << 40):
        return "switcher", host.name(host.by_name["rf_switcher_text"] + (va & 0x3ffff))
    if va < 1 << 63:
        return "user", "user"
    if KERNEL <= va < MODULES and ptr - va == offset:
        return "host", host.name(va)
    # Modules of both are in one range; the host has few of them.
    if MODULES <= va < host.end_of_modules:
        return "module", host.name(va)
    return "guest", guest.name(va)
