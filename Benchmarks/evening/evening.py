"""One evening: messages that a business sends, what WhatsApp tells of them, and the replies."""

import hashlib
import hmac
import json
import random

SECRET = "an app secret of the benchmark"

# What the evening is made of. Chats bring a reply to nearly every message; a campaign brings three
# statuses a message and few replies, so an evening with more of it spares PHP more than this one.
CAMPAIGN_SHARE = 0.30
CAMPAIGN_BURSTS = (0.10, 0.40, 0.65)
BURST_LENGTH = 0.05
CAMPAIGN_REPLY = 0.12
CHAT_REPLY = 0.90
FAILED = 0.02
DELIVERED = 0.95
READ = 0.70
TWICE = 0.01


class Webhook:
    """A body on its way: when it is due, its bytes, and what stands in it."""

    def __init__(self, due, body, is_message):
        self.due, self.body, self.is_message = due, body, is_message
        self.signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    def request(self, port):
        head = (
            f"POST /webhook HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: facebookexternalua\r\n"
            f"Accept: */*\r\nContent-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
            f"X-Hub-Signature-256: sha256={self.signature}\r\n\r\n"
        )
        return head.encode() + self.body


def body(value):
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "4930555001", "phone_number_id": "700100200300401"},
        **value,
    }
    change = {"value": value, "field": "messages"}
    webhook = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "800100200300401", "changes": [change]}],
    }
    return json.dumps(webhook, separators=(",", ":")).encode()


def status(wamid, state, customer, second):
    members = {"id": wamid, "status": state, "timestamp": str(second), "recipient_id": customer}
    if state == "failed":
        members["errors"] = [
            {"code": 131026, "title": "Message undeliverable",
             "error_data": {"details": "Message Undeliverable."}}
        ]
    else:
        members["conversation"] = {"id": wamid[-16:], "origin": {"type": "utility"}}
        members["pricing"] = {"billable": True, "pricing_model": "PMP", "category": "utility"}
    return body({"statuses": [members]})


def reply(wamid, customer, second):
    return body({
        "contacts": [{"profile": {"name": "A customer"}, "wa_id": customer}],
        "messages": [{
            "from": customer, "id": wamid, "timestamp": str(second), "type": "text",
            "text": {"body": "Thank you. Can you bring it on Thursday, after six?"},
        }],
    })


def evening(sent_count, seconds, seed, started):
    """All webhooks of an evening that is compressed to `seconds`, in the order in which they come."""
    chance = random.Random(seed)
    webhooks = []
    for number in range(sent_count):
        is_campaign = chance.random() < CAMPAIGN_SHARE
        if is_campaign:
            at = (chance.choice(CAMPAIGN_BURSTS) + chance.random() * BURST_LENGTH) * seconds
        else:
            at = chance.random() * seconds * 0.9
        customer = f"4915{chance.randrange(10**9):09d}" if is_campaign else f"4916{number % 997:09d}"
        wamid = f"wamid.OUT{seed:08X}{number:012d}=="

        def add(after, make, is_message=False):
            due = min(at + after, seconds)
            webhooks.append(Webhook(due, make(started + int(due)), is_message))

        def told(state, after):
            add(after, lambda second: status(wamid, state, customer, second))

        if chance.random() < FAILED:
            told("failed", chance.uniform(0.05, 0.3))
            continue
        told("sent", chance.uniform(0.05, 0.3))
        if chance.random() < DELIVERED:
            told("delivered", chance.uniform(0.2, 1.0))
            if chance.random() < READ:
                told("read", chance.uniform(0.5, seconds * 0.1))
        if chance.random() < (CAMPAIGN_REPLY if is_campaign else CHAT_REPLY):
            name = f"wamid.IN{seed:08X}{number:012d}=="
            add(chance.uniform(1, seconds * 0.1), lambda second: reply(name, customer, second), True)
    # WhatsApp sends some twice, whatever it was answered.
    for webhook in chance.sample(webhooks, int(len(webhooks) * TWICE)):
        again = min(webhook.due + chance.uniform(0.5, 2), seconds)
        webhooks.append(Webhook(again, webhook.body, webhook.is_message))
    webhooks.sort(key=lambda webhook: webhook.due)
    return webhooks
