"""What the local run sets and asks of regions: /tokenmesh/regions. A region that is lost refuses every signed call."""

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

from .global_tables import Settings, global_tables

PATH = "/tokenmesh/regions"

_SIGNED = re.compile(r"Credential=[^/]+/\d+/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request")

Answer = tuple[str, dict[str, Any]]

_calls: dict[str, Counter[str]] = {}


def answer(path: str, method: str, environ: dict[str, Any]) -> Answer | None:
    if path == PATH:
        return _change(environ) if method == "PUT" else ("200 OK", _described())
    found = _SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        return None
    region = found["region"]
    if region in global_tables.settings.lost:
        return "503 Service Unavailable", {"__type": "ServiceUnavailable", "message": f"{region} is lost"}
    if found["service"] == "kms":
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        _calls.setdefault(region, Counter())[operation] += 1
    return None


def _change(environ: dict[str, Any]) -> Answer:
    try:
        said = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        global_tables.change(_settings_with(global_tables.settings, said))
    except (ValueError, TypeError, AttributeError) as error:
        return "400 Bad Request", {"message": f"expected settings, got {type(error).__name__}"}
    return "200 OK", _described()


def _settings_with(settings: Settings, said: dict[str, Any]) -> Settings:
    """What is not said stays as it is."""
    delay = float(said.get("delaySeconds", settings.delay_seconds))
    if not 0 <= delay <= 3600:
        raise ValueError("delaySeconds")
    return replace(
        settings,
        tables=frozenset(said.get("tables", settings.tables)),
        regions=tuple(said.get("regions", settings.regions)),
        delay_seconds=delay,
        is_partitioned=bool(said.get("isPartitioned", settings.is_partitioned)),
        lost=frozenset(said.get("lost", settings.lost)),
    )


def _described() -> dict[str, Any]:
    settings = global_tables.settings
    return {
        "tables": sorted(settings.tables),
        "regions": list(settings.regions),
        "delaySeconds": settings.delay_seconds,
        "isPartitioned": settings.is_partitioned,
        "lost": sorted(settings.lost),
        "waiting": global_tables.waiting(),
        "kmsCalls": {region: dict(calls) for region, calls in _calls.items()},
    }
