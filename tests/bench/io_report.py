"""The page that make bench-io writes: charts and tables, in one file."""

import html as markup
import math

# Drawn in this order; the first is what the others are compared with.
DEVICES = {"ours": "our driver", "virtio": "stock virtio driver, our bus",
           "emulated": "emulated ATA", "native": "no guest"}

OPS = {"randread_4k_qd1": "4 KiB random read, one at a time",
       "randwrite_4k_qd1": "4 KiB random write, one at a time",
       "randread_4k_qd16": "4 KiB random read, 16 at a time",
       "randwrite_4k_qd16": "4 KiB random write, 16 at a time",
       "seqread_128k_qd1": "128 KiB sequential read, one at a time",
       "seqwrite_128k_qd1": "128 KiB sequential write, one at a time"}

STYLE = """
:root { --page: #fcfcfb; --ink: #1c1c1a; --soft: #6b6a66; --line: #e2e0da;
  --ours: #2a78d6; --virtio: #1b9e8a; --emulated: #d9633a; --native: #a3a29c;
  --good: #2c7a3f; --bad: #b3372b; }
@media (prefers-color-scheme: dark) { :root { --page: #191918; --ink: #ecebe6;
  --soft: #a3a19a; --line: #383733; --ours: #5598e7; --virtio: #35b9a3;
  --emulated: #ea8158; --native: #807f79; --good: #6cc081; --bad: #ef8a7f; } }
body { background: var(--page); color: var(--ink); max-width: 64rem;
  margin: 2.5rem auto; padding: 0 1.25rem; font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem; }
p { margin: .25rem 0 1rem; max-width: 46rem; color: var(--soft); }
.tiles { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.5rem 0; }
.tile { flex: 1 1 11rem; border: 1px solid var(--line); border-radius: .5rem;
  padding: .75rem 1rem; }
.tile b { display: block; font-size: 1.9rem; line-height: 1.2; }
.tile span { color: var(--soft); font-size: .875rem; }
.legend { display: flex; flex-wrap: wrap; gap: 1.25rem; font-size: .875rem;
  margin: .5rem 0; }
.legend i { display: inline-block; width: .75rem; height: .75rem;
  border-radius: 3px; margin-right: .4rem; }
.wide { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 44rem; height: auto;
  font: 12px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg .soft { fill: var(--soft); }
svg .head { font-weight: 600; font-size: 13px; }
svg line { stroke: var(--line); stroke-width: 1; }
table { border-collapse: collapse; width: 100%; font-size: .875rem;
  font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); }
td:first-child, th:first-child, td.text { text-align: left; }
.met { color: var(--good); } .missed { color: var(--bad); }
"""

WIDTH, LEFT, RIGHT = 960, 130, 250
BAR, GAP, HEAD = 18, 2, 26


class Scale:
    """A logarithmic axis over the values of a chart."""

    def __init__(self, values):
        # Nothing at all has its place at the left end.
        self.low = math.floor(math.log10(max(min(values, default=1), 0.01)))
        self.high = math.ceil(math.log10(max(max(values, default=10), 1)))
        self.high = max(self.high, self.low + 1)

    def x(self, value):
        at = math.log10(value) if value > 0 else self.low
        at = min(max(at, self.low), self.high)
        return LEFT + (at - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT)

    def ticks(self):
        return [10.0 ** e for e in range(self.low, self.high + 1)]


def bar(scale, y, row, column, text):
    """One device: its name, its bar, its value, and what stands beside it."""
    x = scale.x(row[column])
    value, beside, hover = text
    return (f'<g><title>{markup.escape(hover)}</title>'
            f'<text class="soft" x="{LEFT - 8}" y="{y + 13}" text-anchor="end">'
            f'{row["device"]}</text>'
            f'<rect x="{LEFT}" y="{y}" width="{max(x - LEFT, 2):.1f}" height="{BAR}" '
            f'rx="3" fill="var(--{row["device"]})"/>'
            f'<text x="{x + 6:.1f}" y="{y + 13}">{value}</text>'
            f'<text class="soft" x="{WIDTH - 8}" y="{y + 13}" text-anchor="end">'
            f'{beside}</text></g>')


def chart(rows, column, describe, beside_head):
    """Bars of one column, by operation and device."""
    rows = [r for r in rows if r.get(column) is not None]
    scale = Scale([r[column] for r in rows if r[column] > 0])
    y, parts = 8, []
    for op in dict.fromkeys(r["op"] for r in rows):
        parts.append(f'<text class="head" x="0" y="{y + 14}">{OPS.get(op, op)}</text>'
                     f'<text class="soft" x="{WIDTH - 8}" y="{y + 14}" '
                     f'text-anchor="end">{beside_head}</text>')
        y += HEAD
        for device in DEVICES:
            for row in rows:
                if (row["op"], row["device"]) == (op, device):
                    parts.append(bar(scale, y, row, column, describe(row)))
                    y += BAR + GAP
        y += 14
    grid = "".join(
        f'<line x1="{scale.x(t):.1f}" x2="{scale.x(t):.1f}" y1="4" y2="{y}"/>'
        f'<text class="soft" x="{scale.x(t):.1f}" y="{y + 16}" '
        f'text-anchor="middle">{tick(t)}</text>' for t in scale.ticks())
    return (f'<div class="wide"><svg viewBox="0 0 {WIDTH} {y + 24}" role="img">'
            f'{grid}{"".join(parts)}</svg></div>')


