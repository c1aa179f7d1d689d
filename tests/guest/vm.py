"""A machine: QEMU by software emulation, Debian's kernel, a system disk, a USB 3 controller, and a line into the guest."""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

import cpio
import image
from qmp import Monitor
from waiting import until

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
# TCG, never KVM: the same everywhere, also where there is no nested virtualisation.
MACHINE = ["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024", "-nodefaults",
           "-no-user-config", "-display", "none", "-no-reboot"]
COMMAND_LINE = ("console=ttyS0 loglevel=4 panic=-1 net.ifnames=0 apparmor=1 security=apparmor mitigations=off nokaslr "
                "printk.time=1 log_buf_len=4M")


class Guest:
    """A running machine; every verb but `boot` and `end` happens inside."""

    def __init__(self, process, monitor, line):
        self.process, self.monitor, self.line, self.rest = process, monitor, line, b""
        self.turn = threading.Lock()

    def answer(self, seconds):
        self.line.settimeout(seconds)
        while b"\n" not in self.rest:
            piece = self.line.recv(1 << 16)
            if not piece:
                raise ConnectionError("the guest ended; see console.log")
            self.rest += piece
        text, self.rest = self.rest.split(b"\n", 1)
        return json.loads(text)

    def ask(self, do, patience=180, **more):
        with self.turn:
            self.line.sendall(json.dumps({"do": do, **more}).encode() + b"\n")
            answer = self.answer(patience)
        if "failed" in answer:
            raise RuntimeError(f"in the guest, {do}: {answer['failed']}")
        return answer["answer"]

    def run(self, *words, input=None, seconds=120):
        """Exit code and output of a command."""
        given = None if input is None else base64.b64encode(input).decode()
        answer = self.ask("run", patience=seconds + 60, arguments=list(words), input=given, seconds=seconds)
        return answer["code"], answer["out"]

    def say(self, *words, **more):
        """The output of a command that has to succeed."""
        code, out = self.run(*words, **more)
        if code:
            raise AssertionError(f"{' '.join(words)} ended with {code}: {out.strip()}")
        return out

    def read(self, path):
        return self.say("cat", path)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def extra(path, files):
    """The archive with what changes from run to run, behind the one with the packages."""
    with cpio.Archive(path) as archive:
        archive.put("init", HERE / "inside/init", 0o755)
        archive.folder("inside")
        for part in sorted((HERE / "inside").glob("*.py")):
            archive.put(f"inside/{part.name}", part)
        for name in ("apparmor.txt", "config.yaml"):
            archive.put(f"inside/{name}", REPOSITORY / name)
        for name, source in files.items():
            archive.put(name, source, 0o755)


def joined(folder, root, files):
    extra(folder / "extra.cpio", files)
    with open(folder / "initrd", "wb") as whole:
        for part in (root, folder / "extra.cpio"):
            with open(part, "rb") as source:
                shutil.copyfileobj(source, whole, 1 << 20)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def sparse(path, size):
    with open(path, "wb") as file:
        os.truncate(file.fileno(), size)


def start(folder, kernel, network, more):
    """QEMU's process; its sockets and logs lie in `folder`."""
    sparse(folder / "system.img", 2 << 30)
    devices = [
        "-drive", f"if=none,id=system,file={folder}/system.img,format=raw,cache=unsafe", "-device", "virtio-blk-pci,drive=system",
        "-netdev", f"user,id=net,{network}", "-device", "virtio-net-pci,netdev=net",
        "-device", "virtio-rng-pci", "-device", "qemu-xhci,id=usb,p2=8,p3=8",
        "-device", "virtio-serial-pci", "-chardev", f"socket,id=orders,path={folder}/orders,server=on,wait=off",
        "-device", "virtserialport,chardev=orders,name=orders",
        "-qmp", f"unix:{folder}/qmp,server=on,wait=off", "-serial", f"file:{folder}/console.log",
    ]
    boot = ["-kernel", kernel, "-initrd", folder / "initrd", "-append", COMMAND_LINE]
    log = open(folder / "qemu.log", "w")
    return subprocess.Popen(["qemu-system-x86_64", *MACHINE, *devices, *more, *boot], stdout=log, stderr=log)


def boot(folder, cache, files, network, more=()):
    """A guest that has answered. `files`: what else lies in its root, by name; `network`: what QEMU plays to it; `more`:
    devices.
    """
    kernel, root = image.kernel_and_root(cache)
    joined(folder, root, files)
    process = start(folder, kernel, network, more)
    try:
        until("QEMU", 30, lambda: process.poll() is not None or ((folder / "qmp").exists() and (folder / "orders").exists()))
        if process.poll() is not None:
            raise SystemExit(f"QEMU ended: {(folder / 'qemu.log').read_text()}")
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(folder / "orders"))
        guest = Guest(process, Monitor(folder / "qmp"), line)
        guest.answer(600)
    except BaseException:
        process.kill()
        raise
    return guest
