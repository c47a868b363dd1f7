"""Opens one record of the token table with the AWS Encryption SDK for Python, or seals one value with it.

Reads a JSON object from standard input: endpointUrl, region, keysTable,
kmsKeyArn, tenant; to open, tokensTable and token besides: prints one object, the
value of each field by name. To seal, value and context: prints the message in
base64. Shares no code with the service: whatever opens here opens anywhere.
"""

import base64
import json
import sys

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.keystore import KeyStore
from aws_cryptographic_material_providers.keystore.config import KeyStoreConfig
from aws_cryptographic_material_providers.keystore.models import KMSConfigurationKmsKeyArn
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CacheTypeDefault,
    CreateAwsKmsHierarchicalKeyringInput,
    DefaultCache,
)
from aws_encryption_sdk import CommitmentPolicy
from aws_encryption_sdk.identifiers import AlgorithmSuite


# What the encryption context has beside the four entries that all have: docs/record-format.md.
BOUND = ("revision", "kind", "format", "expiresAtMs", "subject", "reference")


def hierarchical_keyring(asked, dynamodb, kms):
    """The keyring over the tenant's branch key, as any reader of the table would make it."""
    key_store = KeyStore(
        config=KeyStoreConfig(
            ddb_client=dynamodb,
            ddb_table_name=asked["keysTable"],
            logical_key_store_name=asked["keysTable"],
            kms_client=kms,
            kms_configuration=KMSConfigurationKmsKeyArn(value=asked["kmsKeyArn"]),
        )
    )
    return AwsCryptographicMaterialProviders(config=MaterialProvidersConfig()).create_aws_kms_hierarchical_keyring(
        input=CreateAwsKmsHierarchicalKeyringInput(
            key_store=key_store,
            branch_key_id=asked["tenant"],
            ttl_seconds=60,
            cache=CacheTypeDefault(value=DefaultCache(entry_capacity=10)),
        )
    )


def connect(asked):
    """The table, the keyring and the Encryption SDK's client."""
    session = boto3.Session(region_name=asked["region"], aws_access_key_id="local", aws_secret_access_key="local")
    dynamodb = session.client("dynamodb", endpoint_url=asked["endpointUrl"])
    kms = session.client("kms", endpoint_url=asked["endpointUrl"])
    client = aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
    )
    return dynamodb, hierarchical_keyring(asked, dynamodb, kms), client


def seal_value(asked):
    _, keyring, client = connect(asked)
    message, _ = client.encrypt(
        source=asked["value"].encode("utf-8"),
        keyring=keyring,
        encryption_context=asked["context"],
        algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    )
    return base64.b64encode(message).decode("ascii")


def open_record(asked):
    dynamodb, keyring, client = connect(asked)
    key = {"pk": {"S": f"{asked['tenant']}#{asked['token']}"}, "sk": {"S": "record"}}
    item = dynamodb.get_item(TableName=asked["tokensTable"], Key=key, ConsistentRead=True)["Item"]
    # A record is bound to each of these that it has.
    traits = {name: next(iter(item[name].values())) for name in BOUND if name in item}
    values = {}
    for name, field in item["fields"]["M"].items():
        context = {
            "tenant": asked["tenant"],
            "token": asked["token"],
            "field": name,
            "class": field["M"]["class"]["S"],
            **traits,
        }
        plaintext, _ = client.decrypt(
            source=field["M"]["message"]["B"], keyring=keyring, encryption_context=context
        )
        values[name] = plaintext.decode("utf-8")
    return values


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(seal_value(asked) if "value" in asked else open_record(asked), sys.stdout)
