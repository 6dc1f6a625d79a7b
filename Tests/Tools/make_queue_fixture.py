#!/usr/bin/env python3
"""Writes Tests/Fixtures/queues/schema-N.tar.gz: a queue with rows in every table, as a crash left it.

    python3 Tests/Tools/make_queue_fixture.py [.build/debug]

Run it at the last commit before a migration is added, and keep what it wrote for good: UpgradeTests
open every such file with today's programs. It starts the real programs, a receiver that refuses some
messages, and a lake that goes away; then it kills both, with webhooks in the log that nobody read,
deliveries that wait, and commits that stand in the WAL alone. `expected.json` beside the database
says what must come out of it.
"""
import hashlib
import hmac
import http.client
import http.server
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

SECRET = "fixture secret"
HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "..", "Fixtures", "queues")


class Receiver(http.server.BaseHTTPRequestHandler):
    taken = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 400 if b"REFUSE" in body else 500 if b"LATER" in body else 200
        if status == 200:
            Receiver.taken.append(body)
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wrap(inner):
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "4001", "changes": [{"field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550001111", "phone_number_id": "5001"}, **inner,
        }}]}],
    }


def status(name):
    return wrap({"statuses": [{"id": "wamid." + name, "status": "sent",
                               "timestamp": str(int(time.time())), "recipient_id": "15550002222"}]})


def message(name, sender):
    return wrap({
        "contacts": [{"wa_id": sender, "profile": {"name": "Made Up"}}],
        "messages": [{"from": sender, "id": "wamid." + name, "timestamp": str(int(time.time())),
                      "type": "text", "text": {"body": "hello " + name}}]})


