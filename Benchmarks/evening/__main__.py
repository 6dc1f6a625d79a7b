"""`scripts/bench-load`: an evening straight to PHP, and the same evening through the pipeline.

Everything is on loopback, in a directory that is removed at the end, and stops after the evening's
webhooks: at most a few minutes.
"""

import argparse
import datetime
import json
import os
import platform
import random
import subprocess
import tempfile
import time

from . import evening, programs, report, whatsapp


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench-load", description=__doc__.split("\n")[0])
    parser.add_argument("--messages", type=int, default=6000, help="that the business sends")
    parser.add_argument("--seconds", type=int, default=40, help="to which the evening is compressed")
    parser.add_argument("--seed", type=int, default=None, help="repeats an evening")
    parser.add_argument("--batch", type=int, default=50, help="FORWARD_BATCH_MAX of the backlog")
    parser.add_argument("--save", action="store_true", help="keep the result in Benchmarks/results")
    return parser.parse_args()


def answers(sender):
    seconds = sender.seconds
    return {
        "answers": dict(sorted(sender.statuses.items())),
        "answer_ms_p50": round(whatsapp.percentile(seconds, 0.50) * 1000, 1),
        "answer_ms_p99": round(whatsapp.percentile(seconds, 0.99) * 1000, 1),
        "answer_ms_max": round(max(seconds) * 1000, 1),
    }


def check(site, webhooks, direct):
    """Nothing was lost and nothing was done twice, or the figures mean nothing."""
    distinct = {webhook.body: webhook.is_message for webhook in webhooks}
    expected = len(distinct) if direct else sum(distinct.values())
    found = site.count("select count(*) from webhook_event")
    if found != expected:
        raise SystemExit(f"{expected} events should be in PHP's database, {found} are")
    messages = site.count("select count(distinct message_id) from webhook_event where type = 'text'")
    if messages != sum(distinct.values()):
        raise SystemExit(f"PHP has {messages} messages of {sum(distinct.values())}")


def straight(folder, webhooks):
    site = programs.Site(f"{folder}/site", evening.SECRET)
    try:
        sender = whatsapp.send(webhooks, site.port)
        result = {**site.costs(), **answers(sender), "pipeline_cpu_seconds": 0.0}
        check(site, webhooks, direct=True)
        return result
    finally:
        site.stop()


def piped(folder, webhooks):
    site = programs.Site(f"{folder}/site", evening.SECRET)
    pipeline = programs.Pipeline(f"{folder}/pipeline", evening.SECRET, site.url)
    try:
        pipeline.start_workers()
        sender = whatsapp.send(webhooks, pipeline.port)
        programs.wait_for("empty queue", pipeline.is_drained, 60)
        result = {**site.costs(), **answers(sender), "pipeline_cpu_seconds": pipeline.cpu_seconds()}
        check(site, webhooks, direct=False)
        return result
    finally:
        pipeline.stop()
        site.stop()


def backlog(folder, webhooks, batch):
    """The workers come back when the evening is over, and find all of it."""
    site = programs.Site(f"{folder}/site", evening.SECRET)
    pipeline = programs.Pipeline(
        f"{folder}/pipeline", evening.SECRET, site.url, FORWARD_BATCH_MAX=str(batch))
    try:
        sender = whatsapp.send(webhooks, pipeline.port, throttle=False)
        start = time.monotonic()
        pipeline.start_workers()
        programs.wait_for("empty queue", pipeline.is_drained, 120)
        result = {
            **site.costs(), **answers(sender), "pipeline_cpu_seconds": pipeline.cpu_seconds(),
            "drain_seconds": round(time.monotonic() - start, 1),
        }
        check(site, webhooks, direct=False)
        return result
    finally:
        pipeline.stop()
        site.stop()


def machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    commit = subprocess.run(
        ["git", "-C", programs.ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit.stdout.strip(),
        "machine": f"{len(models)} x {models[0] if models else platform.machine()}",
        "kernel": platform.release(),
        "php": subprocess.run(
            ["php", "-r", "echo PHP_VERSION;"], capture_output=True, text=True).stdout,
    }


def main():
    options = arguments()
    seed = options.seed if options.seed is not None else random.randrange(2**32)
    webhooks = evening.evening(options.messages, options.seconds, seed, int(time.time()))
    kinds = {
        "messages_sent": options.messages, "webhooks": len(webhooks),
        "replies": sum(webhook.is_message for webhook in webhooks), "seconds": options.seconds,
        "seed": seed,
    }
    print(f"seed {seed}: {len(webhooks)} webhooks, {kinds['replies']} of them messages", flush=True)
    runs = {}
    with tempfile.TemporaryDirectory(prefix="evening-") as folder:
        for name, run in [
            ("straight to PHP", lambda at: straight(at, webhooks)),
            ("through the pipeline", lambda at: piped(at, webhooks)),
            ("a backlog, one by one", lambda at: backlog(at, webhooks, 1)),
            (f"a backlog, {options.batch} a POST", lambda at: backlog(at, webhooks, options.batch)),
        ]:
            runs[name] = run(os.path.join(folder, str(len(runs))))
            print(name, json.dumps(runs[name]), flush=True)
    command = f"scripts/bench-load --messages {options.messages} --seconds {options.seconds} --seed {seed}"
    result = {**machine(), "command": command, "evening": kinds, "runs": runs}
    text = report.text(result)
    print(text)
    if options.save:
        path = os.path.join(programs.ROOT, "Benchmarks", "results", "evening")
        with open(path + ".json", "w") as file:
            json.dump(result, file, indent=2)
            file.write("\n")
        with open(path + ".md", "w") as file:
            file.write(text)


main()
