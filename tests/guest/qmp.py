"""QEMU's monitor: commands with their answers, and events, each waited for with a bound."""

import json
import socket
import time


class Refused(Exception):
    """QEMU did not take a command."""


class Monitor:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(path))
        self.rest, self.events = b"", []
        self.message(60)
        self.ask("qmp_capabilities")

    def message(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.rest:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            piece = self.socket.recv(1 << 16)
            if not piece:
                raise ConnectionError("QEMU ended")
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def ask(self, command, **arguments):
        arguments = {name.replace("_", "-"): value for name, value in arguments.items()}
        self.socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            message = self.message(60)
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise Refused(f"{command} {arguments}: {message['error']['desc']}")
            else:
                return message["return"]

    def hear(self, event, device, seconds=60):
        """Waits for what happened to a device; what was announced before counts too."""
        end = time.monotonic() + seconds
        while True:
            for message in self.events:
                if message["event"] == event and message.get("data", {}).get("device") == device:
                    self.events.remove(message)
                    return
            try:
                self.events.append(self.message(max(0.01, end - time.monotonic())))
            except TimeoutError:
                raise TimeoutError(f"no {event} of {device} in {seconds} s") from None

    def human(self, line):
        return self.ask("human-monitor-command", command_line=line)
