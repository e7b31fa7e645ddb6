"""`everpaw chat` and `everpaw say`: typed words to a pet, without ears or body, in a conversation or alone.

The pet's words go to stdout as they are found, sentence by sentence; all else goes to stderr. A line that
begins with a slash is a word to the program (/help). Ctrl-C while it answers interrupts the pet, as a
person's voice would.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runtime import starter
from runtime.contracts.config import RobotConfig, load_config
from runtime.listen import print_json, print_turn, turn_row
from runtime.mind.conversation import Conversation, Turn
from runtime.mind.memory.place import memory_of
from runtime.mind.prompt import render
from runtime.mind.server import ServerTalker
from runtime.mind.talker import Talker
from runtime.typed import typed

_LONGEST_PAUSE_S = 3_600.0


@dataclass(slots=True)
class Chat:
    """One conversation on a terminal, or through pipes."""

    pet: Conversation
    name: str
    facts: list[str] = field(default_factory=list)
    """What the model is told besides the card, for this conversation"""
    as_json: bool = False
    open: bool = True
    last: Turn | None = None

    def say(self, text: str) -> None:
        """One turn: what the person typed, and the answer as it comes."""
        began_s = time.perf_counter()
        turn = self.pet.take(text, 1.0)
        telling = self.pet.speak(turn)
        exchange = self.pet.history.begin(turn.heard)
        first_ms = None
        try:
            for sentence in telling:
                first_ms = first_ms or _ms_since(began_s)
                exchange.add(sentence, lambda: 1.0)
                self._show(sentence, first=len(telling.said) == 1)
        except KeyboardInterrupt:
            telling.stop()
        self.last = turn.told(telling)
        self._close(self.last, {"first_sentence_ms": first_ms, "whole_ms": _ms_since(began_s)})

    def _show(self, sentence: str, *, first: bool) -> None:
        if not self.as_json:
            print(f"{self.name}: {sentence}" if first else f" {sentence}", end="", flush=True)

    def _close(self, turn: Turn, times_ms: dict[str, float | None]) -> None:
        if self.as_json:
            print_json({**turn_row(turn), "timings_ms": times_ms})
            return
        print(flush=True)
        reply = turn.reply
        does = reply.act.name if reply.act else "nothing"
        _remark(
            f"({turn.understanding.intent or 'open talk'}; {turn.mood}; does {does};"
            f" words by {reply.by}, {reply.why}; {times_ms['whole_ms']:.0f} ms)"
        )


def _ms_since(began_s: float) -> float:
    return round((time.perf_counter() - began_s) * 1e3, 1)


def _remark(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _help(chat: Chat, _: str) -> None:
    for name, (_do, what) in COMMANDS.items():
        _remark(f"  /{name:<14} {what}")


def _fact(chat: Chat, text: str) -> None:
    if text:
        chat.facts.append(text)
    _remark("\n".join(f"  {fact}" for fact in chat.facts) or "  nothing yet: /fact my sister is called Anna")


def _history(chat: Chat, _: str) -> None:
    for heard, said in chat.pet.history.turns():
        _remark(f"  you: {heard}\n  {chat.name}: {said}")


def _mood(chat: Chat, _: str) -> None:
    emotion = chat.pet.emotion
    _remark(f"  {emotion.mood}: valence {emotion.valence:+.2f}, arousal {emotion.arousal:+.2f}")


def _prompt(chat: Chat, _: str) -> None:
    prompt = chat.last.reply.prompt if chat.last else None
    _remark(f"  {render(prompt)}" if prompt else "  no model was asked for the last answer")


def _why(chat: Chat, _: str) -> None:
    turn = chat.last
    _remark(
        f"  understood so: {turn.understanding.why}; words: {turn.reply.why}"
        if turn
        else "  nothing said yet"
    )


def _reset(chat: Chat, _: str) -> None:
    chat.pet.reset()
    chat.facts.clear()
    chat.last = None


def _quit(chat: Chat, _: str) -> None:
    chat.open = False


COMMANDS: dict[str, tuple[Callable[[Chat, str], None], str]] = {
    "help": (_help, "this"),
    "why": (_why, "how the last words were understood, and who answered them"),
    "prompt": (_prompt, "what the model was told for the last answer"),
    "fact": (_fact, "TEXT: let the model know something; without TEXT: what it knows"),
    "history": (_history, "what was said"),
    "mood": (_mood, "how the pet feels"),
    "reset": (_reset, "as if it had just been started"),
    "quit": (_quit, "or Ctrl-D"),
}


def converse(chat: Chat, lines: Iterator[str]) -> None:
    """Until the lines end or /quit."""
    for line in lines:
        words = line.strip()
        if words.startswith("/"):
            name, _, rest = words[1:].partition(" ")
            do = COMMANDS.get(name, COMMANDS["help"])[0]
            do(chat, rest.strip())
        elif words:
            chat.say(words)
        if not chat.open:
            return


def _typed(chat: Chat) -> Iterator[str]:
    """Lines from the keyboard, with the mood calming while nobody types; from a pipe without pauses."""
    if not sys.stdin.isatty():
        yield from map(typed, sys.stdin)
        return
    import readline  # noqa: F401  editing and recalling of lines

    while True:
        began_s = time.monotonic()
        try:
            line = input("you: ")
        except EOFError:
            _remark("")
            return
        chat.pet.emotion.tick(min(_LONGEST_PAUSE_S, time.monotonic() - began_s))
        yield typed(line)


def add_talker(parser: argparse.ArgumentParser) -> None:
    """`--config`, `--set`, `--server`, `--model`."""
    parser.add_argument("--config", type=Path, help="robot.toml; defaults where not given")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=C", help="change one setting")
    parser.add_argument("--server", metavar="URL", help="an OpenAI-compatible server that words open talk")
    parser.add_argument("--model", metavar="NAME", help="its model; the first it offers where not given")


def config_of(args: argparse.Namespace) -> RobotConfig:
    """The settings that `add_talker`'s options ask for."""
    named = {"server": args.server, "model": args.model}
    given = [f"dialogue.{key}={json.dumps(value)}" for key, value in named.items() if value is not None]
    return load_config(RobotConfig, args.config, [*args.set, *given])


