"""A house's authority on disk: who has a certificate, and all that a broker needs to know of it.

authority.key, ca.crt    what vouches; the key never leaves this folder
register.json            every certificate ever issued, and whether it was taken back
mosquitto.conf, server.*, crl.pem, dynamic-security.json    the broker's, made from the register
clients/NAME/            the bundle of each client, to be carried to its machine
security.log             what happened, a JSON object a line; never a code or a key
"""

import fcntl
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from runtime import whole
from runtime.contracts.errors import TrustError
from runtime.contracts.keys import keys_folder
from runtime.contracts.topics import check_robot_id
from runtime.security import bundle, mosquitto, roles
from runtime.security.certificates import (
    CLIENT_LIFE,
    SERVER_LIFE,
    Authority,
    PublicKey,
    key_pem,
    new_key,
    pem,
    public_of,
    read_certificate,
)
from runtime.security.register import Issued, Register

REGISTER, AUTHORITY_KEY, CLIENTS, LOG = "register.json", "authority.key", "clients", "security.log"
KEEPER, SERVER = "keeper", "broker"
RESERVED = (SERVER, "authority")
"""What `rotate` calls other things by"""
MAX_LOG_BYTES = 1_000_000
_NAME = re.compile(r"[a-z0-9-]{1,32}")


def default_folder() -> Path:
    """`broker` beside the owner's keys."""
    return keys_folder().parent / "broker"


