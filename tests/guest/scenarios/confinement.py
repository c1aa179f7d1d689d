"""What the profile and the device cgroup refuse. Each attempt is made without the profile, too: there it must succeed, or
its refusal would say nothing."""

from app import INNER, PROFILE, reasons
from world import equal, hold

# Of the program and its tools. The last column: what the same gives where no profile is in the way.
PROGRAM = [
    ("read", "/data/../etc/shadow", "done"),
    ("read", "/etc/shadow", "done"),
    ("read", "/proc/1/environ", "done"),
    ("read", "/proc/kmsg", "done"),
    ("read", "/sys/kernel/notes", "done"),
    ("create", "/etc/own", "done"),
    ("read", "/dev/sda1", "done"),
    ("write", "/dev/sda1", "done"),
    ("read", "/dev/vda", "done"),
    ("write", "/dev/vda", "done"),
    ("write", "/dev/vda1", "done"),
    ("execute", "/bin/sh", "done"),
    ("execute", "/usr/bin/env", "done"),
    ("execute", "/usr/sbin/sfdisk", "done"),
    ("execute", "/usr/bin/sd-swap", "done"),
    ("mount", "/mnt", "done"),
    ("remount", "/backup", "done"),
    ("unmount", "/data", "done"),
    ("node", "8:1", "done"),
    ("raw", "", "done"),
    ("packet", "", "done"),
    ("host", "own", "done"),
    ("write", "/proc/sysrq-trigger", "done"),
    ("profile", "unconfined", "done"),
]
"""Of the start of the base image."""
START = [
    ("both", "/dev/sda", "done"),
    ("read", "/backup/{slug}.tar", "done"),
    ("create", "/data/own", "done"),
    ("mount", "/mnt", "done"),
    ("raw", "", "done"),
]
ALLOWED = [
    ("both", "/dev/sda"),
    ("create", "/data/own"),
    ("read", "/backup/{slug}.tar"),
    ("read", "/proc/self/mountinfo"),
    ("execute", "/usr/sbin/e2fsck"),
]


def outcomes(world, attempts, under):
    wanted = [[kind, path.replace("{slug}", world.app.slug)] for kind, path, *_ in attempts]
    return world.guest.ask("attempt", wanted=wanted, under=under)


def refused(world, attempts, under):
    """All of them under the profile; each is in the kernel's log too."""
    world.denied()
    free, bound = outcomes(world, attempts, None), outcomes(world, attempts, under)
    for (kind, path, without), got, control in zip(attempts, bound, free, strict=True):
        equal(control, without, f"{kind} {path} without a profile")
        hold(got in ("EACCES", "EPERM"), f"{kind} {path} under {under}: {got}")
    # These ask for the same capability, and of that the kernel tells only once.
    same = [kind for kind, *_ in attempts if kind in ("mount", "remount", "unmount", "host")]
    told, least = world.denied(), len(attempts) - max(0, len(same) - 1)
    hold(len(told) >= least, f"{len(told)} denials in the kernel's log, not {least}")


def with_partition(world):
    """A card with a partition, in a reader."""
    card = world.card()
    world.plug(card)
    world.app.usable("sda")
    world.guest.say("sfdisk", "/dev/sda", input=b"label: dos\n2048,1G,83\n")
    # More than Docker would ever give, so that only the profile is left to say no.
    given(world, True)


def given(world, allowed):
    for major, minor in ((8, 1), (254, 0), (254, 1)):
        world.guest.ask("allow", major=major, minor=minor, allowed=allowed)


def program_refused(world):
    with_partition(world)
    try:
        refused(world, PROGRAM, INNER)
    finally:
        given(world, False)
    equal(outcomes(world, ALLOWED, INNER), ["done"] * len(ALLOWED), "what it may do")


def start_refused(world):
    with_partition(world)
    try:
        refused(world, START, PROFILE)
    finally:
        given(world, False)


def everybody_is_confined(world):
    members = world.guest.ask("members")
    equal({tuple(member) for member in members.values()}, {("sd-swap", f"{INNER} (enforce)")}, "who runs in the container")


def group_refuses(world):
    """Without a profile, as root and with all capabilities: only the device cgroup is left."""
    world.guest.ask("withhold", node="/dev/sda")
    try:
        world.plug(world.card())
        disk = world.app.refused("sda", "may_not_open")
        equal((reasons(disk), disk["fingerprint"]), (["may_not_open"], None), "reasons and fingerprint")
        attempts = [("both", "/dev/sda"), ("read", "/dev/sda"), ("read", "/dev/vda"), ("write", "/dev/vda"), ("read", "/dev/vda1"),
                    ("write", "/dev/vda1"), ("node", "254:0"), ("node", "8:0"), ("read", "/dev/null")]
        got = outcomes(world, attempts, None)
        equal(got, ["EPERM"] * 8 + ["done"], "what came of it")
    finally:
        world.guest.ask("give", node="/dev/sda")
    # The Supervisor gives it a moment after the plug: nobody has to plug it in again.
    world.app.usable("sda")


def system_disk(world):
    """Of Home Assistant's own disk every reason is told, and a start on it is refused."""
    disk = world.app.disk("vda")
    hold({"runs_system", "holds_data", "built_in", "may_not_open"} <= set(reasons(disk)), f"reasons: {reasons(disk)}")
    status, answer = world.app.request("/api/start-clone", {"device": "/dev/vda", "fingerprint": "v1-" + "0" * 32})
    equal((status, answer["code"]), (422, "refused"), "the answer to a start")
    equal(outcomes(world, [("both", "/dev/vda"), ("write", "/dev/vda1")], None), ["EPERM"] * 2, "without a profile")


ALL = [
    ("everything in the container runs under the profile", everybody_is_confined),
    ("Home Assistant's own disk is out of reach", system_disk),
    ("the device cgroup refuses what was not given", group_refuses),
    ("the profile refuses the program what it does not need", program_refused),
    ("the profile refuses the start what it does not need", start_refused),
]
