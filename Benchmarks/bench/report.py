"""The table, and where it is written."""

import dataclasses
import datetime
import json
import os
import platform
import re
import subprocess

from .programs import BENCHMARKS, ROOT


@dataclasses.dataclass
class Row:
    """One figure, what it was to reach, and whether it does; None where it is only reported."""

    figure: str
    measured: str
    wanted: str
    holds: bool | None
    details: dict = dataclasses.field(default_factory=dict)

    @property
    def verdict(self):
        return "" if self.holds is None else ("yes" if self.holds else "**no**")

    def line(self):
        return f"{self.figure}: {self.measured}" + (
            "" if self.holds is None else f" ({'holds' if self.holds else 'FALLS SHORT'})")


def table(rows):
    lines = ["| figure | measured | to reach | holds |", "|---|---|---|---|"]
    lines += [f"| {r.figure} | {r.measured} | {r.wanted} | {r.verdict} |" for r in rows]
    return "\n".join(lines) + "\n"


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo") as cpus:
        for line in cpus:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo") as memory:
        gibibytes = round(int(memory.readline().split()[1]) / 1048576)
    return (f"{os.cpu_count()} cores of {model}, {gibibytes} GiB, Linux {platform.release()}, "
            f"{file_system()}")


def file_system():
    output = subprocess.run(
        ["stat", "-f", "-c", "%T", str(ROOT)], capture_output=True, text=True).stdout.strip()
    return output or "unknown file system"


def commit():
    output = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return output.stdout.strip() or "unknown"


def write(rows):
    """Writes a results file, and the table between the marks of both pages."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp = now.strftime("%Y-%m-%d-%H%M")
    facts = (f"Measured {now:%Y-%m-%d %H:%M} UTC with `make bench` on {machine()}, "
             f"commit {commit()}.")
    results = BENCHMARKS / "results"
    results.mkdir(exist_ok=True)
    (results / f"{stamp}.md").write_text(f"# {stamp}\n\n{facts}\n\n{table(rows)}")
    (results / f"{stamp}.json").write_text(json.dumps(
        {"measured_at": now.isoformat(timespec="seconds"), "command": "make bench",
         "machine": machine(), "commit": commit(),
         "rows": [dataclasses.asdict(row) for row in rows]}, indent=1) + "\n")
    for page in ("docs/BENCHMARKS.md", "README.md"):
        insert(ROOT / page, f"{facts}\n\n{table(rows)}")
    return f"Benchmarks/results/{stamp}.md"


def insert(path, text):
    """Replaces what stands between the marks; leaves a page without marks alone."""
    page = path.read_text()
    begin, end = "<!-- bench -->\n", "<!-- /bench -->"
    made = re.sub(
        re.escape(begin) + ".*?" + re.escape(end), lambda _: begin + text + end, page,
        flags=re.DOTALL)
    if made != page:
        path.write_text(made)
