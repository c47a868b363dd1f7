"""DynamoDB: one request at a time, PartiQL inserts that take parameters and refuse what is there, global tables.

moto checks a condition and writes in two steps, on several threads: of two conditional puts both could win. Its
PartiQL knows no parameters in an INSERT, and overwrites.
"""

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import moto.dynamodb.urls as moto_urls
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import ConditionalCheckFailed, MockValidationException, ResourceNotFoundException
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends

from .global_tables import Write, global_tables
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
        self.lock = global_tables.lock
        self.under_way: list[tuple[str, dict[str, Any], dict[str, Any] | None]] | None = None
        """What a transaction has written, until it is known whether it holds."""
        global_tables.serve(region_name, self._apply)

    @property
    def _url_module(self) -> Any:
        return SimpleNamespace(url_bases=moto_urls.url_bases, url_paths=moto_urls.url_paths)

    get_item = _alone("get_item")
    query = _alone("query")
    scan = _alone("scan")

    def put_item(self, table_name: str, item_attrs: dict[str, Any], *args: Any, **more: Any) -> Any:
        with self.lock:
            item = super().put_item(table_name, item_attrs, *args, **more)
            self._written(table_name, item_attrs, item)
            return item

    def update_item(self, table_name: str, key: dict[str, Any], *args: Any, **more: Any) -> Any:
        with self.lock:
            item = super().update_item(table_name, key, *args, **more)
            self._written(table_name, key, item)
            return item

    def delete_item(self, table_name: str, key: dict[str, Any], *args: Any, **more: Any) -> Any:
        with self.lock:
            item = super().delete_item(table_name, key, *args, **more)
            if item is not None:
                self._written(table_name, key, None)
            return item

    def transact_write_items(self, transact_items: list[dict[str, Any]]) -> None:
        with self.lock:
            self.under_way = []
            try:
                super().transact_write_items(transact_items)
                for write in self.under_way:
                    global_tables.written(self.region_name, *write)
            finally:
                self.under_way = None

    def _written(self, table_name: str, attributes: dict[str, Any], item: Any) -> None:
        key = {name: attributes[name] for name in self.get_table(table_name).table_key_attrs}
        write = (table_name, key, None if item is None else item.to_json()["Attributes"])
        if self.under_way is None:
            global_tables.written(self.region_name, *write)
        else:
            self.under_way.append(write)

    def _apply(self, write: Write) -> bool:
        """As it came from another region: no condition, and not sent on."""
        if write.table not in self.tables:
            return False
        if write.item is None:
            super().delete_item(write.table, write.key)
        else:
            super().put_item(write.table, write.item)
        return True

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
