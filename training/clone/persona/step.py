"""The step of the character: notes and the owner's card become the persona of the pack."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

from runtime import starter
from runtime.contracts.pack import file_sha256
from training.clone.persona import card as cards
from training.clone.persona import pairs, quirks
from training.clone.persona.card import CARD, Card
from training.clone.persona.facts import Told, facts_in
from training.clone.persona.notes import Notes, read_notes
from training.clone.persona.style import Style, style_of
from training.clone.persona.subject import Animal
from training.clone.profile import Profile
from training.clone.steps import Finding, Pet, Step, Work

NOTES = "notes"
FEW = 5
PERSONA = "persona.toml"
_ASKED = re.compile(r"\[lines\.ask_robot\]\nany = \[.*?\n\]", re.DOTALL)


def animal_of(profile: Profile) -> Animal:
    """Whom the notes are about."""
    living = profile.life == "living"
    return Animal(profile.name, profile.sex, profile.owner, living, profile.species)


def told_of(pet: Pet) -> tuple[Notes, list[Told], Style]:
    """(the notes, what they tell, the style they show)."""
    notes, animal = read_notes(pet.folder / NOTES), animal_of(pet.profile)
    return notes, facts_in(notes.lines, animal), style_of(notes.lines, pet.profile.traits, animal)


def card_of(pet: Pet) -> Card:
    """What the robot is to know of itself."""
    _, told, style = told_of(pet)
    return cards.merged(told, style.numbers, pet.folder / CARD)


def edit(pet: Pet) -> tuple[Path, Card]:
    """Write the card for its owner to edit, beside what stood there already; (its path, the card)."""
    _, told, style = told_of(pet)
    path = pet.folder / CARD
    card = cards.merged(told, style.numbers, path)
    cards.write(card, told, pet.profile.name, path)
    return path, card


def run(work: Work) -> None:
    """`card.json`, `pairs.jsonl`, and the persona of the pack."""
    pet = work.pet
    _, told, style = told_of(pet)
    card = cards.merged(told, style.numbers, pet.folder / CARD)
    data = {
        "facts": [_row(fact) for fact in card.facts],
        "style": dict(card.style),
        "because": {name: list(sources) for name, sources in style.because.items()},
        "new": list(card.new),
    }
    (work.out / "card.json").write_text(
        json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    pairs.write(card, work.out / "pairs.jsonl")
    (work.out / "pack").mkdir()
    (work.out / "pack" / PERSONA).write_text(persona(pet.profile, card), encoding="utf-8")


def _row(fact: Told) -> dict[str, object]:
    day = fact.day.isoformat() if fact.day else ""
    return {"kind": fact.kind, "says": fact.says, "from": fact.source, "day": day, "sure": fact.confidence}


def persona(profile: Profile, card: Card) -> str:
    """The starter's lines under another name, with another card and style."""
    text = (starter.FOLDER / PERSONA).read_text(encoding="utf-8")
    lines = re.sub(_ASKED, lambda _: f"[lines.ask_robot]\nany = [\n  {_honest(profile)},\n]", text, count=1)
    lines = lines[lines.index("[lines.") :]
    said = "".join(f"  {json.dumps(s, ensure_ascii=False)},\n" for s in [who(profile), *card.sentences])
    style = "".join(f"{name} = {number:.2f}\n" for name, number in sorted(card.style.items()))
    head = f"# {profile.name}: made from its owner's notes and card; see training/clone/persona.\n\n"
    top = (
        f'name = {json.dumps(profile.name, ensure_ascii=False)}\nlife = "{profile.life}"\ncard = [\n{said}]\n'
    )
    acts = quirks.toml(quirks.quirks_of(fact.says for fact in card.facts))
    return f"{head}{top}\n[style]\n{style}\n{acts}{lines}"


def _honest(profile: Profile) -> str:
    """What it says whenever it is asked what it is."""
    told = [who(profile)]
    if profile.life == "memory":
        told.append(f"I play what {profile.name} was like. I am a robot, and {profile.name} is not in me.")
    return ",\n  ".join(json.dumps(line, ensure_ascii=False) for line in told)


def who(profile: Profile) -> str:
    """What it says first of itself, and whenever it is asked: that it is a robot."""
    kind = profile.species if profile.species != "other" else "pet"
    breed = f"{profile.breed} " if profile.breed and kind not in profile.breed.lower() else ""
    plays = "made in memory of" if profile.life == "memory" else "that plays"
    article = "an" if (breed or kind)[0].lower() in "aeiou" else "a"
    return f"I am a robot {plays} {profile.name}, {article} {breed}{kind}."


def check(pet: Pet) -> Iterator[Finding]:
    """What of the notes is used, and what is not and why."""
    notes, told, _ = told_of(pet)
    for line in notes.says:
        yield Finding("poor", NOTES, line)
    name = pet.profile.name
    if notes.lines and len(told) < FEW:
        count = f"{len(told)} fact{'s' * (len(told) != 1)}"
        words = f'{count} found; plain sentences help, as "{name} is afraid of thunder"'
        yield Finding("poor", NOTES, words)
    elif told:
        held = len(card_of(pet).facts)
        yield Finding("good", NOTES, f"{len(told)} facts in {len(notes.lines)} lines; the card holds {held}")


_ROW = "<tr><td>{kind}</td><td>{says}</td><td><small>{source}</small></td><td>{sure:.2f}</td></tr>"
_STYLE = (
    "<tr><td>{name}</td><td><meter min=0 max=1 value={number}></meter> {number:.2f}</td>"
    "<td><small>{because}</small></td></tr>"
)


def page(pet: Pet, made: Path) -> str:
    """The card with its sources, for the report."""
    data = json.loads((made / "card.json").read_text(encoding="utf-8"))
    rows = "".join(_fact(fact) for fact in data["facts"])
    style = "".join(
        _STYLE.format(name=name, number=number, because=html.escape(", ".join(data["because"][name][:6])))
        for name, number in data["style"].items()
        if name in data["because"]
    )
    told = f"<p>{html.escape(who(pet.profile))}</p>"
    acts = "".join(
        f"<li>{html.escape(quirk.says)} → {html.escape(quirks.told(quirk))}</li>"
        for quirk in quirks.quirks_of(fact["says"] for fact in data["facts"])
    )
    does = f"<h3>What it does of its own will besides</h3><ul>{acts}</ul>" if acts else ""
    edit = f"<p><small>To change it: everpaw clone card {html.escape(str(pet.folder))}</small></p>"
    return f"{told}<table>{rows}</table><table>{style}</table>{does}{edit}"


def _fact(fact: dict[str, str]) -> str:
    source = ", ".join(part for part in (fact["from"], fact["day"]) if part)
    return _ROW.format(
        kind=html.escape(fact["kind"]), says=html.escape(fact["says"]), source=html.escape(source),
        sure=float(fact["sure"]),
    )  # fmt: skip


STEP = Step(
    "persona", "The character: a card out of the notes", ("notes/**/*", CARD), run,
    settings={"starter": file_sha256(starter.FOLDER / PERSONA)}, check=check, page=page,
)  # fmt: skip
