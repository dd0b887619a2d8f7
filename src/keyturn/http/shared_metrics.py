"""The metrics of several workers as one: each shows its own in shared memory, and whoever is asked adds them up.

What a worker had counted before it ended is counted on by the one that takes its place, so that no sum ever falls.
"""

import logging
import mmap
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from keyturn.http.metric_families import ALIKE, EARLIEST

_LOGGER: Final = logging.getLogger("keyturn.metrics")

_SIZE: Final = 4 * 1024 * 1024
"""Bytes for one worker; pages that are never written take no memory. Its metrics are bounded far below."""
_HEAD: Final = struct.Struct("II")
"""Length, and checksum of what follows."""


class Metrics(Protocol):
    """The metrics of this process."""

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        ...


class Board:
    """Memory in which so many workers show their metrics. To be made before they are forked."""

    def __init__(self, workers: int) -> None:
        self._pages: Final = tuple(mmap.mmap(-1, _SIZE) for _ in range(workers))

    def show(self, worker: int, text: bytes) -> None:
        """Puts up what `worker` has; readers get the whole of it or nothing."""
        if len(text) > _SIZE - _HEAD.size:
            _LOGGER.error("metrics of %d bytes are too many to be shown", len(text))
            return
        page = self._pages[worker]
        page[_HEAD.size : _HEAD.size + len(text)] = text
        page[: _HEAD.size] = _HEAD.pack(len(text), zlib.crc32(text))

    def shown(self, worker: int) -> bytes | None:
        """What `worker` has put up last; None where that is being written at this moment."""
        page = self._pages[worker]
        for _ in range(_READINGS):
            length, checksum = _HEAD.unpack(page[: _HEAD.size])
            text = page[_HEAD.size : _HEAD.size + min(length, _SIZE)]
            if zlib.crc32(text) == checksum:
                return text
        return None

    def __len__(self) -> int:
        return len(self._pages)


_READINGS: Final = 100


class SharedMetrics:
    """The metrics of all workers, as one of them tells them."""

    def __init__(self, own: Metrics, board: Board, worker: int) -> None:
        self._own = own
        self._board = board
        self._worker = worker
        self._before = tuple(_counters(board.shown(worker) or b""))
        """What the worker had counted whose place this one has taken."""
        self._known: dict[int, bytes] = {}
        """What was read last of each."""

    def show(self) -> None:
        """Puts up what this worker has counted: now and then, and before it is asked for."""
        self._board.show(self._worker, added_up([*self._before, self._own.text()]))

    def text(self) -> bytes:
        """What all workers have counted, the others until they put it up last."""
        self.show()
        for worker in range(len(self._board)):
            text = self._board.shown(worker)
            if text is not None:
                self._known[worker] = text
        return added_up([self._known[worker] for worker in sorted(self._known)])


def added_up(texts: Iterable[bytes]) -> bytes:
    """Samples of the same name and labels as one: the sum, but for what is of the whole machine."""
    families: dict[str, list[str]] = {}
    samples: dict[str, dict[str, float]] = {}
    for text in texts:
        for family, head, rows in _families(text):
            families.setdefault(family, head)
            known = samples.setdefault(family, {})
            for name, value in rows:
                if name not in known or family in ALIKE:
                    known[name] = value
                elif family in EARLIEST:
                    known[name] = min(known[name], value)
                else:
                    known[name] += value
    lines: list[str] = []
    for family, head in families.items():
        lines += head
        lines += [f"{name} {_shown(value)}" for name, value in samples[family].items()]
    return ("\n".join(lines) + "\n").encode() if lines else b""


def _counters(text: bytes) -> Iterator[bytes]:
    """`text` without its gauges, which say how things are, not what has happened."""
    lines: list[str] = []
    for family, head, rows in _families(text):
        if not any(line.startswith(f"# TYPE {family} gauge") for line in head):
            lines += head
            lines += [f"{name} {_shown(value)}" for name, value in rows]
    if lines:
        yield ("\n".join(lines) + "\n").encode()


def _families(text: bytes) -> Iterator[tuple[str, list[str], list[tuple[str, float]]]]:
    """Each family's name, its lines of comment, and its samples by name with labels."""
    family, head, rows = "", [""], list[tuple[str, float]]()
    for line in map(bytes.decode, text.splitlines()):  # a label may have what ends lines of text elsewhere
        if line.startswith("# HELP "):
            if family:
                yield family, head, rows
            family, head, rows = line.split(" ", 3)[2], [line], []
        elif line.startswith("#"):
            head.append(line)
        else:
            name, _, value = line.rpartition(" ")
            rows.append((name, float(value)))
    if family:
        yield family, head, rows


def _shown(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
