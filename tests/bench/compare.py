#!/usr/bin/env python3
"""Compare two results of make bench: compare.py BEFORE.json AFTER.json

Prints what got worse by more than the noise and exits with 1 if anything did.
"""

import json
import sys

# Instructions repeat to 0.3 %, worst 3; counts nearly exactly; wall clock
# says nothing below a factor of 3.
LIMITS = {"guest": 1.03, "host_switches": 1.05, "cr3_writes": 1.05,
          "interrupts": 1.2, "wall_ratio": 3.0}
# Below this much, a change in a count is a stray timer tick.
FLOOR = {"host_switches": 0.05, "cr3_writes": 0.1, "interrupts": 0.05}


def load(path):
    with open(path) as f:
        return {row["op"]: row for row in json.load(f)}


def main(before, after):
    old, new = load(before), load(after)
    worse = better = 0
    for op in new:
        for key, limit in LIMITS.items():
            a, b = old.get(op, {}).get(key), new[op].get(key)
            if a is None or b is None:
                continue
            if b > a * limit and b - a > FLOOR.get(key, 0):
                worse += 1
                print(f"worse   {op:<17}{key:<15}{a:>14.2f} -> {b:.2f}")
            elif a > b * limit and a - b > FLOOR.get(key, 0):
                better += 1
                print(f"better  {op:<17}{key:<15}{a:>14.2f} -> {b:.2f}")
    for op in old.keys() - new.keys():
        worse += 1
        print(f"missing {op}")
    print(f"{worse} worse, {better} better")
    return 1 if worse else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    sys.exit(main(*sys.argv[1:]))
