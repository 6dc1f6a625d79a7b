"""Whether a tree of files still holds everything that was promised."""
import glob
import gzip
import hashlib
import os
import sqlite3

from pipeline import events


class Broken(Exception):
    """The tree cannot be read, or contradicts itself."""


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def examine(directory, acknowledged, backups=()):
    """Returns the events that are missing.

    `acknowledged` are markers of webhooks that got a 200, `backups` names of finished ones. Raises
    Broken where the database does not open or is not whole, or a file of the lake is torn.
    """
    for name in backups:
        examine_backup(f"{directory}/backup/{name}.db")
    lake = examine_lake(directory + "/lake")
    path = directory + "/queue/queue.db"
    wanted = [events(marker) for marker in acknowledged]
    statuses = {event for both in wanted for event in both[0]}
    messages = {event for both in wanted for event in both[1]}
    if not os.path.exists(path):
        return statuses | messages
    connection = sqlite3.connect(path)
    try:
        return examine_queue(connection, directory, lake, statuses, messages)
    except sqlite3.Error as error:
        raise Broken(f"the queue cannot be read: {error}") from error
    finally:
        connection.close()


def examine_lake(directory):
    """Every object of the lake by its name; each must hold what its name says."""
    objects = {}
    for path in glob.glob(directory + "/statuses/*/*/*"):
        name = os.path.relpath(path, directory)
        if os.path.basename(path).startswith("."):
            continue
        sha256 = digest(path)
        if name.rsplit("-", 1)[1].split(".")[0] != sha256[:12]:
            raise Broken(f"{name} holds {sha256[:12]}")
        objects[name] = sha256
    return objects


def examine_queue(connection, directory, lake, statuses, messages):
    connection.execute("pragma mmap_size = 0")
    verdict = connection.execute("pragma integrity_check").fetchall()
    if verdict != [("ok",)]:
        raise Broken(f"integrity_check: {verdict[:3]}")
    if not connection.execute("select 1 from sqlite_schema where name = 'queue'").fetchone():
        return statuses | messages
    if not connection.execute("select 1 from queue").fetchone():
        return statuses | messages
    cursor = dict(connection.execute("select name, cursor from consumer"))
    examine_books(connection)
    rows = connection.execute("select id, body from webhook").fetchall()
    unread = {name: b"".join(body for id, body in rows if id > cursor[name])
              for name in ("lake", "forward")}
    missing = set()
    if statuses:
        lines = sealed_lines(connection, directory, lake)
        missing |= {event for event in statuses
                    if quoted(event) not in lines and quoted(event) not in unread["lake"]}
    if messages:
        bodies = b"".join(row[0] for row in connection.execute(
            "select body from delivery join delivery_body on delivery_id = id"))
        missing |= {event for event in messages
                    if quoted(event) not in bodies and quoted(event) not in unread["forward"]}
    return missing


def quoted(event):
    return b'"' + event.encode() + b'"'


def sealed_lines(connection, directory, lake):
    """The lines of every sealed batch: from the lake where it was shipped, else from the spool."""
    lines = b""
    for name, sha256, shipped in connection.execute(
            "select object_name, sha256, shipped_at is not null from lake_batch"):
        path = (f"{directory}/lake/{name}" if shipped
                else f"{directory}/queue/queue.db.spool/{name.replace('/', '~')}")
        if not os.path.exists(path):
            raise Broken(f"{'shipped' if shipped else 'sealed'} and not there: {name}")
        if (lake.get(name) if shipped else digest(path)) != sha256:
            raise Broken(f"not the bytes that were sealed: {name}")
        with open(path, "rb") as file:
            lines += gzip.decompress(file.read())
    return lines


def examine_books(connection):
    count = dict(connection.execute("select name, value from counter"))
    get = lambda *names: sum(count.get(name, 0) for name in names)
    unshipped = connection.execute(
        "select coalesce(sum(line_count), 0) from lake_batch where shipped_at is null").fetchone()[0]
    waiting = connection.execute(
        "select coalesce(sum(event_count), 0) from delivery where state = 'waiting'").fetchone()[0]
    if get("lake_found") != get("lake_doubles", "lake_sealed", "lake_erased"):
        raise Broken("the books of the lake do not balance")
    if get("lake_sealed") != get("lake_shipped") + unshipped:
        raise Broken("sealed is not shipped and unshipped")
    if get("forward_found") != get("forward_doubles", "waiting", "delivered", "dead", "discarded",
                                   "dropped", "erased"):
        raise Broken("the books of the deliveries do not balance")
    if get("waiting") != waiting:
        raise Broken("the deliveries that wait are not those that were counted")


def examine_backup(path):
    if not os.path.exists(path):
        raise Broken(f"a finished backup is not there: {path}")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        verdict = connection.execute("pragma integrity_check").fetchall()
        if verdict != [("ok",)]:
            raise Broken(f"backup: {verdict[:3]}")
        for name, sha256 in connection.execute(
                "select object_name, sha256 from lake_batch where shipped_at is null"):
            spooled = f"{path}.spool/{name.replace('/', '~')}"
            if not os.path.exists(spooled) or digest(spooled) != sha256:
                raise Broken(f"backup: the spool file of {name} is missing or differs")
    except sqlite3.Error as error:
        raise Broken(f"backup: {error}") from error
    finally:
        connection.close()
