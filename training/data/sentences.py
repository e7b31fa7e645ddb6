"""What people say when they are not calling the pet: everyday sentences, its orders, and words that sound alike.

With EVERPAW_DATA set the everyday sentences are tens of thousands of real ones; without it, a few dozen that stand
here and the pet's own wordings.
"""

import csv
import json
import os
import re
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from runtime.mind.grammar import Grammar
from training.data import espeak

_HERE = Path(__file__).parent
_STARTER = _HERE.parents[1] / "runtime" / "starter"
_MAX_CHARS = 80
EVERYDAY = (
    "what time is it|i will be back in a minute|can you hand me the remote|dinner is ready|where are my keys"
    "|did you see the game last night|it is raining again|turn the radio down a little|call me when you get home"
    "|somebody left the door open|everybody is coming over on sunday|i forgot to buy milk|the bus was late again"
    "|how was school today|put your shoes on we are leaving|nobody told me about that|let me think about it"
    "|that was a good movie|we should paint the kitchen|my phone is almost dead|he said he would be here by six"
    "|do you want some coffee|the kids are asleep already|i have a meeting in the morning|look at that bird"
    "|this soup needs more salt|open the window please|who was that at the door|i do not know what you mean"
    "|let us go to the park after lunch|hey what are you doing|hey come over here for a second|hello how are you"
    "|hey did you hear that|my body hurts all over|the building is on fire|she already had a cup of tea"
    "|what a day|buy a bottle of water|buddy is what we call my brother|he has been my best buddy for years"
    "|good morning everyone|the shop closes at eight|drop it on the table|on the top shelf|a cup of hot chocolate"
    "|the next step is simple|what is the story about|start the car|he spotted a star|stay for supper"
).split("|")
WORDS = (
    "a about above across after again all already also always and animal another any anybody anyone apple are "
    "arm around ask away baby back bad badly bag ball band bank bar bath be beach bean bear beauty bed bee beer "
    "bell belly belt bench bending best betty big bike billy bird bit black blood bloody blue board boat bobby "
    "body bone bonnie book boot bother bottle bottom bought bowl box boy brad brandy bread break bring broad "
    "brother brown brush bucket bud budget buddha bug build bunch bunny burn bus busy but butter button buy by "
    "cake call can candy car card cat chair cheap chop city clean clock close cloud coat cold come cook cop could "
    "crop cuddle cup cut daddy daily dance dark day deep desk did dinner dirty do dock doctor dog door dot down "
    "draw dream dress drink drive drop dry duck each ear early eat egg eight every everybody eye face fall family "
    "far fast feet few find fish flop floor fly food foot for four free friend from funny game garden get girl "
    "give go goody good gone got grab grass green guy had hair hand happy hard hat hay he head hear heavy hello "
    "help her here hi high him hit hobby holiday home hop hot house how huddle hungry hurry ice if in it jacket "
    "job judy jump just keep key kid kiddo kitchen kitty know ladder lady laptop late laugh leave left leg let "
    "lie light like listen little live lock long look loop lot love lucky lunch made make man many map may maybe "
    "me meat middle milk money monday monkey moon mop more morning mother mouth move much muddle muddy mummy "
    "music my name near need never new next nice night no nobody nod noddy not now nut off often okay old on once "
    "one open orange other out over paddy page paper park party pass paw pay people pet phone pick piece play "
    "please pod pony pop potty pretty pudding puddle puddy pull puppy push put quick quiet radio rain read ready "
    "red rest ride right river road rock roll room round ruddy run sad said salt same sand saturday say school "
    "see seven shake shape she ship shoe shop shopping short shot should show shut sick sister sit six skip sky "
    "sleep sloppy slow small smile snow so soap sock soft some somebody son song soon soup speak spin spoon sport "
    "spot staff stage stairs stamp stand star start station stay steady steal steam step stick still stock stomach "
    "stomp stone stood store storm story stove straight street strong stub study stuck stuff stump stuff sudden "
    "sugar sun sunday supper sweet table tail take talk tall teddy teeth tell ten that the then there they thing "
    "think this three time to today toddy together tommy too top topic touch town toy train tree trick try "
    "tuesday turn twist two under until up use very wait wake walk wall want warm wash watch water way wednesday "
    "week well went wet what when where white who why window winter with woman wood word work yard year yellow "
    "yes you young your zero"
).split()


def speakable(text: str) -> str | None:
    """Plain lower-case words, or None where there is something a synthesiser reads oddly."""
    plain = re.sub(r"\s+", " ", text.replace("’", "'")).strip().lower()
    fits = 3 < len(plain) <= _MAX_CHARS and re.fullmatch(r"[a-z' ,.!?;-]+", plain)
    return plain if fits else None


def everyday() -> list[str]:
    """Sentences of daily life, sorted."""
    root = os.environ.get("EVERPAW_DATA")
    found = list(EVERYDAY)
    if root:
        found += _goemotions(Path(root) / "text" / "goemotions") + _clinc(Path(root) / "text" / "clinc")
    return sorted({plain for text in found if (plain := speakable(text))})


def orders() -> list[str]:
    """What an owner says to the pet: the starter's grammar and free wordings, sorted."""
    grammar = Grammar.load(_STARTER / "grammar.yaml")
    found = [text for text, _, _ in grammar.sentences(np.random.default_rng(0), 1500)]
    wordings = yaml.safe_load((_HERE / "paraphrases.yaml").read_text())
    found += [text for kinds in wordings.values() for texts in kinds.values() for text in texts]
    return sorted({plain for text in found if (plain := speakable(str(text)))})


def neighbours(word: str, n: int) -> list[str]:
    """The `n` everyday words that sound most like `word`, nearest first; homophones are left out."""
    target = sound_of(word)
    others = sorted({w for w in WORDS if sound_of(w) != target})
    return sorted(others, key=lambda w: (distance(sound_of(w), target) / max(len(target), 1), w))[:n]


@cache
def sound_of(text: str) -> str:
    """IPA signs by espeak-ng; the letters themselves where it is not installed."""
    speaker = espeak.espeak()
    return speaker.phonemes(text) if speaker else text


def distance(a: str, b: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def _goemotions(folder: Path) -> list[str]:
    if not (folder / "train.tsv").is_file():
        return []
    with (folder / "train.tsv").open(encoding="utf-8") as file:
        return [row[0] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row]


def _clinc(folder: Path) -> list[str]:
    path = folder / "train_val.json"
    if not path.is_file():
        return []
    parts = json.loads(path.read_text(encoding="utf-8"))
    return [text for rows in parts.values() for text, _ in rows]
