"""The real programs, a receiver and a sender, for the tests that cut the power."""
import hashlib
import hmac
import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import time

SECRET = "power loss secret"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def body(marker):
    """A webhook: markers that begin with S are statuses, M messages, X one of each."""
    value = {"messaging_product": "whatsapp",
             "metadata": {"display_phone_number": "15550001111", "phone_number_id": "5001"}}
    now = str(int(time.time()))
    if marker[0] in "SX":
        value["statuses"] = [{"id": f"wamid.S{marker[1:]}", "status": "sent", "timestamp": now,
                              "recipient_id": "15550002222"}]
    if marker[0] in "MX":
        sender = f"1555000300{int(marker[1:]) % 5}"
        value["contacts"] = [{"wa_id": sender, "profile": {"name": "Made Up"}}]
        value["messages"] = [{"from": sender, "id": f"wamid.M{marker[1:]}", "timestamp": now,
                              "type": "text", "text": {"body": "hello " * 40}}]
    return json.dumps({"object": "whatsapp_business_account", "entry": [
        {"id": "4001", "changes": [{"field": "messages", "value": value}]}]}).encode()


def events(marker):
    """The ids of statuses and of messages in the webhook of a marker."""
    number = marker[1:]
    return ([f"wamid.S{number}"] if marker[0] in "SX" else [],
            [f"wamid.M{number}"] if marker[0] in "MX" else [])


class Receiver:
    """PHP's place: takes everything but what says REFUSE."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                """Connections that break are what these tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_port


class Pipeline:
    def __init__(self, binaries, root, logs, receiver_port, **settings):
        self.binaries, self.root, self.logs = binaries, root, logs
        self.port = free_port()
        self.environment = {
            "PATH": os.environ["PATH"], "QUEUE_PATH": root + "/queue/queue.db",
            "WHATSAPP_APP_SECRET": SECRET, "WHATSAPP_VERIFY_TOKEN": "token",
            "INGEST_LISTEN": f"127.0.0.1:{self.port}", "INGEST_ADMIN_LISTEN": "127.0.0.1:0",
            "WORKERS_ADMIN_LISTEN": "127.0.0.1:0",
            "FORWARD_URL": f"http://127.0.0.1:{receiver_port}/",
            "FORWARD_BACKOFF_MIN": "50ms", "FORWARD_BACKOFF_MAX": "200ms",
            "LAKE_URL": f"file:{root}/lake", "LAKE_BATCH_AGE_MAX": "200ms",
            "WAL_BYTES_MAX": "1MiB", "DISK_FREE_BYTES_MIN": "0", "LOG_FORMAT": "text",
            **settings,
        }
        self.programs = {}

    def start(self, program):
        log = open(f"{self.logs}/{program}.log", "ab")
        self.programs[program] = subprocess.Popen(
            [f"{self.binaries}/{program}"], stdout=log, stderr=log, env=self.environment)
        if program == "ingest":
            self._wait_for_port()

    def _wait_for_port(self):
        for _ in range(1000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.programs["ingest"].poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("ingest does not listen: " + open(f"{self.logs}/ingest.log").read())

    def end(self, program, how=signal.SIGTERM):
        child = self.programs.pop(program)
        child.send_signal(how)
        child.wait(60)

    def end_all(self, how=signal.SIGTERM):
        for program in list(self.programs):
            self.end(program, how)

    def pipelinectl(self, *arguments):
        return subprocess.run([f"{self.binaries}/pipelinectl", *arguments], env=self.environment,
                              capture_output=True, text=True)


class Sender:
    """One connection at a time; sends the next webhook when the last one was answered."""

    def __init__(self, port):
        self.port = port
        self.connection = None
        # Per local port of ours, the markers that were sent over it, in order.
        self.sent = {}

    def send(self, marker):
        """Returns whether it was acknowledged."""
        content = body(marker)
        signature = "sha256=" + hmac.new(SECRET.encode(), content, hashlib.sha256).hexdigest()
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                self.connection.connect()
            local = self.connection.sock.getsockname()[1]
            self.sent.setdefault(str(local), []).append(marker)
            self.connection.request("POST", "/webhook", content, {
                "X-Hub-Signature-256": signature, "Content-Type": "application/json",
                "User-Agent": "facebookexternalua"})
            answer = self.connection.getresponse()
            answer.read()
            if answer.will_close:
                self.close()
            return answer.status == 200
        except (OSError, http.client.HTTPException):
            self.close()
            return False

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None
