"""PartiQL's INSERT, in the one form that a program writes: INSERT INTO "table" VALUE {'name': ?, ...}

Pure. After "PartiQL insert statements for DynamoDB" in the developer guide. Literals in the statement are refused:
values belong into parameters.
"""

import re
from typing import Any

_STATEMENT = re.compile(r"""\s*INSERT\s+INTO\s+(?:"([^"]+)"|([\w.-]+))\s+VALUE\s*\{(.*)\}\s*;?\s*""", re.I | re.S)
_PAIR = re.compile(r"\s*'([^']+)'\s*:\s*\?\s*")


def is_insert(statement: str) -> bool:
    return statement.lstrip()[:6].upper() == "INSERT"


def parse_insert(statement: str, parameters: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """
    :returns: The table and the item.
    :raises ValueError: where the statement has another form, or other parameters.
    """
    match = _STATEMENT.fullmatch(statement)
    if match is None:
        raise ValueError("""expected INSERT INTO "table" VALUE {'name': ?, ...}""")
    pairs = [_PAIR.fullmatch(pair) for pair in match[3].split(",")]
    names = [pair[1] for pair in pairs if pair is not None]
    if len(names) < len(pairs):
        raise ValueError("expected each value of an INSERT as a parameter: 'name': ?")
    if len(names) != len(parameters):
        raise ValueError("Number of parameters in request and statement don't match.")
    return match[1] or match[2], dict(zip(names, parameters))
