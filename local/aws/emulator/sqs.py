"""SQS: the order of a FIFO queue's groups outlives a visibility timeout.

moto counts a message whose time is over as in flight until a receive happens upon it, so that of a group that comes
back the last message comes first.
"""

import moto.sqs.models as models
from moto.sqs.models import Message, Queue


class EmulatedQueue(Queue):
    def _forget_timed_out(self) -> None:
        for message in [each for each in self._pending_messages if each.visible]:
            self._pending_messages.discard(message)

    @property
    def pending_message_groups(self) -> set[str]:
        self._forget_timed_out()
        return {each.group_id for each in self._pending_messages if each.group_id is not None}

    @property
    def messages(self) -> list[Message]:
        """Those that may be received now: of a FIFO queue none whose group has one in flight, seen at one moment."""
        self._forget_timed_out()
        visible = [each for each in self._messages if each.visible and not each.delayed]
        if not self.fifo_queue:
            return visible
        in_flight = {each.group_id for each in self._messages if each not in visible}
        return [each for each in visible if each.group_id not in in_flight]


def install() -> None:
    models.Queue = EmulatedQueue  # type: ignore[misc]
