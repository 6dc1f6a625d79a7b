"""What is measured; each function is a scenario by its name and returns rows of the table."""

import json
import os
import shutil
import socket
import statistics
import subprocess
import time

from . import programs
from .programs import BUILT, Bench, RELEASE, load, wrk
from .report import Row

# The server on one core, whoever asks on the other: so was every ratio measured.
SERVER, CLIENT = 0, 1
BACKLOG = int(os.environ.get("BENCH_BACKLOG", "10000000"))
RATE = 3300
MEBIBYTE = 1048576

_kept = {}


def _thousands(number):
    return f"{number:,.0f}"


def _ms(number):
    return f"{number:.2f} ms" if number < 10 else f"{number:.0f} ms"


def _percentiles(latency, names=("p50", "p99", "p99.9")):
    return ", ".join(f"{name} {_ms(latency[name])}" for name in names)


def _rounds(bench, ports, seconds=5, count=3):
    """By turns, in changing order, so that whatever else the machine does meets all alike."""
    found = [[] for _ in ports]
    for turn in range(count):
        order = list(enumerate(ports))
        for index, port in order if turn % 2 == 0 else reversed(order):
            # What the one before wrote must not be on its way to the disk still.
            os.sync()
            found[index].append(wrk(port, seconds, core=CLIENT)["per_second"])
    return found


def _ratio(ours, theirs):
    return statistics.median(a / b for a, b in zip(ours, theirs))


def throughput():
    """Durable webhooks a second against nginx's `return 200`, and against the Go peer."""
    with Bench("throughput") as bench:
        nginx = bench.nginx(SERVER)
        go = bench.go_peer(SERVER)
        bench.ingest(SERVER)
        ours, yard, peer = _rounds(bench, [bench.port, nginx, go])
    _kept["nginx"] = statistics.median(yard)
    of_nginx, of_go = _ratio(ours, yard), _ratio(ours, peer)
    details = {"ingest": ours, "nginx": yard, "go": peer}
    mine = _thousands(statistics.median(ours))
    return [
        Row("durable webhooks/s, 64 connections, to nginx `return 200`",
            f"{of_nginx:.2f} ({mine} to {_thousands(statistics.median(yard))})",
            "0.60, aim 0.75", of_nginx >= 0.60, details),
        Row("the same to Go net/http with group commit, FULL",
            f"{of_go:.1f} ({mine} to {_thousands(statistics.median(peer))})",
            "3.0", of_go >= 3.0, details),
    ]


def _nginx_per_second():
    if "nginx" not in _kept:
        with Bench("yardstick") as bench:
            _kept["nginx"] = statistics.median(_rounds(bench, [bench.nginx(SERVER)])[0])
    return _kept["nginx"]


def _lag(bench):
    found = bench.metrics(of_workers=True)
    return max(found["workers_lake_lag_webhooks"], found["workers_forward_lag_webhooks"])


def pipeline():
    """The whole pipeline at the open throttle, until all that was accepted is drained too."""
    yard = _nginx_per_second()
    with Bench("pipeline") as bench:
        bench.workers()
        bench.ingest()
        result = load("send", "--port", bench.port, "--count", 2_000_000, "--seconds", 20)
        accepted = result["statuses"].get("200", 0)
        start = time.monotonic()
        while _lag(bench) > 0 and time.monotonic() - start < 120:
            time.sleep(0.05)
        seconds = result["seconds"] + time.monotonic() - start
        left = _lag(bench)
        statuses = bench.metrics(of_workers=True)["workers_lake_statuses_total"]
    drained = (accepted - left) / seconds
    ratio = drained / yard
    return [Row(
        "the same while workers drain all of it to a `file:` lake",
        f"{ratio:.2f} ({_thousands(drained)}/s; {_thousands(result['per_second'])}/s accepted, "
        f"then {seconds - result['seconds']:.1f} s to the end)",
        "0.24, aim 0.35", ratio >= 0.24 and left == 0,
        {"load": result, "drained_per_second": drained, "statuses_in_lake": statuses,
         "nginx": yard})]


def latency():
    """Acknowledgement at 3,300 webhooks a second, drained at once, beside nginx at that rate."""
    arguments = ["--rate", RATE, "--connections", 64, "--warm", 2]
    with Bench("latency") as bench:
        disk = load("sync", "--file", bench.directory / "sync", "--rate", 2000, "--seconds", 6)
        yard = load("send", "--port", bench.nginx(), "--seconds", 10, *arguments)
        bench.workers(LAKE_BATCH_AGE_MAX="5s")
        ingest = bench.ingest()
        cpu = ingest.cpu_seconds()
        result = load("send", "--port", bench.port, "--seconds", 25, *arguments)
        cpu = ingest.cpu_seconds() - cpu
        checkpoints = bench.metrics(of_workers=True)["workers_upkeep_checkpoint_seconds_count"]
    ratio = result["latency_ms"]["p99"] / yard["latency_ms"]["p99"]
    return [Row(
        f"acknowledgement p99 at {RATE:,}/s, drained at once, to nginx's",
        f"{ratio:.1f} times ({_percentiles(result['latency_ms'])}; nginx "
        f"{_percentiles(yard['latency_ms'])}; the disk's sync alone "
        f"{_percentiles(disk['sync_ms'])}; {checkpoints:.0f} checkpoints meanwhile)",
        "under 10, far under 250 ms", ratio < 10 and result["latency_ms"]["p99"] < 100,
        {"ingest": result, "nginx": yard, "disk": disk, "ingest_cpu_seconds": cpu})]


