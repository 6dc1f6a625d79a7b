"""WhatsApp's side: posts each webhook when it is due, whatever became of the ones before."""

import asyncio
import collections
import time

CONNECTIONS_MAX = 256
ATTEMPTS_MAX = 10


class Connection(asyncio.Protocol):
    """One kept connection; one request at a time."""

    def __init__(self):
        self.answer = None
        self.received = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0 or self.answer is None:
            return
        head, rest = self.received[:end].lower(), self.received[end + 4:]
        if b"transfer-encoding: chunked" in head:
            if not rest.endswith(b"0\r\n\r\n"):
                return
        else:
            start = head.find(b"content-length:")
            length = int(head[start + 15:].split(b"\r\n")[0]) if start >= 0 else 0
            if len(rest) < length:
                return
        self.received = b""
        answer, self.answer = self.answer, None
        answer.set_result(int(head[9:12]))
        if b"connection: close" in head:
            self.transport.close()

    def connection_lost(self, _):
        if self.answer is not None:
            answer, self.answer = self.answer, None
            answer.set_result(0)

    async def send(self, request):
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answer


class Sender:
    def __init__(self, port):
        self.port = port
        self.idle = collections.deque()
        self.count = 0
        self.waiting = collections.deque()
        self.seconds = []
        self.statuses = collections.Counter()

    async def connection(self):
        while self.idle:
            connection = self.idle.popleft()
            if not connection.transport.is_closing():
                return connection
            self.count -= 1
        if self.count < CONNECTIONS_MAX:
            self.count += 1
            loop = asyncio.get_running_loop()
            return (await loop.create_connection(Connection, "127.0.0.1", self.port))[1]
        turn = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        return await turn

    def give_back(self, connection):
        if self.waiting and not connection.transport.is_closing():
            self.waiting.popleft().set_result(connection)
        else:
            self.idle.append(connection)

    async def post(self, request, due):
        """Again each second until it is answered 200, as WhatsApp would, only sooner.

        The first answer's time counts, from the moment the webhook was due.
        """
        for attempt in range(ATTEMPTS_MAX):
            connection = await self.connection()
            status = await connection.send(request)
            if attempt == 0:
                self.seconds.append(time.monotonic() - due)
            self.statuses[status] += 1
            self.give_back(connection)
            if status == 200:
                return
            await asyncio.sleep(1)

    async def run(self, webhooks, throttle):
        """`throttle`: each when it is due; else as fast as CONNECTIONS_MAX connections allow."""
        requests = [(webhook.due, webhook.request(self.port)) for webhook in webhooks]
        start = time.monotonic()
        under_way = set()
        for due, request in requests:
            if throttle:
                wait = start + due - time.monotonic()
                if wait > 0.002:
                    await asyncio.sleep(wait)
            else:
                due = time.monotonic() - start
                if len(under_way) >= 64:
                    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.ensure_future(self.post(request, start + due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.wait(under_way, timeout=60)
        if len(self.seconds) != len(requests):
            raise SystemExit(f"{len(requests) - len(self.seconds)} webhooks got no answer in a minute")


def send(webhooks, port, throttle=True):
    sender = Sender(port)
    asyncio.run(sender.run(webhooks, throttle))
    return sender


def percentile(seconds, share):
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
