"""One turn after the other, for one pet: what is heard, a reply to learn, and the check of another reply."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from runtime.mind.emotion import MOODS
from runtime.mind.prompt import NO_ACT, Prompt, spoken
from training.data import corpora, facts, orders, review
from training.data.facts import Fact, turned
from training.data.phrases import Part, Words, any_of, fill, lines, read, share, slots_of

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
_ECHO = re.compile(r"(where|who|when|how old|what colour) (is|are|was|were) (.+)")


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


class TurnMaker:
    """Makes turns of every sort about one pet: its name, its card, and what it was told."""

    def __init__(self, part: Part, chance: random.Random) -> None:
        self.part: Part = part
        self.chance = chance
        self.words = Words(part, chance)
        self._own_kinds = facts.kinds("persona", part)
        self._told_kinds = facts.kinds("facts", part)
        robot = next(kind for kind in self._own_kinds if kind.name == "robot")
        others = [kind for kind in self._sample(self._own_kinds, 1, 4) if kind.name != "robot"]
        own = [facts.draw(kind, self.words) for kind in others]
        self.own = [facts.draw(robot, self.words), *own]
        """The card"""
        self.known = [facts.draw(kind, self.words) for kind in self._sample(self._told_kinds, 0, 5)]
        """What it remembers"""
        self.name = self.words.value("pet").capitalize()

    def make(self, sort: str) -> Turn | None:
        """A turn of one of SORTS, its prompt without a pet, card or facts; None where none came of it."""
        return SORTS[sort][1](self)

    @cached_property
    def _answered_questions(self) -> frozenset[str]:
        return frozenset(ask for fact in (*self.own, *self.known) for ask in fact.answered())

    def _sample(self, kinds: Sequence[facts.Kind], least: int, most: int) -> list[facts.Kind]:
        return self.chance.sample(list(kinds), self.chance.randint(least, most))

    def _turn(self, heard: str, reply: str, check: Check, **more: object) -> Turn:
        """A turn in which the body only listens, in any mood."""
        mood = self.chance.choice(MOODS)
        act = self.chance.choice(QUIET_ACTS)
        prompt = Prompt(name="", heard=heard, mood=mood, act=act)
        return Turn(replace(prompt, **more), sentence(reply), check)  # type: ignore[arg-type]

    def _opened(self, reply: str, mood: str) -> str:
        """Now and then a word of the mood first."""
        if self.chance.random() > 0.25:
            return reply
        opener = self.chance.choice(OPENERS[mood])
        joined = opener.endswith(",") and not re.match(r"I\b", reply)
        return f"{opener} {reply[:1].lower() + reply[1:] if joined else reply}"

    def command(self) -> Turn | None:
        """An order with its act forced: the words go with the motion."""
        found = orders.orders(self.part)
        order = self.chance.choice(found[self.chance.choice(sorted(found))])
        mood = self.chance.choice(MOODS)
        reply = orders.reply(order, self.name, mood, self.chance)
        prompt = Prompt(name="", heard=order[0], mood=mood, act=orders.act_of(order))
        return Turn(
            prompt,
            reply,
            Check(
                "command",
                any_of=any_of(orders.fitting_words(order, self.words.value("pet"))),
                never=orders.unfit(order),
            ),
        )

    def small_talk(self) -> Turn | None:
        return self._topic("talk")

    def care(self) -> Turn | None:
        return self._topic("care")

    def _topic(self, file: str) -> Turn | None:
        """A topic of talk.yaml or care.yaml, in one of its own wordings."""
        name, row = self.chance.choice(sorted(read(file).items()))
        wordings = share(lines(row["heard"]), self.part)
        return self._answered(file, name, self.chance.choice(wordings)) if wordings else None

    def remark(self) -> Turn | None:
        """What people say in the open corpora."""
        pairs = self.chance.choice(list(corpora.remarks(self.part).values()) or [[]])
        if not pairs:
            return None
        heard, topic = self.chance.choice(pairs)
        if self.part == "train" and not review.taught(heard):
            return None
        return self._answered("talk" if topic in read("talk") else "care", topic, heard)

    def _answered(self, file: str, name: str, wording: str) -> Turn:
        row = read(file)[name]
        words = self.words.fresh()
        words.values["pet"] = pet = self.words.value("pet")
        mood = self.chance.choice(MOODS)
        said = lines(row["said"])
        in_mood = lines(row.get("mood", {}).get(mood, ""))
        line = self.chance.choice(in_mood if in_mood and self.chance.random() < 0.6 else said)
        reply = fill(line, {**words.values, "pet": pet.capitalize()})
        if file == "talk":
            reply = self._opened(reply, mood)
        heard = words.fill(wording)
        return self._turn(heard, reply, topic_check(file, name, pet), mood=mood)

    def echo(self) -> Turn | None:
        """Anything at all is told or asked, and the answer takes it up."""
        name, row = self.chance.choice(sorted(read("echo").items()))
        wording = self.chance.choice(share(lines(row["heard"]), self.part) or lines(row["heard"]))
        words = self.words.fresh()
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
        return self._turn(
            heard, self._opened(fill(line, values), mood), Check(f"echo:{name}", any_of=tuple(key)), mood=mood
        )

    def taught(self) -> Turn | None:
        """A question that one of the remembered facts answers."""
        return self._asked(self.known, turned_lead=True)

    def about_itself(self) -> Turn | None:
        """A question that the card answers."""
        return self._asked(self.own, turned_lead=False)

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
        reply = lead.format(reply) if lead != "{}" else self._opened(sentence(reply), mood)
        keys = fact.keys_for(heard)
        kind = ("taught:" if turned_lead else "itself:") + fact.kind.name
        turn = self._turn(heard, reply, Check(kind, all_of=keys), mood=mood)
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

    def untaught(self) -> Turn | None:
        """A question that nothing in the prompt answers, however near it comes."""
        draw = self.chance.random()
        if draw < 0.4 and self.known:
            fact = self.chance.choice(self.known)
            asks = fact.kind.others(fact.template, self.part)
        elif draw < 0.6 and self.known:
            fact = facts.draw(self.chance.choice(self.known).kind, self.words)
            asks = [a for a in fact.kind.asks(fact.template, self.part) if slots_of(a)]
        elif draw < 0.75:
            fact = facts.draw(self.chance.choice(self._own_kinds), self.words)
            asks = fact.kind.asks(fact.template, self.part) + fact.kind.others(fact.template, self.part)
        else:
            fact = facts.draw(self.chance.choice(self._told_kinds), self.words)
            asks = fact.kind.asks(fact.template, self.part)
        if not asks:
            return None
        heard = fill(self.chance.choice(asks), {"kind2": "food", **fact.values})
        if heard in self._answered_questions:
            return None
        mood = self.chance.choice(MOODS)
        reply = self._opened(self._ignorant(heard), mood)
        wrong = [value for f in (*self.known, *self.own) for value in f.keys_for(heard)]
        never = "|".join(rf"\b{re.escape(v)}\b" for v in wrong if v not in heard.split())
        return self._turn(heard, reply, Check("untaught", never=never, admits=True), mood=mood)

    def _ignorant(self, heard: str) -> str:
        found = _ECHO.fullmatch(heard)
        if found and self.chance.random() < 0.4:
            return f"I don't know {found[1]} {turned(found[3])} {_turned_verb(found[2], found[3])}. Tell me?"
        return self.chance.choice(IGNORANT)

    def told(self) -> Turn | None:
        """The owner tells a fact; the pet says it back."""
        fact = facts.draw(self.chance.choice(self._told_kinds), self.words)
        mood = self.chance.choice(MOODS)
        back = sentence(turned(fact.text))
        forms = ("{}. Nice to know!", "Oh, {}. I see!", "{}? Good to know.", "{}. Tell me more!", "Aha, {}.")
        form = self.chance.choice(forms)
        reply = form.format(back if form.startswith("{}") else back[:1].lower() + back[1:])
        keys = tuple(fact.values[k] for k in sorted(fact.kind.keys & slots_of(fact.template)))
        return self._turn(fact.text, reply, Check("told", all_of=keys), mood=mood)

    def after(self) -> Turn | None:
        """What was said a moment ago: repeated, or asked for."""
        other = self.chance.choice((self.small_talk, self.echo, self.told, self.command))()
        if other is None:
            return None
        heard, said = other.prompt.heard, other.reply
        history = ((heard, said),)
        if self.chance.random() < 0.3:
            earlier = self.small_talk()
            history = ((earlier.prompt.heard, earlier.reply), *history) if earlier else history
        asks = (
            share(lines(read("after")["heard_what"]), self.part),
            share(lines(read("after")["said_what"]), self.part),
        )
        if self.chance.random() < 0.5:
            reply = self.chance.choice(("You said: {}.", "I heard: {}.", "Your words were: {}.")).format(
                spoken(heard)
            )
            return self._turn(self.chance.choice(asks[0]), reply, _repeats(spoken(heard)), history=history)
        reply = self.chance.choice(("I said: {}", "{}", "My words were: {}")).format(said)
        return self._turn(self.chance.choice(asks[1]), reply, _repeats(spoken(said)), history=history)

    def just_told(self) -> Turn | None:
        """A fact of the last turns, asked for before anybody put it into memory."""
        fact = facts.draw(self.chance.choice(self._told_kinds), self.words)
        turn = self._asked([fact], turned_lead=True)
        if turn is None or turn.prompt.history:
            return None
        back = sentence(turned(fact.text)) + "."
        told = (
            fact.text,
            self.chance.choice((back, "Nice to know!", "I see!", f"Aha, {back[:1].lower()}{back[1:]}")),
        )
        between = self.small_talk() if self.chance.random() < 0.3 else None
        history = (told, (between.prompt.heard, between.reply)) if between else (told,)
        return replace(turn, prompt=replace(turn.prompt, history=history))

    def in_between(self) -> Turn | None:
        """Any turn after others that do not matter to it."""
        turn = self.chance.choice((self.command, self.small_talk, self.taught, self.echo, self.untaught))()
        before = [t for t in (self.small_talk(), self.echo()) if t][: self.chance.randint(1, 2)]
        if turn is None or turn.prompt.history:
            return None
        return replace(
            turn, prompt=replace(turn.prompt, history=tuple((t.prompt.heard, t.reply) for t in before))
        )


SORTS: dict[str, tuple[float, Callable[[TurnMaker], Turn | None]]] = {
    "command": (0.11, TurnMaker.command),
    "small_talk": (0.14, TurnMaker.small_talk),
    "care": (0.10, TurnMaker.care),
    "remark": (0.08, TurnMaker.remark),
    "echo": (0.12, TurnMaker.echo),
    "taught": (0.19, TurnMaker.taught),
    "untaught": (0.13, TurnMaker.untaught),
    "about_itself": (0.08, TurnMaker.about_itself),
    "told": (0.06, TurnMaker.told),
    "after": (0.06, TurnMaker.after),
    "just_told": (0.05, TurnMaker.just_told),
    "in_between": (0.05, TurnMaker.in_between),
}
"""Sort -> (how often, what makes it)"""


def topic_check(file: str, name: str, pet: str) -> Check:
    """Of a reply of the `pet` on a topic of talk.yaml or care.yaml."""
    row = read(file)[name]
    return Check(
        f"{file}:{name}",
        any_of=any_of(row.get("about", "").split()),
        all_of=tuple(row.get("needs", "").replace("$pet", pet).split()),
        never=row.get("never", "").replace(r"\$pet", pet),
    )


def sentence(text: str) -> str:
    """The same with a capital."""
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
