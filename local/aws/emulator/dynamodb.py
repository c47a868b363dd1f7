"""DynamoDB: one request at a time, and PartiQL inserts that take parameters and refuse what is there.

moto checks a condition and writes in two steps, on several threads: of two conditional puts both could win. Its
PartiQL knows no parameters in an INSERT, and overwrites.
"""

import functools
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import moto.dynamodb.urls as moto_urls
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import ConditionalCheckFailed, MockValidationException, ResourceNotFoundException
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends

from .partiql_insert import is_insert, parse_insert

BATCH_LIMIT = 25
DUPLICATE_SAID = "Duplicate primary key exists in table"


class DuplicateItemException(JsonRESTError):
    def __init__(self) -> None:
        super().__init__("com.amazonaws.dynamodb.v20120810#DuplicateItemException", DUPLICATE_SAID)


def _alone(name: str) -> Callable[..., Any]:
    inherited = getattr(DynamoDBBackend, name)

    @functools.wraps(inherited)
    def call(self: "EmulatedDynamoBackend", *args: Any, **more: Any) -> Any:
        with self.lock:
            return inherited(self, *args, **more)

    return call


class EmulatedDynamoBackend(DynamoDBBackend):
    def __init__(self, region_name: str, account_id: str):
        super().__init__(region_name, account_id)
        self.lock = threading.RLock()

    @property
    def _url_module(self) -> Any:
        return SimpleNamespace(url_bases=moto_urls.url_bases, url_paths=moto_urls.url_paths)

    get_item = _alone("get_item")
    put_item = _alone("put_item")
    update_item = _alone("update_item")
    delete_item = _alone("delete_item")
    query = _alone("query")
    scan = _alone("scan")
    transact_write_items = _alone("transact_write_items")

    def execute_statement(self, statement: str, parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        with self.lock:
            if not is_insert(statement):
                return super().execute_statement(statement, parameters)
            try:
                table_name, item = parse_insert(statement, parameters)
            except ValueError as error:
                raise MockValidationException(str(error))
            self._insert(table_name, item)
            return []

    def _insert(self, table_name: str, item: dict[str, Any]) -> None:
        """
        :raises DuplicateItemException: where an item with this key is there, which stays as it is.
        """
        hash_key = self.get_table(table_name).hash_key_attr
        try:
            self.put_item(
                table_name,
                item,
                condition_expression="attribute_not_exists(#hash_key)",
                expression_attribute_names={"#hash_key": hash_key},
                expression_attribute_values={},
            )
        except ConditionalCheckFailed:
            raise DuplicateItemException()

    def batch_execute_statement(self, statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Each statement by itself: one that is refused does not hold up the others."""
        if not 1 <= len(statements) <= BATCH_LIMIT:
            raise MockValidationException(f"a batch holds 1 to {BATCH_LIMIT} statements, not {len(statements)}")
        if not all(is_insert(statement["Statement"]) for statement in statements):
            return super().batch_execute_statement(statements)
        return [self._insert_of_batch(statement) for statement in statements]

    def _insert_of_batch(self, statement: dict[str, Any]) -> dict[str, Any]:
        parameters = statement.get("Parameters") or []
        try:
            table_name, _ = parse_insert(statement["Statement"], parameters)
            self.execute_statement(statement["Statement"], parameters)
            return {"TableName": table_name}
        except DuplicateItemException:
            return {"Error": {"Code": "DuplicateItem", "Message": DUPLICATE_SAID}}
        except ResourceNotFoundException:
            return {"Error": {"Code": "ResourceNotFound", "Message": "Requested resource not found"}}
        except (ValueError, MockValidationException) as error:
            message = getattr(error, "message", None) or str(error)
            return {"Error": {"Code": "ValidationError", "Message": message}}


def install() -> None:
    dynamodb_backends.backend = EmulatedDynamoBackend
