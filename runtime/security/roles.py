"""Who may say and hear what on a broker: one table, and from it mosquitto's dynamic security file.

A robot has the whole of its own topics and nothing of another's. Whatever a row does not grant is refused.
"""

from collections.abc import Iterable
from typing import Any, Literal

from runtime.contracts.topics import PREFIX

Kind = Literal["robot", "page", "viewer", "home", "keeper"]
KINDS: tuple[Kind, ...] = ("robot", "page", "viewer", "home", "keeper")
CONTROL = "$CONTROL/dynamic-security/v1"
_SHOWN = ("ack", "event", "state", "tele", "job", "meta")
_FROM_HOME = ("skill", "say", "halt", "volume", "mute", "view")
"""What an automation may ask for: it arms nothing, and gives no consent"""
Row = dict[str, Any]


def _own(robot: str) -> tuple[list[str], list[str]]:
    everything = [f"{PREFIX}/{robot}/#"]
    return [*everything, discovery(robot)], [*everything, "homeassistant/status"]


def discovery(robot: str) -> str:
    """Where Home Assistant looks for a robot; a wildcard stands for a whole level only."""
    return f"homeassistant/device/{'+' if robot == '+' else f'everpaw_{robot}'}/config"


def _shown(robot: str) -> list[str]:
    return [f"{PREFIX}/{robot}/{kind}/#" for kind in _SHOWN]


def _page(robot: str) -> tuple[list[str], list[str]]:
    sends = [f"{PREFIX}/{robot}/request/#", f"{PREFIX}/{robot}/cmnd/stop", discovery(robot)]
    return sends, [*_shown(robot), "homeassistant/status"]


def _viewer(robot: str) -> tuple[list[str], list[str]]:
    return [f"{PREFIX}/{robot}/request/view"], _shown(robot)


def _home(robot: str) -> tuple[list[str], list[str]]:
    asks = [f"{PREFIX}/{robot}/request/{act}" for act in _FROM_HOME]
    return [*asks, f"{PREFIX}/{robot}/cmnd/stop", "homeassistant/status"], [*_shown(robot), "homeassistant/#"]


def _keeper(_robot: str) -> tuple[list[str], list[str]]:
    own = [f"{PREFIX}/#", discovery("+")]
    return [f"{CONTROL}", *own], [f"{CONTROL}/response", "$SYS/#", *own]


GRANTS = {"robot": _own, "page": _page, "viewer": _viewer, "home": _home, "keeper": _keeper}
"""Kind -> (topics it may publish, topics it may hear) for one robot"""


def acls(kind: Kind, robots: Iterable[str]) -> list[Row]:
    """Rows of a role for `robots`; a page, viewer or home that names none may see all of them."""
    rows: list[Row] = []
    for robot in tuple(robots) or ("+",):
        sends, hears = GRANTS[kind](robot)
        for acl, granted in (
            ("publishClientSend", sends),
            ("publishClientReceive", hears),
            ("subscribePattern", hears),
        ):
            rows += [{"acltype": acl, "topic": topic, "priority": 0, "allow": True} for topic in granted]
    return [dict(row) for row in {tuple(row.items()): None for row in rows}]


def role(name: str, kind: Kind, robots: Iterable[str]) -> Row:
    """One role, named as its only client."""
    return {"rolename": name, "acls": acls(kind, robots)}


def client(name: str) -> Row:
    """A client that its certificate names. It has no password, so no password opens it."""
    return {"username": name, "roles": [{"rolename": name, "priority": 0}]}


def document(rows: Iterable[tuple[str, Kind, tuple[str, ...]]]) -> Row:
    """`dynamic-security.json` for (name, kind, robots) of every certificate that counts."""
    listed = sorted(rows)
    return {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": [client(name) for name, _, _ in listed],
        "groups": [],
        "roles": [role(name, kind, robots) for name, kind, robots in listed],
    }
