"""Certificates of a home's own authority: made, renewed, taken back.

Keys are ECDSA on P-256, which every TLS 1.3 library speaks. A certificate is valid from 1970 on, because a
robot without a battery for its clock starts there and must still reach its broker; its end is checked
wherever the time is known. A list of what was taken back never ends: a list that ran out would lock a
house out of its own broker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runtime.contracts.errors import TrustError

BEGIN = datetime(1970, 1, 2, tzinfo=UTC)
AUTHORITY_LIFE = timedelta(days=3650)
CLIENT_LIFE = timedelta(days=825)
SERVER_LIFE = timedelta(days=825)
_LIST_END = datetime(2100, 1, 1, tzinfo=UTC)
PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey
PublicKey: TypeAlias = ec.EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that vouches for others, and its key."""

    certificate: x509.Certificate
    key: PrivateKey

    @classmethod
    def make(cls, name: str, now: datetime) -> "Authority":
        key = new_key()
        builder = _builder(_named(name), _named(name), key.public_key(), now + AUTHORITY_LIFE)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs_others=True), critical=True)
        subject = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        return cls(builder.add_extension(subject, critical=False).sign(key, SHA256()), key)

    @classmethod
    def read(cls, certificate: bytes, key: bytes) -> "Authority":
        """From PEM; TrustError where it is none."""
        return cls(read_certificate(certificate, "the authority"), read_key(key, "the authority"))

    def issue(
        self,
        name: str,
        public: PublicKey,
        until: datetime,
        hosts: Sequence[str] = (),
        begin: datetime = BEGIN,
    ) -> x509.Certificate:
        """A certificate for `name`: a server reached at `hosts`, or a client where there are none."""
        builder = _builder(_named(name), self.certificate.subject, public, until, begin)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs_others=False), critical=True)
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        parent = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(parent, critical=False)
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(h) for h in hosts]), critical=False
            )
        return builder.sign(self.key, SHA256())

    def revoked(self, serials: Sequence[int]) -> bytes:
        """The list of what was taken back, as PEM."""
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, BEGIN, _LIST_END)
        for serial in serials:
            row = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(BEGIN)
            builder = builder.add_revoked_certificate(row.build())
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)


def new_key() -> PrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def read_certificate(data: bytes, whose: str) -> x509.Certificate:
    """From PEM; TrustError names `whose` where it is none."""
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError as error:
        raise TrustError(f"the certificate of {whose} is damaged ({error}); put back a copy") from error


def read_key(data: bytes, whose: str) -> PrivateKey:
    """From PEM; TrustError names `whose` where it is no P-256 key."""
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError) as error:
        raise TrustError(f"the key of {whose} is damaged ({error}); put back a copy") from error
    if not isinstance(key, PrivateKey):
        raise TrustError(f"the key of {whose} is no ECDSA key; make it anew: everpaw security rotate")
    return key


def request(key: PrivateKey) -> bytes:
    """What asks an authority for a certificate, as PEM: proof that the asker holds `key`."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_named("everpaw"))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def public_of(asked: bytes) -> PublicKey:
    """The key of a request; TrustError where the asker does not hold it."""
    try:
        read = x509.load_pem_x509_csr(asked)
    except ValueError as error:
        raise TrustError(f"what was sent asks for no certificate ({error}); pair again") from error
    public = read.public_key()
    if not read.is_signature_valid or not isinstance(public, PublicKey):
        raise TrustError("whoever asks for a certificate does not hold its key; pair again")
    return public


def _builder(
    subject: x509.Name, issuer: x509.Name, public: PublicKey, until: datetime, begin: datetime = BEGIN
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(until)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs_others: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_others,
        key_cert_sign=signs_others,
        crl_sign=signs_others,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
