"""Read the VM's two consoles: kernel messages, and what the test prints."""

import re

# Signs of trouble in the host kernel's own messages.
SPLATS = re.compile("|".join((
    r"\bBUG: ", r"\bWARNING: ", r"\bOops: ", r"\bKASAN: ", r"\bUBSAN: ",
    r"possible (circular|recursive|irq lock)", r"inconsistent lock state",
    r"suspicious RCU usage", r"INFO: trying to register non-static key",
    r"kmemleak: \d+ new suspected", r"Kernel panic", r"\bpanic occurred",
    r"general protection fault(, |: )", r"double fault",
    r"unable to handle", r"\brcu\b.*\bstall", r"blocked for more than",
    r"soft lockup", r"hard LOCKUP", r"refcount_t: ",
    r"list_(add|del) corruption", r"ODEBUG: ", r"DEBUG_LOCKS_WARN_ON",
    r"scheduling while atomic", r"sleeping function called",
    r"unchecked MSR access", r"Bad (page|rss-counter)",
    r"Out of memory: Killed", r"stack segment: ", r"invalid opcode: 0",
)))

TIMESTAMP = re.compile(r"^(<\d+>)?\[ *\d+\.\d+\](\[[ A-Z]\d+\])? ")
# What a test says of what did not hold: of a one-file guest, or of a script.
GUEST_REMARK = re.compile(r"^guest: # (\S+\.c:\d+: .*)$")
REMARK = re.compile(r"^ *# (?!Subtest)(.*)$")
RESULT = re.compile(r"^( *)(not ok|ok) (\d+) ?-? ?(.*)$")
PLAN = re.compile(r"^( *)1\.\.(\d+)\s*$")
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Lines:
    """Cut a byte stream into lines."""

    def __init__(self):
        self._rest = b""

    def feed(self, data):
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [clean(line) for line in lines]

    def flush(self):
        rest, self._rest = self._rest, b""
        return [clean(rest)] if rest else []


def clean(raw):
    return ANSI.sub("", raw.decode(errors="replace")).replace("\r", "")


class Verdict:
    """What the lines of one run add up to."""

    def __init__(self, expect=None):
        self.cases = []         # (name, "ok" | "not ok" | "skip")
        self.splats = []
        self.notes = []
        self.remarks = []       # why something failed, in the test's words
        self._said = []         # since the last result
        self.exit = None
        self.booted = False
        self._expect = re.compile(expect) if expect else None
        self._plan = None
        self._results = 0
        self._nested = []

    def kernel_line(self, line):
        """A line of the host kernel.  True if it is trouble."""
        text = TIMESTAMP.sub("", line)
        # KUnit plans each module by itself; the script has the whole plan.
        if not PLAN.match(text):
            self._ktap(text, planned=0)
        if not SPLATS.search(text):
            return False
        if self._expect and self._expect.search(text):
            return False
        self.splats.append(text)
        return True

    def test_line(self, line):
        remark = GUEST_REMARK.match(line)
        if remark:
            self.remarks.append(remark[1])
        if line.startswith("guest: "):
            return
        remark = REMARK.match(line)
        if remark:
            self._said.append(remark[1])
        if line.startswith("RFVM-EXIT "):
            self.exit = int(line.split()[1])
        elif line.startswith("RFVM-BOOT "):
            self.booted = True
        elif line.startswith("RFVM-LEAK"):
            self.splats.append("kmemleak found unreferenced objects")
        elif line.startswith("RFVM-NOTE "):
            self.notes.append(line[10:])
        else:
            self._ktap(line)

    def _ktap(self, text, planned=1):
        plan = PLAN.match(text)
        if plan and not plan[1]:
            self._plan = int(plan[2])
            self._results = 0
        result = RESULT.match(text)
        if not result:
            return
        indent, word, _, rest = result.groups()
        name, _, directive = rest.partition(" # ")
        if word == "ok" and directive.upper().startswith("SKIP"):
            word = "skip"
        case = (name.strip(), word)
        if indent:
            self._nested.append((len(indent), case))
            return
        self._results += planned
        self._close_suite(case)
        if word == "not ok":
            self.remarks += self._said[-3:]
        self._said = []

    def _close_suite(self, case):
        """A top-level result ends the subtests before it, if there are any.

        Of nested results the innermost are the cases; the ones around them
        only sum up.  A sum that fails though its parts pass is a case too.
        """
        deepest = max((depth for depth, _ in self._nested), default=0)
        inner = [c for depth, c in self._nested if depth == deepest]
        self._nested = []
        if not inner:
            self.cases.append(case)
            return
        self.cases += [(f"{case[0]}: {name}", word) for name, word in inner]
        if case[1] == "not ok" and all(w != "not ok" for _, w in inner):
            self.cases.append(case)

    def failures(self):
        """Why this run is not a pass; empty if it is."""
        why = [f"not ok: {name}" for name, word in self.cases
               if word == "not ok"]
        why += [f"host kernel: {text}" for text in self.splats[:5]]
        why += self.notes
        if not self.booted:
            why.append("the host VM did not get as far as its init")
        elif self.exit is None:
            why.append("the test did not end")
        elif self.exit != 0:
            why.append(f"the test's exit status is {self.exit}")
        if self._plan is not None and self._results != self._plan:
            why.append(f"{self._plan} results were planned, "
                       f"{self._results} came")
        if why:
            why += [f"it says: {text}" for text in self.remarks[:8]]
        return why
