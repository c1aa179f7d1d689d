"""Tries one thing in a container, under a profile or under none, and tells what came of it.

The process is a copy of this one, so that nothing has to be executed to get there; it has all capabilities, so that only
the profile and the device cgroup are left to say no.
"""

import errno
import json
import os
import socket
import tempfile

import container
import kernel


def read(path):
    with open(path, "rb") as file:
        file.read(1)


def write(path):
    os.close(os.open(path, os.O_WRONLY))


def both(path):
    os.close(os.open(path, os.O_RDWR))


def create(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    os.unlink(path)


def execute(path):
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.execve(path, [path, "--version"], {})
        except OSError as error:
            os.write(writing, str(error.errno).encode())
        os._exit(0)
    os.close(writing)
    refused = os.read(reading, 16)
    os.waitpid(pid, 0)
    if refused:
        raise OSError(int(refused), path)


def mount(path):
    kernel.mount("tmpfs", path, "tmpfs")


def remount(path):
    """Makes what is mounted read-only writable."""
    kernel.mount(None, path, flags=kernel.BIND | kernel.REMOUNT)


def unmount(path):
    kernel.checked(kernel.libc.umount2(path.encode(), 2))


def node(path):
    """A node of one's own for a disk: 'major:minor'."""
    major, minor = map(int, path.split(":"))
    own = "/data/own-node"
    os.mknod(own, 0o60600, os.makedev(major, minor))
    try:
        both(own)
    finally:
        os.unlink(own)


def raw(_):
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


def packet(_):
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


def profile(name):
    """Leaves its profile for another one."""
    with open("/proc/self/attr/apparmor/current", "w") as attribute:
        attribute.write(f"changeprofile {name}")


def host(name):
    """Gives the machine another name."""
    kernel.checked(kernel.libc.sethostname(name.encode(), len(name)))


KINDS = {work.__name__: work for work in (read, write, both, create, execute, mount, remount, unmount, node, raw, packet,
                                          profile, host)}


def outcome(kind, path):
    try:
        KINDS[kind](path)
        return "done"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))


def attempt(group, wanted, under):
    """What came of each of `[kind, path]`, in a container of its own."""
    told, tell = os.pipe()

    def work():
        if under:
            profile(under)
        answers = [outcome(kind, path) for kind, path in wanted]
        os.write(tell, json.dumps(answers).encode())
        os._exit(0)

    pid = container.in_new_container(group, work)
    os.close(tell)
    with os.fdopen(told) as answers:
        text = answers.read()
    os.waitpid(pid, 0)
    return json.loads(text) if text else []
