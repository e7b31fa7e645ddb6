"""Which language model a pet has: the one of a server, if the settings name one, else its pack's, if any."""

from runtime.contracts.config import DialogueSettings
from runtime.contracts.pack import Pack
from runtime.mind.language_model import LanguageModel
from runtime.mind.server import ServerTalker
from runtime.mind.talker import Talker


def talker_of(pack: Pack, settings: DialogueSettings) -> Talker | None:
    """The talker of `settings`, else of `pack`; ConfigError or PackError where it cannot be used."""
    if settings.server:
        return ServerTalker(settings)
    own = any(name.startswith("dialogue/") for name in pack.manifest.files)
    return LanguageModel(pack.part("dialogue")) if own else None
