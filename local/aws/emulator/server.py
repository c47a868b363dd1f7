"""moto's server, with our services in it, on one port of the loopback address.

What moto does not know is answered as an AWS error, which a client can read, rather than with a page of HTML.
Neither requests nor what they hold are logged.
"""

import json
import os
import sys
import traceback
from typing import Any

from flask import Flask, Response
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.exceptions import HTTPException
from werkzeug.serving import make_server

from . import acm, cognito, dynamodb, kms, private_ca, regions, sqs

HEALTH_PATH = "/tokenmesh/health"


class QuietRequestHandler(MotoRequestHandler):
    def log_request(self, *_: Any) -> None:
        pass


def answer_failure(error: Exception) -> Response | HTTPException:
    """An AWS error in JSON. A client does not try again what will never be there, hence not 500 for that."""
    if isinstance(error, HTTPException):
        return error
    if isinstance(error, NotImplementedError):
        return _aws_error(400, "UnknownOperationException", str(error))
    log_failure(error)
    return _aws_error(500, "InternalFailure", f"the emulator failed with {type(error).__name__}; see its log")


def log_failure(error: Exception) -> None:
    """Where it happened, and the kind of the error; not its text, which may quote what a request held."""
    where = "".join(traceback.format_tb(error.__traceback__)[-6:])
    print(f"{type(error).__name__}\n{where}", file=sys.stderr, flush=True)


def _aws_error(status: int, kind: str, message: str) -> Response:
    body = json.dumps({"__type": kind, "message": message})
    headers = {"x-amzn-errortype": kind}
    return Response(body, status=status, headers=headers, content_type="application/x-amz-json-1.1")


def create_app(service: Any) -> Flask:
    app = create_backend_app(service)
    app.register_error_handler(Exception, answer_failure)
    return app


class Emulator:
    """The WSGI application: our own routes, Cognito's routes without a signature, and moto for the rest."""

    def __init__(self) -> None:
        self.moto = DomainDispatcherApplication(create_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO", "")
        if path == HEALTH_PATH:
            return answer_json("200 OK", {"pid": os.getpid()}, start_response)
        method = environ.get("REQUEST_METHOD", "")
        answered = regions.answer(path, method, environ) or cognito.answer(path, method, environ)
        if answered is None:
            return self.moto(environ, start_response)
        return answer_json(*answered, start_response)


def answer_json(status: str, document: dict[str, Any], start_response: Any) -> list[bytes]:
    body = json.dumps(document).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def serve(host: str, port: int) -> None:
    """Serves until the process is ended."""
    for service in (private_ca, acm, kms, dynamodb, cognito, sqs):
        service.install()
    server = make_server(host, port, Emulator(), threaded=True, request_handler=QuietRequestHandler)
    print(f"serving AWS on http://{host}:{port}", flush=True)
    server.serve_forever()
