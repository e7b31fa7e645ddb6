"""A pet's folder: `profile.toml`, `photos/`, `recordings/`, `notes/`; steps keep theirs in `.clone/`."""

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from runtime.contracts.errors import CloneError
from training.clone.profile import PROFILE, Profile, first_fault

KEPT = ".clone"
FOLDERS = {
    "photos": "photos of the animal standing: one from the side, one from the front, better four all around",
    "recordings": "sounds it makes, or films with sound",
    "notes": "diary, chats, stories, questions and answers; plain text or Markdown",
}
QUESTIONS = {
    "name": "What is its name? ",
    "species": "Dog, cat or other? ",
    "breed": "Which breed (empty: not known)? ",
    "born": "When was it born, as 2019-05-31 (empty: not known)? ",
    "sex": "female or male (empty: not said)? ",
    "traits": "What is it like? Words with commas between: ",
    "life": "Is it living, or in memory (living/memory)? ",
    "owner": "What is your first name, as it may say it (empty: not told)? ",
    "consent": "Who made photos, recordings and notes, and may they be used for this? ",
    "language": "Which language do you speak with it (en, de, zh, ...)? ",
}
Ask = Callable[[str], str]


def init(folder: Path, answers: dict[str, str], ask: Ask) -> Profile:
    """Make the folder; what `answers` leaves out is asked for. CloneError where a profile stands already."""
    if (folder / PROFILE).exists():
        raise CloneError(f"{folder / PROFILE} is there already; edit it, or give another folder")
    profile = Profile.model_validate({"name": "-", "species": "other"})
    given: dict[str, object] = {}
    for field, question in QUESTIONS.items():
        profile = _answered(given, field, answers.get(field), question, ask)
    for name, holds in FOLDERS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "README.txt").write_text(f"Put here: {holds}.\n")
    draft = folder / f".{PROFILE}.new"
    draft.write_text(profile.toml, encoding="utf-8")
    draft.replace(folder / PROFILE)
    return profile


def _answered(given: dict[str, object], field: str, answer: str | None, question: str, ask: Ask) -> Profile:
    """The profile so far with one answer more; an answer that cannot be right is asked for again."""
    while True:
        text = (ask(question) if answer is None else answer).strip()
        value: object = text.lower() if field in ("species", "sex", "life") else text
        if field == "traits":
            value = tuple(word.strip() for word in text.split(",") if word.strip())
        if value or field in ("name", "species"):
            given[field] = value
        try:
            return Profile.model_validate({"species": "other"} | given)
        except ValidationError as error:
            if answer is not None:
                raise CloneError(f"--{field} {answer!r}: {first_fault(error)}") from error
            given.pop(field, None)
            question = f"{first_fault(error)}. {QUESTIONS[field]}"
