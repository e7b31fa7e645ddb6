"""What real people said, from the open corpora, each with its topic of talk.yaml or care.yaml.

CLINC-150 (questions to an assistant) and GoEmotions (remarks with an emotion), where EVERPAW_DATA names their
folder. Only what people say is taken; the answers are ours. Their own dev parts are the held-out part.
"""

import csv
import json
import os
import re
from functools import cache
from pathlib import Path

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

Remark = tuple[str, str]
"""(what a person said, topic)"""


@cache
def remarks(part: Part) -> dict[str, list[Remark]]:
    """Corpus -> remarks; empty without the data."""
    folder = os.environ.get("EVERPAW_DATA")
    if not folder:
        return {}
    text = Path(folder) / "text"
    found = {
        "clinc": _clinc(text / "clinc/train_val.json", part),
        "goemotions": _emotions(text / "goemotions", part),
    }
    return {corpus: pairs for corpus, pairs in found.items() if pairs}


def _clinc(path: Path, part: Part) -> list[Remark]:
    if not path.is_file():
        return []
    rows = json.loads(path.read_text(encoding="utf-8"))["train" if part == "train" else "val"]
    pairs = [(spoken(text), TOPICS.get(intent, "cannot")) for text, intent in rows if intent not in UNFIT]
    return [(text, topic) for text, topic in pairs if _fit(text)]


def _emotions(folder: Path, part: Part) -> list[Remark]:
    path = folder / ("train.tsv" if part == "train" else "dev.tsv")
    if not path.is_file():
        return []
    names = (folder / "labels.txt").read_text(encoding="utf-8").split()
    by_topic: dict[str, list[Remark]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for text, label, _ in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if "," in label or not _fit(heard := spoken(text)):
                continue
            topic = FEELINGS[names[int(label)]]
            by_topic.setdefault(topic, []).append((heard, topic))
    return [pair for pairs in by_topic.values() for pair in pairs[:MAX_REMARKS]]


def _fit(heard: str) -> bool:
    """Short, plain, and nothing that the crisis rule would keep from the model."""
    return 3 <= len(heard.split()) <= 12 and bool(_PLAIN.fullmatch(heard)) and not safety.is_crisis(heard)
