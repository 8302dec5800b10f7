"""The arithmetic of tests/bench/model: counts times costs, with low and high."""


def events(side_counts, side):
    """What is counted, summed over places, and what follows from it."""
    total = {}
    for counts in side_counts.values():
        for what, n in counts.items():
            total[what] = total.get(what, 0) + n
    special = sum(n for what, n in total.items()
                  if what not in ("instructions", "exception", "root_change"))
    total["instruction"] = total.pop("instructions", 0) - special
    # INT n is counted where it arrives, as an exception.
    total.pop("int", None)
    host = side_counts.get("host", {})
    if side == "native":
        # Of a native kernel's traps nearly all come from its user, in these operations.
        total["user_entry"] = total.get("syscall", 0) + host.get("exception", 0)
        total["user_mitigation"] = total["user_entry"]
    else:
        # Each world switch loads the task register twice.
        total["switch_mitigation"] = total.get("ltr", 0) / 2
    total["tlb_refill"] = 2 * total.pop("root_change", 0)
    return {what: n for what, n in total.items() if n}


def parts(side_counts, costs, side):
    """what -> (how many, cycles at least, cycles at most)."""
    if not side_counts:
        return {}
    return {what: (n, n * costs[what][0], n * costs[what][1])
            for what, n in events(side_counts, side).items()
            if costs[what][1]}


def total(found):
    return tuple(sum(x[i] for x in found.values()) for i in (1, 2))


def span(found, cpu):
    """Nanoseconds, as text."""
    if not found:
        return "-"
    return " - ".join(f"{cycles / cpu['ghz']:,.0f}" for cycles in total(found))


def ratio(native, guest):
    """Guest to native, both at their least and both at their most."""
    if not native or not guest:
        return "-"
    both = sorted(g / n for g, n in zip(total(guest), total(native)))
    return f"{both[0]:.2f}-{both[1]:.2f}"


def ordered(found):
    return sorted(found.items(), key=lambda item: -(item[1][1] + item[1][2]))


def dominant(found, n=3):
    """The dearest, with their share of the middle of the range."""
    whole = sum(total(found)) or 1
    return ", ".join(f"{what} {(low + high) / whole:.0%}"
                     for what, (_, low, high) in ordered(found)[:n])


def problems(costs):
    """What is wrong with unit-costs.json: a cost without a source, or upside down."""
    known = set(costs["sources"]) | {f"assumed {x}" for x in costs["assumed"]}
    exempt = ("no KPTI", "enhanced IBRS stays on", "two of cr3")
    found = []
    for name, cpu in costs["cpus"].items():
        for what, (low, high, why) in cpu["costs"].items():
            if not 0 <= low <= high:
                found.append(f"{name}: {what}: {low} to {high} is no range")
            if why not in exempt and not any(k in why for k in known):
                found.append(f"{name}: {what}: {why!r} names no source")
    return found
