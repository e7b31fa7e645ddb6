"""Conversations with many pets, made from sentences: what the dialogue model learns from and is measured on.

A `Scene` is one pet with its card and some remembered facts, and turns that have nothing else in common. Each
`Turn` brings the reply to learn and the `Check` that tells whether another reply would do as well.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from runtime.mind.emotion import MOODS
from runtime.mind.prompt import NO_ACT, Prompt, spoken
from runtime.mind.spelling import words_in
from training.data import corpora, facts, orders
from training.data.facts import Fact, turned
from training.data.phrases import Part, Words, any_of, fill, lines, lists, read, share, slots_of

QUIET_ACTS = ("curious", "curious", "curious", NO_ACT, NO_ACT, "nod", "perk_up", "wag")
"""What the body does while the pet only talks"""
OPENERS = {
    "calm": ("Hm,", "Well,"),
    "happy": ("Ah,", "Hee,"),
    "excited": ("Ooh!", "Oh oh!"),
    "sad": ("Oh.", "Hm."),
    "sleepy": ("Mm.", "Yawn."),
    "curious": ("Hm!", "Sniff, sniff."),
    "startled": ("Oh!", "Whoa,"),
}
LEAD_INS = ("{}", "{}", "{}", "You told me that {}", "I remember, {}", "Easy, {}", "As you told me, {}")
IGNORANT = (
    "I don't know that yet. Tell me?", "Hm, you have not told me that.", "I don't know, sorry. Tell me?",
    "Nobody told me that yet.", "I don't know, but I would like to.", "I don't know that. Will you tell me?",
    "You have not told me yet. I'm all ears.", "That I don't know yet.",
)  # fmt: skip
ADMITS = r"\b(?:don't know|not told|nobody told|can't know|no idea|never told|haven't told|do not know)\b"
"""A reply that says it does not know"""
_SLOT = re.compile(r"\$\w+|\{\w*\}|\|")
_ECHO = re.compile(r"(where|who|when|how old|what colour) (is|are|was|were) (.+)")
_EXTRAS = ("please", "hey {name}", "{name}", "so", "tell me", "oh", "um", "and", "now", "well")
_DROPPED = frozenset(["the", "a", "is", "my", "do", "you", "to", "of", "it"])


@dataclass(frozen=True)
class Check:
    """Whether a reply will do: one of `any_of` stands in it, all of `all_of`, and nothing of `never`."""

    kind: str
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    never: str = ""
    admits: bool = False
    """It has to say that it does not know"""


@dataclass(frozen=True)
class Turn:
    prompt: Prompt
    reply: str
    check: Check


@dataclass
class Scene:
    """One pet, its card, what it remembers; `turns` share nothing more."""

    name: str
    card: tuple[str, ...]
    facts: tuple[str, ...]
    turns: list[Turn] = field(default_factory=list)


class Corpus:
    """Draws scenes of one part; the same seed draws the same ones."""

    def __init__(self, part: Part, seed: int) -> None:
        self.part: Part = part
        self.chance = random.Random(seed)
        self._orders = orders.orders(part)
        self._told = facts.kinds("facts", part)
        self._own = facts.kinds("persona", part)

    def scenes(self, turns: int) -> Iterator[Scene]:
        """Endlessly, each with so many turns."""
        while True:
            yield self.scene(turns)

    def scene(self, turns: int, only: str | None = None) -> Scene:
        """A pet and its turns; `only` of one sort (the keys of SORTS) where given."""
        words = Words(self.part, self.chance)
        own = [facts.draw(k, words) for k in self._sample(self._own, 1, 4) if k.name != "robot"]
        robot = next(kind for kind in self._own if kind.name == "robot")
        own.insert(0, facts.draw(robot, words))
        told = [facts.draw(kind, words) for kind in self._sample(self._told, 0, 5)]
        cast = _Cast(words, own, told)
        name = words.value("pet").capitalize()
        scene = Scene(name, tuple(_sentence(f.text) for f in own), tuple(f.text for f in told))
        while len(scene.turns) < turns:
            sort = only or self.chance.choices(list(SORTS), [weight for weight, _ in SORTS.values()])[0]
            turn = SORTS[sort][1](self, cast)
            if turn is not None and self._is_fresh(turn):
                scene.turns.append(self._staged(scene, turn))
            elif only:
                break
        return scene

    def _is_fresh(self, turn: Turn) -> bool:
        """Nothing held out is a sentence that another source teaches."""
        return self.part == "train" or not (
            turn.check.kind.startswith(BY_WORDS) and turn.prompt.heard in taught_sentences()
        )

    def _sample(self, kinds: Sequence[facts.Kind], least: int, most: int) -> list[facts.Kind]:
        return self.chance.sample(list(kinds), self.chance.randint(least, most))

    def _staged(self, scene: Scene, turn: Turn) -> Turn:
        """The turn on this scene's stage; noise in what was heard, while learning."""
        heard = turn.prompt.heard
        if self.part == "train" and not turn.prompt.history:
            heard = _noisy(heard, scene.name, self.chance)
        prompt = replace(turn.prompt, name=scene.name, card=scene.card, facts=scene.facts, heard=heard)
        return replace(turn, prompt=prompt)

    def talk(self, heard: str, reply: str, check: Check, **more: object) -> Turn:
        """A turn in which the body only listens, in any mood."""
        mood = self.chance.choice(MOODS)
        act = self.chance.choice(QUIET_ACTS)
        prompt = Prompt(name="", heard=heard, mood=mood, act=act)
        return Turn(replace(prompt, **more), _sentence(reply), check)  # type: ignore[arg-type]

    def opened(self, reply: str, mood: str) -> str:
        """Now and then a word of the mood first."""
        if self.chance.random() > 0.25:
            return reply
        opener = self.chance.choice(OPENERS[mood])
        joined = opener.endswith(",") and not re.match(r"I\b", reply)
        return f"{opener} {reply[:1].lower() + reply[1:] if joined else reply}"

    def command(self, cast: "_Cast") -> Turn | None:
        """An order with its act forced: the words go with the motion."""
        order = self.chance.choice(self._orders[self.chance.choice(sorted(self._orders))])
        mood = self.chance.choice(MOODS)
        reply = orders.reply(order, cast.words.value("pet").capitalize(), mood, self.chance)
        prompt = Prompt(name="", heard=order[0], mood=mood, act=orders.act_of(order))
        return Turn(
            prompt,
            reply,
            Check(
                "command",
                any_of=any_of(orders.fitting_words(order, cast.words.value("pet"))),
                never=orders.unfit(order),
            ),
        )

    def small_talk(self, cast: "_Cast") -> Turn | None:
        return self._topic("talk", cast)

    def care(self, cast: "_Cast") -> Turn | None:
        return self._topic("care", cast)

    def _topic(self, file: str, cast: "_Cast") -> Turn | None:
        """A topic of talk.yaml or care.yaml, in one of its own wordings."""
        name, row = self.chance.choice(sorted(read(file).items()))
        wordings = share(lines(row["heard"]), self.part)
        return self._answered(file, name, self.chance.choice(wordings), cast) if wordings else None

    def remark(self, cast: "_Cast") -> Turn | None:
        """What people say in the open corpora."""
        pairs = self.chance.choice(list(corpora.remarks(self.part).values()) or [[]])
        if not pairs:
            return None
        heard, topic = self.chance.choice(pairs)
        return self._answered("talk" if topic in read("talk") else "care", topic, heard, cast)

    def _answered(self, file: str, name: str, wording: str, cast: "_Cast") -> Turn:
        row = read(file)[name]
        words = cast.words.fresh()
        words.values["pet"] = pet = cast.words.value("pet")
        mood = self.chance.choice(MOODS)
        said = lines(row["said"])
        in_mood = lines(row.get("mood", {}).get(mood, ""))
        line = self.chance.choice(in_mood if in_mood and self.chance.random() < 0.6 else said)
        reply = fill(line, {**words.values, "pet": pet.capitalize()})
        if file == "talk":
            reply = self.opened(reply, mood)
        heard = words.fill(wording)
        needs = row.get("needs", "").replace("$pet", pet)
        check = Check(
            f"{file}:{name}",
            any_of=any_of(row.get("about", "").split()),
            all_of=tuple(needs.split()),
            never=row.get("never", "").replace(r"\$pet", pet),
        )
        return self.talk(heard, reply, check, mood=mood)

    def echo(self, cast: "_Cast") -> Turn | None:
        """Anything at all is told or asked, and the answer takes it up."""
        name, row = self.chance.choice(sorted(read("echo").items()))
        wording = self.chance.choice(share(lines(row["heard"]), self.part) or lines(row["heard"]))
        words = cast.words.fresh()
        heard = words.fill(wording)
        values = words.values
        for made, parts in (("place", ("city", "town", "country")), ("object", ("noun", "room", "thing"))):
            values.update((made, values[part]) for part in parts if part in values)
        if "animals2" in values:
            values["animal"] = values["animals2"].removesuffix("s")
        said = [line for line in lines(row["said"]) if slots_of(line) <= values.keys()]
        line = self.chance.choice(said)
        key = [values[slot] for slot in slots_of(line)]
        mood = self.chance.choice(MOODS)
        return self.talk(
            heard, self.opened(fill(line, values), mood), Check(f"echo:{name}", any_of=tuple(key)), mood=mood
        )

    def taught(self, cast: "_Cast") -> Turn | None:
        """A question that one of the remembered facts answers."""
        return self._asked(cast.told, turned_lead=True)

    def about_itself(self, cast: "_Cast") -> Turn | None:
        """A question that the card answers."""
        return self._asked(cast.own, turned_lead=False)

    def _asked(self, pool: Sequence[Fact], turned_lead: bool) -> Turn | None:
        if not pool:
            return None
        fact = self.chance.choice(pool)
        asks = fact.kind.asks(fact.template, self.part)
        if not asks:
            return None
        heard = fill(self.chance.choice(asks), fact.values)
        reply = fact.answer(self.chance)
        lead = self.chance.choice(LEAD_INS) if turned_lead and not reply.endswith("!") else "{}"
        mood = self.chance.choice(MOODS)
        reply = lead.format(reply) if lead != "{}" else self.opened(_sentence(reply), mood)
        keys = fact.keys_for(heard)
        kind = ("taught:" if turned_lead else "itself:") + fact.kind.name
        turn = self.talk(heard, reply, Check(kind, all_of=keys), mood=mood)
        return self._with_pronoun(turn, fact) if turned_lead and self.chance.random() < 0.2 else turn

    def _with_pronoun(self, turn: Turn, fact: Fact) -> Turn:
        """The same after a turn that named whom it is about: "where does she live"."""
        name = fact.values.get("name")
        if name is None or "name" in fact.kind.keys or name not in turn.prompt.heard.split():
            return turn
        said = self.chance.choice((f"{name}, yes?", f"Yes, {name}.", f"What about {name}?"))
        before = self.chance.choice((f"i talked to {name}", f"{name} was here", f"you know {name}"))
        heard = re.sub(rf"\b{name}\b", self.chance.choice(("she", "he")), turn.prompt.heard)
        return replace(turn, prompt=replace(turn.prompt, history=((before, said.capitalize()),), heard=heard))

    def untaught(self, cast: "_Cast") -> Turn | None:
        """A question that nothing in the prompt answers, however near it comes."""
        draw = self.chance.random()
        if draw < 0.4 and cast.told:
            fact = self.chance.choice(cast.told)
            asks = fact.kind.others(fact.template, self.part)
        elif draw < 0.6 and cast.told:
            fact = facts.draw(self.chance.choice(cast.told).kind, cast.words)
            asks = [a for a in fact.kind.asks(fact.template, self.part) if slots_of(a)]
        elif draw < 0.75:
            fact = facts.draw(self.chance.choice(self._own), cast.words)
            asks = fact.kind.asks(fact.template, self.part) + fact.kind.others(fact.template, self.part)
        else:
            fact = facts.draw(self.chance.choice(self._told), cast.words)
            asks = fact.kind.asks(fact.template, self.part)
        if not asks:
            return None
        heard = fill(self.chance.choice(asks), {"kind2": "food", **fact.values})
        if heard in cast.answered:
            return None
        mood = self.chance.choice(MOODS)
        reply = self.opened(self._ignorant(heard), mood)
        wrong = [value for f in (*cast.told, *cast.own) for value in f.keys_for(heard)]
        never = "|".join(rf"\b{re.escape(v)}\b" for v in wrong if v not in heard.split())
        return self.talk(heard, reply, Check("untaught", never=never, admits=True), mood=mood)

    def _ignorant(self, heard: str) -> str:
        found = _ECHO.fullmatch(heard)
        if found and self.chance.random() < 0.4:
            return f"I don't know {found[1]} {turned(found[3])} {_turned_verb(found[2], found[3])}. Tell me?"
        return self.chance.choice(IGNORANT)

    def told(self, cast: "_Cast") -> Turn | None:
        """The owner tells a fact; the pet says it back."""
        fact = facts.draw(self.chance.choice(self._told), cast.words)
        mood = self.chance.choice(MOODS)
        back = _sentence(turned(fact.text))
        forms = ("{}. Nice to know!", "Oh, {}. I see!", "{}? Good to know.", "{}. Tell me more!", "Aha, {}.")
        form = self.chance.choice(forms)
        reply = form.format(back if form.startswith("{}") else back[:1].lower() + back[1:])
        keys = tuple(fact.values[k] for k in sorted(fact.kind.keys & slots_of(fact.template)))
        return self.talk(fact.text, reply, Check("told", all_of=keys), mood=mood)

    def after(self, cast: "_Cast") -> Turn | None:
        """What was said a moment ago: repeated, or asked for."""
        other = self.chance.choice((self.small_talk, self.echo, self.told, self.command))(cast)
        if other is None:
            return None
        heard, said = other.prompt.heard, other.reply
        history = ((heard, said),)
        if self.chance.random() < 0.3:
            earlier = self.small_talk(cast)
            history = ((earlier.prompt.heard, earlier.reply), *history) if earlier else history
        asks = (
            share(lines(read("after")["heard_what"]), self.part),
            share(lines(read("after")["said_what"]), self.part),
        )
        if self.chance.random() < 0.5:
            reply = self.chance.choice(("You said: {}.", "I heard: {}.", "Your words were: {}.")).format(
                spoken(heard)
            )
            return self.talk(self.chance.choice(asks[0]), reply, _repeats(spoken(heard)), history=history)
        reply = self.chance.choice(("I said: {}", "{}", "My words were: {}")).format(said)
        return self.talk(self.chance.choice(asks[1]), reply, _repeats(spoken(said)), history=history)

    def just_told(self, cast: "_Cast") -> Turn | None:
        """A fact of the last turns, asked for before anybody put it into memory."""
        fact = facts.draw(self.chance.choice(self._told), cast.words)
        turn = self._asked([fact], turned_lead=True)
        if turn is None or turn.prompt.history:
            return None
        back = _sentence(turned(fact.text)) + "."
        told = (
            fact.text,
            self.chance.choice((back, "Nice to know!", "I see!", f"Aha, {back[:1].lower()}{back[1:]}")),
        )
        between = self.small_talk(cast) if self.chance.random() < 0.3 else None
        history = (told, (between.prompt.heard, between.reply)) if between else (told,)
        return replace(turn, prompt=replace(turn.prompt, history=history))

    def in_between(self, cast: "_Cast") -> Turn | None:
        """Any turn after others that do not matter to it."""
        turn = self.chance.choice((self.command, self.small_talk, self.taught, self.echo, self.untaught))(
            cast
        )
        before = [t for t in (self.small_talk(cast), self.echo(cast)) if t][: self.chance.randint(1, 2)]
        if turn is None or turn.prompt.history:
            return None
        return replace(
            turn, prompt=replace(turn.prompt, history=tuple((t.prompt.heard, t.reply) for t in before))
        )


