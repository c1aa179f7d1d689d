"""Cards that come and go."""

from cards import slow
from waiting import until
from world import equal, hold

# A table with one partition, as cards are sold.
SOLD = bytes(446) + bytes.fromhex("00010100 0cfeffff 00080000 00f8ff00") + bytes(48) + b"\x55\xaa"
SLOW = 2_000_000


def plugged(world):
    reader = world.plug(world.card(), maker="Kingston", model="DataTraveler")
    disk = world.app.usable("sda")
    equal(disk["title"], "Kingston DataTraveler, 8.6 GB", "its name")
    equal((disk["tran"], disk["size"], disk["removable"]), ("usb", 8 << 30, True), "what it is")
    announced = int(world.guest.say("stat", "-c", "%Z", "/dev/sda"))
    hold(disk["plugged_at"] - announced <= 5, f"seen {disk['plugged_at'] - announced} s after its node was made")
    world.pull(reader)
    world.app.gone("sda")


def pulled_in_mid_write(world):
    card = world.card(filters=[slow(world.guest, SLOW, SLOW)])
    card.write(0, SOLD)
    reader = world.plug(card)
    disk = world.app.usable("sda")
    equal(world.partitions("sda"), ["sda1"], "partitions before")
    job = world.app.begin(disk)
    world.app.writing(job, 1 << 20)
    world.pull(reader)
    view = world.app.ended(job)
    equal((view["state"], view["problem"]["code"]), ("failed", "card_pulled"), f"how it ended: {view['error']}")
    hold("while writing" in view["problem"]["happened"], view["problem"]["happened"])
    world.app.gone("sda")
    card.filters = []
    world.plug(card)
    is_blank(world, "sda")


def is_blank(world, name):
    """Neither we nor the guest's tools see anything on it."""
    world.kernel_sees(name)
    disk = world.app.usable(name)
    equal((disk["contents"]["table"], disk["contents"]["partitions"]), (None, []), "what we see on it")
    # udev makes the kernel read the table anew after a writer closed the disk; on a slow card that takes a moment.
    until("the kernel to know no partition", 30, lambda: not world.partitions(name))
    equal(world.table(name), None, "what sfdisk sees on it")
    equal(world.guest.run("blkid", "-p", f"/dev/{name}"), (2, ""), "what blkid sees on it")
    hold("hassos" not in world.guest.say("udevadm", "info", f"/dev/{name}"), "udev knows a label")


def stopped_in_mid_write(world):
    """The Supervisor stops the app: the card is blank, the exit code 0, and the next start tells of it."""
    card = world.card(filters=[slow(world.guest, SLOW, SLOW)])
    card.write(0, SOLD)
    world.plug(card)
    job = world.app.begin(world.app.usable("sda"))
    world.app.writing(job, 1 << 20)
    equal(world.app.stop(), 0, "exit code")
    world.app.start()
    view = world.app.job(job)
    hold(view["state"] in ("cancelled", "interrupted", "failed"), f"it is {view['state']}")
    is_blank(world, "sda")


def letters_that_move(world):
    """Confirmed as sdb; until it is started, another card has become sdb."""
    app = world.app
    first = world.plug(world.card(), port=1, serial="A")
    app.usable("sda")
    second = world.plug(world.card(), port=2, serial="B")
    confirmed = app.usable("sdb")
    world.pull(first)
    world.pull(second)
    app.gone("sdb")
    others = [world.card(), world.card()]
    for other in others:
        other.write(5 << 20, b"somebody's holidays")
    world.plug(others[0], port=3, serial="C")
    app.usable("sda")
    world.plug(others[1], port=1, serial="D")
    app.usable("sdb")
    world.plug(second.cards[0], port=2, serial="B")
    app.usable("sdc")
    before = [other.used() for other in others]
    status, answer = app.try_start(confirmed)
    equal((status, answer["code"]), (409, "disk_changed"), "the answer to the start")
    status, answer = app.try_start(confirmed, plug=None)
    equal((status, answer["code"]), (409, "disk_changed"), "the answer to the start without a plug")
    equal([other.used() for other in others], before, "bytes on the others")
    equal(others[1].part(5 << 20, 19), b"somebody's holidays", "what is on the other one")


ALL = [
    ("a card is plugged in and pulled", plugged),
    ("a card is pulled in mid-write", pulled_in_mid_write),
    ("the app is stopped in mid-write", stopped_in_mid_write),
    ("letters move between confirmation and start", letters_that_move),
]
