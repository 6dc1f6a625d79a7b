"""The programs of a run: started on free ports, pinned to a core where asked, stopped by id."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BENCHMARKS = ROOT / "Benchmarks"
BUILT = ROOT / ".build" / "bench"
RELEASE = ROOT / ".build" / "release"
SECRET = "bench"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A process of ours, in a session of its own."""

    def __init__(self, name, command, environment=None, core=None, log=None):
        self.name = name
        self.log = log
        if core is not None and os.cpu_count() > 1:
            command = ["taskset", "-c", str(core)] + command
        output = open(log, "ab") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(
            command, env=dict(os.environ, **(environment or {})), stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def wait_until_listening(self, port, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended: {self.last_lines()}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.002)
        raise RuntimeError(f"{self.name} does not listen on {port}: {self.last_lines()}")

    def last_lines(self):
        if not self.log or not os.path.exists(self.log):
            return ""
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-3:])

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def memory_bytes(self, field="VmHWM"):
        """Peak (VmHWM) or present (VmRSS) resident memory."""
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        return 0

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    """One scenario's directory and programs; all of it goes when it ends."""

    def __init__(self, name, queue=None):
        self.directory = BUILT / "run" / name
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.queue = queue or self.directory / "queue" / "queue.db"
        self.programs = []
        self.port = free_port()
        self.admin_port = free_port()
        self.workers_port = free_port()
        self.receiver_port = free_port()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in reversed(self.programs):
            program.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, name, command, environment=None, core=None):
        program = Program(name, command, environment, core, str(self.directory / f"{name}.log"))
        self.programs.append(program)
        return program

    def settings(self, **more):
        return {
            "QUEUE_PATH": str(self.queue),
            "WHATSAPP_APP_SECRET": SECRET,
            "WHATSAPP_VERIFY_TOKEN": "bench",
            "INGEST_LISTEN": f"127.0.0.1:{self.port}",
            "INGEST_ADMIN_LISTEN": f"127.0.0.1:{self.admin_port}",
            "WORKERS_ADMIN_LISTEN": f"127.0.0.1:{self.workers_port}",
            "FORWARD_URL": f"http://127.0.0.1:{self.receiver_port}/",
            "LAKE_URL": f"file:{self.directory}/lake",
            "LAKE_BATCH_AGE_MAX": "1s",
            "LOG_FORMAT": "text",
            **more,
        }

    def ingest(self, core=None, **settings):
        program = self.start("ingest", [str(RELEASE / "ingest")], self.settings(**settings), core)
        program.wait_until_listening(self.port)
        return program

    def workers(self, core=None, **settings):
        program = self.start("workers", [str(RELEASE / "workers")], self.settings(**settings), core)
        program.wait_until_listening(self.workers_port)
        return program

    def nginx(self, core=None):
        port = free_port()
        text = (BENCHMARKS / "nginx" / "nginx.conf.in").read_text()
        path = self.directory / "nginx.conf"
        path.write_text(
            text.replace("@DIRECTORY@", str(self.directory)).replace("@PORT@", str(port)))
        program = self.start("nginx", ["nginx", "-c", str(path)], core=core)
        program.wait_until_listening(port)
        return port

    def go_peer(self, core=None):
        port = free_port()
        command = [str(BUILT / "peer"), f"127.0.0.1:{port}", str(self.directory / "go.db"), SECRET]
        program = self.start("go", command, core=core)
        program.wait_until_listening(port)
        return port

    def metrics(self, of_workers=False):
        port = self.workers_port if of_workers else self.admin_port
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read()
        values = {}
        for line in text.decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name] = float(value)
        return values


def wrk(port, seconds, connections=64, core=None):
    """The open throttle: requests a second that got a 2xx."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s",
               str(BENCHMARKS / "wrk" / "signed.lua"), f"http://127.0.0.1:{port}/webhook"]
    if core is not None and os.cpu_count() > 1:
        command = ["taskset", "-c", str(core)] + command
    environment = dict(os.environ, BENCH_REQUESTS=str(BUILT / "requests"))
    output = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True).stdout
    result = json.loads(output.strip().splitlines()[-1])
    if result["not_2xx"] or result["broken"]:
        raise RuntimeError(f"wrk met answers that were no 2xx: {result}")
    return result


def load(*arguments, core=None):
    """Runs the load tool to its end and returns what it measured."""
    command = [str(BUILT / "load"), *map(str, arguments)]
    if core is not None and os.cpu_count() > 1:
        command = ["taskset", "-c", str(core)] + command
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"load failed: {done.stderr}")
    return json.loads(done.stdout)
