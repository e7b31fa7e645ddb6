"""What a pack needs of the robot it runs on, compared with what is there."""

from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from runtime import __version__
from runtime.contracts.body import Body, load_body
from runtime.contracts.pack import Requirements


@dataclass(frozen=True, slots=True)
class Here:
    """What stands here; None where this process cannot know it."""

    runtime: str
    body: str | None = None
    limits_hash: str | None = None
    mcu_protocol: int | None = None

    @classmethod
    def of(cls, body: Body | None = None, mcu_protocol: int | None = None) -> "Here":
        """This program with `body` (Buddy's own where None)."""
        body = body or load_body()
        return cls(__version__, body.name, body.limits_hash, mcu_protocol)


def unmet(needs: Requirements, here: Here) -> list[str]:
    """One sentence with its cure for each requirement that is not met; what is unknown here is not judged."""
    found = []
    if not _matches(needs.runtime, here.runtime):
        found.append(f"it needs everpaw {needs.runtime}, here is {here.runtime}: update everpaw, or the pack")
    if here.mcu_protocol is not None and needs.mcu_protocol != here.mcu_protocol:
        found.append(
            f"it needs board protocol {needs.mcu_protocol}, here is {here.mcu_protocol}: update everpaw and"
            " flash the board (everpaw flash board auto)"
        )
    if here.body is not None and needs.body != here.body:
        found.append(f"it is made for body {needs.body!r}, here is {here.body!r}: build it for this body")
    if None not in (needs.limits_hash, here.limits_hash) and needs.limits_hash != here.limits_hash:
        found.append(
            f"it needs the limits {needs.limits_hash}, this body has {here.limits_hash}: build it again for"
            " this body"
        )
    return found


def _matches(specifier: str, version: str) -> bool:
    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return False
