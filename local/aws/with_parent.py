"""Runs a Python module as its own program, and ends it, with all that it started, when the parent is gone.

For modules of others, such as venv and pip, which would go on writing after their parent was killed.

    python with_parent.py pip install ...
"""

import os
import runpy
import signal
import sys

from emulator.parent import end_process, end_with_parent


def end_group() -> None:
    """Ends the process group where it is our own, which it is when the parent started us detached."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    end_process()


end_with_parent(end_group)
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
