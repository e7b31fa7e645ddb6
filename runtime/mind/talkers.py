"""Which language model a pet has: the one of a server, if the settings name one, else none."""

from runtime.contracts.config import DialogueSettings
from runtime.contracts.pack import Pack
from runtime.mind.server import ServerTalker
from runtime.mind.talker import Talker


def talker_of(pack: Pack, settings: DialogueSettings) -> Talker | None:
    """The talker of `settings`, else of `pack`; ConfigError or PackError where it cannot be used."""
    return ServerTalker(settings) if settings.server else None
