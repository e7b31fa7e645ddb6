"""`register.json` of a house: where its broker listens, and every certificate it ever issued."""

from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from runtime.contracts.errors import TrustError
from runtime.security import mosquitto, roles

HOSTS = ("localhost", "127.0.0.1", "::1")
ANYWHERE = ("0.0.0.0", "::")
"""A broker that listens here takes whatever reaches the computer"""


class Issued(BaseModel):
    """One certificate."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    kind: roles.Kind
    robots: tuple[str, ...] = ()
    """Whose topics it may use; all of them where it names none"""
    serial: str
    """Hexadecimal"""
    until: datetime
    revoked: bool = False


class Register(BaseModel):
    """`register.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    layout: Literal[1] = 1
    listen: Annotated[str, AfterValidator(lambda address: str(ip_address(address)))] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = mosquitto.PORT
    hosts: tuple[str, ...] = HOSTS
    """Names and addresses under which clients reach the broker"""
    issued: tuple[Issued, ...] = ()

    def changed(self, **settings: object) -> "Register":
        """With other settings; TrustError where one of them cannot be, so that none is ever written."""
        try:
            return Register.model_validate(self.model_dump() | settings)
        except ValidationError as error:
            first = error.errors()[0]
            raise TrustError(f"{first['loc'][0]} = {first['input']!r}: {first['msg']}") from error

    @property
    def here(self) -> str:
        """Where a program of this computer reaches the broker."""
        return "127.0.0.1" if self.listen in ANYWHERE else self.listen

    def valid(self, name: str) -> Issued | None:
        """The certificate of `name` that counts."""
        return next((row for row in reversed(self.issued) if row.name == name and not row.revoked), None)

    @property
    def clients(self) -> list[Issued]:
        return [row for row in self.issued if not row.revoked]
