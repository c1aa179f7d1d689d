"""Home Assistant and the release server, played by `sd-swap demo --stand-ins` on this machine; QEMU leads the guest's
10.0.2.2 to loopback.
"""

import json
import signal
import subprocess
import urllib.request

from waiting import until

HOST = "10.0.2.2"
DISK = "/dev/vda"


class StandIns:
    def __init__(self, program, folder, backup):
        """Makes an image and a backup of about so many bytes."""
        self.folder, self.out = folder / "stand-ins", folder / "stand-ins.env"
        log = open(folder / "stand-ins.log", "w")
        command = [program, "demo", "--stand-ins", "--tiny", "--backup-size", str(backup), "--keep", self.folder,
                   "--reached-as", HOST, "--runs-from", DISK]
        self.process = subprocess.Popen(command, stdout=open(self.out, "w"), stderr=log)

    def settings(self):
        """Environment of a `serve` that finds them."""
        until("the stand-ins", 120, lambda: self.process.poll() is not None or "SD_SWAP_BACKUP=" in self.out.read_text())
        if self.process.poll() is not None:
            raise SystemExit("the stand-ins ended: " + self.out.with_suffix(".log").read_text())
        lines = [line for line in self.out.read_text().splitlines() if "=" in line]
        return dict(line.split("=", 1) for line in lines)

    def address(self):
        """Of the Supervisor, from here."""
        return self.settings()["SUPERVISOR_API"].replace(HOST, "127.0.0.1")

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        token = self.settings()["SUPERVISOR_TOKEN"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        asked = urllib.request.Request(self.address() + path, data, headers)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)["data"]

    def backup(self):
        """The slug of a full backup, made as Home Assistant makes one."""
        job = self.ask("/backups/new/full", {"name": "For the guest", "background": True})["job_id"]

        def done():
            found = [one for one in self.ask("/jobs/info")["jobs"] if one["uuid"] == job]
            return found and found[0]["done"]

        until("the backup", 60, done)
        return self.ask("/backups")["backups"][0]["slug"]

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