def _opened(args: argparse.Namespace, facts: list[str]) -> Conversation:
    config = config_of(args)
    pack = starter.load_pack(args.pack or config.pack.path)
    seed = config.seed if args.seed is None else args.seed
    memory = memory_of(config)

    def recall(heard: str) -> list[str]:
        return [*facts, *memory.recall(heard)]

    return Conversation(
        pack, seed=seed, settings=config.dialogue, recall=recall, memory=memory, care=config.care
    )


def _parser(name: str, what: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"everpaw {name}", description=what)
    parser.add_argument("--pack", type=Path, help="folder of a pack; the settings' or the starter otherwise")
    parser.add_argument("--seed", type=int, help="another course of the same conversation")
    parser.add_argument("--json", action="store_true", help="one object a turn on stdout")
    add_talker(parser)
    return parser


def _name(talker: Talker | None) -> str:
    if talker is None:
        return "the persona's lines"
    return str(talker) if isinstance(talker, ServerTalker) else "its pack's own model"


def say(argv: list[str]) -> int:
    """`everpaw say`."""
    parser = _parser("say", "What the pet makes of typed words, and who answers them.")
    parser.add_argument("text", type=typed)
    args = parser.parse_args(argv)
    row = turn_row(_opened(args, []).read(args.text))
    if args.json:
        print_json({"start_s": None, "end_s": None, **row})
    else:
        print_turn(row)
    return 0


def main(argv: list[str]) -> int:
    """`everpaw chat`."""
    args = _parser("chat", "A typed conversation with a pet.").parse_args(argv)
    facts: list[str] = []
    pet = _opened(args, facts)
    chat = Chat(pet, pet.name, facts, args.json)
    if sys.stdin.isatty():
        pet.warm()
        _remark(
            f"{pet.name} listens; open talk is worded by {_name(pet.talker)}. /help tells more, Ctrl-D ends."
        )
    converse(chat, _typed(chat))
    return 0
