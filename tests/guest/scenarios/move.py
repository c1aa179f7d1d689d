"""A complete move onto a card, judged by the guest's kernel, udev and tools."""

import re

from waiting import until
from world import equal, hold

NAMES = ["hassos-boot", "hassos-kernel0", "hassos-system0", "hassos-kernel1", "hassos-system1", "hassos-bootstate",
         "hassos-overlay", "hassos-data"]


def move(world):
    app, guest = world.app, world.guest
    card = world.card(size=16 << 30)
    reader = world.plug(card)
    disk = app.usable("sda")
    heard = len(world.udev_log())
    job = app.begin(disk, backup="new")
    watch(world, job)
    view = app.job(job)
    equal(view["state"], "done", f"how it ended: {view['error']}")
    hold("hassos" not in world.udev_log()[heard:], "udev saw a label of Home Assistant's while the card was being made")
    equal(world.partitions("sda"), [], "partitions while the app holds the card")
    heard = len(world.udev_log())
    world.pull(reader)
    app.gone("sda")
    world.plug(card)
    until("udev to see hassos-data", 60, lambda: "hassos-data" in world.udev_log()[heard:])
    guest.say("udevadm", "settle")
    # The app looks at a card that was just plugged in, for a moment and alone.
    app.usable("sda")
    judge(world, view)


def watch(world, job):
    """To its end: the kernel must know no partition of it meanwhile."""
    seen = []

    def over():
        seen.extend(world.partitions("sda"))
        return world.app.job(job)["ended"]

    until("the end of the move", 300, over, every=1)
    equal(seen, [], "partitions while the card was being made")


def judge(world, view):
    guest = world.guest
    lines = guest.say("lsblk", "--pairs", "--output", "NAME,PARTLABEL", "/dev/sda").splitlines()
    labels = [re.search(r'PARTLABEL="([^"]*)"', line).group(1) for line in lines[1:]]
    equal(sorted(labels), sorted(NAMES), "partitions that the kernel reads")
    guest.say("sfdisk", "--verify", "/dev/sda")
    data = guest.say("readlink", "-f", "/dev/disk/by-label/hassos-data").strip()
    equal(data, "/dev/sda8", "where the label hassos-data leads")
    equal(guest.say("blkid", "-L", "hassos-data").strip(), data, "where blkid finds it")
    code, out = guest.run("e2fsck", "-fn", data)
    equal(code, 0, f"e2fsck: {out}")
    said = until("nobody else to hold the card", 30, lambda: unheld(guest, "resize2fs", data))
    hold("Nothing to do" in said, "resize2fs had something to do")
    slug = view["made"]["backup"]
    hold(slug != world.app.slug, "the backup that was there before was taken")
    guest.say("debugfs", "-R", f"dump /supervisor/backup/{slug}.tar /run/back.tar", data)
    sums = [guest.say("sha256sum", path).split()[0] for path in ("/run/back.tar", f"/mnt/data/supervisor/backup/{slug}.tar")]
    equal(sums[0], sums[1], "hash of the backup on the card")
    mounted(world, data, slug)


def unheld(guest, *words):
    """What a command says, once the disk is not busy."""
    code, out = guest.run(*words)
    hold(code == 0 or "busy" in out, f"{' '.join(words)}: {out}")
    return code == 0 and (out or "done")


def mounted(world, data, slug):
    """As Home Assistant OS mounts it."""
    guest = world.guest
    guest.say("mkdir", "-p", "/run/card")
    # The app looks at it every few seconds, for a moment and alone.
    until("a moment to mount it", 30, lambda: unheld(guest, "mount", "-o", "ro", "LABEL=hassos-data", "/run/card"))
    equal(guest.say("stat", "-c", "%a %u %g", f"/run/card/supervisor/backup/{slug}.tar").strip(), "600 0 0", "its rights")
    # The app must not want it now.
    world.app.refused("sda", "mounted")
    guest.say("umount", "/run/card")
    world.app.usable("sda")


ALL = [("a complete move, read by kernel, udev and tools", move)]
