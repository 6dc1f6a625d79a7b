#!/usr/bin/env python3
"""Damages a queue at random places: what it does must be noticed, and what is left be saved.

    corruption.py BINARIES [--flips N] [--seed N]

A queue with rows of every kind is made by the real programs and killed, so that commits stand in the
WAL alone and a sealed batch waits in the spool. Then, on a copy each: some bytes of the database, the
WAL or the spool are changed, zeroed or cut off. `pipelinectl verify` must leave with 1, unless every
row reads as before, or only columns changed that nothing covers (UNCOVERED; docs/RELIABILITY.md
lists them). ingest and workers must refuse the file in a line that says what to do, or work; never
die of it. `pipelinectl salvage` must save each unread webhook, or name its id among the lost.
"""
import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

from pipeline import Pipeline, Receiver, Sender

KINDS = "SMXSM"
# What a changed byte may alter without contradicting anything. No signature or hash covers these.
UNCOVERED = {
    "webhook": {"received_at", "signature_1", "user_agent", "content_type", "remote_address"},
    "consumer": {"cursor"},
    "seen": {"event_seconds", "digest", "consumer", "webhook_id", "received_at"},
    "attempt": {"delivery_id", "number", "started_at", "duration_ms", "result", "status", "answer",
                "is_spent"},
    "audit": {"id", "at", "system_user", "act", "delivery_id", "note"},
    "counter": {"name", "value"},
    "queue": {"queue_id", "created_at", "schema_version", "schema_version_compatible"},
    "lake_batch": {"id", "object_name", "sha256", "byte_count", "line_count", "first_webhook_id",
                   "last_webhook_id", "sealed_at", "shipped_at"},
    "place": {"conversation"},
    "delivery": {"id", "key", "webhook_id", "part", "received_at", "conversations", "field",
                 "phone_number_id", "event_count", "is_cut", "signature_1", "secret_fingerprint",
                 "user_agent", "content_type", "remote_address", "position", "due_at",
                 "attempt_count", "refusal_count", "attempt_total", "replay_count", "age_started",
                 "settled_at", "reason", "reason_status", "state", "blocked_count"},
    "sqlite_sequence": {"seq"},
}


def fill(binaries, directory):
    """Makes the queue; returns its directory."""
    root = directory + "/source"
    os.makedirs(root)
    pipeline = Pipeline(binaries, root, directory, Receiver().port)
    sender = Sender(pipeline.port)
    pipeline.start("ingest")
    pipeline.start("workers")
    for number in range(120):
        sender.send(f"{KINDS[number % 5]}{number}")
    wait(root, "select count(*) = 0 from delivery where state = 'waiting'")
    wait(root, "select sum(line_count) = 72 and max(shipped_at is null) = 0 from lake_batch")
    pipeline.end("workers", signal.SIGKILL)
    pipeline.environment["LAKE_URL"] = "file:/proc/no-lake"
    pipeline.environment["FORWARD_URL"] = "http://127.0.0.1:9/"
    pipeline.start("workers")
    for number in range(120, 180):
        sender.send(f"{KINDS[number % 5]}{number}")
    wait(root, "select sum(line_count) = 36 from lake_batch where shipped_at is null")
    wait(root, "select min(cursor) = 180 from consumer")
    pipeline.end("workers", signal.SIGKILL)
    for number in range(180, 260):
        sender.send(f"{KINDS[number % 5]}{number}")
    pipeline.end("ingest", signal.SIGKILL)
    return root + "/queue"


def wait(root, question):
    for _ in range(1500):
        connection = sqlite3.connect(f"file:{root}/queue/queue.db?mode=ro", uri=True)
        try:
            if connection.execute(question).fetchone()[0]:
                return
        finally:
            connection.close()
        time.sleep(0.02)
    raise RuntimeError("never: " + question)


def used_wal(path):
    """Bytes of the WAL that carry its own salt."""
    with open(path, "rb") as file:
        content = file.read()
    size = struct.unpack(">I", content[8:12])[0] + 24
    end = 32
    while content[end + 8:end + 16] == content[16:24]:
        end += size
    return end


