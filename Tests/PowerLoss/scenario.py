"""One short run of the pipeline, to be traced: python3 scenario.py BINARIES ROOT LOGS COUNT OUT.

Everything durable is kept below ROOT. OUT gets, as JSON, what was sent over which connection. The
programs are stopped and started again on the way, so that recovery and start-up are cut as well.
"""
import json
import os
import sys

from pipeline import Pipeline, Receiver, Sender

KINDS = "SMXSM"


def main():
    binaries, root, logs, count, out = sys.argv[1:6]
    count = int(count)
    settings = {}
    if os.environ.get("POWER_LOSS_CONTROL"):
        settings["PIPELINE_TEST_SYNCHRONOUS"] = "normal"
    pipeline = Pipeline(binaries, root, logs, Receiver().port, **settings)
    try:
        sent = run(pipeline, root, count)
    finally:
        pipeline.end_all(9)
    with open(out, "w") as file:
        json.dump({"port": pipeline.port, "sent": sent}, file)


def run(pipeline, root, count):
    senders = [Sender(pipeline.port), Sender(pipeline.port)]
    number = 0

    def send(amount):
        nonlocal number
        for _ in range(amount):
            senders[number % 2].send(f"{KINDS[number % len(KINDS)]}{number}")
            number += 1

    pipeline.start("ingest")
    send(count // 8)
    pipeline.start("workers")
    send(count // 4)
    backup(pipeline, root, "first")
    pipeline.end("workers")
    send(count // 8)
    pipeline.end("ingest")
    pipeline.start("ingest")
    pipeline.start("workers")
    send(count // 4)
    pipeline.end("workers", 9)
    pipeline.end("ingest", 9)
    pipeline.start("ingest")
    pipeline.start("workers")
    send(count - number)
    backup(pipeline, root, "second")
    pipeline.end_all()
    return senders[0].sent | senders[1].sent


def backup(pipeline, root, name):
    if os.environ.get("POWER_LOSS_BACKUP"):
        os.makedirs(root + "/backup", exist_ok=True)
        run = pipeline.pipelinectl("backup", f"{root}/backup/{name}.db")
        if run.returncode != 0:
            raise RuntimeError("backup: " + run.stderr)
        # The directory is the operator's: a backup vouches for its own files only.
        directory = os.open(root, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
        # Seen in the trace: from here on the backup is promised.
        open(f"{os.path.dirname(root)}/promised-{name}", "w").close()


main()
