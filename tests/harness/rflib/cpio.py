"""Write an initramfs in the newc format."""

import os
import stat


class Archive:
    """A cpio archive built in memory, in order; parents are made as needed."""

    def __init__(self):
        self._chunks = []
        self._seen = set()

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        name = name.strip("/")
        raw = name.encode() + b"\0"
        fields = [len(self._seen) + 1, mode, 0, 0, 1, 0, len(data), 0, 0,
                  rdev[0], rdev[1], len(raw), 0]
        head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
        self._chunks.append(head + b"\0" * (-len(head) % 4))
        self._chunks.append(data + b"\0" * (-len(data) % 4))
        self._seen.add(name)

    def dir(self, name):
        name = name.strip("/")
        if not name or name in self._seen:
            return
        self.dir(os.path.dirname(name))
        self._entry(name, stat.S_IFDIR | 0o755)

    def data(self, name, data, mode=0o644):
        name = name.strip("/")
        if name in self._seen:
            return
        self.dir(os.path.dirname(name))
        self._entry(name, stat.S_IFREG | mode, data)

    def file(self, name, source, mode=None):
        with open(source, "rb") as f:
            data = f.read()
        if mode is None:
            mode = 0o755 if os.access(source, os.X_OK) else 0o644
        self.data(name, data, mode)

    def link(self, name, target):
        name = name.strip("/")
        if name in self._seen:
            return
        self.dir(os.path.dirname(name))
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def char(self, name, major, minor):
        self.dir(os.path.dirname(name))
        self._entry(name, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def bytes(self):
        self._entry("TRAILER!!!", 0)
        return b"".join(self._chunks)