SORTS: dict[str, tuple[float, Callable[[Corpus, "_Cast"], Turn | None]]] = {
    "command": (0.13, Corpus.command),
    "small_talk": (0.14, Corpus.small_talk),
    "care": (0.10, Corpus.care),
    "remark": (0.10, Corpus.remark),
    "echo": (0.10, Corpus.echo),
    "taught": (0.19, Corpus.taught),
    "untaught": (0.13, Corpus.untaught),
    "about_itself": (0.09, Corpus.about_itself),
    "told": (0.04, Corpus.told),
    "after": (0.04, Corpus.after),
    "just_told": (0.04, Corpus.just_told),
    "in_between": (0.05, Corpus.in_between),
}
"""Sort -> (how often, what makes it)"""


@dataclass
class _Cast:
    """What is on stage: the words in use, the card, the facts, and the questions these answer."""

    words: Words
    own: list[Fact]
    told: list[Fact]

    @property
    def answered(self) -> frozenset[str]:
        return frozenset(ask for fact in (*self.own, *self.told) for ask in fact.answered())


BY_WORDS = ("command", "talk", "care")
"""Kinds whose answer follows from what was heard alone"""


@cache
def taught_sentences() -> frozenset[str]:
    """Everything without slots that is heard in training."""
    topics = [*read("talk").values(), *read("care").values()]
    own = {text for row in topics for text in share(lines(row["heard"]), "train")}
    said = {order[0] for found in orders.orders("train").values() for order in found}
    return frozenset(own | said | {text for pairs in corpora.remarks("train").values() for text, _ in pairs})


