"""A network between two hosts, played by a TCP line on loopback: slow, lossy, dark, cut.

What goes wrong below TCP can't be played without the system's help, so this plays what is seen above it. A
lost packet is a pause until it is sent again, in which everything behind it waits; a split is silence, in
which connections neither open nor end; a cut is a reset.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random

from tests.ports import free_port

# After so long Linux sends again what was lost on a line of 200 ms, in seconds.
AGAIN = 0.4
# How often one looks whether there is light again, in seconds.
GLANCE = 0.01
_RESET = struct.pack("ii", 1, 0)


@dataclass
class Line:
    """Leads from ``port`` to ``target``, both on loopback.

    ``delay``: seconds each way. ``lost``: the share of pieces that have to be sent again, after ``again``
    seconds. ``dark``: what is said is taken and stays on the way.
    """

    target: int
    seed: int = 1
    port: int = field(default_factory=free_port)
    delay: float = 0.0
    lost: float = 0.0
    again: float = AGAIN
    dark: bool = False
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self.listens = threading.Event()
        self._ways: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The database's address over this line."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def cut(self) -> None:
        """Reset every connection, on both sides."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for end in list(self._ends):
            with suppress(OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()

    def run(self) -> None:
        """Carry what is said until `stop`."""
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    def stop(self) -> None:
        """End."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def _serve(self) -> None:
        async with await asyncio.start_server(self._connect, "127.0.0.1", self.port):
            self.listens.set()
            await self._stopping.wait()
            self._cut()
            for way in list(self._ways):
                way.cancel()
            await asyncio.gather(*self._ways, return_exceptions=True)
            await asyncio.sleep(GLANCE)  # so that what was closed is gone

    async def _connect(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        way = asyncio.create_task(self._lead(near_in, near_out))
        self._ways.add(way)
        with suppress(asyncio.CancelledError, OSError):
            await way
        self._ways.discard(way)

    async def _lead(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        with self._end(near_out):
            await self._light()
            far_in, far_out = await asyncio.open_connection("127.0.0.1", self.target)
            with self._end(far_out):
                await asyncio.gather(self._carry(near_in, far_out), self._carry(far_in, near_out))

    @contextmanager
    def _end(self, end: asyncio.StreamWriter) -> Iterator[None]:
        self._ends.add(end)
        try:
            yield
        finally:
            self._ends.discard(end)
            end.close()

    async def _light(self) -> None:
        while self.dark:
            await asyncio.sleep(GLANCE)

    async def _carry(self, said: asyncio.StreamReader, heard: asyncio.StreamWriter) -> None:
        way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        async with asyncio.TaskGroup() as both:
            both.create_task(self._arrive(way, heard))
            piece = b"?"
            while piece:
                try:
                    piece = await said.read(65536)
                except OSError:
                    piece = b""
                way.put_nowait((self._loop.time() + self._time(), piece))

    def _time(self) -> float:
        return self.delay + (self.again if self._random.random() < self.lost else 0.0)

    async def _arrive(self, way: asyncio.Queue[tuple[float, bytes]], heard: asyncio.StreamWriter) -> None:
        piece = b"?"
        while piece:
            at, piece = await way.get()
            await asyncio.sleep(max(0.0, at - self._loop.time()))
            await self._light()
            heard.write(piece)
        heard.close()


@contextmanager
def line_to(target: int, seed: int = 1) -> Iterator[Line]:
    """Give a line to a loopback port."""
    line = Line(target, seed)
    thread = threading.Thread(target=line.run, daemon=True)
    thread.start()
    assert line.listens.wait(5)
    try:
        yield line
    finally:
        line.stop()
        thread.join(5)
