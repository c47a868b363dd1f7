"""
What schemathesis cannot know of the tokenizer: how its name resolves here, which values and tokens are
real ones, and that an item of a batch fails for itself.
"""

import json
import os
import socket
import zlib

import schemathesis

NAME = os.environ["TOKENMESH_TOKENIZER_NAME"]
HOST = os.environ["TOKENMESH_TOKENIZER_HOST"]
TOKENS = os.environ["TOKENMESH_TOKENS"].split()

VALUES = {
    "email": "joe@example.com",
    "ip": "192.0.2.7",
    "name": "A Tester",
    "phone": "+44 20 7946 0000",
    "text": "call first",
}

resolve = socket.getaddrinfo


def getaddrinfo(host, *args, **kwargs):
    """The certificate has the mesh's own name, which no resolver of this machine knows."""
    return resolve(HOST if host in (NAME, NAME.encode()) else host, *args, **kwargs)


socket.getaddrinfo = getaddrinfo


def chosen(choices, seed):
    return choices[zlib.crc32(repr(seed).encode()) % len(choices)]


def with_real_fields(fields):
    """The names stay as they were made up; what is in them becomes what their classes take."""
    classes = {name: chosen(sorted(VALUES), name) for name in fields}
    return {name: {"class": each, "value": VALUES[each]} for name, each in classes.items()}


def with_real(body):
    """What fits the schema by its form alone gets as far as a 400. Half of it is made to fit."""
    if not isinstance(body, dict):
        return body
    if isinstance(body.get("items"), list):
        return {**body, "items": [with_real(item) for item in body["items"]]}
    if chosen([True, False], body):
        return body
    real = {name: value for name, value in body.items() if name not in ("tenant", "subject", "version")}
    if isinstance(real.get("fields"), dict):
        real["fields"] = with_real_fields(real["fields"])
        if "kind" in real:
            real["kind"] = chosen(["random", "one-time", "pointer", "deterministic", "one-way"], body)
        if "format" in real:
            real["format"] = chosen(["default", "uuid", "region"], body)
    if "class" in real and "value" in real:
        real["class"] = chosen(sorted(VALUES), body)
        real["value"] = VALUES[real["class"]]
    if isinstance(real.get("token"), str):
        real["token"] = chosen(TOKENS, body)
        real.pop("fields", None)
    return real


@schemathesis.hook
def before_call(ctx, case, **kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    case.body = with_real(case.body)
    parameters = case.path_parameters or {}
    if "reference" in parameters and chosen([True, False], case.body):
        case.path_parameters["reference"] = f"made-{zlib.crc32(repr(case.body).encode()) % 1000}"
    if "token" in parameters and chosen([True, False], parameters):
        case.path_parameters["token"] = chosen(TOKENS, parameters)
        if case.query:
            case.query.pop("tenant", None)


@schemathesis.check
def negative_item_rejection(ctx, response, case):
    """Of a batch that does not fit its schema, an item that does not has an error of its own."""
    is_negative = case.meta is not None and not case.meta.generation.mode.is_positive
    if is_negative and case.path.endswith("/batch") and response.status_code == 200:
        results = json.loads(response.content)["results"]
        assert any(result.get("error", {}).get("status") == 400 for result in results), "expected a refused item"
