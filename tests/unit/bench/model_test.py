#!/usr/bin/env python3
"""Tests of tests/bench/costlib.py, countlib.py and unit-costs.json."""

import copy
import json
import os
import re
import sys
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BENCH = os.path.join(TOP, "tests/bench")
sys.path.insert(0, BENCH)

import costlib                                  # noqa: E402
import countlib                                 # noqa: E402
from profilelib import Symbols                  # noqa: E402

COSTS = {"instruction": [1, 2, ""], "syscall": [10, 20, ""], "cr3": [100, 200, ""],
         "exception": [300, 400, ""], "user_entry": [50, 60, ""], "user_mitigation": [0, 0, ""],
         "ltr": [7, 8, ""], "switch_mitigation": [1000, 1000, ""], "tlb_refill": [5, 6, ""]}


def unit_costs():
    with open(os.path.join(BENCH, "unit-costs.json")) as f:
        return json.load(f)


class Arithmetic(unittest.TestCase):
    def test_dear_instructions_are_not_counted_twice(self):
        found = costlib.parts({"user": {"instructions": 5, "syscall": 1}}, COSTS, "guest")
        self.assertEqual(found, {"instruction": (4, 4, 8), "syscall": (1, 10, 20)})

    def test_places_are_summed(self):
        found = costlib.parts({"switcher": {"cr3": 2, "instructions": 2},
                               "host": {"cr3": 1, "instructions": 1}}, COSTS, "guest")
        self.assertEqual(found, {"cr3": (3, 300, 600)})

    def test_a_native_kernel_pays_for_each_entry(self):
        found = costlib.parts({"user": {"instructions": 1, "syscall": 1},
                               "host": {"exception": 2}}, COSTS, "native")
        self.assertEqual(found["user_entry"], (3, 150, 180))
        self.assertNotIn("user_mitigation", found)
        self.assertNotIn("switch_mitigation", found)

    def test_two_ltr_are_one_world_switch(self):
        found = costlib.parts({"switcher": {"ltr": 4, "instructions": 4}}, COSTS, "guest")
        self.assertEqual(found["switch_mitigation"], (2, 2000, 2000))
        self.assertNotIn("user_entry", found)

    def test_both_halves_are_filled_again(self):
        found = costlib.parts({"guest": {"root_change": 1, "instructions": 10}}, COSTS, "guest")
        self.assertEqual(found["tlb_refill"], (2, 10, 12))
        self.assertEqual(found["instruction"], (10, 10, 20))

    def test_int_is_counted_where_it_arrives(self):
        found = costlib.parts({"module": {"int": 1, "instructions": 1},
                               "host": {"exception": 1}}, COSTS, "guest")
        self.assertEqual(found, {"exception": (1, 300, 400)})

    def test_nothing_of_nothing(self):
        self.assertEqual(costlib.parts(None, COSTS, "native"), {})
        self.assertEqual(costlib.ratio({}, {"cr3": (1, 1, 1)}), "-")

    def test_text(self):
        found = {"cr3": (1, 100, 300), "syscall": (1, 50, 50)}
        self.assertEqual(costlib.span(found, {"ghz": 2.0}), "75 - 175")
        self.assertEqual(costlib.dominant(found, 1), "cr3 80%")
        self.assertEqual(costlib.ratio({"a": (1, 50, 100)}, found), "3.00-3.50")


class Costs(unittest.TestCase):
    def test_every_cost_has_its_source(self):
        self.assertEqual(costlib.problems(unit_costs()), [])

    def test_what_is_wrong_is_found(self):
        costs = unit_costs()
        bad = copy.deepcopy(costs)
        bad["cpus"]["zen"]["costs"]["cr3"] = [2, 1, "pti-doc"]
        self.assertEqual(len(costlib.problems(bad)), 1)
        bad = copy.deepcopy(costs)
        bad["cpus"]["zen"]["costs"]["cr3"][2] = "everybody knows"
        self.assertEqual(len(costlib.problems(bad)), 1)

    def test_every_cpu_prices_whatever_is_counted(self):
        with open(os.path.join(BENCH, "profile-plugin.c")) as f:
            names = re.search(r"dear_names\[\] = \{(.*?)\}", f.read(), re.S).group(1)
        dear = set(re.findall(r'"(\w+)"', names)) - {"int"}
        self.assertGreater(len(dear), 20)
        costs = unit_costs()
        for name, cpu in costs["cpus"].items():
            self.assertEqual(set(cpu["costs"]), dear | set(costs["kinds"]), name)


class Counting(unittest.TestCase):
    HOST = Symbols(["ffffffff81000000 T _text", "ffffffff81000100 T asm_exc_page_fault",
                    "ffffffff81000200 T exc_page_fault", "ffffffffa0000000 t rf_switcher_text",
                    "ffffffffa0001000 t rf_hole_vectors"])
    GUEST = Symbols(["ffffffff81000000 T _text", "ffffffff81000300 T xen_write_cr3"])

    def block(self, va, dear="-", count=1, ptr=None):
        ptr = va - 0xffffffff00000000 if ptr is None else ptr
        return countlib.Block(f"0 1 {va:#x} {ptr:#x} 3 {count} 1 {dear}")

    def tally(self, *blocks):
        # The host's own code, lowest in memory, says where the host is.
        return countlib.tally([self.block(0xffffffff81000000), *blocks], self.HOST, self.GUEST)

    def test_a_line(self):
        b = self.block(0xffffffff81000000, "cr3:1,verw:2", 7)
        self.assertEqual((b.insns, b.count, b.dear), (3, 7, {"cr3": 1, "verw": 2}))

    def test_dear_instructions_by_place(self):
        found = self.tally(self.block(0xffff830000000000, "cr3:2", 5))
        self.assertEqual(found["switcher", "cr3"], 10)
        self.assertEqual(found["switcher", "instructions"], 15)

    def test_a_vector_stub_is_an_exception(self):
        found = self.tally(self.block(0xffff830000001000 + 14 * 16, count=4),
                           self.block(0xffff830000001000 + 14 * 16 + 2),
                           self.block(0xffff830000001000 + 256 * 16))
        self.assertEqual(found["switcher", "exception"], 4)

    def test_only_the_first_block_is_an_entry(self):
        found = self.tally(self.block(0xffffffff81000100), self.block(0xffffffff81000108),
                           self.block(0xffffffff81000200))
        self.assertEqual(found["host", "exception"], 1)

    def test_a_guest_changes_roots(self):
        found = self.tally(self.block(0xffffffff81000300, count=2, ptr=0x99000300))
        self.assertEqual(found["guest", "root_change"], 2)

    def test_operations_come_in_the_order_of_their_lines(self):
        lines = ['native {"op": "getpid", "n": 5, "runs": 5}', "stats x", 'guest {"op": "boot"}',
                 'guest {"op": "getpid", "n": 7, "runs": 5}']
        self.assertEqual(countlib.order_of(lines),
                         [("getpid", "native", 5), ("getpid", "guest", 7)])


if __name__ == "__main__":
    unittest.main()
