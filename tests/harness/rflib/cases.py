"""What there is to run: read from tests/boot/cases and found in the tree."""

import glob
import itertools
import os
import re
import shlex

from .image import BUILD, TOP

RFVM = "tests/harness/rfvm"


class Case:
    """One thing to run, by one command that a person can repeat."""

    def __init__(self, suite, name, command, needs=(), timeout=900):
        self.suite = suite
        self.name = name
        self.command = command
        self.needs = list(needs)    # make targets
        self.timeout = timeout
        self.vm_name = None         # of the log, if it is a VM

    def __str__(self):
        return f"{self.suite}/{self.name}"


def expand(text):
    """"a{b,c}d" -> ["abd", "acd"], for every brace; {} stands for nothing."""
    parts = re.split(r"\{([^}]*)\}", text)
    choices = [[p] if i % 2 == 0 else p.split(",") for i, p in enumerate(parts)]
    return ["".join(c) for c in itertools.product(*choices)]


def option(words, name, default=None):
    return words[words.index(name) + 1] if name in words else default


def vm_case(suite, script, words):
    """A row of the table as a case; its name says how it differs."""
    words = [re.sub("^build/", BUILD + "/", w) for w in words]
    host = option(words, "--host", "6.1")
    tags = []
    for flag, value in zip(words, words[1:] + [""]):
        if flag == "--name":
            tags = [value]
            break
        if flag in ("--host", "--guest"):
            tags.append(value)
        elif flag == "--env":
            tags.append(value.replace("=", "").lower().replace(" ", "+"))
        elif flag in ("--smp", "--smap"):
            tags.append(flag[2:] + value)
        elif flag in ("--pti", "--la57", "--icount"):
            tags.append(flag[2:])
    stem = os.path.splitext(os.path.basename(script))[0]
    name = "-".join([stem, *tags])
    full = f"{suite}-{name}"
    command = [RFVM, script, *words, "--name", full]
    needs = [f"module HOST={host}", "launcher", "guest-programs"]
    if host == "debug":
        needs.insert(0, "debug-kernel")
        needs[1] += " RF_TESTS=1"
    if suite in ("guest", "boot", "fuzz"):
        needs.append("guest-tests")
    if "--guest-drivers" in words:
        needs += [f"guest-drivers GUEST={name}" for flag, name
                  in zip(words, words[1:]) if flag == "--guest"]
    if "ioctl" in stem:
        needs.append("ioctl-storm")
    if any("/state/" in word for word in words):
        needs.append("state-tests")
    needs += [f"legacy-ata GUEST={guest}"
              for guest in re.findall(r"/legacy-ata/([^/]+)/", " ".join(words))]
    if "debian" in stem:
        needs.append("debian")
    needs += [f"debian-disk GUEST={guest}"
              for guest in re.findall(r"/debian-disk/([^/]+)/disk\.img", " ".join(words))]
    timeout = float(option(words, "--timeout", "600")) + 60
    case = Case(suite, name, command, needs, timeout)
    case.vm_name = full
    return case


def table(tiers):
    """Rows of tests/boot/cases: TIER SUITE SCRIPT OPTIONS..."""
    seen = set()
    out = []
    with open(os.path.join(TOP, "tests/boot/cases")) as f:
        rows = [line.split("#")[0].strip() for line in f]
    for row in filter(None, rows):
        for text in expand(row):
            tier, suite, script, *words = shlex.split(text)
            if tier not in tiers:
                continue
            case = vm_case(suite, script, words)
            if str(case) not in seen and os.path.exists(os.path.join(TOP, script)):
                seen.add(str(case))
                out.append(case)
    return out


def lint():
    return [Case("lint", os.path.splitext(script)[0], [f"tests/lint/{script}"])
            for script in ("layers.sh", "headers.sh", "doc.sh", "usage.py", "style.sh")]


def sparse():
    out = [Case("sparse", "sparse", ["tests/lint/static.sh", "sparse"])]
    for cc, hosts in (("gcc", ("6.1", "6.12")), ("clang", ("6.1",))):
        out += [Case("sparse", f"{cc}-{h}", ["tests/lint/static.sh", cc, h])
                for h in hosts]
    return out


def unit(compilers=("gcc", "clang")):
    out = []
    for path in sorted(glob.glob(os.path.join(TOP, "tests/unit/**/*_test.c"),
                                 recursive=True)):
        rel = os.path.relpath(path, TOP)
        name = os.path.relpath(rel, "tests/unit")[:-len("_test.c")]
        out += [Case("unit", f"{name}-{cc}", ["tests/harness/unit", cc, rel])
                for cc in compilers]
    for path in sorted(glob.glob(os.path.join(TOP, "tests/unit/**/*_test.py"),
                                 recursive=True)):
        rel = os.path.relpath(path, TOP)
        name = os.path.relpath(rel, "tests/unit")[:-len("_test.py")]
        out.append(Case("unit", name, ["python3", rel]))
    return out


def fuzz(seconds):
    out = []
    for path in sorted(glob.glob(os.path.join(TOP, "tests/fuzz/**/*_fuzz.c"),
                                 recursive=True)):
        rel = os.path.relpath(path, TOP)
        name = os.path.relpath(rel, "tests/fuzz")[:-len("_fuzz.c")]
        out.append(Case("fuzz", name, ["tests/harness/unit", "fuzz", rel,
                                       str(seconds)], timeout=seconds + 300))
    return out


def drivers():
    """Drivers put into an image, which takes no VM."""
    guests = ["6.1-cloud", "6.12-cloud"]
    return [Case("install", "drivers", ["tests/install/drivers.sh", *guests],
                 [f"guest-drivers GUEST={guest}" for guest in guests])]


def install():
    return drivers() + [Case("install", "dkms", ["tests/install/dkms.sh"], timeout=3600)]


def select(names):
    """Cases of the named suites; "core" and "all" are whole lists."""
    vm_suites = ("kunit", "guest", "boot", "fuzz", "bench")
    out = []
    for name in names:
        if name == "core":
            out += lint() + unit() + sparse() + fuzz(10) + drivers() + table({"core"})
        elif name == "all":
            out += lint() + unit() + sparse() + fuzz(300) + install() + table({"core", "all"})
        elif name == "lint":
            out += lint() + unit(("gcc",))
        elif name in ("sparse", "unit", "install"):
            out += {"sparse": sparse, "unit": unit, "install": install}[name]()
        elif name in vm_suites:
            out += fuzz(30) if name == "fuzz" else []
            out += [c for c in table({"core", "all"}) if c.suite == name]
        else:
            # One case, or all whose name begins like this.
            found = [c for c in lint() + unit() + sparse() + fuzz(30) + install() +
                     table({"core", "all"}) if str(c).startswith(name)]
            if not found:
                raise ValueError(f"no suite or case is called {name}")
            out += found
    return out


__all__ = ["Case", "select", "BUILD", "TOP"]
