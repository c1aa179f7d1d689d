"""The device cgroup as Docker makes it: a program of the kernel's that asks a table, and the table can be added to while
the container runs. That is how the Supervisor gives an app a disk at the moment it is plugged in.
"""

import ctypes
import os
import struct

import kernel

GROUP = "/sys/fs/cgroup/app"
BLOCK, CHARACTER, ANY = 1, 2, 0xFFFFFFFF
# What every container of Docker's may open: null, zero, full, random, urandom, tty, console, ptmx and the terminals.
ALWAYS = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2), (136, ANY)]
MAP_CREATE, MAP_UPDATE, MAP_DELETE, PROG_LOAD, PROG_ATTACH = 0, 2, 3, 5, 8
HASH, CGROUP_DEVICE, ATTACH_CGROUP_DEVICE = 1, 15, 6


def instruction(code, to=0, source=0, offset=0, value=0):
    return struct.pack("<BBhi", code, source << 4 | to, offset, value)


LOAD, STORE, COPY, SET, ADD, SHIFT_RIGHT, AND = 0x61, 0x63, 0xBF, 0xB7, 0x07, 0x77, 0x57
IF_NOT, CALL, EXIT, WIDE = 0x55, 0x85, 0x95, 0x18
MAKE_NODE, LOOK_UP, OWN_TABLE = 1, 1, 1


def program(table):
    """Is (kind, major, minor) in the table, or (kind, major, any)? Making a node is always allowed, opening it is not."""
    look = [
        instruction(COPY, 2, 10), instruction(ADD, 2, value=-12),
        instruction(WIDE, 1, OWN_TABLE, value=table), instruction(0),
        instruction(CALL, value=LOOK_UP),
    ]
    begin = [
        instruction(LOAD, 6, 1, 0), instruction(LOAD, 7, 1, 4), instruction(LOAD, 8, 1, 8),
        instruction(COPY, 2, 6), instruction(SHIFT_RIGHT, 2, value=16),
        instruction(IF_NOT, 2, offset=2, value=MAKE_NODE), instruction(SET, 0, value=1), instruction(EXIT),
        instruction(AND, 6, value=0xFFFF),
        instruction(STORE, 10, 6, -12), instruction(STORE, 10, 7, -8), instruction(STORE, 10, 8, -4),
    ]
    again = [instruction(SET, 8, value=-1), instruction(STORE, 10, 8, -4)]
    no = [instruction(SET, 0, value=0), instruction(EXIT)]
    yes = [instruction(SET, 0, value=1), instruction(EXIT)]
    # Over everything up to "yes".
    first = instruction(IF_NOT, 0, offset=len(again) + len(look) + 1 + len(no))
    second = instruction(IF_NOT, 0, offset=len(no))
    return b"".join([*begin, *look, first, *again, *look, second, *no, *yes])


class Attributes(ctypes.Structure):
    def __init__(self, **values):
        super().__init__()
        self.kept = values
        for name, value in values.items():
            setattr(self, name, value)


class Table(Attributes):
    _fields_ = [("kind", ctypes.c_uint32), ("key", ctypes.c_uint32), ("value", ctypes.c_uint32), ("most", ctypes.c_uint32)]


class Element(Attributes):
    _fields_ = [("table", ctypes.c_uint32), ("pad", ctypes.c_uint32), ("key", ctypes.c_uint64), ("value", ctypes.c_uint64),
                ("flags", ctypes.c_uint64)]


class Program(Attributes):
    _fields_ = [("kind", ctypes.c_uint32), ("count", ctypes.c_uint32), ("code", ctypes.c_uint64),
                ("licence", ctypes.c_uint64), ("level", ctypes.c_uint32), ("size", ctypes.c_uint32),
                ("log", ctypes.c_uint64), ("version", ctypes.c_uint32), ("flags", ctypes.c_uint32)]


class Attachment(Attributes):
    _fields_ = [("group", ctypes.c_uint32), ("program", ctypes.c_uint32), ("how", ctypes.c_uint32),
                ("flags", ctypes.c_uint32)]


def address(buffer):
    return ctypes.cast(buffer, ctypes.c_void_p).value


class Group:
    """The cgroup of the app's container, with its table of devices."""

    def __init__(self):
        os.makedirs(GROUP)
        self.table = kernel.bpf(MAP_CREATE, Table(kind=HASH, key=12, value=4, most=256))
        code, licence = ctypes.create_string_buffer(program(self.table)), ctypes.create_string_buffer(b"MIT")
        count = (len(code) - 1) // 8
        loaded = kernel.bpf(PROG_LOAD, Program(kind=CGROUP_DEVICE, count=count, code=address(code), licence=address(licence)))
        group = os.open(GROUP, os.O_RDONLY)
        kernel.bpf(PROG_ATTACH, Attachment(group=group, program=loaded, how=ATTACH_CGROUP_DEVICE))
        for major, minor in ALWAYS:
            self.change(CHARACTER, major, minor, True)

    def change(self, kind, major, minor, allowed):
        key = ctypes.create_string_buffer(struct.pack("<III", kind, major, minor))
        value = ctypes.create_string_buffer(struct.pack("<I", 1))
        element = Element(table=self.table, key=address(key), value=address(value) if allowed else 0)
        try:
            kernel.bpf(MAP_UPDATE if allowed else MAP_DELETE, element)
        except FileNotFoundError:
            # It was not allowed before.
            pass

    def join(self):
        with open(f"{GROUP}/cgroup.procs", "w") as members:
            members.write("0")
