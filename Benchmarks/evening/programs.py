"""What runs: nginx, php-fpm and MariaDB with a CodeIgniter-like site, and the pipeline."""

import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHILDREN = 16


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"after {seconds} s still no {what}")
        time.sleep(0.02)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cpu_seconds(process):
    """Time on a processor of a process and all below it, to the nanosecond.

    From the scheduler: /proc/PID/stat counts in hundredths, and sixteen children round off more
    than a short run costs. A thread that has ended is not in it; php-fpm and nginx end none here.
    """
    total = 0.0
    try:
        for task in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0]) / 1e9
            with open(f"/proc/{process}/task/{task}/children") as file:
                total += sum(cpu_seconds(child) for child in file.read().split())
    except FileNotFoundError:
        pass
    return total


class Program:
    def __init__(self, arguments, environment, log):
        self.arguments, self.log = arguments, log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                arguments, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    @property
    def id(self):
        return self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def require_alive(self):
        if self.process.poll() is not None:
            with open(self.log, errors="replace") as file:
                raise SystemExit(f"{self.arguments[0]} ended:\n{file.read()[-2000:]}")


FPM = """[global]
error_log = {folder}/fpm-error.log
[www]
{user}
listen = {folder}/fpm.sock
listen.backlog = 4096
pm = static
pm.max_children = {children}
pm.status_path = /status
pm.status_listen = {folder}/status.sock
clear_env = no
"""

NGINX = """{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  client_body_temp_path {folder}/nginx-body;
  fastcgi_temp_path {folder}/nginx-fastcgi;
  proxy_temp_path {folder}/nginx-proxy;
  uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  fastcgi_param QUERY_STRING $query_string;
  fastcgi_param REQUEST_METHOD $request_method;
  fastcgi_param CONTENT_TYPE $content_type;
  fastcgi_param CONTENT_LENGTH $content_length;
  fastcgi_param REQUEST_URI $request_uri;
  fastcgi_param SCRIPT_FILENAME {script};
  fastcgi_param SCRIPT_NAME $uri;
  fastcgi_param SERVER_PROTOCOL $server_protocol;
  fastcgi_param REMOTE_ADDR $remote_addr;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    client_max_body_size 8m;
    location / {{ fastcgi_pass unix:{folder}/fpm.sock; }}
    location = /status {{ fastcgi_pass unix:{folder}/status.sock; }}
  }}
}}
"""


class MariaDB:
    """As it is installed, each commit synced, but without accounts: it listens on a socket only."""

    def __init__(self, folder):
        os.makedirs(f"{folder}/data")
        self.socket = f"{folder}/mariadb.sock"
        user = ["--user=root"] if os.geteuid() == 0 else []
        self.program = Program(
            ["/usr/sbin/mariadbd", "--no-defaults", *user, "--skip-grant-tables",
             "--skip-networking", f"--datadir={folder}/data", f"--socket={self.socket}",
             f"--pid-file={folder}/pid", f"--tmpdir={folder}"], dict(os.environ), f"{folder}/log")
        wait_for("MariaDB", lambda: os.path.exists(self.socket))
        code = (
            "$db = new PDO('mysql:unix_socket=' . $argv[1], 'root', '');"
            "$db->exec('create database site character set utf8mb4');")
        subprocess.run(["php", "-r", code, self.socket], check=True)
        self.name = f"mysql:unix_socket={self.socket};dbname=site;charset=utf8mb4"

    def stop(self):
        self.program.stop()


