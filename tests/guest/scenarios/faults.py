"""Cards that lie, fail, or are slow."""

import lzma

from cards import broken, slow
from waiting import until
from world import equal, hold

BLOCK = 1 << 20


def place(world):
    """A sector of the image that is written (zeros need not be) and that nothing is tried at before."""
    with lzma.open(world.image) as image:
        image.seek(5 * BLOCK // 2)
        while block := image.read(4096):
            if any(block):
                return image.tell() - len(block)
    raise AssertionError("the image is empty")


def ended_as(world, card, *codes):
    """A job on the card ends for one of these reasons, and leaves the card blank."""
    world.plug(card)
    view = world.app.ended(world.app.begin(world.app.usable("sda")))
    equal(view["state"], "failed", "how it ended")
    hold(view["problem"]["code"] in codes, f"{view['problem']['code']}: {view['error']}")
    hold(not any(card.ends()[0]), "something is left on the card")
    return view


def counterfeit_that_wraps(world):
    card = world.counterfeit(says=64_000_000_000 // 512 * 512, keeps=8 << 30, wraps=True)
    view = ended_as(world, card, "card_counterfeit")
    found_early(view)


def counterfeit_that_drops(world):
    card = world.counterfeit(says=64_000_000_000 // 512 * 512, keeps=8 << 30, wraps=False)
    view = ended_as(world, card, "card_counterfeit")
    found_early(view)


def found_early(view):
    """Before the long work: next to nothing of the image was written."""
    steps = {step["id"]: step for step in view["steps"]}
    hold(steps["write"]["bytes_done"] < 1 << 20, f"{steps['write']['bytes_done']} bytes had been written")
    equal(steps["verify"]["state"], "waiting", "verify")


def write_error(world):
    where = place(world)
    view = ended_as(world, world.card(filters=[broken("write", where)]), "write_failed")
    hold(f"at {where // 1_000_000} MB" in view["error"], f"{where} is not the place in: {view['error']}")


def read_error(world):
    ended_as(world, world.card(filters=[broken("read", place(world))]), "card_unreliable", "write_failed", "last_check_failed")


def slow_card(world):
    """Its progress is what it really takes, and it can be stopped."""
    rate = 500_000
    card = world.card(filters=[slow(world.guest, rate, rate)])
    world.plug(card)
    job = world.app.begin(world.app.usable("sda", 60))
    first = until("the first bytes", 120, lambda: written(world, job))
    seen = until("three more counts", 120, counts(world, job, first))
    hold(all(a < b for a, b in zip(seen, seen[1:])), f"counts that go back: {seen}")
    told = until("a rate", 60, lambda: world.app.step(job, "write")["bytes_per_second"])
    hold(told < 3 * rate, f"{told} bytes a second of a card that takes {rate}")
    status, _ = world.app.request(f"/api/jobs/{job}/cancel", {})
    hold(status in (200, 202), f"the stop was answered with {status}")
    view = world.app.ended(job, 120)
    equal(view["state"], "cancelled", "how it ended")
    hold(not any(card.ends()[0]), "something is left on the card")


def written(world, job):
    return world.app.step(job, "write")["bytes_done"]


def counts(world, job, first):
    seen = [first]

    def look():
        now = written(world, job)
        if now != seen[-1]:
            seen.append(now)
        return len(seen) > 3 and seen

    return look


ALL = [
    ("a fake card that wraps around at 8 of 64 GB", counterfeit_that_wraps),
    ("a fake card that drops what is beyond 8 of 64 GB", counterfeit_that_drops),
    ("a card that cannot write a sector", write_error),
    ("a card that cannot read a sector", read_error),
    ("a slow card, and it is stopped", slow_card),
]
