"""A finished card in a new machine: NetworkManager there takes what was carried over."""

import json
import urllib.request

import vm
from waiting import until
from world import equal, hold

# What the stand-in for Home Assistant has; by itself QEMU's DHCP server would give another address.
ADDRESS, ROUTER, HOST_NAME = "192.168.1.40", "192.168.1.1", "homeassistant"
PROFILES = "/etc/NetworkManager/system-connections"


def carried(world):
    card = world.card()
    reader = world.plug(card)
    disk = world.app.usable("sda")
    view = world.app.ended(world.app.begin(disk))
    equal(view["state"], "done", f"how it ended: {view['error']}")
    world.pull(reader)
    machine, port = swapped(world, card)
    try:
        joins(machine)
        is_reached(machine, port)
    finally:
        machine.end()


def swapped(world, card):
    """The same system with the card in its USB port, in the network of the old one."""
    folder, port = world.folder / "swapped", vm.free_port()
    folder.mkdir()
    network = f"net=192.168.1.0/24,host={ROUTER},dhcpstart=192.168.1.99,hostfwd=tcp:127.0.0.1:{port}-{ADDRESS}:8099"
    disk = ["-drive", f"if=none,id=card,file={card.path},format=raw,cache=unsafe", "-device", "usb-storage,bus=usb.0,drive=card"]
    return vm.boot(folder, world.cache, {}, network, disk), port


def joins(machine):
    """As Home Assistant OS starts: the overlay's folders in their places, then NetworkManager."""
    until("the overlay", 60, lambda: machine.run("test", "-e", "/dev/disk/by-label/hassos-overlay")[0] == 0)
    machine.say("mkdir", "-p", "/mnt/overlay", PROFILES, "/run/dbus")
    machine.say("mount", "-o", "ro", "LABEL=hassos-overlay", "/mnt/overlay")
    machine.say("mount", "--bind", f"/mnt/overlay{PROFILES}", PROFILES)
    equal(machine.read("/mnt/overlay/etc/hostname"), f"{HOST_NAME}\n", "the name on the card")
    machine.say("dbus-daemon", "--system", "--fork")
    machine.ask("start", arguments=["NetworkManager", "--no-daemon"], log="/run/nm.log")
    try:
        until("a connection", 180, lambda: machine.run("nmcli", "-g", "GENERAL.STATE", "device", "show", "eth0")[1].startswith("100 "))
    except AssertionError as late:
        raise AssertionError(f"{late}; NetworkManager says:\n{machine.read('/run/nm.log')}") from late
    equal(machine.say("nmcli", "-g", "GENERAL.CONNECTION", "device", "show", "eth0").strip(), "Supervisor eth0", "its profile")
    of = json.loads(machine.say("ip", "-json", "-4", "address", "show", "dev", "eth0"))[0]["addr_info"]
    equal([f"{one['local']}/{one['prefixlen']}" for one in of], [f"{ADDRESS}/24"], "addresses")
    routes = json.loads(machine.say("ip", "-json", "route", "show", "default"))
    equal([(route["gateway"], route["dev"]) for route in routes], [(ROUTER, "eth0")], "default routes")
    equal(machine.say("nmcli", "-g", "IP4.DNS", "device", "show", "eth0").strip(), ROUTER, "name servers")


def is_reached(machine, port):
    """From outside, at the old address."""
    machine.say("mkdir", "-p", "/run/page")
    machine.say("dd", "of=/run/page/index.html", "status=none", input=b"home")
    machine.ask("start", arguments=["python3", "-m", "http.server", "--directory", "/run/page", "--bind", ADDRESS, "8099"], log="/run/page.log")

    def page():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
                return answer.read()
        except OSError:
            return None

    hold(until("a page", 60, page) == b"home", "somebody else answers")


ALL = [("a new system with the card has the old address", carried)]
