"""Which language model a pet has: the one of a server, if the settings name one, else none."""

from runtime.contracts.config import DialogueSettings
from runtime.mind.server import ServerTalker
from runtime.mind.talker import Talker


def talker_of(settings: DialogueSettings) -> Talker | None:
    """The talker that the settings ask for; ConfigError where they cannot be followed."""
    return ServerTalker(settings) if settings.server else None
