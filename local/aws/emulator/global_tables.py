"""Global tables: each region has the rows of some tables, gets the other regions' later, and the last writer wins.

"Global tables: how it works" in the DynamoDB developer guide: each region takes writes by itself and judges their
conditions by its own rows; a row travels by itself, with the time of its write, and of two the later stays, in every
region. Nothing of a transaction holds together on the way.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LOOK_EVERY_SECONDS = 0.02

Stamp = tuple[int, str]
"""When a row was written, and where: of two at one instant the region decides."""


@dataclass(frozen=True)
class Write:
    table: str
    key: dict[str, Any]
    item: dict[str, Any] | None
    """None where the row was deleted."""
    stamp: Stamp

    @property
    def row(self) -> tuple[str, str]:
        return self.table, json.dumps(self.key, sort_keys=True)


@dataclass(frozen=True)
class Settings:
    """What may be changed at any moment: it counts for what is under way too."""

    tables: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ()
    delay_seconds: float = 0.0
    is_partitioned: bool = False
    lost: frozenset[str] = frozenset()
    """Regions that answer nobody, and that nothing leaves or reaches."""


Apply = Callable[[Write], bool]
"""Writes a row as it came from elsewhere. False while the region has no such table yet."""


class GlobalTables:
    def __init__(self) -> None:
        self.settings = Settings()
        self.lock = threading.RLock()
        """Held for each call of each region: what is written, stamped and delivered is so one after the other."""
        self._stamps: dict[tuple[str, tuple[str, str]], Stamp] = {}
        self._waiting: dict[tuple[str, str], deque[Write]] = {}
        self._appliers: dict[str, Apply] = {}

    def serve(self, region: str, apply: Apply) -> None:
        self._appliers[region] = apply

    def change(self, settings: Settings) -> None:
        """Nothing that the new settings hold back arrives once this has returned."""
        with self.lock:
            is_first = not self.settings.tables
            self.settings = settings
        if is_first and settings.tables:
            threading.Thread(target=self._deliver_forever, daemon=True).start()

    def written(self, region: str, table: str, key: dict[str, Any], item: dict[str, Any] | None) -> None:
        """To be called for each write of a region, while the lock is held."""
        if table not in self.settings.tables or region not in self.settings.regions:
            return
        write = Write(table, key, item, (time.time_ns(), region))
        self._stamps[(region, write.row)] = write.stamp
        for other in self.settings.regions:
            if other != region:
                self._waiting.setdefault((region, other), deque()).append(write)

    def waiting(self) -> dict[str, int]:
        """How many writes of each region have not arrived everywhere."""
        with self.lock:
            ways = self._waiting.items()
            return {
                region: max((len(queue) for (origin, _), queue in ways if origin == region), default=0)
                for region in self.settings.regions
            }

    def _deliver_forever(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            with self.lock:
                for origin, other in list(self._waiting):
                    self._deliver(origin, other)

    def _deliver(self, origin: str, other: str) -> None:
        settings = self.settings
        if settings.is_partitioned or settings.lost & {origin, other} or other not in self._appliers:
            return
        queue = self._waiting[(origin, other)]
        due = time.time_ns() - int(settings.delay_seconds * 1e9)
        while queue and queue[0].stamp[0] <= due:
            if self._wins(other, queue[0]) and not self._appliers[other](queue[0]):
                return
            write = queue.popleft()
            self._stamps[(other, write.row)] = max(write.stamp, self._stamps.get((other, write.row), write.stamp))

    def _wins(self, region: str, write: Write) -> bool:
        here = self._stamps.get((region, write.row))
        return here is None or write.stamp > here


global_tables = GlobalTables()
