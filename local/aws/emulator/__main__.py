"""python -m emulator --host 127.0.0.1 --port 5010"""

import argparse
import os
import signal
from typing import Any

from .parent import STOP_WITH_PARENT, end_with_parent


def end_on_signal(*_: Any) -> None:
    """At once: all state is in memory and goes with the process."""
    os._exit(0)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="emulator", description="AWS, emulated, for this machine alone.")
    parser.add_argument("--host", choices=["127.0.0.1"], default="127.0.0.1", help="the loopback address, no other")
    parser.add_argument("--port", type=int, required=True)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, end_on_signal)
    signal.signal(signal.SIGINT, end_on_signal)
    if os.environ.get(STOP_WITH_PARENT) == "1":
        end_with_parent()
    from .server import serve

    serve(arguments.host, arguments.port)


main()
