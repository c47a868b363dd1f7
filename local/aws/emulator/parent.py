"""Ends this process when its parent is gone, even by SIGKILL, of which no signal tells a child.

The parent holds the child's standard input open as a pipe for as long as it lives.
"""

import os
import threading
from collections.abc import Callable

STOP_WITH_PARENT = "TOKENMESH_STOP_WITH_PARENT"


def end_process() -> None:
    os._exit(1)


def end_with_parent(end: Callable[[], None] = end_process) -> None:
    """Calls `end` once standard input ends. Only for a process whose parent asked for it."""
    threading.Thread(target=_wait_for_end_of_input, args=(end,), daemon=True).start()


def _wait_for_end_of_input(end: Callable[[], None]) -> None:
    try:
        while os.read(0, 4096):
            pass
    finally:
        end()
