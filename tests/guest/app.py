"""The app in the guest: its container, and its API as a script uses it."""

import json
import re
import urllib.error
import urllib.request

from waiting import until

# The Supervisor puts the app's full name, with a hash of the repository, in place of the slug.
PROFILE = "a0b1c2d3_sd_swap"
INNER = f"{PROFILE}//app"
LOG = "/run/app.log"


class App:
    def __init__(self, guest, settings, port, slug):
        self.guest, self.slug, self.base = guest, slug, f"http://127.0.0.1:{port}"
        keep = {name: settings[name] for name in settings if name not in ("SD_SWAP_DATA", "SD_SWAP_BACKUP")}
        self.environment = {"PATH": "/usr/bin", "SD_SWAP_ALLOW_FROM": "10.0.2.2", **keep}
        self.keeper = None

    def load_profile(self):
        """By the guest's own parser, into the guest's own kernel."""
        text = self.guest.read("/inside/apparmor.txt")
        text = re.sub(r"^profile sd_swap ", f"profile {PROFILE} ", text, flags=re.MULTILINE)
        self.guest.say("apparmor_parser", "--replace", "--skip-cache", input=text.encode())

    def start(self):
        self.keeper = self.guest.ask("app", environment=self.environment, profile=PROFILE, log=LOG)
        until("the page", 60, lambda: self.get("/api/devices", missing=True) and self.devices()["known"])
        until("what is known of the system", 60, lambda: self.get("/api/system-info")["known"])

    def pid(self):
        return next((int(pid) for pid, (name, _) in self.guest.ask("members").items() if name == "sd-swap"), None)

    def stop(self):
        """As the Supervisor stops it; its exit code."""
        told = self.guest.ask("end", pid=self.pid(), profile=PROFILE)
        if told:
            raise AssertionError("the app cannot be told to end")
        code = until("the end of the app", 60, lambda: [c for c in [self.guest.ask("wait", pid=self.keeper)] if c is not None])
        return code[0]

    def request(self, path, body=None):
        """Status and body."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def get(self, path, missing=False):
        try:
            status, body = self.request(path)
        except OSError:
            if missing:
                return None
            raise
        if status != 200:
            raise AssertionError(f"{path} answered {status}: {body}")
        return body

    def devices(self):
        return self.get("/api/devices")

    def disk(self, name):
        """A disk that may be used or is refused, `None` where there is none."""
        listed = self.devices()
        return next((disk for disk in listed["devices"] + listed["refused"] if disk["name"] == name), None)

    def usable(self, name, seconds=20):
        """Waits until a disk may be overwritten."""
        return until(f"{name} to be usable: {self.disk(name)}", seconds,
                     lambda: next((d for d in self.devices()["devices"] if d["name"] == name), None))

    def refused(self, name, code, seconds=20):
        """Waits until a disk is refused for this reason; all its reasons."""
        def look():
            found = next((d for d in self.devices()["refused"] if d["name"] == name), None)
            return found and code in reasons(found) and found
        return until(f"{name} to be refused as {code}", seconds, look)

    def gone(self, name, seconds=20):
        return until(f"{name} to vanish", seconds, lambda: self.disk(name) is None)

    def try_start(self, disk, **more):
        """Status and answer of a start on the disk as it was listed."""
        body = {"device": disk["path"], "fingerprint": disk["fingerprint"], "plug": disk["plug"], "backup": self.slug}
        return self.request("/api/start-clone", body | more)

    def begin(self, disk, **more):
        status, answer = self.try_start(disk, **more)
        if status != 202:
            raise AssertionError(f"the start on {disk['path']} was answered with {status}: {answer}")
        return answer["job_id"]

    def job(self, job):
        return self.get(f"/api/jobs/{job}")

    def step(self, job, name):
        return next(step for step in self.job(job)["steps"] if step["id"] == name)

    def writing(self, job, bytes_done=1, stage="write", seconds=120):
        """Waits until so many bytes of a stage are done."""
        return until(f"{bytes_done} bytes of {stage}", seconds, lambda: self.step(job, stage)["bytes_done"] >= bytes_done)

    def ended(self, job, seconds=240):
        return until(f"the end of job {job}", seconds, lambda: (view := self.job(job))["ended"] and view)

    def log(self):
        return self.guest.read(LOG)


def reasons(disk):
    return [reason["code"] for reason in disk.get("reasons", [])]
