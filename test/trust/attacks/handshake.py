"""One handshake that no TLS library of good faith makes, and what came of it, in a line.

Reads {host, port, name, chain, key, trick, ...} as JSON from standard input.
"""

import json
import socket
import sys

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
from tlslite.constants import ContentType
from tlslite.errors import BaseTLSException
from tlslite.messages import CertificateVerify, ClientHello, Message


class Dishonest(TLSConnection):
    """Leaves the proof of the key out, or spoils it."""

    trick = ""

    def _sendMsg(self, msg, *args, **kwargs):
        if isinstance(msg, CertificateVerify):
            if self.trick == "no proof of the key":
                return
            if self.trick == "a spoilt proof of the key":
                msg.signature = msg.signature[:-1] + bytes([msg.signature[-1] ^ 1])
        yield from super()._sendMsg(msg, *args, **kwargs)

    def raw(self, kind, data):
        for _ in super()._sendMsg(Message(kind, bytearray(data)), False):
            pass


def settings_of(asked):
    settings = HandshakeSettings()
    # It would compress its certificate for a server that has not asked for it.
    settings.certificate_compression_send = []
    settings.certificate_compression_receive = []
    for name in ("minVersion", "maxVersion"):
        if name in asked:
            setattr(settings, name, tuple(asked[name]))
    settings.versions = [each for each in settings.versions if each <= settings.maxVersion]
    for name in ("cipherNames", "macNames", "eccCurves", "keyShares", "keyExchangeNames", "dhGroups"):
        if name in asked:
            setattr(settings, name, asked[name])
    return settings


def hello_again():
    hello = ClientHello().create((3, 3), bytearray(32), bytearray(0), [0x1301])
    return hello.write()


def after_handshake(connection, trick):
    if trick == "a second hello":
        connection.raw(ContentType.handshake, hello_again())
    if trick == "a thousand key updates":
        for _ in range(1000):
            for _ in connection.send_keyupdate_request(0):
                pass
    if trick == "a hundred thousand empty records":
        for _ in range(100_000):
            connection.raw(ContentType.application_data, b"")


def main():
    asked = json.load(sys.stdin)
    certificates = X509CertChain()
    certificates.parsePemList(asked["chain"])
    raw = socket.create_connection((asked["host"], asked["port"]), timeout=10)
    connection = Dishonest(raw)
    connection.trick = asked.get("trick", "")
    print(attempt(connection, asked, certificates))


def attempt(connection, asked, certificates):
    try:
        connection.handshakeClientCert(
            certificates,
            parsePEMKey(asked["key"], private=True),
            settings=settings_of(asked),
            serverName=asked["name"],
            alpn=[b"http/1.1"],
        )
        after_handshake(connection, connection.trick)
        connection.write(f"GET /healthz HTTP/1.1\r\nhost: {asked['name']}\r\nconnection: close\r\n\r\n".encode())
        return "answered " + connection.read(max=12).decode()[9:]
    except BaseTLSException as error:
        return "refused: " + str(error)
    except OSError:
        return alert_of(connection)


def alert_of(connection):
    """What the other side said before it closed, which a write that failed hides."""
    try:
        connection.read(max=1)
        return "refused: no alert"
    except (BaseTLSException, OSError) as error:
        return "refused: " + (str(error) if isinstance(error, BaseTLSException) else "no alert")


main()
