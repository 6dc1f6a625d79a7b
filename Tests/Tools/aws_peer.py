"""S3, Firehose, STS and IAM for tests: moto with its signature checks on, and faulty proxies.

    .venv/bin/python Tests/Tools/aws_peer.py

Prints one line of JSON, {"port": N, "keys": {...}}, and serves 127.0.0.1:N until it is killed or its
parent is gone. Beside Amazon's services, which moto answers, the port takes for the tests' own use:

    POST /-/bucket/NAME             makes a bucket
    POST /-/stream/NAME?bucket=B    makes a Firehose stream that delivers into a bucket
    GET  /-/objects/NAME            what is in a bucket: [{"key", "size", "sha256", "headers"}]
    GET  /-/lines/NAME              every line of every object of a bucket, gunzipped
    POST /-/proxy                   opens another port, which forwards to this one: {"port": M}

A proxy's port takes POST /-/faults with a list of faults, and GET /-/log with what passed it. Each
fault: {"kind", "count" (how often, else for ever), "method", "path" (a part of it), ...}.
"""

import base64
import gzip
import hashlib
import http.client
import json
import logging
import os
import socket
import threading
import time
from datetime import datetime, timezone
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit

os.environ.update(AWS_ACCESS_KEY_ID="setup", AWS_SECRET_ACCESS_KEY="setup")
os.environ.update(AWS_DEFAULT_REGION="eu-central-1", AWS_EC2_METADATA_DISABLED="true")

import boto3  # noqa: E402
from moto.iam import access_control  # noqa: E402
from moto import settings  # noqa: E402
from moto.moto_server.threaded_moto_server import ThreadedMotoServer  # noqa: E402
from moto.s3.models import s3_backends  # noqa: E402

logging.getLogger("werkzeug").setLevel(logging.ERROR)
ACCOUNT = "123456789012"
gate = threading.Condition()
passing = 0
is_unchecked = False


def encoded(path):
    """As S3 signs it. moto takes the path from WSGI, which has decoded it, and leaves `=` plain."""
    path, _, query = path.partition("?")
    pairs = [pair.partition("=")[::2] for pair in query.split("&")] if query else []
    query = "&".join(f"{quote(unquote(n), safe='~')}={quote(unquote(v), safe='~')}" for n, v in pairs)
    return quote(unquote(path), safe="/~") + ("?" + query if query else "")


class S3Request(access_control.S3IAMRequest):
    def __init__(self, path, **rest):
        super().__init__(path=encoded(path), **rest)


access_control.S3IAMRequest = S3Request


def client(service):
    return boto3.client(service, endpoint_url=f"http://127.0.0.1:{moto_port}")


class Unchecked:
    """Within it moto takes every request; none of a test is under way meanwhile."""

    def __enter__(self):
        global is_unchecked
        with gate:
            gate.wait_for(lambda: passing == 0 and not is_unchecked)
            is_unchecked = True
        settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")

    def __exit__(self, *_):
        global is_unchecked
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
        with gate:
            is_unchecked = False
            gate.notify_all()


class Checked:
    """Requests of tests pass only while moto checks signatures."""

    def __enter__(self):
        global passing
        with gate:
            gate.wait_for(lambda: not is_unchecked)
            passing += 1

    def __exit__(self, *_):
        global passing
        with gate:
            passing -= 1
            gate.notify_all()


def make_keys():
    iam = client("iam")
    keys = {}
    for user, actions in {
        "writer": ["s3:PutObject", "s3:GetObject", "s3:ListBucket", "firehose:*", "sts:*"],
        "putter": ["s3:PutObject"],
        "reader": ["s3:GetObject", "s3:ListBucket"],
        "nobody": ["iam:GetUser"],
    }.items():
        iam.create_user(UserName=user)
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=user, PolicyName="tests", PolicyDocument=policy)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        keys[user] = {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]})
    iam.create_role(RoleName="lake", AssumeRolePolicyDocument=trust)
    allow = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:*", "firehose:*"], "Resource": "*"}]})
    iam.put_role_policy(RoleName="lake", PolicyName="tests", PolicyDocument=allow)
    return keys


