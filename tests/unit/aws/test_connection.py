"""Proves that HTTPS is verified, and that a connection is dropped when its answer cannot be read."""

import ipaddress
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from smallbox.aws.signed.answers import UnreadableAnswer
from smallbox.aws.signed.connection import KeptConnection
from tests.fakes.http import playing


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine that nobody else trusts, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    present = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(present - timedelta(days=1))
        .not_valid_after(present + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


def test_https_is_verified(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is believed when ``AWS_CA_BUNDLE`` holds its certificate, and refused when nothing does."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with playing(lambda _, body: (200, {}, body), tls) as endpoint:
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            KeptConnection(endpoint).send("POST", "/", b"asked", {})
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        kept = KeptConnection(endpoint)
        socks = set()
        for body in (b"one", b"two", b"three"):
            assert kept.send("POST", "/", body, {"host": kept.host}).body == body
            socks.add(kept._socket)
        assert len(socks) == 1


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"])
def test_a_connection_with_an_unreadable_answer_is_dropped(garbage: bytes) -> None:
    """The next request goes over a new connection, and gets its own answer."""
    answers = [garbage, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood"]

    def serve(server: socket.socket) -> None:
        for answer in answers:
            accepted, _ = server.accept()
            with accepted:
                accepted.recv(65_536)
                accepted.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        kept = KeptConnection(f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(UnreadableAnswer):
            kept.send("GET", "/", b"", {"host": kept.host})
        assert kept.send("GET", "/", b"", {"host": kept.host}).body == b"good"
        thread.join()
