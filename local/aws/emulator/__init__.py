"""AWS, emulated: moto's server with the gaps closed that this project depends on.

Stock moto signs a private ACM certificate with the certificate's own key, answers RenewCertificate with an
internal error, decrypts with KMS keys that are disabled, does not import key material, lets two conditional puts of
one item both win, loses the order of a FIFO queue's group at a visibility timeout, and signs every user pool's tokens
with one key that it ships. Everything else is moto's own and stays so: each module here extends the classes of one
moto service, and overrides as little as it can.

    certificates.py         X.509: keys, templates, validity, signing (pure)
    general_names.py        what IssueCertificate's ApiPassthrough may say (pure)
    revocation_lists.py     X.509: certificate revocation lists (pure)
    authority.py            one CA of ACM Private CA: what it signs, refuses and revokes
    private_ca.py           ACM Private CA's calls
    private_certificate.py  one ACM certificate from a private CA, through request, export and renewal
    acm.py                  ACM: private certificates beside moto's own
    ciphertexts.py          what KMS Encrypt returns (pure)
    key_import.py           wrapping keys and import tokens for key material of one's own (pure)
    kms.py                  KMS: key states, multi-Region keys, imported key material
    kms_calls.py            KMS's calls: RSAES_OAEP, and those that moto lacks
    partiql_insert.py       PartiQL's INSERT (pure)
    dynamodb.py             DynamoDB: one request at a time, PartiQL inserts
    global_tables.py        DynamoDB: rows that travel between regions, the last writer wins
    regions.py              regions that are far, parted or lost, as the local run says
    tokens.py               JSON Web Tokens as Cognito signs them (pure)
    cognito.py              Cognito user pools: keys of their own, tokens for clients
    sqs.py                  SQS: the order of a FIFO queue's groups
    parent.py               ends with the parent process
    settings.py             what the environment may change
    server.py               all of it on one port

Run it: python -m emulator --host 127.0.0.1 --port 5010
"""
