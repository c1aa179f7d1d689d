"""Readers of all kinds: without a card, with several slots, locked, and two that say they are the same."""

from app import reasons
from waiting import until
from world import equal, hold


def read_only(world):
    world.plug(world.card(read_only=True))
    disk = world.app.refused("sda", "write_protected")
    equal(reasons(disk), ["write_protected"], "reasons")
    status, answer = world.app.try_start(disk)
    equal((status, answer["code"]), (422, "refused"), "the answer to a start")


def without_medium(world):
    world.plug(None)
    disk = world.app.refused("sda", "no_medium")
    equal((reasons(disk), disk["medium"]), (["no_medium"], False), "reasons and medium")


def card_put_in(world):
    """The reader stays, the card goes and another one comes."""
    reader = world.plug(world.card())
    first = world.app.usable("sda")
    reader.take_out(0)
    world.app.refused("sda", "no_medium")
    card = world.card(size=16 << 30)
    reader.put_in(0, card)
    second = world.app.usable("sda")
    equal(second["size"], card.size, "size of the other card")
    hold(first["fingerprint"] != second["fingerprint"] and first["plug"] < second["plug"], "it is taken for the same card")
    status, answer = world.app.try_start(first)
    equal((status, answer["code"]), (409, "disk_changed"), "the answer to a start on the first one")


def several_slots(world):
    card = world.card()
    world.plug(None, None, card, None, maker="Generic", model="MultiReader")
    until("four disks", 30, lambda: len(world.usb_disks()) == 4)
    usable = until("the card", 20, lambda: world.app.devices()["devices"])
    equal([(disk["slot"], disk["size"]) for disk in usable], [(3, card.size)], "what may be used")
    others = [disk for disk in world.usb_disks() if disk["slot"] != 3]
    equal(sorted((disk["slot"], *reasons(disk)) for disk in others), [(n, "no_medium") for n in (1, 2, 4)], "the others")
    view = world.app.ended(world.app.begin(usable[0]))
    equal((view["state"], view["card"]["id"]), ("done", usable[0]["id"]), f"the job on it: {view['error']}")
    hold(card.ends()[0][510:512] == b"\x55\xaa", "the card has no table")


def same_serial(world):
    """Two readers of one make with one serial number, and cards of one size."""
    left, right = world.card(), world.card()
    world.plug(left, port=1)
    one = world.app.usable("sda")
    world.plug(right, port=2)
    other = world.app.usable("sdb")
    equal((one["title"], one["serial"]), (other["title"], other["serial"]), "what they say they are")
    hold(one["fingerprint"] != other["fingerprint"], "one fingerprint for both")
    status, answer = world.app.try_start(one | {"fingerprint": other["fingerprint"]})
    equal((status, answer["code"]), (409, "disk_changed"), "the fingerprint of the other one")
    before = left.used()
    view = world.app.ended(world.app.begin(other))
    equal(view["state"], "done", f"the job on the second: {view['error']}")
    equal(left.used(), before, "bytes on the first card")
    hold(right.ends()[0][510:512] == b"\x55\xaa", "the second card has no table")


def twins_before_us(world):
    """Both were there before the app: nobody can tell which is which until one of them is plugged in anew."""
    world.app.stop()
    world.plug(world.card(), port=1)
    second = world.plug(world.card(), port=2)
    world.kernel_sees("sda")
    world.kernel_sees("sdb")
    world.app.start()
    for name in ("sda", "sdb"):
        equal(reasons(world.app.refused(name, "twin")), ["twin"], f"reasons of {name}")
    second.pull()
    world.app.gone("sdb")
    second.plug()
    world.app.usable("sdb")


ALL = [
    ("a card with its lock on is refused", read_only),
    ("a reader without a card", without_medium),
    ("the card in a reader is changed", card_put_in),
    ("a reader with four slots and one card", several_slots),
    ("two readers with the same serial number", same_serial),
    ("twins that were there before the app", twins_before_us),
]
