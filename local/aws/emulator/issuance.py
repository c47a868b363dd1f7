"""How ACM Private CA takes orders: so many a second, each once however often it is sent, and signed a moment later.

Pure but for the lock: times come in as seconds.
"""

import threading

TOKEN_REMEMBERED_SECONDS = 60
"""How long an idempotency token holds (API reference, IssueCertificate)."""


class Quota:
    """A token bucket that holds the calls of one second; a rate of 0 takes every call."""

    def __init__(self, per_second: float):
        self._per_second = per_second
        self._left = per_second
        self._filled_at = 0.0
        self._lock = threading.Lock()

    def take(self, now: float) -> bool:
        if self._per_second == 0:
            return True
        with self._lock:
            self._left = min(self._per_second, self._left + (now - self._filled_at) * self._per_second)
            self._filled_at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


class Orders:
    """What was ordered of one CA lately: to know an order that comes again, and when each is signed."""

    def __init__(self, delay_seconds: float):
        self._delay_seconds = delay_seconds
        self._known: dict[str, tuple[float, str]] = {}
        self._signed_at: dict[str, float] = {}

    def known(self, order: str, now: float) -> str | None:
        """The certificate's ARN, where the same order came with the same token within the minute."""
        ordered_at, arn = self._known.get(order, (0.0, ""))
        return arn if arn and now - ordered_at < TOKEN_REMEMBERED_SECONDS else None

    def remember(self, arn: str, order: str | None, now: float) -> None:
        self._signed_at[arn] = now + self._delay_seconds
        if order is not None:
            self._known[order] = (now, arn)

    def is_signed(self, arn: str, now: float) -> bool:
        return now >= self._signed_at.get(arn, now)