def objects_of(bucket):
    found = s3_backends[ACCOUNT]["aws"].buckets.get(bucket)
    return [] if found is None else sorted(found.keys.items())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Two small writes an answer: without this each waits for the other side's delayed ACK.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, body=b"", headers=(), content_type="application/xml"):
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time(), usegmt=True))
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, value):
        self.answer(200, json.dumps(value).encode(), content_type="application/json")

    def answer_fault(self, status, code, message, extra="", headers=()):
        body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}'
                f"</Message>{extra}<RequestId>T</RequestId></Error>")
        if "x-amz-target" in self.headers:
            body = json.dumps({"__type": code, "message": message})
        self.answer(status, body.encode(), headers)

    def forward(self, body):
        upstream = http.client.HTTPConnection("127.0.0.1", moto_port, timeout=60)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body or None)
        reply = upstream.getresponse()
        data = reply.read()
        hop = ("connection", "content-length", "transfer-encoding", "date", "content-type", "server")
        headers = [(n, v) for n, v in reply.getheaders() if n.lower() not in hop]
        length = reply.getheader("Content-Length")
        kind = reply.getheader("Content-Type", "application/xml")
        upstream.close()
        return reply.status, data, headers, kind, length

    def relay(self, reply):
        status, data, headers, kind, length = reply
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time(), usegmt=True))
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def is_mangled(self, body):
        """What S3 itself looks at and moto does not."""
        wanted = self.headers.get("x-amz-checksum-sha256")
        digest = hashlib.sha256(body)
        if wanted and wanted != base64.b64encode(digest.digest()).decode():
            return True
        signed = self.headers.get("x-amz-content-sha256", "")
        return len(signed) == 64 and signed != digest.hexdigest()

    def serve(self):
        if self.path.startswith("/-/"):
            return self.control(self.read_body())
        body = self.read_body()
        if self.is_mangled(body):
            return self.answer_fault(400, "XAmzContentSHA256Mismatch", "The bytes are others")
        with Checked():
            self.relay(self.forward(body))

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = lambda self: self.serve()

    def control(self, body):
        parts = urlsplit(self.path)
        words = parts.path.split("/")[2:]
        if words[0] == "bucket":
            with Unchecked():
                client("s3").create_bucket(
                    Bucket=words[1], CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
            self.answer_json({})
        elif words[0] == "stream":
            bucket = parse_qs(parts.query)["bucket"][0]
            with Unchecked():
                client("firehose").create_delivery_stream(
                    DeliveryStreamName=words[1], DeliveryStreamType="DirectPut",
                    ExtendedS3DestinationConfiguration={
                        "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/lake",
                        "BucketARN": f"arn:aws:s3:::{bucket}"})
            self.answer_json({})
        elif words[0] == "objects":
            self.answer_json([
                {"key": key, "size": len(value.value), "storage_class": value.storage_class,
                 "sha256": hashlib.sha256(value.value).hexdigest(), "encryption": value.encryption,
                 "kms_key": value.kms_key_id}
                for key, value in objects_of(words[1])])
        elif words[0] == "lines":
            lines = []
            for key, value in objects_of(words[1]):
                data = value.value
                data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
                lines += data.decode().splitlines()
            self.answer(200, ("\n".join(lines) + "\n").encode() if lines else b"")
        elif words[0] == "proxy":
            proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
            proxy.faults, proxy.log, proxy.lock = [], [], threading.Lock()
            threading.Thread(target=proxy.serve_forever, daemon=True).start()
            self.answer_json({"port": proxy.server_address[1]})
        else:
            self.answer(404)


class Proxy(Handler):
    def control(self, body):
        if self.path == "/-/faults":
            with self.server.lock:
                self.server.faults[:] = json.loads(body)
            self.answer_json({})
        else:
            with self.server.lock:
                self.answer_json(list(self.server.log))

    def fault(self):
        with self.server.lock:
            for fault in self.server.faults:
                if fault.get("count", 1) <= 0 or not self.matches(fault):
                    continue
                if fault.get("after", 0) > 0:
                    fault["after"] -= 1
                    continue
                if "count" in fault:
                    fault["count"] -= 1
                return fault
        return {"kind": "none"}

    def matches(self, fault):
        if fault.get("method", self.command) != self.command or fault.get("path", "") not in self.path:
            return False
        if fault["kind"] == "region":
            return f"/{fault['region']}/" not in self.headers.get("Authorization", "")
        if fault["kind"] == "skew":
            sent = datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
            sent = sent.replace(tzinfo=timezone.utc).timestamp()
            return abs(sent - (time.time() + fault["seconds"])) > 900
        if fault["kind"] in ("ignore_condition", "refuse_condition"):
            return self.headers.get("If-None-Match") is not None
        return True

    def note(self, kind, status):
        with self.server.lock:
            self.server.log.append({
                "method": self.command, "path": self.path, "fault": kind, "status": status,
                "headers": {name.lower(): value for name, value in self.headers.items()}})

    def serve(self):
        if self.path.startswith("/-/"):
            return self.control(self.read_body())
        fault = self.fault()
        kind = fault["kind"]
        if kind == "cut_request":
            self.rfile.read(min(1_000, int(self.headers.get("Content-Length") or 0)))
            self.note(kind, None)
            return self.cut()
        body = self.read_body()
        if kind == "mangle" and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        if kind == "drop":
            self.note(kind, None)
            return self.cut()
        if kind == "stall":
            self.note(kind, None)
            self.connection.settimeout(60)
            self.connection.recv(1)
            return self.cut()
        if kind == "slow":
            time.sleep(fault["seconds"])
        if kind in ("status", "region", "skew", "refuse_condition"):
            self.note(kind, fault.get("status"))
            return self.refuse(fault)
        if kind == "ignore_condition":
            with Unchecked():
                bucket, _, key = self.path.lstrip("/").partition("/")
                client("s3").delete_object(Bucket=bucket, Key=unquote(key))
        if self.is_mangled(body):
            self.note(kind, 400)
            return self.answer_fault(400, "XAmzContentSHA256Mismatch", "The bytes are others")
        if kind == "partial":
            self.note(kind, 200)
            return self.take_every_other(body)
        with Checked():
            reply = self.forward(body)
        self.note(kind, reply[0])
        if kind == "lost_answer":
            return self.cut()
        if kind == "cut_answer":
            status, data, _, content_type, _ = reply
            self.send_response_only(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(data) + 1_000))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            return self.cut()
        self.relay(reply)

    def take_every_other(self, body):
        """As Firehose at its limit: 200, and half of the records are not taken."""
        request = json.loads(body)
        records = [{"Data": base64.b64decode(r["Data"])} for r in request["Records"]]
        if records[0::2]:
            with Unchecked():
                client("firehose").put_record_batch(
                    DeliveryStreamName=request["DeliveryStreamName"], Records=records[0::2])
        refused = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
        responses = [{"RecordId": "x"} if i % 2 == 0 else refused for i in range(len(records))]
        self.answer_json({"FailedPutCount": len(records) // 2, "RequestResponses": responses})

    def refuse(self, fault):
        kind = fault["kind"]
        if kind == "region":
            region = fault["region"]
            if self.command == "HEAD":
                return self.answer(400, headers=[("x-amz-bucket-region", region)])
            return self.answer_fault(
                301, "PermanentRedirect", "The bucket you are attempting to access must be addressed "
                "using the specified endpoint.", "<Endpoint>elsewhere</Endpoint>",
                [("x-amz-bucket-region", region)])
        if kind == "skew":
            body = (b"<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the "
                    b"request time and the current time is too large.</Message></Error>")
            self.send_response_only(403)
            self.send_header("Date", formatdate(time.time() + fault["seconds"], usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            return self.wfile.write(body if self.command != "HEAD" else b"")
        if kind == "refuse_condition":
            return self.answer_fault(
                501, "NotImplemented", "A header you provided implies functionality that is not "
                "implemented", "<Header>If-None-Match</Header>")
        headers = [("Retry-After", str(fault["retry_after"]))] if "retry_after" in fault else []
        self.answer_fault(fault["status"], fault.get("code", "InternalError"),
                          fault.get("message", "told to"), headers=headers)

    def cut(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


moto_server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
moto_server.start()
moto_port = moto_server.get_host_and_port()[1]
keys = make_keys()
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
front = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=front.serve_forever, daemon=True).start()
print(json.dumps({"port": front.server_address[1], "keys": keys}), flush=True)
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(1)
