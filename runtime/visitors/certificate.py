"""The page's own certificate, by the house's authority (runtime.security); browsers want a short life of it.

A browser that knows the authority's `ca.crt` opens the page without a warning; the fingerprint that is told
at the start is for comparing what a phone shows.
"""

import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256

from runtime import whole
from runtime.security.certificates import Authority, key_pem, new_key, pem, read_certificate
from runtime.security.house import House, alone
from runtime.security.register import ANYWHERE, HOSTS

LIFE = timedelta(days=397)
"""The longest that every browser takes"""
RENEW = timedelta(days=30)
_NAME = "page"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files of the page; `hosts` are the names under which it may be opened."""

    certificate: Path
    key: Path
    authority: bytes
    hosts: tuple[str, ...]

    @property
    def reached_at(self) -> str:
        """What a phone types: an address of this computer where there is one, because few know its name."""
        others = [host for host in self.hosts if host not in HOSTS]
        return next((host for host in others if host.count(".") == 3), [*others, self.hosts[0]][0])

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the authority, as browsers and phones show it."""
        digest = read_certificate(self.authority, "the authority").fingerprint(SHA256())
        return ":".join(f"{byte:02X}" for byte in digest)


def credentials(house_folder: Path, folder: Path, listen: str, names: Iterable[str]) -> Credentials:
    """The certificate in `folder`, made or renewed where it must be; TrustError where there is no house."""
    house = House.open(house_folder)
    hosts = tuple(dict.fromkeys([*HOSTS, *house.register.hosts, *_own_names(listen), *names]))
    certificate, key = folder / "page.crt", folder / "page.key"
    now = datetime.now(UTC)
    if not (key.exists() and _serves(certificate, house.authority, hosts, now)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = new_key()
        made = house.authority.issue(
            _NAME, fresh.public_key(), now - timedelta(days=1) + LIFE, hosts, now - timedelta(days=1)
        )
        whole.put(key, key_pem(fresh))
        whole.put(certificate, pem(made), 0o644)
        with alone(house_folder):
            house.note("renewed", name=_NAME)
    return Credentials(certificate, key, pem(house.authority.certificate), hosts)


def context(credentials: Credentials) -> ssl.SSLContext:
    """TLS 1.3 alone."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.load_cert_chain(credentials.certificate, credentials.key)
    return tls


def _serves(path: Path, authority: Authority, hosts: tuple[str, ...], now: datetime) -> bool:
    if not path.exists():
        return False
    certificate = read_certificate(path.read_bytes(), "the page")
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (InvalidSignature, ValueError, TypeError):
        return False
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {str(name.value) for name in named}
    return certificate.not_valid_after_utc - now > RENEW and set(hosts) <= known


def _own_names(listen: str) -> list[str]:
    """How this computer is called on its network, and its addresses where the page listens on all of them."""
    name = socket.gethostname().partition(".")[0]
    names = [name, f"{name}.local"] if name.replace("-", "").isalnum() else []
    return [*names, *(_addresses() if listen in ANYWHERE else [str(ip_address(listen))])]


def _addresses() -> list[str]:
    """Of the ways out of this computer; no packet is sent to find them."""
    found = []
    for family, somewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((somewhere, 9))
                found.append(str(probe.getsockname()[0]))
        except OSError:
            continue
    return found