def arrival():
    """From acknowledgement to arrival at PHP: 3,000 statuses and 300 messages a second."""
    rows = []
    for is_down in (False, True):
        with Bench("arrival") as bench:
            if is_down:
                # A file where the lake's directory should be: no write can succeed.
                (bench.directory / "lake").write_text("")
            bench.workers()
            bench.ingest()
            result = load("send", "--port", bench.port, "--rate", RATE, "--seconds", 15, "--warm",
                          2, "--kind", "mix", "--every", 11, "--receiver", bench.receiver_port)
        found = result["arrival_ms"]
        rows.append(Row(
            "acknowledgement to arrival at PHP, 3,000 statuses/s and 300 messages/s"
            + (", lake down" if is_down else ""),
            _percentiles(found, ("p50", "p99")) + f", {result['not_arrived']} missing",
            "p50 20 ms, p99 200 ms",
            found["p50"] < 20 and found["p99"] < 200 and result["not_arrived"] == 0, result))
    return rows


def bulk():
    """1,000 statuses in one body."""
    with Bench("bulk") as bench:
        bench.ingest(SERVER)
        result = load("send", "--port", bench.port, "--kind", "bulk", "--count", 1500, "--seconds",
                      8, "--connections", 16, core=CLIENT)
    return [Row("1,000 statuses in one body: statuses/s, stored",
                _thousands(result["per_second"] * 1000), "reported", None, result)]


def slow_disk():
    """Every sync takes 1, 5 and 10 ms longer."""
    rows = []
    for delay in (1, 5, 10):
        with Bench("slow-disk") as bench:
            bench.ingest(LD_PRELOAD=str(BUILT / "delay.so"), FSYNC_DELAY_US=str(delay * 1000))
            result = load("send", "--port", bench.port, "--rate", RATE, "--seconds", 6, "--warm",
                          1, "--connections", 256)
            closed = [
                load("send", "--port", bench.port, "--count", 400_000, "--seconds", 3,
                     "--connections", connections, "--run", connections)["per_second"]
                for connections in (64, 256, 1024)]
        found = result["latency_ms"]
        grows = closed[0] < closed[1] < closed[2]
        rows.append(Row(
            f"acknowledgement at {RATE:,}/s with each sync {delay} ms slower",
            f"{_percentiles(found)}; open throttle "
            + ", ".join(_thousands(c) for c in closed) + "/s with 64, 256, 1,024 connections",
            "p50 under 2 syncs; grows with the batch",
            # The disk's own sync is part of each.
            found["p50"] < 2 * (delay + 1) and grows, {"rate": result, "closed": closed}))
    return rows


def _backlog_queue():
    """A queue with millions waiting, made once in a run."""
    path = BUILT / "backlog" / "queue.db"
    if "backlog" not in _kept:
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir(parents=True)
        print(f"filling a queue with {BACKLOG:,} webhooks ...", flush=True)
        subprocess.run([str(RELEASE / "benchmark-fill"), str(path), str(BACKLOG)], check=True)
        _kept["backlog"] = path
    return path


def start_with_backlog():
    """From the start of the process to the first 200."""
    request = next(_requests())
    seconds = []
    with Bench("start", queue=_backlog_queue()) as bench:
        for _ in range(3):
            begin = time.monotonic()
            program = bench.ingest()
            with socket.create_connection(("127.0.0.1", bench.port)) as client:
                client.sendall(request)
                answer = client.recv(1024)
            seconds.append(time.monotonic() - begin)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"no 200: {answer!r}")
            program.process.kill()
            program.process.wait()
    slowest = max(seconds)
    return [Row(f"start to first 200 with {BACKLOG:,} waiting, after kill -9",
                f"{slowest * 1000:.0f} ms", "under 1 s", slowest < 1, {"seconds": seconds})]


def _requests():
    with open(BUILT / "requests", "rb") as file:
        while line := file.readline():
            yield file.read(int(line))


def backlog():
    """Throughput with nothing and with millions waiting."""
    queue = _backlog_queue()
    with Bench("empty") as empty, Bench("waiting", queue=queue) as waiting:
        empty.ingest(SERVER)
        waiting.ingest(SERVER)
        ours, full = _rounds(empty, [empty.port, waiting.port], count=4)
    ratio = statistics.median(full) / statistics.median(ours)
    return [Row(f"throughput with {BACKLOG:,} waiting to that with none",
                f"{ratio:.2f} ({_thousands(statistics.median(full))} to "
                f"{_thousands(statistics.median(ours))})",
                "0.90", ratio >= 0.90, {"waiting": full, "empty": ours})]