@dataclass(slots=True)
class House:
    """The authority of one folder. Every change is written before it returns."""

    folder: Path
    register: Register
    authority: Authority

    @classmethod
    def make(cls, folder: Path, register: Register, now: datetime) -> "House":
        """A new authority; TrustError where there is one already."""
        if (folder / REGISTER).exists():
            raise TrustError(f"{folder} holds an authority already; use it, or give another --broker-folder")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        house = cls(folder, register, Authority.make("everpaw house", now))
        house._keep_authority()
        house.renew_server(now)
        house.issue(KEEPER, "keeper", (), now)
        return house

    @classmethod
    def open(cls, folder: Path) -> "House":
        """TrustError where there is none, or it cannot be read."""
        try:
            register = Register.model_validate_json((folder / REGISTER).read_bytes())
            key, certificate = (folder / AUTHORITY_KEY), (folder / mosquitto.AUTHORITY)
            if key.stat().st_mode & 0o077:
                raise TrustError(f"others may read {key}; type: chmod 600 {key}")
            return cls(folder, register, Authority.read(certificate.read_bytes(), key.read_bytes()))
        except FileNotFoundError as error:
            raise TrustError(
                f"{folder} holds no authority ({error.filename} is missing); make one with: "
                "everpaw security init --robot ID"
            ) from error
        except ValidationError as error:
            raise TrustError(f"{folder / REGISTER} is damaged ({error.errors()[0]['msg']})") from error

    def issue(
        self,
        name: str,
        kind: roles.Kind,
        robots: Sequence[str],
        now: datetime,
        life: timedelta = CLIENT_LIFE,
    ) -> Path:
        """A certificate and key for `name`, as a bundle; the one it had before is taken back."""
        key = new_key()
        certificate = self._vouch(name, kind, robots, now + life, key.public_key())
        place = self.folder / CLIENTS / name
        return bundle.write(place, pem(self.authority.certificate), certificate, key_pem(key))

    def certify(
        self, name: str, kind: roles.Kind, robots: Sequence[str], now: datetime, asked: bytes
    ) -> bytes:
        """A certificate, as PEM, for whoever holds the key of the request `asked`."""
        return self._vouch(name, kind, robots, now + CLIENT_LIFE, public_of(asked))

    def _vouch(
        self, name: str, kind: roles.Kind, robots: Sequence[str], until: datetime, public: PublicKey
    ) -> bytes:
        check_name(name)
        before = self.register.valid(name)
        if before is not None and before.kind != kind:
            raise TrustError(f"{name} is a {before.kind}; revoke it first, or give another name")
        certificate = self.authority.issue(name, public, until)
        row = Issued(
            name=name,
            kind=kind,
            robots=tuple(map(check_robot_id, robots)),
            serial=f"{certificate.serial_number:x}",
            until=until,
        )
        self._save((*self._without(name), row))
        self.note("renewed" if before else "issued", name=name, kind=kind)
        return pem(certificate)

    def renew_server(self, now: datetime) -> None:
        """Another certificate for the broker itself."""
        key = new_key()
        certificate = self.authority.issue(SERVER, key.public_key(), now + SERVER_LIFE, self.register.hosts)
        whole.put(self.folder / mosquitto.SERVER_KEY, key_pem(key))
        whole.put(self.folder / mosquitto.SERVER, pem(certificate), 0o644)
        self._save(self.register.issued)
        self.note("renewed", name=SERVER)

    def revoke(self, name: str) -> Issued:
        """Take the certificate of `name` back; TrustError where it has none."""
        row = self.register.valid(name)
        if row is None:
            known = ", ".join(r.name for r in self.register.clients) or "nobody"
            raise TrustError(f"{name!r} has no certificate here; those who have: {known}")
        self._save(self._without(name))
        self.note("revoked", name=name, kind=row.kind)
        return row

    def rotate(self, name: str, now: datetime) -> Path:
        """A new certificate in the place of the one of `name`, which is taken back."""
        row = self.register.valid(name)
        if row is None:
            raise TrustError(f"{name!r} has no certificate here; issue one first")
        return self.issue(name, row.kind, row.robots, now)

    def rotate_authority(self, now: datetime) -> list[Path]:
        """Another authority, and everybody's certificate anew; whoever has an old bundle is locked out."""
        clients = self.register.clients
        self.authority = Authority.make("everpaw house", now)
        self.register = self.register.model_copy(update={"issued": ()})
        self._keep_authority()
        self.note("new authority")
        self.renew_server(now)
        return [self.issue(row.name, row.kind, row.robots, now) for row in clients]

    def note(self, what: str, **facts: str) -> None:
        """A line of the security log; the older half goes where it grew too long."""
        path = self.folder / LOG
        line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "what": what, **facts})
        old = path.read_bytes() if path.exists() else b""
        if len(old) > MAX_LOG_BYTES:
            old = old[len(old) // 2 :].partition(b"\n")[2]
        whole.put(path, old + line.encode() + b"\n")

    def server_certificate_ends(self) -> datetime:
        whose = "the broker"
        return read_certificate((self.folder / mosquitto.SERVER).read_bytes(), whose).not_valid_after_utc

    def _keep_authority(self) -> None:
        whole.put(self.folder / AUTHORITY_KEY, key_pem(self.authority.key))
        whole.put(self.folder / mosquitto.AUTHORITY, pem(self.authority.certificate), 0o644)

    def _without(self, name: str) -> tuple[Issued, ...]:
        rows = self.register.issued
        return tuple(r.model_copy(update={"revoked": True}) if r.name == name else r for r in rows)

    def _save(self, issued: tuple[Issued, ...]) -> None:
        """Write the register, then what follows from it."""
        self.register = self.register.model_copy(update={"issued": issued})
        text = self.register.model_dump_json(indent=1) + "\n"
        whole.put(self.folder / REGISTER, text.encode())
        for name, data in self.derived().items():
            whole.put(self.folder / name, data)

    def derived(self) -> dict[str, bytes]:
        """File name -> what it must hold, by the register."""
        gone = [int(row.serial, 16) for row in self.register.issued if row.revoked]
        rows = [(row.name, row.kind, row.robots) for row in self.register.clients]
        listen, port = self.register.listen, self.register.port
        config = mosquitto.configuration(self.folder, listen, port, len(rows))
        return {
            mosquitto.REVOKED: self.authority.revoked(gone),
            mosquitto.ROLES: (json.dumps(roles.document(rows), indent=1) + "\n").encode(),
            mosquitto.CONFIG: config.encode(),
        }


def check_name(name: str) -> str:
    """`name`; TrustError where no client can be called so."""
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise TrustError(f"{name!r} is no name for a client; use 1 to 32 of a-z, 0-9 and '-'")
    return name


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """No second program changes the authority meanwhile."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TrustError(f"another everpaw works on {folder}; wait for its end") from error
        yield
