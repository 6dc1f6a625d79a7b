#!/usr/bin/env python3
"""Cuts the power of a real file system under load, by snapshots of the disk below it.

    cuts.py BINARIES [--cuts N] [--seed N] [--control] [--probe]

The pipeline works on an ext4 that is mounted from an image; the image lies on a btrfs, where a copy
of it takes milliseconds. At random moments the image is copied: that is what the disk held when the
power went. The copy is mounted, its journal replayed, and examined (see oracle.py) while the load
goes on. Needs root, loop devices and btrfs-progs; --probe says whether they are to be had (status 0)
or why not (status 77). All mounts live in a mount namespace of this process and go with it.
--control runs the programs with synchronous=NORMAL, which must lose something.
"""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import oracle
from pipeline import Pipeline, Receiver, Sender

CUTS_PER_ROUND = 40
SENDERS = 4
KINDS = "SMXSM"


class Unavailable(Exception):
    """This machine does not allow it."""


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise Unavailable(f"{' '.join(command[:2])}: {result.stderr.strip()[:200]}")


class Disk:
    """An ext4 on an image on a btrfs on an image."""

    def __init__(self, directory):
        self.directory = directory
        self.outer, self.inner = directory + "/outer", directory + "/inner"
        self.mounted = []

    def __enter__(self):
        try:
            if os.geteuid() != 0:
                raise Unavailable("root is needed to mount")
            for tool in ("mkfs.btrfs", "mkfs.ext4"):
                if not shutil.which(tool):
                    raise Unavailable(f"{tool} is not installed")
            image = self.directory + "/outer.img"
            self.make(image, 2 << 30, "mkfs.btrfs", "-q", "-f")
            self.mount(image, self.outer)
            self.image = self.outer + "/disk.img"
            self.make(self.image, 384 << 20, "mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0")
            self.mount(self.image, self.inner)
        except Unavailable:
            self.__exit__()
            raise
        return self

    def make(self, path, size, *command):
        with open(path, "wb") as file:
            file.truncate(size)
        run(*command, path)

    def mount(self, image, place):
        os.makedirs(place, exist_ok=True)
        run("mount", "-o", "loop", image, place)
        self.mounted.append(place)

    def __exit__(self, *_):
        for place in reversed(self.mounted):
            subprocess.run(["umount", "-l", place], capture_output=True)

    def cut(self, examine):
        """Copies the disk as it is now, and examines what a machine finds that starts on it."""
        snapshot, place = self.outer + "/cut.img", self.directory + "/cut"
        run("cp", "--reflink=always", self.image, snapshot)
        try:
            self.mount(snapshot, place)
            try:
                return examine(place)
            finally:
                run("umount", place)
                self.mounted.remove(place)
        finally:
            os.unlink(snapshot)


class Load:
    """Several senders; each webhook is sent until it is acknowledged, as WhatsApp does."""

    def __init__(self, port):
        self.lock = threading.Lock()
        self.acknowledged = []
        self.next = 0
        self.allowed = 0
        self.is_stopping = False
        self.more = threading.Condition(self.lock)
        self.threads = [threading.Thread(target=self.work, args=(Sender(port),), daemon=True)
                        for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def work(self, sender):
        while True:
            with self.lock:
                while self.next >= self.allowed and not self.is_stopping:
                    self.more.wait()
                if self.is_stopping:
                    return
                number, self.next = self.next, self.next + 1
            marker = f"{KINDS[number % len(KINDS)]}{number}"
            while not sender.send(marker) and not self.is_stopping:
                time.sleep(0.01)
            with self.lock:
                self.acknowledged.append(marker)

    def allow(self, count):
        with self.lock:
            self.allowed = max(self.allowed, len(self.acknowledged) + count)
            self.more.notify_all()

    def stop(self):
        with self.lock:
            self.is_stopping = True
            self.more.notify_all()
        for thread in self.threads:
            thread.join(30)


def one_round(disk, options, generator, number, cuts, totals):
    """Starts the pipeline in a directory of its own, and cuts."""
    name = f"round-{number}"
    root, logs = f"{disk.inner}/{name}", f"{disk.directory}/logs"
    os.makedirs(root, mode=0o700)
    os.makedirs(logs, exist_ok=True)
    os.sync()
    settings = {"PIPELINE_TEST_SYNCHRONOUS": "normal"} if options.control else {}
    pipeline = Pipeline(options.binaries, root, logs, Receiver().port, **settings)
    load = None
    try:
        pipeline.start("ingest")
        pipeline.start("workers")
        load = Load(pipeline.port)
        for _ in range(cuts):
            load.allow(generator.randrange(5, 60))
            time.sleep(generator.random() * 0.08)
            with load.lock:
                acknowledged = list(load.acknowledged)
            cut(disk, name, acknowledged, totals, options)
            if generator.random() < 0.05:
                # A process that dies just before the power goes.
                victim = generator.choice(["ingest", "workers"])
                pipeline.end(victim, signal.SIGKILL)
                pipeline.start(victim)
        totals["acknowledged"] += len(load.acknowledged)
    finally:
        if load:
            load.stop()
        pipeline.end_all(signal.SIGKILL)
        shutil.rmtree(root)


def cut(disk, name, acknowledged, totals, options):
    totals["cuts"] += 1
    try:
        missing = disk.cut(lambda place: oracle.examine(f"{place}/{name}", acknowledged))
        trouble = f"{len(missing)} missing, {sorted(missing)[:3]}" if missing else None
        totals["worst"] = max(totals["worst"], len(missing))
    except oracle.Broken as error:
        trouble = str(error)
    if trouble:
        totals["bad"] += 1
        if totals["bad"] <= (1 if options.control else 10):
            print(f"  cut {totals['cuts']}, {len(acknowledged)} acknowledged: {trouble}",
                  flush=True)


def work(options):
    generator = random.Random(options.seed)
    totals = {"cuts": 0, "bad": 0, "worst": 0, "acknowledged": 0}
    began = time.monotonic()
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="power-cuts-", dir=place) as directory:
        with Disk(directory) as disk:
            if options.probe:
                return 0
            number = 0
            while totals["cuts"] < options.cuts:
                cuts = min(CUTS_PER_ROUND, options.cuts - totals["cuts"])
                one_round(disk, options, generator, number, cuts, totals)
                number += 1
    print(f"power cuts{' (control)' if options.control else ''}: seed {options.seed}, "
          f"{totals['cuts']} cuts of an ext4 under load, {totals['acknowledged']} webhooks "
          f"acknowledged, {totals['bad']} bad, at worst {totals['worst']} events lost, "
          f"{time.monotonic() - began:.0f} s")
    return 0 if (totals["bad"] > 0) == options.control else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries", type=os.path.abspath)
    parser.add_argument("--cuts", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--control", action="store_true")
    parser.add_argument("--probe", action="store_true")
    options = parser.parse_args()
    try:
        if "POWER_CUTS_ALONE" not in os.environ:
            run("unshare", "--mount", "true")
            os.environ["POWER_CUTS_ALONE"] = "1"
            os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
        sys.exit(work(options))
    except (Unavailable, FileNotFoundError) as error:
        print(f"power cuts are not to be had here: {error}")
        sys.exit(77)


main()
