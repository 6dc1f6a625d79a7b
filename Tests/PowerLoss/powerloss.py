#!/usr/bin/env python3
"""Cuts the power after every operation of a short run, and looks for what was promised.

    powerloss.py BINARIES [--states N] [--seed N] [--webhooks N] [--mode ext4|posix|both]
                          [--backup] [--programs N] [--control]

The real programs run once under strace. After each operation on their files the trees that a disk
may hold at that moment are rebuilt (see disk.py) and examined (see oracle.py): the database opens
and is whole, every webhook that was answered 200 is there, the objects of the lake are whole. With
--programs N, every N-th tree is also given to the real ingest, which must start on it and stop, and
to `pipelinectl verify`. --control runs the programs with synchronous=NORMAL, which must lose something:
it shows that the test would notice. The last line is the result; status 1 says that something was
lost (with --control: that nothing was).
"""
import argparse
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import oracle
from disk import Disk
from pipeline import Pipeline
from trace import OPTIONS, Reader

HERE = os.path.dirname(os.path.abspath(__file__))


class Choice:
    """What arrived at a power cut; `name` and `data` as Disk.state wants them."""

    def __init__(self, title, name, data):
        self.title, self.name, self.data = title, name, data


def sectors(generator, share):
    return lambda count: [generator.random() < share for _ in range(count)]


def choices(generator, open_count):
    """The extremes, everything up to a point, all but one, one alone, and what chance gives."""
    yield Choice("nothing arrived", lambda i, n: False, lambda i, n: False)
    if open_count == 0:
        return
    yield Choice("all arrived", lambda i, n: True, lambda i, n: True)
    yield Choice("names arrived, no data", lambda i, n: True, lambda i, n: False)
    if open_count > 1:
        lost = generator.randrange(open_count)
        yield Choice("all but one", lambda i, n: True, lambda i, n: i != lost % n)
        yield Choice("only the last", lambda i, n: True, lambda i, n: i == n - 1)
    while True:
        share = generator.choice([0.2, 0.5, 0.8, 0.95])
        names = generator.randrange(open_count + 1)
        kinds = generator.choice([(False, True), (False, True, sectors(generator, share)),
                                  (True, sectors(generator, share))])
        yield Choice(
            f"by chance, {share:.0%}",
            (lambda i, n, names=names: i < names) if generator.random() < 0.5
            else (lambda i, n, share=share: generator.random() < share),
            lambda i, n, share=share, kinds=kinds: True if generator.random() < share / 2
            else generator.choice(kinds))


def run_scenario(options, directory):
    """Runs the programs once under strace; returns events, and markers by connection."""
    root, logs = directory + "/run/data", directory + "/run"
    os.makedirs(root)
    log, out = directory + "/strace.log", directory + "/sent.json"
    environment = dict(os.environ)
    if options.control:
        environment["POWER_LOSS_CONTROL"] = "1"
    if options.backup:
        environment["POWER_LOSS_BACKUP"] = "1"
    run = subprocess.run(
        ["strace", *OPTIONS, "-o", log, sys.executable, HERE + "/scenario.py", options.binaries,
         root, logs, str(options.webhooks), out],
        env=environment, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"the run failed: {run.stderr[-2000:]}")
    with open(out) as file:
        sent = json.load(file)
    events = Reader(root, sent["port"]).read(log)
    os.unlink(log)
    return root, events, sent["sent"]


