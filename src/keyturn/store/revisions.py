"""How the processes of one server tell each other that the database has changed: a word of shared memory for each.

A process writes into its own word alone, so nobody waits for a lock that somebody else holds. Who finds the words other
than they were reads the change log.
"""

import mmap
import os
import struct
from typing import Final, TypeAlias

_WORD: Final = struct.Struct("Q")

Words: TypeAlias = bytes
"""The words of all processes at one moment, to be compared."""


class Revisions:
    """One process's part of it. `memory` None: there is no other process."""

    __slots__ = ("_memory", "_process", "server")

    def __init__(self, memory: mmap.mmap | None = None, process: int = 0, server: str | None = None) -> None:
        self._memory: mmap.mmap | bytes = b"" if memory is None else memory
        self._process = process
        self.server: Final = server or os.urandom(4).hex()
        """A name that these processes share, and no other server has."""

    def words(self) -> Words:
        """The words now. Half a word that is just being written differs from what it will be, and is no harm."""
        return self._memory[:]

    def differ(self, known: Words) -> bool:
        """Whether any process has written since the words were `known`. Asked by every request."""
        return self._memory[:] != known

    def put(self, revision: int, known: Words) -> Words:
        """Tells the others that this process has committed `revision`; `known` with that."""
        if not isinstance(self._memory, mmap.mmap):
            return known
        at = self._process * _WORD.size
        word = _WORD.pack(revision)
        self._memory[at : at + _WORD.size] = word
        return known[:at] + word + known[at + _WORD.size :]


def shared_revisions(processes: int) -> tuple[Revisions, ...]:
    """The parts of so many processes, to be made before they are forked."""
    memory = mmap.mmap(-1, processes * _WORD.size)
    server = os.urandom(4).hex()
    return tuple(Revisions(memory, process, server) for process in range(processes))