class Site:
    """examples/php/codeigniter4 under the tests' stand-in of the framework."""

    def __init__(self, folder, secret):
        self.folder, self.port = folder, free_port()
        os.makedirs(folder)
        self.mariadb = MariaDB(f"{folder}/mariadb")
        self.database = self.mariadb.name
        self.application = f"{ROOT}/examples/php/codeigniter4/app"
        fixtures = f"{ROOT}/Tests/Fixtures/php/codeigniter4"
        subprocess.run(
            ["php", f"{fixtures}/migrate.php", self.database, self.application], check=True)
        self.environment = dict(
            os.environ, WHATSAPP_APP_SECRET=secret, RECEIVER_DATABASE=self.database,
            APPLICATION_DIRECTORY=self.application)
        is_root = os.geteuid() == 0
        values = dict(folder=folder, port=self.port, children=CHILDREN,
                      script=f"{fixtures}/index.php")
        with open(f"{folder}/fpm.conf", "w") as file:
            file.write(FPM.format(user="user = root\ngroup = root" if is_root else "", **values))
        with open(f"{folder}/nginx.conf", "w") as file:
            file.write(NGINX.format(user="user root;" if is_root else "", **values))
        self.start(is_root)

    def start(self, is_root):
        fpm = max(glob.glob("/usr/sbin/php-fpm*"))
        root = ["--allow-to-run-as-root"] if is_root else []
        settings = ["-d", "opcache.enable=1", "-d", "display_errors=0"]
        self.fpm = Program(
            [fpm, "--nodaemonize", "--fpm-config", f"{self.folder}/fpm.conf", *root, *settings],
            self.environment, f"{self.folder}/fpm.log")
        wait_for("php-fpm", lambda: os.path.exists(f"{self.folder}/status.sock"))
        self.nginx = Program(
            ["/usr/sbin/nginx", "-c", f"{self.folder}/nginx.conf", "-e",
             f"{self.folder}/nginx-error.log"], self.environment, f"{self.folder}/nginx.log")
        wait_for("nginx", lambda: listens(self.port))
        self.nginx.require_alive()
        self.url = f"http://127.0.0.1:{self.port}/webhook"
        # Each child reads and compiles the code before anything is counted.
        for _ in range(CHILDREN * 4):
            try:
                urllib.request.urlopen(urllib.request.Request(self.url, b"{}"))
            except urllib.error.HTTPError as error:
                if error.code != 401:
                    raise
        self.warm = self.status()["accepted conn"]
        self.warm_cpu = cpu_seconds(self.fpm.id)
        self.warm_nginx_cpu = cpu_seconds(self.nginx.id)
        self.warm_database_cpu = cpu_seconds(self.mariadb.program.id)

    def status(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status?json") as answer:
            return json.load(answer)

    def costs(self):
        status = self.status()
        return {
            "requests": status["accepted conn"] - self.warm,
            "php_cpu_seconds": round(cpu_seconds(self.fpm.id) - self.warm_cpu, 2),
            "busy_children_max": status["max active processes"],
            "nginx_cpu_seconds": round(cpu_seconds(self.nginx.id) - self.warm_nginx_cpu, 2),
            "database_cpu_seconds": round(
                cpu_seconds(self.mariadb.program.id) - self.warm_database_cpu, 2),
        }

    def count(self, query):
        script = f"{ROOT}/Tests/Fixtures/php/rows.php"
        output = subprocess.run(
            ["php", script, self.database, query], capture_output=True, check=True).stdout
        return int(list(json.loads(output)[0].values())[0])

    def stop(self):
        self.nginx.stop()
        self.fpm.stop()
        self.mariadb.stop()


class Pipeline:
    def __init__(self, folder, secret, url, **settings):
        os.makedirs(folder)
        self.folder, self.port = folder, free_port()
        self.environment = dict(
            os.environ, QUEUE_PATH=f"{folder}/queue.db", WHATSAPP_APP_SECRET=secret,
            WHATSAPP_VERIFY_TOKEN="token", INGEST_LISTEN=f"127.0.0.1:{self.port}",
            INGEST_ADMIN_LISTEN=f"127.0.0.1:{free_port()}",
            WORKERS_ADMIN_LISTEN=f"127.0.0.1:{free_port()}", FORWARD_URL=url,
            LAKE_URL=f"file:{folder}/lake", LOG_FORMAT="text", DISK_FREE_BYTES_MIN="1MiB", **settings)
        self.workers = None
        self.ingest = Program([self.binary("ingest")], self.environment, f"{folder}/ingest.log")
        wait_for("ingest", lambda: listens(self.port))

    @staticmethod
    def binary(name):
        return os.path.join(os.environ.get("BENCH_BINARIES", f"{ROOT}/.build/release"), name)

    def start_workers(self):
        self.workers = Program(
            [self.binary("workers")], self.environment, f"{self.folder}/workers.log")

    def status(self):
        output = subprocess.run(
            [self.binary("pipelinectl"), "status", "--json"], env=self.environment,
            capture_output=True, check=True).stdout
        return json.loads(output)

    def is_drained(self):
        self.workers.require_alive()
        status = self.status()
        counters = status["books"]["counters"]
        return status["forward"]["lag"] == 0 and counters.get("waiting", 0) == 0

    def cpu_seconds(self):
        programs = [self.ingest, self.workers]
        return round(sum(cpu_seconds(program.id) for program in programs if program), 2)

    def stop(self):
        for program in (self.ingest, self.workers):
            if program:
                program.stop()


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
