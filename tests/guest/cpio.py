"""Archives as the kernel unpacks them into its first root ("newc"). Everything belongs to root; no device nodes."""

import os
import stat


def header(mode, size, name, number):
    fields = [number, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name) + 1, 0]
    return b"070701" + b"".join(b"%08X" % field for field in fields)


def pad(file):
    file.write(bytes(-file.tell() % 4))


class Archive:
    def __init__(self, path):
        self.file, self.count = open(path, "wb"), 0

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        self.add("TRAILER!!!", 0, b"")
        # The kernel looks for the next archive at a multiple of four.
        self.file.write(bytes(-self.file.tell() % 512))
        self.file.close()

    def add(self, name, mode, content):
        self.count += 1
        name = name.encode()
        self.file.write(header(mode, len(content), name, self.count) + name + b"\0")
        pad(self.file)
        self.file.write(content)
        pad(self.file)

    def folder(self, name):
        self.add(name, stat.S_IFDIR | 0o755, b"")

    def put(self, name, path, mode=None):
        """A file as `name`; the folders above it must have been put before."""
        rights = os.stat(path).st_mode & 0o777 if mode is None else mode
        with open(path, "rb") as file:
            self.add(name, stat.S_IFREG | rights, file.read())

    def tree(self, root, skip):
        """Everything below a folder but what `skip` (told the path inside) leaves out."""
        for folder, folders, files in os.walk(root):
            inside = os.path.relpath(folder, root)
            folders[:] = sorted(f for f in folders if not skip(os.path.normpath(os.path.join(inside, f))))
            if inside != ".":
                self.folder(inside)
            links = [f for f in folders if os.path.islink(os.path.join(folder, f))]
            for name in links + sorted(files):
                path, inner = os.path.join(folder, name), os.path.normpath(os.path.join(inside, name))
                if os.path.islink(path):
                    self.add(inner, stat.S_IFLNK | 0o777, os.readlink(path).encode())
                elif not skip(inner):
                    self.put(inner, path)
