"""A card that lies: a server of the NBD protocol that says it has so many bytes and keeps fewer.

`wrap`: what goes beyond lands at the beginning again. `drop`: it is lost, and zeros come back.
"""

import os
import socket
import struct
import threading

from cards import Card

MAGIC, OPTION, REPLY = b"NBDMAGIC", b"IHAVEOPT", 0x3E889045565A9
REQUEST, SIMPLE = 0x25609513, 0x67446698
GO, ABORT, ACKNOWLEDGED, INFO, UNSUPPORTED = 7, 2, 1, 3, 0x80000001
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
HAS_FLAGS, CAN_FLUSH = 1, 4


def exactly(connection, count):
    got = bytearray()
    while len(got) < count:
        piece = connection.recv(min(1 << 20, count - len(got)))
        if not piece:
            raise ConnectionError("closed")
        got += piece
    return bytes(got)


class Counterfeit(Card):
    """A card that says it has `says` bytes."""

    def __init__(self, folder, says, keeps, wraps):
        super().__init__(folder, keeps)
        self.says, self.wraps = says, wraps
        self.socket_path = self.path.with_suffix(".nbd")
        self.file = os.open(self.path, os.O_RDWR)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.socket_path))
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def bottom(self):
        return {"driver": "nbd", "server": {"type": "unix", "path": str(self.socket_path)}, "export": ""}

    def serve(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.attend, args=[connection], daemon=True).start()

    def attend(self, connection):
        with connection:
            try:
                if self.agree(connection):
                    while self.one(connection):
                        pass
            except ConnectionError:
                # The card was pulled.
                pass

    def agree(self, connection):
        connection.sendall(MAGIC + OPTION + struct.pack(">H", 1))
        exactly(connection, 4)
        while True:
            _, option, length = struct.unpack(">8sII", exactly(connection, 16))
            exactly(connection, length)
            answer = lambda kind, data=b"": connection.sendall(struct.pack(">QIII", REPLY, option, kind, len(data)) + data)
            if option == GO:
                answer(INFO, struct.pack(">HQH", 0, self.says, HAS_FLAGS | CAN_FLUSH))
                answer(ACKNOWLEDGED)
                return True
            if option == ABORT:
                answer(ACKNOWLEDGED)
                return False
            answer(UNSUPPORTED)

    def one(self, connection):
        _, _, kind, handle, offset, length = struct.unpack(">IHHQQI", exactly(connection, 28))
        if kind == DISCONNECT:
            return False
        data = b""
        if kind == READ:
            data = self.read(offset, length)
        elif kind == WRITE:
            self.write(offset, exactly(connection, length))
        connection.sendall(struct.pack(">IIQ", SIMPLE, 0, handle) + data)
        return True

    def places(self, offset, length):
        """Where each piece of a request really lies: `(place or None, bytes)`."""
        while length:
            beyond = offset >= self.size
            inside = offset % self.size
            piece = min(length, self.size - inside)
            yield (None if beyond and not self.wraps else inside), piece
            offset, length = offset + piece, length - piece

    def read(self, offset, length):
        parts = [bytes(count) if place is None else os.pread(self.file, count, place)
                 for place, count in self.places(offset, length)]
        return b"".join(parts)

    def write(self, offset, data):
        for place, count in self.places(offset, len(data)):
            if place is not None:
                os.pwrite(self.file, data[:count], place)
            data = data[count:]