def dump(directory):
    """Every row of every table, by table and key; raises where SQLite meets damage."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(directory)) as copy:
        for suffix in ("", "-wal"):
            if os.path.exists(directory + "/queue.db" + suffix):
                shutil.copy(directory + "/queue.db" + suffix, copy)
        connection = sqlite3.connect(copy + "/queue.db")
        connection.text_factory = bytes
        try:
            tables = {}
            names = [row[0].decode() for row in connection.execute(
                "select name from sqlite_schema where type = 'table'")]
            for table in names:
                cursor = connection.execute(f"select * from {table}")
                columns = [column[0] for column in cursor.description]
                tables[table] = (columns, sorted(map(repr, cursor.fetchall())))
            return tables
        finally:
            connection.close()


def differences(before, after):
    """Changed columns by table; a row that came or went is a change of `*`."""
    changed = set()
    for table in before.keys() | after.keys():
        old, new = before.get(table), after.get(table)
        if old == new:
            continue
        if old is None or new is None or old[0] != new[0] or len(old[1]) != len(new[1]):
            changed.add((table, "*"))
            continue
        for left, right in zip(old[1], new[1]):
            if left != right:
                left, right = eval(left), eval(right)  # our own repr of plain values
                changed |= {(table, column) for column, a, b in zip(old[0], left, right) if a != b}
    return changed


class Damage:
    def __init__(self, generator, directory):
        spool = directory + "/queue.db.spool"
        files = [("queue.db", 5), ("queue.db-wal", 4)]
        files += [("queue.db.spool/" + name, 1) for name in os.listdir(spool) if name[0] != "."]
        self.name = generator.choices([f[0] for f in files], [f[1] for f in files])[0]
        path = f"{directory}/{self.name}"
        size = used_wal(path) if self.name.endswith("-wal") else os.path.getsize(path)
        self.kind = generator.choices(["flip", "zero", "cut"], [8, 2, 1])[0]
        self.offset = generator.randrange(size)
        if self.kind == "cut":
            os.truncate(path, self.offset)
            return
        length = generator.randrange(1, 5) if self.kind == "flip" else generator.choice([512, 4096])
        with open(path, "r+b") as file:
            file.seek(self.offset)
            old = file.read(min(length, size - self.offset))
            file.seek(self.offset)
            file.write(bytes(len(old)) if self.kind == "zero" else
                       bytes(byte ^ generator.randrange(1, 256) for byte in old))

    def __str__(self):
        return f"{self.kind} at {self.offset} of {self.name}"


class Trial:
    def __init__(self, options, source, before, directory):
        self.options, self.source, self.before, self.directory = options, source, before, directory
        self.counts = {"noticed": 0, "harmless": 0, "uncovered": 0, "refused": 0, "saved": 0,
                       "lost": 0}
        self.uncovered = set()
        self.bad = []

    def run(self, number):
        generator = random.Random(f"{self.options.seed} {number}")
        queue = self.directory + "/trial/queue"
        shutil.rmtree(self.directory + "/trial", ignore_errors=True)
        shutil.copytree(self.source, queue)
        for name in os.listdir(queue):
            if name.endswith("-shm"):
                os.unlink(f"{queue}/{name}")
        damage = Damage(generator, queue)
        if number % 4 == 0:
            self.salvage(queue, damage)
        after = self.look(queue)
        pipeline = Pipeline(self.options.binaries, self.directory + "/trial", self.directory, 9)
        if number % 5 == 0:
            self.start_programs(pipeline, queue, damage)
        verify = pipeline.pipelinectl("verify")
        text = verify.stdout + verify.stderr
        if verify.returncode == 1:
            self.counts["noticed"] += 1
            if "salvage" not in text and "restore" not in text and "backup" not in text \
                    and "report it" not in text and "newer release" not in text:
                self.bad.append(f"{damage}: no advice: {text}")
            return
        if verify.returncode != 0:
            self.bad.append(f"{damage}: verify left with {verify.returncode}: {text}")
            return
        if after is None:
            self.bad.append(f"{damage}: cannot be read, and verify says nothing")
            return
        changed = differences(self.before, after)
        if not changed and "spool" not in damage.name:
            self.counts["harmless"] += 1
        elif changed and all(column in UNCOVERED.get(table, ()) for table, column in changed):
            self.counts["uncovered"] += 1
            self.uncovered |= changed
        else:
            self.bad.append(f"{damage}: silently wrong: {sorted(changed)[:5]}")

    def look(self, queue):
        try:
            return dump(queue)
        except (sqlite3.Error, ValueError):
            return None

    def start_programs(self, pipeline, queue, damage):
        """On copies: they write."""
        kept = self.directory + "/kept"
        for program in ("ingest", "workers"):
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(queue, kept)
            log = f"{self.directory}/{program}.out"
            with open(log, "wb") as out:
                child = subprocess.Popen(
                    [f"{self.options.binaries}/{program}"], stdout=out, stderr=out,
                    env={**pipeline.environment, "QUEUE_PATH": kept + "/queue.db"})
                said = ""
                for _ in range(1000):
                    with open(log) as file:
                        said = file.read()
                    if child.poll() is not None or "started" in said:
                        break
                    time.sleep(0.01)
                child.terminate()
                status = child.wait(60)
            if status < 0 and status != -signal.SIGTERM:
                self.bad.append(f"{damage}: {program} died of signal {-status}: {said[-300:]}")
            elif status == 1:
                self.counts["refused"] += 1

    def salvage(self, queue, damage):
        new = self.directory + "/saved"
        shutil.rmtree(new, ignore_errors=True)
        copy = self.directory + "/old"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(queue, copy)
        os.makedirs(new)
        pipeline = Pipeline(self.options.binaries, self.directory + "/trial", self.directory, 9)
        run = pipeline.pipelinectl("salvage", copy + "/queue.db", new + "/queue.db", "--json")
        if run.returncode != 0:
            self.bad.append(f"{damage}: salvage left with {run.returncode}: {run.stderr}")
            return
        report = json.loads(run.stdout)
        lost = set()
        for text in report["lost_webhooks"]:
            first, _, last = text.partition("-")
            lost |= set(range(int(first), int(last or first) + 1))
        self.compare(dump(new), lost, damage, report)
        pipeline.environment["QUEUE_PATH"] = new + "/queue.db"
        verify = pipeline.pipelinectl("verify", "--json")
        failed = [item["id"] for item in json.loads(verify.stdout)["items"]
                  if item["verdict"] == "fail"]
        allowed = {"queue.log", "queue.bodies"}
        if set(failed) - allowed:
            self.bad.append(f"{damage}: what was salvaged is not sound: {verify.stdout}")

    def compare(self, saved, lost, damage, report):
        """Each webhook that was not read yet is saved, changed where the damage hit it, or lost."""
        rows = lambda tables: {row[0]: row for row in map(eval, tables["webhook"][1])}
        old, new = rows(self.before), rows(saved)
        cursor = min(row[1] for row in map(eval, self.before["consumer"][1]))
        wrong = 0
        for id in old:
            if id <= cursor:
                continue
            if id in new:
                self.counts["saved"] += 1
                wrong += new[id] != old[id]
            else:
                self.counts["lost"] += 1
                if id not in lost:
                    self.bad.append(f"{damage}: webhook {id} is gone, and not said to be: {report}")
                    return
        # A few bytes lie in one row; a zeroed block or a page may hold some.
        if wrong > (8 if damage.kind != "flip" else 2):
            self.bad.append(f"{damage}: {wrong} webhooks were changed by salvage")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries", type=os.path.abspath)
    parser.add_argument("--flips", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--only", type=int)
    options = parser.parse_args()
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="corruption-", dir=place) as directory:
        source = fill(options.binaries, directory)
        trial = Trial(options, source, dump(source), directory)
        for number in range(options.flips) if options.only is None else [options.only]:
            bad = len(trial.bad)
            trial.run(number)
            if len(trial.bad) > bad and len(trial.bad) <= 10:
                print(f"  trial {number}: {trial.bad[-1][:600]}", flush=True)
    counts = ", ".join(f"{name} {count}" for name, count in trial.counts.items())
    columns = ", ".join(sorted(f"{table}.{column}" for table, column in trial.uncovered))
    print(f"corruption: seed {options.seed}, {options.flips} damages, {counts}, "
          f"{len(trial.bad)} bad, {time.monotonic() - began:.0f} s; uncovered: {columns or 'none'}")
    sys.exit(1 if trial.bad else 0)


main()
