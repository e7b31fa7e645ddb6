"""The files of the scenarios: YAML, checked when they are read.

    never: [REGEX, ...]              said in none of the file's scenarios; those of never.yaml in none at all
    scenarios:
      - name: sits when asked
        seed: 3
        falls_short: why             known not to go as it should; that it does now is told as well
        hour: 22.5                   the time of day; the pet lives on of its own will while it waits;
                                     whatever is said to it needs `sound`
        memory: allowed              or asks: an empty memory of people; none where left out
        never: [REGEX, ...]          said in no turn of this one
        steps:
          - say: sit down            words, as if they had been recognised
            times: 10                so often, each time with the same expectations
            repeats: 0               replies that are the one before, at most
            wordings: 3              different replies, at least
            by: anna                 who speaks; only for the reader
            sound: true              spoken aloud in a room, and heard by the whole pet
            into: 0.8                so many seconds into the reply to the step before; needs `sound`
            leaves: REGEX            what is remembered as said of that reply
            early: kept              or taken back, reaction: what became of what began before the end
            over: {say: .., delay_s: 0.4, level_db: -6}     a second voice at the same time; needs `sound`
            cut: 0.4                 the person speaks into the reply after this share of it
            intent: sit              or [sit, lie_down], or null for not understood
            act: sit                 or [sit, lie]: name of skill or gait, halt, or none
            slots: {direction: left}
            says: REGEX              the reply must match
            never: [REGEX, ...]
            said: REGEX              what is remembered as said must match
            mood: happy              or [calm, happy]: the mood afterwards
            own: [lie, sleep]        skills and gaits of its own will since the step before: nothing else, and
                                     at least one; `some` for any, [] for none; needs an `hour`
            posture: asleep          or [stand, sit, lie]: afterwards; needs an `hour`
            help: true               it halts and names help; false: it does not offer help
          - each: [WORDS, WORDS]     instead of `say`: so many turns, each as expected
          - wait: 60                 seconds of quiet
          - talk: {turns: 100, seed: 5}      so many random sentences of the grammar
            repeats: 0               replies that are the one before, at most

A step without `intent`, `act` or `says` only has to be survived. Regular expressions ignore case.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from runtime.answer import Early
from runtime.contracts.config import Settings
from runtime.contracts.errors import ScenarioError
from runtime.life.acts import ASLEEP, AWAKE
from runtime.mind.emotion import MOODS

FOLDER = Path(__file__).parent
NEVER = FOLDER / "never.yaml"
MAX_BYTES = 1_000_000
ANY = "*"
"""Where a step does not say what to expect"""


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression ({error})") from error
    return pattern


S = TypeVar("S", bound=Settings)
Pattern = Annotated[str, AfterValidator(_compiles)]


class Over(Settings):
    """A second voice at the same time."""

    say: Annotated[str, Field(min_length=1, max_length=200)]
    delay_s: Annotated[float, Field(ge=0, le=5)] = 0.0
    level_db: Annotated[float, Field(ge=-40, le=20)] = 0.0


class Talk(Settings):
    """A long talk."""

    turns: Annotated[int, Field(ge=1, le=1_000)]
    seed: int = 0


class Step(Settings):
    """One thing that happens, and what is expected of it."""

    say: Annotated[str, Field(max_length=2_000)] | None = None
    each: tuple[Annotated[str, Field(max_length=2_000)], ...] | None = None
    times: Annotated[int, Field(ge=1, le=1_000)] = 1
    wordings: Annotated[int, Field(ge=1)] = 1
    by: str = ""
    sound: bool = False
    into: Annotated[float, Field(ge=0, le=10)] | None = None
    leaves: Pattern | None = None
    early: Early | None = None
    over: Over | None = None
    noise_db: Annotated[float, Field(ge=-10, le=60)] | None = None
    """Noise so far under the voice; needs `sound`"""
    cut: Annotated[float, Field(ge=0, le=1)] | None = None
    intent: str | list[str | None] | None = ANY
    act: str | tuple[str, ...] = ANY
    slots: dict[str, str] | None = None
    says: Pattern = ""
    said: Pattern | None = None
    never: tuple[Pattern, ...] = ()
    mood: str | tuple[str, ...] = ()
    own: Literal["some"] | tuple[str, ...] | None = None
    posture: str | tuple[str, ...] = ()
    help: bool | None = None
    wait: Annotated[float, Field(ge=0, le=86_400)] | None = None
    talk: Talk | None = None
    repeats: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> "Step":
        if sum(part is not None for part in (self.say, self.each, self.wait, self.talk)) != 1:
            raise ValueError("a step has exactly one of say, each, wait, talk")
        if self.mood and not {*self.moods} <= {*MOODS}:
            raise ValueError(f"mood {self.mood!r}: give some of {', '.join(MOODS)}")
        if self.posture and not {*self.postures} <= {*AWAKE, ASLEEP}:
            raise ValueError(f"posture {self.posture!r}: give some of {', '.join((*AWAKE, ASLEEP))}")
        aloud = (self.over, self.noise_db, self.into, self.leaves, self.early)
        if any(part is not None for part in aloud) and not self.sound:
            raise ValueError("a second voice, noise, into, leaves and early need `sound: true`")
        if self.cut is not None and self.sound:
            raise ValueError("`cut` is for typed words; aloud, let the next step speak `into` the reply")
        return self

    @property
    def words(self) -> tuple[str, ...]:
        """All that is said in this step, in order."""
        said = self.each if self.each is not None else () if self.say is None else (self.say,)
        return said * self.times

    @property
    def acts(self) -> tuple[str, ...]:
        """Every act that is right; () where any is."""
        return () if self.act == ANY else (self.act,) if isinstance(self.act, str) else self.act

    @property
    def moods(self) -> tuple[str, ...]:
        """Every mood that is right; () where any is."""
        return (self.mood,) if isinstance(self.mood, str) else self.mood

    @property
    def postures(self) -> tuple[str, ...]:
        """Every posture that is right; () where any is."""
        return (self.posture,) if isinstance(self.posture, str) else self.posture

    @property
    def intents(self) -> list[str | None]:
        """Every intent that is right; [] where any is."""
        if self.intent == ANY:
            return []
        return list(self.intent) if isinstance(self.intent, list) else [self.intent]


class Scenario(Settings):
    """One conversation with a pet that was just started."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    seed: int = 7
    hour: Annotated[float, Field(ge=0, lt=24)] | None = None
    """When it begins; None: no own will"""
    falls_short: str = ""
    """Why it is known not to go as it should"""
    memory: Literal["none", "asks", "allowed"] = "none"
    """A memory of people, empty: none; one that nobody allowed yet; one that the owner allowed"""
    never: tuple[Pattern, ...] = ()
    steps: Annotated[list[Step], Field(min_length=1)]

    @model_validator(mode="after")
    def _lives_or_not(self) -> "Scenario":
        if self.hour is None and any(step.own is not None or step.posture for step in self.steps):
            raise ValueError("`own` and `posture` need the scenario's `hour`")
        if self.hour is not None and any(step.wait is None and not step.sound for step in self.steps):
            raise ValueError("with an `hour`, what is said needs `sound: true`")
        return self

    @property
    def needs_sound(self) -> bool:
        """It is played in a room, by voices."""
        return self.hour is not None or any(step.sound for step in self.steps)


