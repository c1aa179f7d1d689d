"""System calls that Python 3.11 has no name for."""

import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)

NEWNS, NEWPID, NEWNET, NEWIPC, NEWUTS = 0x20000, 0x20000000, 0x40000000, 0x08000000, 0x04000000
RDONLY, BIND, MOVE, REC, PRIVATE, REMOUNT = 1, 4096, 8192, 16384, 1 << 18, 32
PR_CAPBSET_DROP, PR_SET_PDEATHSIG = 24, 1
BPF, FINIT_MODULE = 321, 313


def checked(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def encoded(text):
    return None if text is None else text.encode()


def mount(source, target, kind=None, flags=0, options=None):
    checked(libc.mount(encoded(source), encoded(target), encoded(kind), ctypes.c_ulong(flags), encoded(options)))


def bind(source, target, flags=0):
    """`target` shows `source`; flags like RDONLY need a second step."""
    mount(source, target, flags=BIND)
    if flags:
        mount(None, target, flags=BIND | REMOUNT | flags)


def unshare(flags):
    checked(libc.unshare(flags))


def enter(path):
    """Joins the namespace behind a file."""
    with open(path) as file:
        checked(libc.setns(file.fileno(), 0))


def prctl(what, value):
    checked(libc.prctl(what, ctypes.c_ulong(value), 0, 0, 0))


def load(path):
    with open(path, "rb") as module:
        try:
            checked(libc.syscall(FINIT_MODULE, module.fileno(), b"", 0))
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENODEV):
                raise


def bpf(command, attributes):
    return checked(libc.syscall(BPF, command, ctypes.byref(attributes), ctypes.sizeof(attributes)))
