"""Does what the harness asks for, a line of JSON at a time, over a port that QEMU gives the guest."""

import base64
import glob
import json
import os
import signal
import subprocess
import traceback

import attempts
import container
import devices
import supervisor


def port():
    for folder in glob.glob("/sys/class/virtio-ports/*"):
        with open(f"{folder}/name") as name:
            if name.read().strip() == "orders":
                return open(f"/dev/{os.path.basename(folder)}", "r+b", buffering=0)
    raise SystemExit("QEMU gave no port")


class Guest:
    def __init__(self):
        self.group = devices.Group()
        with open("/inside/config.yaml") as config:
            self.supervisor = supervisor.Supervisor(self.group, supervisor.listed(config.read()))

    def run(self, arguments, input=None, seconds=120):
        given = None if input is None else base64.b64decode(input)
        try:
            done = subprocess.run(arguments, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
        except subprocess.TimeoutExpired:
            return {"code": 124, "out": ""}
        return {"code": done.returncode, "out": done.stdout.decode(errors="replace")}

    def start(self, arguments, log):
        """In the background, until it is ended."""
        with open(log, "wb") as file:
            return subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=file, stderr=file).pid

    def app(self, environment, profile, log):
        """The app's container; the first program is one of the base image's, as with s6."""
        def work():
            with open("/dev/null") as nothing:
                os.dup2(nothing.fileno(), 0)
            container.run("/usr/bin/env", ["/usr/bin/sd-swap", "serve"], environment, profile)

        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        kept = [os.dup(1), os.dup(2)]
        os.dup2(out, 1)
        os.dup2(out, 2)
        pid = container.in_new_container(self.group, work)
        for number, old in zip((1, 2), kept):
            os.dup2(old, number)
            os.close(old)
        os.close(out)
        return pid

    def members(self):
        """The processes in the app's container and the profiles that they run under."""
        with open(f"{devices.GROUP}/cgroup.procs") as file:
            pids = file.read().split()
        found = {}
        for pid in pids:
            with open(f"/proc/{pid}/attr/apparmor/current") as profile, open(f"/proc/{pid}/comm") as name:
                found[int(pid)] = [name.read().strip(), profile.read().strip()]
        return found

    def end(self, pid, profile):
        """Tells the app to end as s6 does, from under the outer profile; the exit code is that of `wait`."""
        child = os.fork()
        if not child:
            try:
                attempts.profile(profile)
                os.kill(pid, signal.SIGTERM)
            except OSError:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def wait(self, pid):
        """The exit code of one that ended, `None` while it runs."""
        done, status = os.waitpid(pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if done else None

    def withhold(self, node):
        self.supervisor.withhold(node)

    def give(self, node):
        self.supervisor.give(node)

    def allow(self, major, minor, allowed=True):
        self.group.change(devices.BLOCK, major, minor, allowed)

    def attempt(self, wanted, under=None):
        return attempts.attempt(self.group, wanted, under)


def tell(line, answer):
    """The port takes 32 KiB at a time."""
    text = memoryview(json.dumps(answer).encode() + b"\n")
    while text:
        text = text[line.write(text):]


def serve():
    with port() as line:
        guest = Guest()
        tell(line, {"ready": True})
        waiting = b""
        while True:
            while b"\n" not in waiting:
                waiting += line.read(1 << 16) or b""
            order, waiting = waiting.split(b"\n", 1)
            order = json.loads(order)
            try:
                answer = {"answer": getattr(guest, order.pop("do"))(**order)}
            except Exception:
                answer = {"failed": traceback.format_exc()}
            tell(line, answer)
