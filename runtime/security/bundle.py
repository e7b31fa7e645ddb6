"""What a client needs to reach a broker with certificates: a folder of three files.

ca.crt        the authority that vouches for the broker
client.crt    the client's own certificate
client.key    its key, readable by its owner only
"""

import ssl
from pathlib import Path

from runtime import whole
from runtime.contracts.errors import TrustError

AUTHORITY, CERTIFICATE, KEY = "ca.crt", "client.crt", "client.key"


def write(folder: Path, authority: bytes, certificate: bytes, key: bytes) -> Path:
    """The three files, each whole or not at all; returns `folder`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, data, mode in (
        (KEY, key, 0o600),
        (CERTIFICATE, certificate, 0o644),
        (AUTHORITY, authority, 0o644),
    ):
        whole.put(folder / name, data, mode)
    return folder


def context(folder: Path) -> ssl.SSLContext:
    """TLS 1.3 as the client of `folder`; TrustError where the files are missing, open or do not fit."""
    key = folder / KEY
    try:
        if key.stat().st_mode & 0o077:
            raise TrustError(f"others may read {key}; type: chmod 600 {key}")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.minimum_version = ssl.TLSVersion.TLSv1_3
        tls.load_verify_locations(folder / AUTHORITY)
        tls.load_cert_chain(folder / CERTIFICATE, key)
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "strerror", None) or error
        cure = "`everpaw security issue` and `pair` make such a folder"
        raise TrustError(f"{folder} does not hold the certificate of a client ({why}); {cure}") from error
    return tls
