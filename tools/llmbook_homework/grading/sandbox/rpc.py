"""Two processes that call each other's functions over a socket.

A request is answered by a reply, or by a request of the other side that comes first:
a student's function may call a function that the check handed to it.
"""

import json
import socket
import struct
from typing import Any

from llmbook_homework.grading.sandbox.codec import Decoder, Encoder, ValueProblem

MAX_MESSAGE = 256 * 1024**2  # bytes
MAX_CALLBACKS_DEEP = 40


def pack(message: dict, buffers: list[bytes]) -> bytes:
    """Join a message and its buffers to bytes that say how long they are."""
    head = json.dumps({**message, "sizes": [len(b) for b in buffers]}).encode()
    return b"".join([struct.pack("<I", len(head)), head, *buffers])


def unpack(data: bytes) -> tuple[dict, list[bytes]]:
    """Take apart what :func:`pack` joined.

    Raises
    ------
    ValueProblem
        If it is anything else.
    """
    try:
        (size,) = struct.unpack_from("<I", data)
        message = json.loads(data[4 : 4 + size])
        at, buffers = 4 + size, []
        for length in message.pop("sizes"):
            if not 0 <= length <= len(data) - at:
                raise ValueError("a buffer is too short")
            buffers.append(data[at : at + length])
            at += length
        return message, buffers
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise ValueProblem(f"a message that makes no sense: {error}") from None
    except RecursionError:
        raise ValueProblem("a message nested too deeply") from None


class Closed(BaseException):
    """The other side is gone; no ``except Exception`` of a check takes it for less."""


class Channel:
    """Messages with a length before each, over a stream socket."""

    def __init__(self, sock: socket.socket, limit: int = MAX_MESSAGE) -> None:
        self.sock = sock
        self.limit = limit

    def send(self, message: dict, buffers: list[bytes] | None = None) -> None:
        """Send a message."""
        data = pack(message, buffers or [])
        if len(data) > self.limit:
            raise ValueProblem(f"a value of {len(data) / 1e6:,.0f} MB: too large")
        try:
            self.sock.sendall(struct.pack("<Q", len(data)) + data)
        except OSError:
            raise Closed from None

    def receive(self) -> tuple[dict, list[bytes]]:
        """Wait for a message.

        Raises
        ------
        Closed
            If there is nobody left to send one, or it is too large to be one.
        """
        (length,) = struct.unpack("<Q", self._exactly(8))
        if length > self.limit:
            raise Closed
        return unpack(self._exactly(length))

    def _exactly(self, n: int) -> bytes:
        data = bytearray()
        while len(data) < n:
            try:
                part = self.sock.recv(min(n - len(data), 1 << 20))
            except TimeoutError:
                raise
            except OSError:
                raise Closed from None
            if not part:
                raise Closed
            data += part
        return bytes(data)

    def send_fd(self, fd: int) -> None:
        """Hand over an open file, after a message that announces it."""
        socket.send_fds(self.sock, [b"F"], [fd])

    def receive_fd(self) -> int:
        """Take over an open file."""
        _, fds, _, _ = socket.recv_fds(self.sock, 1, 1)
        if not fds:
            raise Closed
        return fds[0]


class Peer:
    """One of two sides that call each other.

    Parameters
    ----------
    channel : Channel
    trusts : bool
        This side believes the other one: it reads pickles.
    trusted : bool
        The other side believes this one: pickles may be sent to it.
    """

    def __init__(self, channel: Channel, trusts: bool, trusted: bool) -> None:
        self.channel = channel
        self.trusts, self.trusted = trusts, trusted
        self.lent: dict[int, Any] = {}
        self.depth = 0

    def lend(self, value: Any) -> int:
        """Keep an object, and give the number by which the other side names it."""
        for number, known in self.lent.items():
            if known is value:
                return number
        self.lent[len(self.lent)] = value
        return len(self.lent) - 1

    def handle(self, value: Any) -> Any:
        """Describe an object that does not cross by value."""
        name = getattr(value, "__name__", "")
        return {
            "t": "lent",
            "n": self.lend(value),
            "name": name if isinstance(name, str) else "",
            "type": type(value).__name__,
            "calls": callable(value),
        }

    def proxy(self, node: dict) -> Any:
        """Stand in for an object of the other side."""
        raise NotImplementedError

    def resolve(self, node: dict) -> Any:
        """Decode a node that names an object of either side."""
        if node["t"] == "yours":
            return self.lent[node["n"]]
        if node["t"] == "lent":
            return self.proxy(node)
        raise ValueProblem(f"a value of unknown kind {str(node['t'])[:40]!r}")

    def encoder(self, **how: Any) -> Encoder:
        """Make an encoder for what goes to the other side."""
        return Encoder(self.handle, by_pickle=self.trusted, **how)

    def decoder(self, buffers: list[bytes], **how: Any) -> Decoder:
        """Make a decoder for what comes from the other side."""
        return Decoder(buffers, self.resolve, by_pickle=self.trusts, **how)

    def request(
        self, do: str, message: dict, buffers: list[bytes]
    ) -> tuple[dict, list]:
        """Ask for something, and answer whatever is asked before the reply comes."""
        self.channel.send({**message, "do": do}, buffers)
        return self.loop(until_reply=True)

    def loop(self, until_reply: bool) -> tuple[dict, list]:
        """Answer requests until a reply comes, or the other side is gone."""
        while True:
            message, buffers = self.channel.receive()
            if "do" not in message:
                if until_reply:
                    return message, buffers
                continue
            if self.depth >= MAX_CALLBACKS_DEEP:
                raise Closed
            self.depth += 1
            try:
                reply, parts = self.answer(message, buffers)
            finally:
                self.depth -= 1
            self.channel.send(reply, parts)

    def answer(self, message: dict, buffers: list[bytes]) -> tuple[dict, list[bytes]]:
        """Do what the other side asks for; the reply has no ``do``."""
        raise NotImplementedError


def described(error: BaseException, where: str = "") -> dict[str, str]:
    """Describe an exception: its type's name and its message, cut short."""
    try:
        text = str(error)
    except Exception:
        text = "(its message cannot be shown)"
    return {"type": type(error).__name__, "message": text[:2000], "where": where}