class Pipeline:
    def __init__(self, binaries, directory, receiver_port):
        self.binaries, self.directory = binaries, directory
        self.port = free_port()
        self.environment = {
            "QUEUE_PATH": directory + "/queue.db", "WHATSAPP_APP_SECRET": SECRET,
            "WHATSAPP_VERIFY_TOKEN": "token", "INGEST_LISTEN": f"127.0.0.1:{self.port}",
            "INGEST_ADMIN_LISTEN": "127.0.0.1:0", "WORKERS_ADMIN_LISTEN": "127.0.0.1:0",
            "FORWARD_URL": f"http://127.0.0.1:{receiver_port}/", "FORWARD_BACKOFF_MIN": "50ms",
            "FORWARD_BACKOFF_MAX": "200ms", "LAKE_URL": f"file:{directory}/lake",
            "LAKE_BATCH_AGE_MAX": "100ms", "DISK_FREE_BYTES_MIN": "0", "LOG_FORMAT": "text",
        }

    def start(self, program, *arguments, **settings):
        log = open(f"{self.directory}/{program}.log", "ab")
        return subprocess.Popen([f"{self.binaries}/{program}", *arguments], stdout=log, stderr=log,
                                env={**self.environment, **settings})

    def pipelinectl(self, *arguments):
        run = subprocess.run([f"{self.binaries}/pipelinectl", *arguments, "--json"],
                             env=self.environment, capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"pipelinectl {arguments}: {run.stderr}")
        return json.loads(run.stdout)

    def post(self, body):
        bytes_ = body if isinstance(body, bytes) else json.dumps(body).encode()
        signature = hmac.new(SECRET.encode(), bytes_, hashlib.sha256).hexdigest()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", "/webhook", bytes_, {
            "X-Hub-Signature-256": "sha256=" + signature, "Content-Type": "application/json",
            "User-Agent": "facebookexternalua"})
        if connection.getresponse().status != 200:
            sys.exit("a webhook was refused")

    def rows(self, query):
        connection = sqlite3.connect(f"file:{self.directory}/queue.db?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchone()[0]
        finally:
            connection.close()

    def wait(self, query, wanted):
        for _ in range(500):
            if self.rows(query) == wanted:
                return
            time.sleep(0.02)
        sys.exit(f"{query}: {self.rows(query)}, never {wanted}")


def fill(pipeline):
    ingest = pipeline.start("ingest")
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", pipeline.port)) == 0:
                break
        time.sleep(0.05)
    workers = pipeline.start("workers")
    for number in range(6):
        pipeline.post(status(f"S{number}"))
        pipeline.post(message(f"M{number}", f"1555000300{number % 3}"))
    pipeline.post(status("S0"))
    pipeline.post(wrap({**status("S6")["entry"][0]["changes"][0]["value"],
                        **message("M6", "15550003009")["entry"][0]["changes"][0]["value"]}))
    for number in range(3):
        pipeline.post(message(f"REFUSE{number}", f"1555000400{number}"))
    pipeline.post(b"no JSON at all")
    pipeline.wait("select count(*) from delivery where state = 'dead'", 4)
    pipeline.wait("select count(*) from delivery where state = 'delivered'", 7)
    pipeline.wait("select count(*) from lake_batch where shipped_at is null", 0)
    dead = [row["id"] for row in pipeline.pipelinectl("dead", "list")["items"]]
    pipeline.pipelinectl("dead", "discard", str(dead[0]), "--because", "a fixture")
    pipeline.pipelinectl("dead", "replay", str(dead[1]))
    pipeline.wait("select count(*) from delivery where state = 'dead'", 3)
    workers.kill()
    workers.wait()

    # A lake that is not there, and messages that PHP fails on: sealed and waiting they stay.
    workers = pipeline.start("workers", LAKE_URL="file:/proc/no-lake")
    for name in ("LATER0", "LATER1"):
        pipeline.post(message(name, "15550005000"))
    for number in range(7, 10):
        pipeline.post(status(f"S{number}"))
    pipeline.wait("select count(*) from delivery where state = 'waiting' and attempt_total > 0", 1)
    pipeline.wait("select sum(line_count) from lake_batch where shipped_at is null", 3)
    workers.kill()
    workers.wait()
    for number in range(10, 13):
        pipeline.post(status(f"S{number}"))
        pipeline.post(message(f"M{number}", "15550006000"))
    ingest.send_signal(signal.SIGKILL)
    ingest.wait()


def main():
    binaries = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/debug")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o700)
        pipeline = Pipeline(binaries, directory, server.server_port)
        fill(pipeline)
        # Before anything else opens the file: a reader that comes last would tidy the WAL away.
        expected = {
            "lake": [f"wamid.S{number}" for number in range(7, 13)],
            "php": ["wamid.LATER0", "wamid.LATER1"] + [f"wamid.M{n}" for n in range(10, 13)],
            "dead_letters": 3,
        }
        with open(directory + "/expected.json", "w") as file:
            json.dump(expected, file, indent=1)
        with tempfile.TemporaryDirectory() as copy:
            subprocess.run(["cp", directory + "/queue.db", directory + "/queue.db-wal", copy], check=True)
            connection = sqlite3.connect(copy + "/queue.db")
            version = connection.execute("select schema_version from queue").fetchone()[0]
            tables = [row[0] for row in connection.execute(
                "select name from sqlite_schema where type = 'table' and name not like 'sqlite%'")]
            empty = [t for t in tables if connection.execute(f"select count(*) from {t}").fetchone()[0] == 0]
            connection.close()
        if empty:
            sys.exit(f"tables without a row: {empty}")
        os.makedirs(FIXTURES, exist_ok=True)
        path = os.path.join(FIXTURES, f"schema-{version}.tar.gz")
        with tarfile.open(path, "w:gz") as archive:
            for name in ("queue.db", "queue.db-wal", "queue.db.spool", "expected.json"):
                archive.add(f"{directory}/{name}", name)
        print(f"{os.path.relpath(path)}: schema {version}, {os.path.getsize(path)} bytes, "
              f"{len(tables)} tables")


main()
