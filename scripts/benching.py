"""What the benches of the running program share: stand-ins, `serve` between them, and its API."""

import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path

PORT = 8831
BASE = f"http://127.0.0.1:{PORT}"


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def until(what, seconds, look, every=0.2):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = look()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(every)
    raise SystemExit(f"waited {seconds} s for {what}")


def start(program, args, log, environment=None):
    return subprocess.Popen([program, *args], stdout=open(log, "w"), stderr=subprocess.STDOUT, env=environment)


def stand_ins(program, folder):
    """Home Assistant and the release server, and the environment of a `serve` that finds them."""
    args = ["demo", "--stand-ins", "--card-size", "8G", "--backup-size", "1M", "--keep", str(folder)]
    process = start(program, args, folder / "env")
    until("the stand-ins", 120, lambda: "SD_SWAP_BACKUP=" in (folder / "env").read_text())
    lines = [line for line in (folder / "env").read_text().splitlines() if line.startswith("S") and "=" in line]
    settings = dict(line.split("=", 1) for line in lines)
    return process, os.environ | settings | {"SD_SWAP_LISTEN": f"127.0.0.1:{PORT}", "SD_SWAP_LOG": "warn"}


def status(process, name):
    """A number of a process, as Linux tells it."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name}:"))
