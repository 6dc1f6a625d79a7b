"""What a disk may hold after the power went: rebuilt from the events of a run.

Nothing that was not synced is sure, and everything may have arrived: any part of the writes, in any
order, torn at sectors of 512 bytes; any part of the names. Two file systems:
  ext4   names become durable in the order in which they changed, and with the next sync of any file
         (its journal is one); data only with a sync of its own file
  posix  a name is durable only after a sync of its directory; nothing else is promised
"""
import os

SECTOR = 512


class File:
    """An inode: what is durable, and the changes that are not."""

    def __init__(self, is_directory=False):
        self.is_directory = is_directory
        self.durable = bytearray()
        self.pending = []  # (event number, change)


def change(content, what):
    if what[0] == "write":
        _, offset, data = what
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset:offset + len(data)] = data
    else:
        size = what[1]
        if len(content) > size:
            del content[size:]
        else:
            content.extend(bytes(size - len(content)))


class Disk:
    def __init__(self, root, mode):
        self.root, self.mode = root, mode
        self.names = {}       # as the programs see them: path to File
        self.durable = {}     # names that no power cut takes away
        self.pending = []     # (event number, change of names)

    def apply(self, number, event):
        kind = event[0]
        if kind in ("create", "mkdir"):
            file = self.names[event[1]] = File(kind == "mkdir")
            self.pending.append((number, ("add", event[1], file)))
        elif kind == "write":
            self.names[event[1]].pending.append((number, ("write", event[2], event[3])))
        elif kind == "cut":
            self.names[event[1]].pending.append((number, ("cut", event[2])))
        elif kind == "rename":
            file = self.names.pop(event[1])
            self.names[event[2]] = file
            self.pending.append((number, ("move", event[1], event[2], file)))
        elif kind == "link":
            file = self.names[event[2]] = self.names[event[1]]
            self.pending.append((number, ("add", event[2], file)))
        elif kind == "unlink":
            self.names.pop(event[1])
            self.pending.append((number, ("remove", event[1])))
        elif kind == "sync":
            self.sync(event[1], event[2])

    def sync(self, path, before):
        file = self.names.get(path)
        if file is not None and not file.is_directory:
            for number, what in file.pending:
                if number < before:
                    change(file.durable, what)
            file.pending = [entry for entry in file.pending if entry[0] >= before]
            if self.mode == "ext4":
                self.sync_names(before, lambda what: True)
        else:
            self.sync_names(before, lambda what: self.mode == "ext4" or path in directories(what))

    def sync_names(self, before, is_meant):
        rest = []
        for number, what in self.pending:
            if number < before and is_meant(what):
                rename(self.durable, what)
            else:
                rest.append((number, what))
        self.pending = rest

    def open_choices(self):
        """How much a power cut now has to choose from."""
        return len(self.pending) + sum(len(file.pending) for file in self.files())

    def files(self):
        seen = {}
        for file in list(self.durable.values()) + [what[-1] for _, what in self.pending]:
            if isinstance(file, File) and not file.is_directory:
                seen[id(file)] = file
        return seen.values()

    def state(self, choice):
        """A tree the disk may hold: path to content.

        `choice` decides: `name(i, n)` whether the i-th open change of names arrived, `data(i, n)`
        what became of the i-th open change of a file: False, True, or a function from the number of
        its sectors to a list of which arrived.
        """
        names = dict(self.durable)
        for index, (_, what) in enumerate(self.pending):
            if choice.name(index, len(self.pending)):
                rename(names, what)
            elif self.mode == "ext4":
                break
        tree = {}
        contents = {}
        for path, file in names.items():
            if not self.is_reachable(path, names):
                continue
            if file.is_directory:
                tree[path] = None
                continue
            if id(file) not in contents:
                contents[id(file)] = self.content(file, choice)
            tree[path] = contents[id(file)]
        return tree

    def is_reachable(self, path, names):
        parent = os.path.dirname(path)
        while parent != self.root:
            if parent not in names:
                return False
            parent = os.path.dirname(parent)
        return True

    def content(self, file, choice):
        if not file.pending:
            return file.durable
        content = bytearray(file.durable)
        for index, (_, what) in enumerate(file.pending):
            fate = choice.data(index, len(file.pending))
            if callable(fate) and what[0] == "write":
                what = torn(content, what, fate)
            if fate:
                change(content, what)
        return content


def directories(what):
    return {os.path.dirname(path) for path in what[1:-1]} if what[0] == "move" else {
        os.path.dirname(what[1])}


def rename(names, what):
    if what[0] == "add":
        names[what[1]] = what[2]
    elif what[0] == "remove":
        names.pop(what[1], None)
    else:
        names.pop(what[1], None)
        names[what[2]] = what[3]


def torn(content, what, fate):
    """The write with some of its sectors as they were before."""
    _, offset, data = what
    first, last = offset // SECTOR, (offset + len(data) - 1) // SECTOR
    mixed = bytearray(data)
    for index, arrived in enumerate(fate(last - first + 1)):
        if arrived:
            continue
        start = max(offset, (first + index) * SECTOR)
        end = min(offset + len(data), (first + index + 1) * SECTOR)
        old = bytes(content[start:end])
        mixed[start - offset:end - offset] = old + bytes(end - start - len(old))
    return ("write", offset, bytes(mixed))
