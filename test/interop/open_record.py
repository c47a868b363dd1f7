"""Opens one record of the token table with the AWS Encryption SDK for Python.

Reads a JSON object from standard input: endpointUrl, region, tokensTable,
keysTable, kmsKeyArn, tenant, token. Prints one: the value of each field, by
name. Shares no code with the service: whatever opens here opens anywhere.
"""

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


def open_record(asked):
    session = boto3.Session(region_name=asked["region"], aws_access_key_id="local", aws_secret_access_key="local")
    dynamodb = session.client("dynamodb", endpoint_url=asked["endpointUrl"])
    kms = session.client("kms", endpoint_url=asked["endpointUrl"])
    keyring = hierarchical_keyring(asked, dynamodb, kms)
    client = aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
    )
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
    json.dump(open_record(json.load(sys.stdin)), sys.stdout)
