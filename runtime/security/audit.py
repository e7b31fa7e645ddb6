"""`everpaw security audit`: is the broker's side as it should be, on disk and by trial?"""

import json
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from runtime.addresses import in_house
from runtime.broker import find_broker
from runtime.finding import Finding
from runtime.security import bundle, mosquitto
from runtime.security.house import AUTHORITY_KEY, CLIENTS, KEEPER, LOG, REGISTER, House
from runtime.security.register import ANYWHERE

SOON = timedelta(days=60)
PRIVATE = (AUTHORITY_KEY, REGISTER, LOG, mosquitto.SERVER_KEY, mosquitto.ROLES)


def audit(house: House, now: datetime) -> Iterator[Finding]:
    """A finding a line; nothing is changed."""
    yield _closed(house.folder)
    yield from _ends(house, now)
    yield _as_written(house)
    yield _listening(house)
    yield from _tried(house)
    yield _wrong_codes(house.folder / LOG)


def _closed(folder: Path) -> Finding:
    keys = [*(folder / name for name in PRIVATE), *folder.glob(f"{CLIENTS}/*/{bundle.KEY}")]
    open_ = [path for path in keys if path.exists() and path.stat().st_mode & 0o077]
    cure = f"chmod 600 {' '.join(map(str, open_))}"
    seen = f"{len(keys)} private files" + (f", others may read {len(open_)}" if open_ else ", yours alone")
    return Finding("keys", not open_, seen, cure)


def _ends(house: House, now: datetime) -> Iterator[Finding]:
    ends = {"authority": house.authority.certificate.not_valid_after_utc}
    ends["broker"] = house.server_certificate_ends()
    ends |= {row.name: row.until for row in house.register.clients}
    for name, until in ends.items():
        left = until - now
        seen = f"valid until {until:%Y-%m-%d}" if left > timedelta(0) else f"ended on {until:%Y-%m-%d}"
        yield Finding(name, left > SOON, seen, f"everpaw security rotate {name}")


def _as_written(house: House) -> Finding:
    """Configuration and roles hold what the register says; a running broker may lay out its file anew."""
    want = house.derived()
    off = [
        name
        for name in (mosquitto.CONFIG, mosquitto.ROLES)
        if _read(house.folder / name, name) != _parsed(want[name], name)
    ]
    seen = f"{', '.join(off)} differ from the register" if off else "as the register says"
    return Finding("configuration", not off, seen, "everpaw security init writes it anew; restart the broker")


def _read(path: Path, name: str) -> object:
    return _parsed(path.read_bytes(), name) if path.exists() else None


def _parsed(data: bytes, name: str) -> object:
    """Roles without order, and without what the broker adds by itself."""
    if name != mosquitto.ROLES:
        return data
    try:
        document = json.loads(data)
        return {
            "access": document["defaultACLAccess"],
            "clients": sorted(c["username"] for c in document["clients"]),
            "roles": {
                role["rolename"]: sorted((a["acltype"], a["topic"], a["allow"]) for a in role["acls"])
                for role in document["roles"]
            },
        }
    except (ValueError, KeyError, TypeError):
        return data


def _listening(house: House) -> Finding:
    listen = house.register.listen
    seen = f"{listen}:{house.register.port}, TLS 1.3, a certificate from everybody"
    well = listen in ANYWHERE or in_house(listen)
    return Finding("listens at", well, seen, "no broker belongs on a public address: init --listen")


def _tried(house: House) -> Iterator[Finding]:
    host, port = house.register.here, house.register.port
    ours = bundle.context(house.folder / CLIENTS / KEEPER)
    if find_broker(host, port, tls=ours) is None:
        cure = f"mosquitto -c {house.folder / mosquitto.CONFIG}"
        yield Finding("broker", False, f"none of this house answers at {host}:{port}", cure, "optional")
        return
    yield Finding("broker", True, f"answers at {host}:{port} with our certificate")
    strangers = {"in clear": find_broker(host, port), "without certificate": _bare(host, port, house)}
    let_in = [how for how, broker in strangers.items() if broker]
    seen = f"lets in {', '.join(let_in)}" if let_in else "lets in nobody in clear or without certificate"
    yield Finding("strangers", not let_in, seen, "restart it with the configuration of this folder")
    plain = find_broker(_own_address(), 1883, timeout_s=0.3)
    seen = "another broker takes anybody on this network" if plain else "no open broker on 1883"
    yield Finding("beside it", plain is None, seen, "stop it, or let it listen on 127.0.0.1 alone")


def _bare(host: str, port: int, house: House) -> object:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.load_verify_locations(house.folder / mosquitto.AUTHORITY)
    return find_broker(host, port, tls=tls)


def _own_address() -> str:
    """This computer's address on its network; the loopback where it has none."""
    try:
        addresses = socket.gethostbyname_ex(socket.gethostname())[2]
    except OSError:
        return "127.0.0.1"
    return next((a for a in addresses if not a.startswith("127.")), "127.0.0.1")


def _wrong_codes(log: Path) -> Finding:
    lines = log.read_text().splitlines() if log.exists() else []
    wrong = sum('"pairing refused"' in line for line in lines)
    return Finding(
        "pairing",
        wrong < 10,
        f"{wrong} refused of {len(lines)} lines of the log",
        f"look at {log}",
        "optional",
    )