def memory():
    """Resident memory: millions waiting, 1,000 connections, and each with 4 MiB signed wrongly."""
    rows = []
    with Bench("memory", queue=_backlog_queue()) as bench:
        program = bench.ingest()
        result = load("send", "--port", bench.port, "--count", 300_000, "--seconds", 8,
                      "--connections", 1000)
        peak = program.memory_bytes()
        rows.append(Row(
            f"peak resident memory, {BACKLOG:,} waiting, 1,000 connections",
            f"{peak / MEBIBYTE:.0f} MiB", "under 64 MiB", peak < 64 * MEBIBYTE, result))
        result = load("hold", "--port", bench.port, "--connections", 1000, "--body",
                      4 * MEBIBYTE, "--seconds", 60)
        peak = program.memory_bytes()
        answers = ", ".join(f"{count} times {code}" for code, count in result["statuses"].items())
        rows.append(Row(
            "the same, each sending 4 MiB under a wrong signature",
            f"{peak / MEBIBYTE:.0f} MiB ({answers})", "under 64 MiB", peak < 64 * MEBIBYTE,
            result))
    return rows


def slow_clients():
    """Honest traffic beside 5,000 connections that drip and 5,000 that idle."""
    arguments = ["--rate", 1000, "--seconds", 8, "--warm", 1]
    with Bench("slow") as bench:
        bench.ingest(INGEST_CONNECTIONS_MAX="12000")
        alone = load("send", "--port", bench.port, *arguments)
        tool = str(BUILT / "load")
        crowd = [
            bench.start("idle", [tool, "hold", "--port", str(bench.port), "--connections", "5000"]),
            bench.start("drip", [tool, "hold", "--port", str(bench.port), "--connections", "5000",
                                 "--drip", "4"])]
        deadline = time.monotonic() + 20
        while bench.metrics()["ingest_connections"] < 9_990 and time.monotonic() < deadline:
            time.sleep(0.1)
        count = bench.metrics()["ingest_connections"]
        beside = load("send", "--port", bench.port, "--run", 2, *arguments)
        for program in crowd:
            program.stop()
    ratio = beside["latency_ms"]["p99"] / alone["latency_ms"]["p99"]
    refused = beside["answered"] - beside["statuses"].get("200", 0) + beside["errors"]
    return [Row(
        f"honest p99 beside {count:,.0f} idle and dripping connections, to alone",
        f"{ratio:.2f} times ({_ms(beside['latency_ms']['p99'])} to "
        f"{_ms(alone['latency_ms']['p99'])}, {refused} refused)",
        "within 2", ratio <= 2 and refused == 0 and count > 9_000,
        {"alone": alone, "beside": beside})]


def restarts():
    """Restarts at 2,000 webhooks a second, the listening socket kept by this program."""
    count = int(os.environ.get("BENCH_RESTARTS", "50"))
    with Bench("restarts") as bench, socket.socket() as kept:
        kept.bind(("127.0.0.1", bench.port))
        kept.listen(4096)
        kept.set_inheritable(True)
        # LISTEN_PID is the process's own number, which only the process itself knows.
        script = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" 3<&"$1"'
        command = ["bash", "-c", script, str(RELEASE / "ingest"), str(kept.fileno())]

        def start():
            return subprocess.Popen(
                command, env=dict(os.environ, **bench.settings()), stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, pass_fds=[kept.fileno()], start_new_session=True)

        seconds = 2 + 0.5 * count
        tool = subprocess.Popen(
            [str(BUILT / "load"), "send", "--port", str(bench.port), "--rate", "2000", "--seconds",
             str(seconds)], stdout=subprocess.PIPE, text=True)
        running = start()
        done = 0
        while done < count and tool.poll() is None:
            time.sleep(0.25)
            running.terminate()
            if running.wait(30) != 0:
                raise RuntimeError("ingest did not stop well")
            running = start()
            done += 1
        result = json.loads(tool.communicate()[0])
        running.terminate()
        running.wait(30)
    lost = result["sent"] - result["statuses"].get("200", 0)
    return [Row(f"{done} restarts at 2,000/s, socket kept: refused, reset or unanswered",
                f"{lost} of {_thousands(result['sent'])} ({_percentiles(result['latency_ms'])})",
                "0", lost == 0 and done == count, result)]


def clean():
    shutil.rmtree(BUILT / "backlog", ignore_errors=True)
    shutil.rmtree(BUILT / "run", ignore_errors=True)


ALL = [throughput, pipeline, latency, arrival, bulk, slow_disk, slow_clients, restarts,
       start_with_backlog, backlog, memory]
