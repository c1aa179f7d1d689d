"""What every scenario works in: one guest with the app in it, the folder of its cards, and what was plugged in."""

import re

from app import App
from cards import Card, Reader
from nbd import Counterfeit
from waiting import until

UDEV_LOG = "/run/udev.log"


class World:
    def __init__(self, guest, app, folder, cache, image):
        self.guest, self.app, self.folder, self.cache, self.image = guest, app, folder, cache, image
        self.plugged, self.denials = [], 0

    def set_up(self, courier):
        """A system disk with data, network for the app, the profile, the app."""
        say = self.guest.say
        say("sfdisk", "/dev/vda", input=b"label: gpt\n- 1G L -\n- + L -\n")
        say("udevadm", "settle")
        say("mkfs.ext4", "-q", "-L", "system-data", "/dev/vda1")
        say("mount", "/dev/vda1", "/mnt/data")
        say("mkdir", "-p", "/mnt/data/supervisor/apps/data/sd_swap", "/mnt/data/supervisor/backup")
        courier.deliver()
        say("ip", "netns", "add", "app")
        say("ip", "link", "set", "eth0", "netns", "app")
        for words in ("link set lo up", "addr add 10.0.2.15/24 dev eth0", "link set eth0 up", "route add default via 10.0.2.2"):
            say("ip", "-n", "app", *words.split())
        self.guest.ask("start", arguments=["udevadm", "monitor", "--udev", "--kernel", "--property"], log=UDEV_LOG)
        self.app.load_profile()
        self.app.start()

    def card(self, **more):
        return Card(self.folder, **more)

    def counterfeit(self, **more):
        return Counterfeit(self.folder, **more)

    def plug(self, *cards, **more):
        reader = Reader(self.guest, cards, **more)
        self.plugged.append(reader)
        return reader.plug()

    def pull(self, reader):
        self.plugged.remove(reader)
        reader.pull()

    def tidy(self):
        """As it was before a scenario: nothing runs, nothing is plugged in."""
        status, job = self.app.request("/api/jobs/current")
        while self.plugged:
            self.pull(self.plugged[-1])
        if status == 200:
            self.app.ended(job["job_id"])
        until("an empty list", 30, lambda: not [d for d in self.usb_disks()])

    def usb_disks(self):
        listed = self.app.devices()
        return [disk for disk in listed["devices"] + listed["refused"] if disk["name"].startswith("sd")]

    def denied(self):
        """What AppArmor denied since it was asked last."""
        lines = [line for line in self.guest.say("dmesg").splitlines() if 'apparmor="DENIED"' in line]
        new, self.denials = lines[self.denials:], len(lines)
        return [re.sub(r"^.*?apparmor=", "apparmor=", line) for line in new]

    def partitions(self, disk):
        """Names of the partitions that the guest's kernel knows of a disk."""
        names = [line.split()[-1] for line in self.guest.read("/proc/partitions").splitlines()[2:]]
        return [name for name in names if name.startswith(disk) and name != disk]

    def kernel_sees(self, disk, seconds=30):
        until(f"the guest's kernel to have {disk}", seconds,
              lambda: self.guest.run("test", "-b", f"/dev/{disk}")[0] == 0)
        self.guest.say("udevadm", "settle")

    def table(self, disk):
        """What sfdisk reads, `None` where there is no table."""
        code, out = self.guest.run("sfdisk", "--dump", f"/dev/{disk}")
        return out if code == 0 else None

    def udev_log(self):
        return self.guest.read(UDEV_LOG)


def equal(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: {got!r}, not {want!r}")


def hold(true, what):
    if not true:
        raise AssertionError(what)
