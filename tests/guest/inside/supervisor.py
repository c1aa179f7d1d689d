"""What the Supervisor does when a disk is plugged in: once udev has dealt with it, a disk that `config.yaml` lists may be
opened by the app. It never takes that back.
"""

import re
import socket
import struct
import threading

import devices

UDEV = 2
KERNEL_OBJECT_UEVENT = 15


def properties(message):
    """Of a message of udev's: a header that says where they begin."""
    if not message.startswith(b"libudev\0"):
        return {}
    begin = struct.unpack_from("=I", message, 16)[0]
    fields = message[begin:].decode(errors="replace").split("\0")
    return dict(field.split("=", 1) for field in fields if "=" in field)


class Supervisor:
    def __init__(self, group, listed):
        self.group, self.listed, self.withheld = group, listed, set()
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, KERNEL_OBJECT_UEVENT)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((0, UDEV))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            event = properties(self.socket.recv(1 << 16))
            if event.get("SUBSYSTEM") == "block" and event.get("ACTION") == "add":
                self.plugged(event.get("DEVNAME", ""), int(event["MAJOR"]), int(event["MINOR"]))

    def plugged(self, node, major, minor):
        if node in self.listed and node not in self.withheld:
            self.group.change(devices.BLOCK, major, minor, True)

    def withhold(self, node):
        """From now on this letter is not given, and what was given is taken back."""
        self.withheld.add(node)
        place = self.listed.index(node)
        self.group.change(devices.BLOCK, 8, 16 * place, False)

    def give(self, node):
        self.withheld.discard(node)
        self.group.change(devices.BLOCK, 8, 16 * self.listed.index(node), True)


def listed(config):
    """The `devices:` of config.yaml."""
    return re.findall(r"^  - (/dev/\S+)$", config, re.MULTILINE)
