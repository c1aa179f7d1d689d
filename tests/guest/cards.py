"""Cards, and the readers that they are plugged in with: USB mass storage as QEMU plays it."""

import itertools
import os

NUMBERS = itertools.count(1)
FIRST = 1 << 20


class Card:
    """A medium: a sparse file, with filters of QEMU's above it that make it slow or faulty."""

    def __init__(self, folder, size=8 << 30, filters=(), read_only=False):
        self.path, self.size, self.filters, self.read_only = folder / f"card-{next(NUMBERS)}.img", size, filters, read_only
        self.path.touch()
        os.truncate(self.path, size)

    def bottom(self):
        return {"driver": "file", "filename": str(self.path), "read-only": self.read_only, "discard": "unmap",
                "cache": {"direct": False, "no-flush": True}}

    def nodes(self, name):
        """Block nodes, the lowest first; the last one is the card and is called `name`."""
        nodes = [self.bottom()]
        for link, node in [*self.filters, ("file", {"driver": "raw", "read-only": self.read_only})]:
            nodes[-1]["node-name"] = f"{name}-below{len(nodes)}"
            nodes.append({**node, link: nodes[-1]["node-name"]})
        nodes[-1]["node-name"] = name
        return nodes

    def part(self, offset, length):
        with open(self.path, "rb") as file:
            file.seek(offset)
            return file.read(length)

    def ends(self):
        """The first and the last MiB, as they are."""
        return self.part(0, FIRST), self.part(self.size - FIRST, FIRST)

    def write(self, offset, data):
        with open(self.path, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def is_blank(self):
        return not any(self.ends()[0]) and not any(self.ends()[1])

    def used(self):
        """Bytes of it that were ever written, as the file system of this machine counts them."""
        return os.stat(self.path).st_blocks * 512


def slow(guest, write, read):
    """A filter: so many bytes in a second, at most."""
    name = f"pace{next(NUMBERS)}"
    guest.monitor.ask("object-add", qom_type="throttle-group", id=name, limits={"bps-write": write, "bps-read": read})
    return "file", {"driver": "throttle", "throttle-group": name}


def broken(kind, offset):
    """A filter: reading or writing the sector at this offset fails with an I/O error, each time."""
    rule = {"event": f"{kind}_aio", "iotype": kind, "errno": 5, "sector": offset // 512, "once": False}
    return "image", {"driver": "blkdebug", "inject-error": [rule]}


class Reader:
    """A USB reader with one slot or several; `None` stands for an empty slot."""

    def __init__(self, guest, cards, maker="SanDisk", model="Ultra", serial="4C530001", port=1, read_only=False):
        self.guest, self.cards, self.port = guest, cards, port
        self.maker, self.model, self.serial = maker, model, serial
        self.id, self.nodes, self.drives = None, [], []

    def plug(self):
        """As when the plug goes in. What comes of it has to be waited for inside."""
        ask, self.id = self.guest.monitor.ask, f"reader{next(NUMBERS)}"
        ask("device_add", driver="usb-bot", id=self.id, bus="usb.0", port=str(self.port), serial=self.serial)
        for slot, card in enumerate(self.cards):
            drive = self.empty(slot) if card is None else self.insert(slot, card)
            ask("device_add", driver="scsi-hd", id=f"{self.id}-slot{slot}", bus=f"{self.id}.0", lun=slot, drive=drive,
                vendor=self.maker, product=self.model, removable=True)
        ask("qom-set", path=f"/machine/peripheral/{self.id}", property="attached", value=True)
        return self

    def take_out(self, slot):
        """The card leaves its slot; the reader stays."""
        ask, device = self.guest.monitor.ask, f"{self.id}-slot{slot}"
        ask("blockdev-open-tray", id=device, force=True)
        ask("blockdev-remove-medium", id=device)
        for name in reversed(self.nodes):
            ask("blockdev-del", node_name=name)
        self.nodes = []

    def put_in(self, slot, card):
        ask, device = self.guest.monitor.ask, f"{self.id}-slot{slot}"
        name = self.insert(slot, card)
        ask("blockdev-open-tray", id=device, force=True)
        ask("blockdev-insert-medium", id=device, node_name=name)
        ask("blockdev-close-tray", id=device)

    def insert(self, slot, card):
        name = f"{self.id}-card{next(NUMBERS)}"
        for node in card.nodes(name):
            self.guest.monitor.ask("blockdev-add", **node)
            self.nodes.append(node["node-name"])
        return name

    def empty(self, slot):
        # Only the old way makes a drive without a medium.
        name = f"{self.id}-empty{slot}"
        self.guest.monitor.human(f"drive_add dummy if=none,id={name}")
        self.drives.append(name)
        return name

    def pull(self):
        """As when it is torn out, in the middle of whatever goes on."""
        monitor = self.guest.monitor
        monitor.ask("device_del", id=self.id)
        monitor.hear("DEVICE_DELETED", self.id)
        for name in reversed(self.nodes):
            monitor.ask("blockdev-del", node_name=name)
        for name in self.drives:
            monitor.human(f"drive_del {name}")
        self.nodes, self.drives = [], []
        return self
