"""A million waiting messages, one conversation in twenty failing, drained into a receiver; the same
receiver under wrk at the same concurrency is the yardstick."""

import datetime
import json
import os
import re
import subprocess
import sys
import time
import urllib.request

from . import report
from .programs import BENCHMARKS, BUILT, RELEASE, ROOT, Bench

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "1000000"))
WINDOW = int(os.environ.get("BENCH_SECONDS", "20"))
WORKERS, RECEIVER = 0, 1
# Children and microseconds of work: PHP with a database, PHP that does little, and no work at all,
# which shows where the client ends.
RECEIVERS = [
    ("8 children, 5 ms each", 8, 5000),
    ("8 children, 2 ms each", 8, 2000),
    ("no work, 16 connections", 16, 0),
]


def counts(port):
    return json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10))


def wrk(port, concurrency):
    command = ["taskset", "-c", str(WORKERS), "wrk", "-t1", f"-c{concurrency}", "-d5s", "-s",
               str(BENCHMARKS / "wrk" / "messages.lua"), f"http://127.0.0.1:{port}/"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.strip().splitlines()[-1])["per_second"]


def fill(bench):
    subprocess.run(
        [str(RELEASE / "benchmark-fill"), str(bench.queue), str(MESSAGES), "messages"], check=True)


def accept(bench):
    """All of the log becomes deliveries, while nothing listens at the receiver's port."""
    started = time.monotonic()
    workers = pool(bench, 8)
    while bench.metrics(of_workers=True)["workers_forward_accepted_total"] < MESSAGES:
        time.sleep(0.2)
    workers.stop()
    return MESSAGES / (time.monotonic() - started)


def pool(bench, concurrency):
    program = bench.start(
        "workers", [str(RELEASE / "workers"), "--pool", "forward"],
        bench.settings(FORWARD_CONCURRENCY=str(concurrency), FORWARD_BACKOFF_MAX="60s"), WORKERS)
    program.wait_until_listening(bench.workers_port)
    return program


def receiver(bench, children, microseconds):
    program = bench.start(
        "receiver", [str(BUILT / "receiver"), str(bench.receiver_port), str(children),
                     str(microseconds)], core=RECEIVER)
    program.wait_until_listening(bench.receiver_port)
    return program


def drain(bench, concurrency, seconds):
    """Requests a second over a window that begins when the first are through."""
    workers = pool(bench, concurrency)
    time.sleep(2)
    before, started, cpu = counts(bench.receiver_port), time.monotonic(), workers.cpu_seconds()
    time.sleep(seconds)
    after, ended = counts(bench.receiver_port), time.monotonic()
    used = workers.cpu_seconds() - cpu
    made = sum(after.values()) - sum(before.values())
    memory = workers.memory_bytes()
    workers.stop()
    return made / (ended - started), used / max(made, 1), memory


def main():
    rows = []
    with Bench("forward") as bench:
        bench.queue.parent.mkdir(parents=True, exist_ok=True)
        fill(bench)
        made = accept(bench)
        rows.append(report.Row("deliveries made of the log a second, PHP down",
                               f"{made:,.0f}", "", None))
        print(rows[-1].line(), flush=True)
        for name, children, microseconds in RECEIVERS:
            program = receiver(bench, children, microseconds)
            yard = wrk(bench.receiver_port, children)
            ours, cpu, memory = drain(bench, children, WINDOW)
            again = wrk(bench.receiver_port, children)
            program.stop()
            yard = (yard + again) / 2
            ceiling = microseconds == 0
            rows.append(report.Row(
                f"requests/s to wrk's: {name}",
                f"{ours / yard:.2f} ({ours:,.0f} to {yard:,.0f}), {cpu * 1e6:.0f} µs of CPU each, "
                f"{memory / 1048576:.0f} MiB",
                "the client's ceiling" if ceiling else "0.80",
                None if ceiling else ours / yard >= 0.8))
            print(rows[-1].line(), flush=True)
    write(rows)


def write(rows):
    now = datetime.datetime.now(datetime.timezone.utc)
    facts = (f"Measured {now:%Y-%m-%d %H:%M} UTC with `make bench-forward`, {MESSAGES:,} messages "
             f"waiting, on {report.machine()}, commit {report.commit()}.")
    results = BENCHMARKS / "results"
    results.mkdir(exist_ok=True)
    path = results / f"{now:%Y-%m-%d-%H%M}-forward.md"
    path.write_text(f"# Forward, {now:%Y-%m-%d %H:%M}\n\n{facts}\n\n{report.table(rows)}")
    page = ROOT / "docs" / "BENCHMARKS.md"
    text = page.read_text()
    begin, end = "<!-- bench-forward -->\n", "<!-- /bench-forward -->"
    page.write_text(re.sub(
        re.escape(begin) + ".*?" + re.escape(end),
        lambda _: f"{begin}{facts}\n\n{report.table(rows)}{end}", text, flags=re.DOTALL))
    print(report.table(rows))
    print(f"written to {path.relative_to(ROOT)} and docs/BENCHMARKS.md")


if __name__ == "__main__":
    sys.exit(main())
