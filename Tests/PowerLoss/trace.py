"""Reads what strace wrote as a list of events on the files below one directory.

An event is a tuple whose first word says what happened:
  ("create", path) ("mkdir", path) ("write", path, offset, bytes) ("cut", path, size)
  ("sync", path, count) ("rename", old, new) ("link", old, new) ("unlink", path)
  ("answer", client port, status) ("promise", name): the scenario made the file promised-NAME
`count` of a sync is the number of events before it began: it vouches for those and no later ones.
"""
import os
import re

CALLS = ("openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,"
         "ftruncate,truncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,"
         "mkdirat,rmdir,lseek,sendto,sendmsg,copy_file_range,sendfile,mmap")
OPTIONS = ["-f", "-qq", "--seccomp-bpf", "-yy", "-xx", "-s", "20000000", "-e", "signal=none", "-e",
           "trace=" + CALLS]

FINISHED = re.compile(r"^(\w+)\((.*)\)\s*= (-?\d+|\?|0x[0-9a-f]+)")
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>\s?(.*)$", re.S)
DESCRIPTOR = re.compile(r"^(-?\d+|AT_FDCWD)(?:<((?:->|[^<>])*)>)?")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
NAMED = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:\\x[0-9a-f]{2})*)"')
SOCKET = re.compile(r"TCP:\[[^\]]*?:(\d+)->[^\]]*?:(\d+)\]")


def plain(text):
    return bytes.fromhex(text.replace("\\x", ""))


def readable(text):
    return plain(text).decode(errors="replace") if "\\x" in text else text


class Reader:
    def __init__(self, root, port):
        self.root, self.port = root, port
        self.events = []
        self.known = set()
        self.positions = {}

    def read(self, path):
        unfinished, began = {}, {}
        with open(path, errors="replace") as lines:
            for line in lines:
                thread, _, text = line.rstrip("\n").partition(" ")
                text = text.lstrip()
                if text.endswith("<unfinished ...>"):
                    text = text[: -len("<unfinished ...>")].rstrip()
                    unfinished[thread], began[thread] = text, len(self.events)
                    # An answer may have arrived before its call returns.
                    if text.startswith(("send", "write")) and self.answer(text.partition("(")[2]):
                        unfinished[thread] = None
                    continue
                resumed = RESUMED.match(text)
                start = len(self.events)
                if resumed:
                    head = unfinished.pop(thread, None)
                    start = began.pop(thread, start)
                    if head is None:
                        continue
                    text = head + resumed.group(2)
                found = FINISHED.match(text)
                if found and found.group(3) not in ("?",) and not found.group(3).startswith("-"):
                    self.take(found.group(1), found.group(2), found.group(3), start)
        return self.events

    def inside(self, path):
        return path.startswith(self.root + "/") and not path.endswith("-shm")

    def path_of(self, arguments):
        found = DESCRIPTOR.match(arguments)
        if not found or not found.group(2):
            return ""
        return readable(found.group(2)).removesuffix("(deleted)").rstrip()

    def paths(self, arguments):
        for directory, name in NAMED.findall(arguments):
            name = plain(name).decode(errors="replace")
            yield os.path.normpath(os.path.join(readable(directory), name))

    def answer(self, arguments):
        """Whether this sends an answer of ingest; notes it where it does."""
        found = DESCRIPTOR.match(arguments)
        socket = SOCKET.search(readable(found.group(2))) if found and found.group(2) else None
        if not socket or int(socket.group(1)) != self.port:
            return False
        content = b"".join(plain(text) for text in STRING.findall(arguments))
        for status in re.findall(rb"HTTP/1\.1 (\d\d\d) ", content):
            if status != b"100":
                self.events.append(("answer", socket.group(2), int(status)))
        return True

    def take(self, call, arguments, result, start):
        if call in ("sendto", "sendmsg", "write", "writev") and self.answer(arguments):
            return
        if call in ("copy_file_range", "sendfile", "sendto", "sendmsg", "sync_file_range"):
            if self.inside(self.path_of(arguments)):
                raise RuntimeError(f"{call} is not understood")
            return
        if call == "mmap":
            if "MAP_SHARED" in arguments and "PROT_WRITE" in arguments:
                path = arguments.split(", ")[4]
                if self.inside(self.path_of(path)):
                    raise RuntimeError("a write by memory map cannot be seen: " + path)
            return
        method = {"pwrite64": "write", "writev": "write", "pwritev": "write", "pwritev2": "write",
                  "creat": "open", "openat": "open", "fdatasync": "fsync", "truncate": "ftruncate",
                  "renameat": "rename", "renameat2": "rename", "unlinkat": "unlink",
                  "linkat": "link", "mkdirat": "mkdir", "rmdir": "unlink"}.get(call, call)
        getattr(self, "take_" + method)(call, arguments, result, start)

    def take_open(self, call, arguments, result, start):
        path = next(self.paths(arguments))
        if path.startswith(os.path.dirname(self.root) + "/promised-"):
            self.events.append(("promise", path.partition("promised-")[2]))
        if not self.inside(path):
            return
        self.positions[path] = 0
        if path in self.known:
            if "O_TRUNC" in arguments:
                self.events.append(("cut", path, 0))
        elif "O_CREAT" in arguments or call == "creat":
            self.known.add(path)
            self.events.append(("create", path))

    def take_write(self, call, arguments, result, start):
        path = self.path_of(arguments)
        if not self.inside(path) or path not in self.known:
            return
        count = int(result)
        content = b"".join(plain(text) for text in STRING.findall(arguments))[:count]
        if call.startswith("pw"):
            numbers = re.sub(STRING, "", arguments).rsplit(", ", 2)
            offset = int(numbers[-2] if call == "pwritev2" else numbers[-1])
        else:
            offset = self.positions.get(path, 0)
            self.positions[path] = offset + count
        self.events.append(("write", path, offset, content))

    def take_lseek(self, call, arguments, result, start):
        self.positions[self.path_of(arguments)] = int(result)

    def take_fsync(self, call, arguments, result, start):
        path = self.path_of(arguments)
        if path == self.root or self.inside(path):
            self.events.append(("sync", path, start))

    def take_ftruncate(self, call, arguments, result, start):
        path = self.path_of(arguments) or next(self.paths(arguments), "")
        if path in self.known:
            self.events.append(("cut", path, int(arguments.rsplit(", ", 1)[1])))

    def take_fallocate(self, call, arguments, result, start):
        if self.path_of(arguments) in self.known:
            raise RuntimeError("fallocate is not understood")

    def take_rename(self, call, arguments, result, start):
        old, new = list(self.paths(arguments))[:2]
        if old in self.known:
            self.known.discard(old)
            self.known.add(new)
            self.events.append(("rename", old, new))

    def take_link(self, call, arguments, result, start):
        old, new = list(self.paths(arguments))[:2]
        if old in self.known:
            self.known.add(new)
            self.events.append(("link", old, new))

    def take_unlink(self, call, arguments, result, start):
        path = next(self.paths(arguments))
        if path in self.known:
            self.known.discard(path)
            self.events.append(("unlink", path))

    def take_mkdir(self, call, arguments, result, start):
        path = next(self.paths(arguments))
        if self.inside(path):
            self.known.add(path)
            self.events.append(("mkdir", path))
