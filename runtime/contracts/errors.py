"""The errors of everpaw. A message says what happened, the value seen, and what to do next.

EverpawError
├── AudioError           a file, microphone or speaker that cannot be read or played
├── BusError             the MQTT broker is out of reach, or the port is taken
├── CloneError           a pet's folder, photo, recording or note that no clone can be made of
├── ConfigError          a setting that is unknown or out of range
├── EngineError          a TensorRT engine that cannot be built or is wrong
├── ExportError          a checkpoint that cannot be exported, or a variant outside the thresholds
├── FactError            a memory that is damaged, locked, full or without its key
├── GrammarError         a command grammar that cannot be used
├── LinkError            the serial link or the microcontroller behind it
├── MessageError         a topic or payload outside the contract
├── MissingExtraError    an optional package is not installed; names the line to type
├── PackError            a pack that is incomplete, altered or unknown
├── ScenarioError        a file of scenarios that cannot be played
├── SessionError         a recorded session that cannot be written, read or replayed
├── TrainingError        data or settings a recipe cannot learn from
├── TrustError           a key or a signature that cannot be used or is not trusted
└── UpdateError          an update that is refused or fails; `code` names the reason
"""


class EverpawError(Exception):
    """Base of all errors a user may see; the command line prints it as one line and exits with 1."""


class AudioError(EverpawError):
    pass


class BusError(EverpawError):
    pass


class CloneError(EverpawError):
    pass


class ConfigError(EverpawError):
    pass


class EngineError(EverpawError):
    pass


class ExportError(EverpawError):
    pass


class FactError(EverpawError):
    pass


class GrammarError(EverpawError):
    pass


class LinkError(EverpawError):
    pass


class MessageError(EverpawError):
    pass


class PackError(EverpawError):
    pass


class ScenarioError(EverpawError):
    pass


class SessionError(EverpawError):
    pass


class TalkerError(EverpawError):
    pass


class TrainingError(EverpawError):
    pass


class TrustError(EverpawError):
    pass


class UpdateError(EverpawError):
    """`code` is one word for scripts and for the `job` topic: `expired`, `rollback`, `wrong_key`, ..."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class MissingExtraError(EverpawError):
    """Raised where an optional package is first needed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; type: pip install 'everpaw[{extra}]'")