def vocabulary() -> list[str]:
    """Every word a reply is taught: those of all sentences and of the lists, without what is held out."""
    texts = [*IGNORANT, *LEAD_INS, *(opener for own in OPENERS.values() for opener in own), *MOODS]
    for file in ("talk", "care", "echo", "facts", "persona", "after", "commands"):
        texts += _leaves(read(file))
    texts += [word for words in lists("train").values() for word in words]
    texts += orders.all_lines()
    held = {word for words in lists("held_out").values() for word in words} - _known_to_training()
    return sorted(words_in(_SLOT.sub(" ", text) for text in texts) - held)


def _known_to_training() -> set[str]:
    return {word for words in lists("train").values() for word in words}


def _leaves(tree: object) -> list[str]:
    """All texts of a file."""
    if isinstance(tree, dict):
        return [text for value in tree.values() for text in _leaves(value)]
    return [str(tree)]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _turned_verb(verb: str, subject: str) -> str:
    if subject in ("i", "you"):
        return {("i", "am"): "are", ("i", "was"): "were", ("you", "are"): "am", ("you", "were"): "was"}.get(
            (subject, verb), verb
        )
    return verb


def _repeats(text: str) -> Check:
    """Most of the words come again."""
    return Check("after", all_of=tuple(text.split()[:6]))


def _noisy(heard: str, name: str, chance: random.Random) -> str:
    """As people speak and recognisers hear: a word more, now and then one less."""
    if chance.random() < 0.18:
        extra = chance.choice(_EXTRAS).format(name=name.lower())
        heard = f"{extra} {heard}" if chance.random() < 0.7 else f"{heard} {extra}"
    if chance.random() < 0.08:
        words = heard.split()
        drops = [i for i, word in enumerate(words) if word in _DROPPED]
        if drops and len(words) > 3:
            del words[chance.choice(drops)]
        heard = " ".join(words)
    return heard