def tick(value):
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g}"


def legend():
    return '<div class="legend">' + "".join(
        f'<span><i style="background:var(--{d})"></i>{d}: {text}</span>'
        for d, text in DEVICES.items()) + "</div>"


def tiles(rows, human):
    """The figures that say most: emulated against ours, by request."""
    by = {(r["op"], r["device"]): r for r in rows}
    op = "randread_4k_qd1"
    ours, emulated, virtio = (by.get((op, d)) for d in ("ours", "emulated", "virtio"))
    found = []

    def add(value, text):
        found.append(f'<div class="tile"><b>{value}</b><span>{text}</span></div>')

    def times(a, column):
        return a[column] / ours[column] if ours[column] else math.inf

    if ours and emulated:
        add(f'{human(times(emulated, "instructions"))}&times;',
            "fewer instructions for a 4 KiB read than by the emulated disk")
        add(f'{human(times(emulated, "host_switches"))}&times;',
            "fewer world switches for it")
        add(human(ours["host_switches"]), "world switches it takes")
    if ours and virtio:
        add(f'{human(times(virtio, "instructions"))}&times;',
            "what it costs the kernel's own virtio driver, against ours")
    return f'<div class="tiles">{"".join(found)}</div>'


def cells(row, human):
    columns = ("instructions", "host_switches", "interrupts", "hypercalls", "io_exits",
               "cr3_writes", "p50", "p99")
    wall = row["wall_us"]
    return (f'<tr><td>{OPS.get(row["op"], row["op"])}</td><td class="text">{row["device"]}</td>'
            + "".join(f"<td>{human(row[c])}</td>" for c in columns)
            + f'<td>{human(row["throughput"])} {row["unit"]}</td>'
            + f'<td>{human(wall)}</td></tr>')


def table(rows, human):
    heads = ("request", "device", "instructions", "world switches", "interrupts", "hypercalls",
             "port accesses", "CR3 writes", "p50", "p99", "throughput", "wall clock, us")
    return ('<div class="wide"><table><tr>' + "".join(f"<th>{h}</th>" for h in heads) + "</tr>"
            + "".join(cells(r, human) for r in rows) + "</table></div>")


def judged(verdicts, human):
    body = "".join(
        f'<tr><td>{markup.escape(what)}</td><td>{human(value)}</td><td>{markup.escape(want)}</td>'
        f'<td class="{"met" if met else "missed"}">{"met" if met else "not met"}</td></tr>'
        for what, value, want, met in verdicts)
    return ('<div class="wide"><table><tr><th>target</th><th>measured</th><th>wanted</th><th></th>'
            f"</tr>{body}</table></div>")


def html(rows, verdicts, human, opts):
    def instructions(row):
        value = f'{row["instructions"]:,.0f}'
        counts = f'{human(row["host_switches"])} / {human(row["interrupts"])}'
        return value, counts, (f'{row["op"]}, {row["device"]}: {value} instructions, '
                               f'p50 {row["p50"]:,.0f}, p99 {row["p99"]:,.0f}, '
                               f'{human(row["throughput"])} {row["unit"]}')

    def switches(row):
        value = human(row["host_switches"])
        calls = f'{human(row["hypercalls"])} / {human(row["io_exits"])}'
        return value, calls, f'{row["op"]}, {row["device"]}: {value} world switches'

    guests = [r for r in rows if r["device"] != "native"]
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ringfence: what a disk request costs</title><style>{STYLE}</style></head><body>
<h1>What a disk request costs</h1>
<p>The same program on four devices of one boot, each with a RAM disk of the host behind it. Host
{markup.escape(opts.host)}, guest {markup.escape(opts.guest)}, one vCPU, O_DIRECT.</p>
{tiles(rows, human)}
<h2>Instructions for each request</h2>
<p>All that is executed anywhere, in guest, hypervisor and host, on a logarithmic scale. Shorter is
better. Beside it: world switches and event upcalls for each request.</p>
{legend()}
{chart(rows, "instructions", instructions, "switches / upcalls")}
<h2>World switches for each request</h2>
<p>From the guest to the host and back, on a logarithmic scale. Beside it: hypercalls that the host
serves, and accesses to ports that the launcher answers.</p>
{chart(guests, "host_switches", switches, "hypercalls / ports")}
<h2>Targets</h2>
{judged(verdicts, human)}
<h2>All figures</h2>
<p>Percentiles and throughput are by a clock in which an instruction takes a nanosecond; the last
column is by wall clock, on an emulator.</p>
{table(rows, human)}
</body></html>
"""
