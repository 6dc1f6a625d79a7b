"""What `make bench-lake` measures: a backlog of statuses from the log to sealed objects, on one core.

    bench_lake.py BIN COUNT [RESULT]    BIN holds workers and benchmark-fill

Beside it, on the same core and for the same statuses, what jq and DuckDB take for the reshaping alone:
they read bodies from a file, know no doubles, sync nothing and keep no books. Rates are per second of
processor time, so that what else the machine does matters little.
"""

import glob
import gzip
import json
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

CORE = "0"
PEER_COUNT = 200_000

DUCKDB = """
set threads = 1;
copy (
  select json_merge_patch(
      json_object(
        'event_key', left(sha256(cast(status as varchar)), 32),
        'received_at', '2026-11-24T12:00:00.000Z', 'waba_id', entry ->> '$.id',
        'phone_number_id', value ->> '$.metadata.phone_number_id',
        'display_phone_number', value ->> '$.metadata.display_phone_number',
        'contact', value -> '$.contacts[0]'),
      status) as line
  from (
    select entry, value, unnest(cast(value -> '$.statuses' as json[])) as status
    from (
      select entry, unnest(cast(entry -> '$.changes' as json[])) -> '$.value' as value
      from (
        select unnest(cast(json -> '$.entry' as json[])) as entry
        from read_ndjson_objects('{bodies}'))))
) to '{out}' (format csv, header false, quote '', escape '', delimiter E'\\x01', compression gzip);
"""

JQ = """.entry[] as $e | $e.changes[].value as $v | $v.statuses[]
| {received_at: "2026-11-24T12:00:00.000Z", waba_id: $e.id,
   phone_number_id: $v.metadata.phone_number_id,
   display_phone_number: $v.metadata.display_phone_number, contact: $v.contacts[0]} + ."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def metric(port, name):
    try:
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    except OSError:
        return None
    found = re.search(rf"^{name} (\S+)$", text, re.M)
    return float(found.group(1)) if found else None


def peak_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1_024


def child_seconds():
    """Processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def drain(binaries, queue, lake, count):
    port = free_port()
    environment = {
        "QUEUE_PATH": queue, "LAKE_URL": f"file:{lake}", "WORKERS_ADMIN_LISTEN": f"127.0.0.1:{port}",
        "DISK_FREE_BYTES_MIN": "0", "LOG_LEVEL": "warning", "PATH": os.environ["PATH"],
    }
    start = time.monotonic()
    workers = subprocess.Popen(
        ["taskset", "-c", CORE, f"{binaries}/workers", "--pool", "lake"], env=environment)
    # At the end of the log the last batch is open still; a stop seals it, which is counted too.
    has_begun = False
    while True:
        lag = metric(port, "workers_lake_lag_webhooks")
        has_begun = has_begun or bool(lag)
        if has_begun and lag == 0:
            break
        if workers.poll() is not None or time.monotonic() - start > 200:
            sys.exit("bench-lake: workers did not get through")
        time.sleep(0.05)
    peak = peak_mib(workers.pid)
    before = child_seconds()
    workers.send_signal(signal.SIGTERM)
    workers.wait()
    seconds, cpu = time.monotonic() - start, child_seconds() - before
    objects = glob.glob(f"{lake}/**/*.ndjson.gz", recursive=True)
    lines = sum(gzip.decompress(open(name, "rb").read()).count(b"\n") for name in objects)
    if lines != count:
        sys.exit(f"bench-lake: {lines} lines of {count}")
    stored = sum(os.path.getsize(name) for name in objects)
    return {
        "statuses": count, "seconds": round(seconds, 2), "statuses_per_second": round(count / cpu),
        "microseconds_per_status": round(cpu / count * 1e6, 2), "peak_mib": round(peak, 1),
        "stored_bytes_per_status": round(stored / count, 1), "objects": len(objects),
    }


def bodies_of(queue, path):
    with sqlite3.connect(f"file:{queue}?mode=ro", uri=True) as log, open(path, "wb") as file:
        rows = log.execute("select body from webhook order by id limit ?", (PEER_COUNT,))
        return sum(1 for (body,) in rows if file.write(bytes(body) + b"\n"))


def timed(command, count):
    before = child_seconds()
    subprocess.run(["taskset", "-c", CORE] + command, check=True)
    return round(count / (child_seconds() - before))


def main():
    binaries, count = sys.argv[1], int(sys.argv[2])
    directory = tempfile.mkdtemp(prefix="bench-lake-")
    try:
        queue, lake, bodies = f"{directory}/queue.db", f"{directory}/lake", f"{directory}/bodies"
        subprocess.run([f"{binaries}/benchmark-fill", queue, str(count)], check=True)
        peer_count = bodies_of(queue, bodies)
        result = drain(binaries, queue, lake, count)
        sql = DUCKDB.replace("{bodies}", bodies).replace("{out}", f"{directory}/duckdb.gz")
        script = "import duckdb, sys; duckdb.sql(sys.argv[1])"
        result["duckdb_statuses_per_second"] = timed([sys.executable, "-c", script, sql], peer_count)
        if shutil.which("jq"):
            pipe = f"jq -c '{JQ}' {bodies} | gzip -3 >{directory}/jq.gz"
            result["jq_statuses_per_second"] = timed(["sh", "-c", pipe], peer_count)
            made = gzip.decompress(open(f"{directory}/jq.gz", "rb").read()).count(b"\n")
            if made != peer_count:
                sys.exit(f"bench-lake: jq made {made} lines of {peer_count}")
        made = gzip.decompress(open(f"{directory}/duckdb.gz", "rb").read()).count(b"\n")
        if made != peer_count:
            sys.exit(f"bench-lake: DuckDB made {made} lines of {peer_count}")
    finally:
        shutil.rmtree(directory)
    for name in ("duckdb", "jq"):
        rate = result.get(f"{name}_statuses_per_second")
        if rate:
            result[f"times_{name}"] = round(result["statuses_per_second"] / rate, 1)
    result["load_average"] = round(os.getloadavg()[0], 1)
    result["date"] = time.strftime("%Y-%m-%d")
    result["machine"] = next(
        (line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line), "?")
    text = json.dumps(result, indent=2)
    print(text)
    if len(sys.argv) > 3:
        with open(sys.argv[3], "w") as file:
            file.write(text + "\n")


main()