class _Never(Settings):
    never: Annotated[tuple[Pattern, ...], Field(min_length=1)]


class _File(Settings):
    never: tuple[Pattern, ...] = ()
    scenarios: Annotated[list[Scenario], Field(min_length=1)]


def load(path: Path) -> list[Scenario]:
    """The scenarios of one file, its `never` added to each; ScenarioError names the first thing wrong."""
    file = _validated(_File, path)
    return [one.model_copy(update={"never": (*file.never, *one.never)}) for one in file.scenarios]


def never_said() -> tuple[str, ...]:
    """What no pet says in any conversation: regular expressions."""
    return _validated(_Never, NEVER).never


def load_all(paths: list[Path] | None = None) -> list[Scenario]:
    """The scenarios of these files, or of all that are shipped; ScenarioError where two have one name."""
    shipped = (path for path in sorted(FOLDER.glob("*.yaml")) if path != NEVER)
    found = [one for path in paths or shipped for one in load(path)]
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ScenarioError(f"two scenarios are called {twice!r}; rename one")
    return found


def _validated(model: type[S], path: Path) -> S:
    data = _read(path)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ScenarioError(f"{path}: {where}: {first['msg']}; mend that entry") from error


def _read(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ScenarioError(f"{path}: {path.stat().st_size} bytes; at most {MAX_BYTES}")
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read ({error.strerror}); name a YAML file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
