"""What the starter recogniser reads aloud while it learns: the pet's commands and a lot of other English.

Commands alone would teach it whole sentences by heart. So that any grammar given later can be recognised by
its letters, a quarter is open sentences and loose words. The grammars and recordings it is measured on
are never among them.
"""

import os
import re
from pathlib import Path

import numpy as np
import yaml

from runtime.mind.grammar import Grammar, normalise
from training.asr.lexicon import pronouncer
from training.data import corpora

PREFIXES = ("buddy", "hey buddy", "okay buddy")
_MAX_WORDS = 10
_WORDS = """
about above after again air all always animal answer any apple arm around ask autumn away baby back bad bag
ball banana basket bath beach bear beautiful because bed before begin behind believe below best better
between big bird black blue boat body book both bottle bottom box boy bread break bright bring brother brown
build bus busy buy cake call camera car card carry cat catch chair change cheap cheese chicken child choose
church circle city clean clear clock close cloud coat cold colour come computer cook corner count country
cousin cow cross cry cup cut dance dark daughter day dead deep dinner dirty doctor dog door double down draw
dream dress drink drive drop dry early earth east easy eat egg eight eighteen eleven empty end enough enter
evening every eye face fall family famous far farm fast father feel few field fifteen fifty fight find
finger finish fire first fish five floor flower fly follow food foot forest forget forty four fourteen free
fresh friday friend front fruit full funny game garden girl give glass go gold good grandma grass great
green grey ground grow guess half hall hand hang happy hard hat have head hear heart heavy help here high
hill history hold hole holiday home hope horse hospital hot hour house hundred hungry hurry husband ice idea
important inside island jacket january job juice jump june keep key kick kill kind king kitchen knee knife
know lake lamp language large last late laugh learn leave left leg lemon lesson letter library life light
like line lion list listen little live long look lose loud love low lucky lunch machine make man many map
march market marry matter meal mean meat meet milk million minute mirror miss mistake monday money month
moon morning mother mountain mouse mouth move movie much music must name narrow near neck need never new
news next nice night nine nineteen noise noon north nose nothing november now number ocean october off
office often oil old one onion open orange order outside over paint pair paper parent park party pass past
pay pencil people perfect phone photo piano picture piece pink place plane plant plate play please pocket
point police poor possible potato pretty price problem pull purple push put queen question quick quiet
rabbit race radio rain read ready reason red remember repeat rest rice rich ride right ring river road rock
roof room round run sad safe salt same sand saturday save say school science sea second see sell send
september serious seven seventeen seventy shape share sharp sheep ship shirt shoe shop short shoulder shout
show shut sick side sign silver simple sing sister sit six sixteen sixty size skin sky sleep slow small
smell smile smoke snow soap soft some son song soon sorry sound soup south speak special spell spend spoon
sport spring square stair stand star start station stay step still stop storm story straight strange street
strong student study sugar summer sun sunday sure surprise sweet swim table take talk tall taste tea teacher
team tell ten test thank thick thin thing think third thirsty thirteen thirty thousand three through throw
thursday ticket tiger time tired today together tomorrow tongue too tooth top touch town toy train travel
tree triangle trip trouble true try tuesday turn twelve twenty two ugly umbrella uncle under understand
until up use usual vacation valley vegetable very village visit voice wait wake walk wall want war warm wash
watch water way weak wear weather wednesday week weight welcome well west wet what wheel when where which
white who whole why wide wife wild win wind window wine winter wish with woman wonder wood word work world
worry worse write wrong yard year yellow yes yesterday young zebra zero zoo
"""


def plain_sentences() -> list[str]:
    """Short polite English sentences, CLINC's requests, where EVERPAW_DATA holds them, else []."""
    base = os.environ.get("EVERPAW_DATA")
    return [text for line in _requests(base) if (text := _speakable(line))]


def open_sentences() -> list[str]:
    """Short English sentences of the corpora that EVERPAW_DATA holds, else [] (then loose words must do)."""
    base = os.environ.get("EVERPAW_DATA")
    if not base:
        return []
    found, remarks = _requests(base), Path(base) / corpora.GOEMOTIONS / "train.tsv"
    if remarks.exists():
        found += [text for text, _ in corpora.goemotions(remarks)]
    for file in sorted((Path(base) / "text" / "chatterbot" / "english").glob("*.yml")):
        talks = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader).get("conversations", [])
        found += [line for talk in talks for line in talk if isinstance(line, str)]
    say = pronouncer()
    known = {text for line in found if (text := _speakable(line))}
    return sorted(text for text in known if all(say.ways(word) for word in text.split()))


def vocabulary(sentences: list[str]) -> list[str]:
    """Words of the sentences seen three times or more, and the everyday words of this file."""
    counts: dict[str, int] = {}
    for sentence in sentences:
        for word in sentence.split():
            counts[word] = counts.get(word, 0) + 1
    return sorted({word for word, n in counts.items() if n >= 3} | set(_WORDS.split()))


def draw_texts(grammar: Grammar, paraphrases: list[str], n: int, seed: int) -> list[str]:
    """`n` texts: 35 % commands, 10 % free wordings (half of both with a name), 40 % sentences, 15 % words."""
    rng = np.random.default_rng(seed)
    sentences = open_sentences()
    words = vocabulary(sentences)
    commands = [text for text, _, _ in grammar.sentences(rng, n)]
    drawn = []
    for command in commands:
        kind = rng.random()
        if kind < 0.45:
            text = command if kind < 0.35 or not paraphrases else _one(paraphrases, rng)
            drawn.append(f"{_one(PREFIXES, rng)} {text}" if rng.random() < 0.5 else text)
        elif kind < 0.85 and sentences:
            drawn.append(_one(sentences, rng))
        else:
            drawn.append(" ".join(_one(words, rng) for _ in range(int(rng.integers(1, 6)))))
    return drawn


def _one(among: "list[str] | tuple[str, ...]", rng: np.random.Generator) -> str:
    return among[int(rng.integers(len(among)))]


def _speakable(line: str) -> str:
    """Normalised, or "" where spelling and speech may differ (digits, abbreviations, too long)."""
    if re.search(r"[^A-Za-z',.!?;: -]", line) or re.search(r"[A-Z]{2,}|\w\.\w", line):
        return ""
    text = normalise(line)
    words = text.split()
    odd = any(len(w) > 14 or (len(w) == 1 and w not in "ai") or not re.search("[aeiouy]", w) for w in words)
    return "" if odd or not 1 <= len(words) <= _MAX_WORDS else text


def _requests(base: str | None) -> list[str]:
    """Of CLINC-150; none where EVERPAW_DATA does not hold it."""
    path = Path(base or "nowhere") / corpora.CLINC
    return [text for rows in corpora.clinc(path).values() for text, _ in rows] if path.is_file() else []