def write_tree(tree, root, target):
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target + "/queue", mode=0o700)
    for path, content in sorted(tree.items()):
        place = target + path[len(root):]
        if content is None:
            os.makedirs(place, mode=0o700, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        with open(os.open(place, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(content)


class Cutter:
    def __init__(self, options, root, events, sent, directory):
        self.options, self.root, self.events, self.sent = options, root, events, sent
        self.tree = directory + "/tree"
        self.states = self.bad = self.worst = self.started = 0
        self.shown = 0

    def cut_everywhere(self, mode, states, seed):
        """Examines about `states` trees, spread over every operation of the run."""
        operations = sum(event[0] not in ("answer", "promise") for event in self.events)
        per_point = states / max(1, operations)
        disk, acknowledged, backups, answers = Disk(self.root, mode), [], [], {}
        for number, event in enumerate(self.events):
            if event[0] == "answer":
                self.note_answer(event, answers, acknowledged)
            elif event[0] == "promise":
                backups.append(event[1])
            else:
                disk.apply(number, event)
            self.cut(disk, number, acknowledged, backups, per_point, seed)
        return len(acknowledged), operations

    def note_answer(self, event, answers, acknowledged):
        index = answers.get(event[1], 0)
        answers[event[1]] = index + 1
        markers = self.sent.get(event[1], [])
        if event[2] == 200 and index < len(markers):
            acknowledged.append(markers[index])

    def cut(self, disk, number, acknowledged, backups, per_point, seed):
        generator = random.Random(f"{seed} {disk.mode} {number}")
        # A share of a tree is a chance of one.
        count = int(per_point) + (generator.random() < per_point % 1)
        several = list(itertools.islice(choices(generator, disk.open_choices()), count + 4))
        for index, choice in enumerate(generator.sample(several, min(count, len(several)))):
            write_tree(disk.state(choice), self.root, self.tree)
            self.states += 1
            try:
                self.run_programs(number)
                missing = oracle.examine(self.tree, acknowledged, backups)
                trouble = f"{len(missing)} missing" if missing else None
                self.worst = max(self.worst, len(missing))
            except oracle.Broken as error:
                trouble = str(error)
            if trouble:
                self.bad += 1
                self.show(trouble, disk, number, index, choice, acknowledged)

    def run_programs(self, number):
        """Now and then: ingest must start on the tree and stop, and verify find nothing wrong."""
        every = self.options.programs
        if not every or self.states % every or not os.path.exists(self.tree + "/queue"):
            return
        self.started += 1
        logs = tempfile.mkdtemp(dir=os.path.dirname(self.tree))
        pipeline = Pipeline(self.options.binaries, self.tree, logs, 9)
        try:
            try:
                pipeline.start("ingest")
            except RuntimeError as error:
                if "Address already in use" not in str(error):
                    raise
                # Somebody else was given the port meanwhile: nothing of the tree was touched.
                pipeline = Pipeline(self.options.binaries, self.tree, logs, 9)
                pipeline.start("ingest")
            pipeline.end("ingest")
            verify = pipeline.pipelinectl("verify")
            if verify.returncode != 0:
                raise oracle.Broken(f"verify: {verify.stdout} {verify.stderr}")
        except RuntimeError as error:
            raise oracle.Broken(str(error)) from error
        finally:
            shutil.rmtree(logs, ignore_errors=True)

    def show(self, trouble, disk, number, index, choice, acknowledged):
        self.shown += 1
        if self.shown > (1 if self.options.control else 5):
            return
        event = self.events[number]
        print(f"  {disk.mode}, after event {number} ({' '.join(map(str, event[:2]))}), tree {index} "
              f"({choice.title}), {len(acknowledged)} acknowledged: {trouble}", flush=True)
        if self.options.keep and not self.options.control:
            kept = f"{self.options.keep}/{disk.mode}-{number}-{index}"
            shutil.copytree(self.tree, kept, dirs_exist_ok=True)
            print(f"  the tree is kept in {kept}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries", type=os.path.abspath)
    parser.add_argument("--states", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--webhooks", type=int, default=40)
    parser.add_argument("--mode", choices=["ext4", "posix", "both"], default="both")
    parser.add_argument("--programs", type=int, default=0)
    parser.add_argument("--backup", action="store_true")
    parser.add_argument("--control", action="store_true")
    parser.add_argument("--keep")
    options = parser.parse_args()
    modes = ["ext4", "posix"] if options.mode == "both" else [options.mode]
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="power-loss-", dir=place) as directory:
        root, events, sent = run_scenario(options, directory)
        cutter = Cutter(options, root, events, sent, directory)
        for mode in modes:
            acknowledged, operations = cutter.cut_everywhere(
                mode, options.states // len(modes), options.seed)
    print(f"power loss{' (control)' if options.control else ''}: seed {options.seed}, "
          f"{'+'.join(modes)}, {operations} operations, {cutter.states} states, "
          f"{cutter.started} given to the programs, {acknowledged} webhooks acknowledged, "
          f"{cutter.bad} bad, at worst {cutter.worst} events lost, "
          f"{time.monotonic() - began:.0f} s")
    sys.exit(0 if (cutter.bad > 0) == options.control else 1)


if __name__ == "__main__":
    # Whoever stops it wants no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
