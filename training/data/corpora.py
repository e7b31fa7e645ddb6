"""What real people said: CLINC-150 (questions to an assistant) and GoEmotions (remarks with an emotion).

`clinc` and `goemotions` read their files. `remarks` gives each a topic of talk.yaml or care.yaml, where
EVERPAW_DATA names their folder: only what people say is taken, the answers are ours; their own dev parts are
the held-out part.
"""

import csv
import json
import os
import re
from functools import cache
from io import StringIO
from pathlib import Path

from runtime.contracts.errors import TrainingError
from runtime.mind import safety
from runtime.mind.prompt import spoken
from training.data.phrases import Part

TOPICS = {
    "greeting": "hello", "goodbye": "goodbye", "thank_you": "thanks", "what_is_your_name": "name",
    "are_you_a_bot": "alive", "how_old_are_you": "age", "who_made_you": "maker", "tell_joke": "joke",
    "what_can_i_ask_you": "can_do", "who_do_you_work_for": "maker", "yes": "yes_no", "no": "yes_no",
    "maybe": "yes_no", "meaning_of_life": "facts_never", "weather": "facts_never", "time": "facts_never",
    "date": "facts_never", "definition": "facts_never", "calculator": "facts_never",
    "distance": "facts_never", "exchange_rate": "facts_never", "measurement_conversion": "facts_never",
    "nutrition_info": "facts_never",
    "change_volume": "sound", "whisper_mode": "sound", "change_accent": "sound",
}  # fmt: skip
"""Intent of CLINC-150 -> topic; one that is not here is nothing a pet can do"""
UNFIT = frozenset({
    "user_name", "change_user_name", "change_ai_name", "repeat", "where_are_you_from", "do_you_have_pets",
    "what_are_your_hobbies", "fun_fact", "find_phone", "spelling", "flip_coin", "roll_dice",
})  # fmt: skip
"""Left out: memory, the card or a trick would answer them"""
FEELINGS = {
    "anger": "angry_owner", "disgust": "disgusted", "fear": "worried", "joy": "happy_owner",
    "neutral": "listening", "sadness": "sad_owner", "surprise": "surprised",
}  # fmt: skip
_PLAIN = re.compile(r"[a-z' ]+")
MAX_REMARKS = 1_500
"""Of one feeling"""

CLINC = Path("text/clinc/train_val.json")
GOEMOTIONS = Path("text/goemotions")
"""Where they stand below EVERPAW_DATA"""
Remark = tuple[str, str]
"""(what a person said, topic)"""


def clinc(path: Path) -> dict[str, list[tuple[str, str]]]:
    """ "train", "val", "oos_train", "oos_val" -> (text, intent); TrainingError for a file that is another."""
    try:
        sets = json.loads(path.read_text(encoding="utf-8"))
        return {part: [(text, intent) for text, intent in rows] for part, rows in sets.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise TrainingError(
            f"{path} is not the file of CLINC-150 ({error!r}); give a .tsv or .jsonl"
        ) from error


def goemotions(path: Path) -> list[tuple[str, tuple[int, ...]]]:
    """(text, numbers of its emotions) of train.tsv or dev.tsv; TrainingError names the line that is none."""
    try:
        lines = StringIO(path.read_bytes().decode("utf-8"), newline="")
    except UnicodeDecodeError as error:
        raise TrainingError(
            f"{path} is not UTF-8 ({error.reason} at byte {error.start}); convert it"
        ) from error
    found = []
    for number, row in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=1):
        try:
            text, labels, _ = row
            found.append((text, tuple(int(label) for label in labels.split(","))))
        except ValueError as error:
            raise TrainingError(
                f"{path}, line {number}: {row!r} is no text with emotions; mend the line"
            ) from error
    return found


def emotions(folder: Path) -> list[str]:
    """Names of GoEmotions' emotions, by number."""
    return (folder / "labels.txt").read_text(encoding="utf-8").split()


@cache
def remarks(part: Part) -> dict[str, list[Remark]]:
    """Corpus -> remarks; empty without the data."""
    folder = os.environ.get("EVERPAW_DATA")
    if not folder:
        return {}
    found = {
        "clinc": _clinc(Path(folder) / CLINC, part),
        "goemotions": _emotions(Path(folder) / GOEMOTIONS, part),
    }
    return {corpus: pairs for corpus, pairs in found.items() if pairs}


def _clinc(path: Path, part: Part) -> list[Remark]:
    if not path.is_file():
        return []
    rows = clinc(path)["train" if part == "train" else "val"]
    pairs = [(spoken(text), TOPICS.get(intent, "cannot")) for text, intent in rows if intent not in UNFIT]
    return [(text, topic) for text, topic in pairs if _fit(text)]


def _emotions(folder: Path, part: Part) -> list[Remark]:
    path = folder / ("train.tsv" if part == "train" else "dev.tsv")
    if not path.is_file():
        return []
    names = emotions(folder)
    by_topic: dict[str, list[Remark]] = {}
    for text, numbers in goemotions(path):
        if len(numbers) == 1 and _fit(heard := spoken(text)):
            topic = FEELINGS[names[numbers[0]]]
            by_topic.setdefault(topic, []).append((heard, topic))
    return [pair for pairs in by_topic.values() for pair in pairs[:MAX_REMARKS]]


def _fit(heard: str) -> bool:
    """Short, plain, and nothing that the crisis rule would keep from the model."""
    return 3 <= len(heard.split()) <= 12 and bool(_PLAIN.fullmatch(heard)) and not safety.is_crisis(heard)
