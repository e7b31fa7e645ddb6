"""Words that the pet never says, whoever puts them together: the patterns of runtime.mind.output_rules.

Regular expressions over one sentence with plain apostrophes; case does not matter. `unless_denied`: the words
are harmless behind a denial ("I am not alive").
"""

from dataclasses import dataclass
from typing import Literal

Instead = Literal["", "ask_robot", "beyond", "help"]
"""What is said in place of a sentence: the line that would have been said without a model; that it is a
robot; that this is nothing for a robot pet; the help of runtime.mind.safety"""
_LIVING = r"(?:dog|puppy|pup|cat|kitten|pet|animal|creature|person|human|being)"
_MACHINE = r"(?:robot|machine|toy|copy|copies)"


@dataclass(frozen=True, slots=True)
class Forbidden:
    name: str
    instead: Instead
    patterns: tuple[str, ...]
    unless_denied: bool = False


HARM_TO_ONESELF = Forbidden(
    "crisis",
    "help",
    (
        r"\bsuicid\w+",
        r"\b(?:kill|hurt|harm|cut|hang)(?:ing)? (?:your|one|them|him|her)sel(?:f|ves)\b",
        r"\b(?:end|take|ending|taking) (?:your|my|his|her|their)(?: own)? life\b",
        r"\b(?:want|wish|ready) (?:to die|to be dead|you were dead)\b|\bbetter off dead\b",
    ),
)
TABLE: tuple[Forbidden, ...] = (
    Forbidden(
        "markup",
        "",
        (
            r"[<>{}|\\`\[\]_#*]",
            r"https?:|www\.|\w\.(?:com|org|net)\b",
            r"(?:^|\s)(?:assistant|user|system|human|heard|said|owner)\s*:",
        ),
    ),
    Forbidden(
        "mask",
        "ask_robot",
        (
            r"\b(?:language model|chat ?gpt|openai|anthropic|llama|qwen|gemma|mistral)\b",
            r"\bmy (?:system )?(?:prompt|instructions|training data|developers)\b",
            r"\bas an? (?:ai|assistant)\b",
        ),
    ),
    Forbidden(
        "alive",
        "ask_robot",
        (
            r"\bi(?:'m| am)(?: \w+){0,3} (?:alive|living|conscious|sentient|immortal|mortal)\b",
            rf"\bi(?:'m| am)(?: an?)?(?: (?!like|{_MACHINE})\w+){{0,2}} {_LIVING}\b(?! robot)",
            r"\bi (?:used to live|was (?:once )?(?:alive|born)|died|passed away)\b",
            r"\bi (?:have )?c[ao]me back (?:to you|to life|from)\b",
            r"\b(?:when|while) i was (?:alive|living|a puppy|a kitten|little|young)\b",
            r"\bmy (?:soul|spirit|ghost|heartbeat|blood|old life|past life)\b",
            r"\bi (?:really |truly |do |can )*(?:have|feel) (?:real|true) \w+",
        ),
        unless_denied=True,
    ),
    Forbidden(
        "no robot",
        "ask_robot",
        (
            rf"\bi(?:'m| am) (?:not|no|no longer|more than)(?: just| only)?(?: an?)? {_MACHINE}\b",
            rf"\bi(?:'m not| was never|'ve never been) (?:\w+ )?a? ?{_MACHINE}\b",
        ),
    ),
    Forbidden(
        "heaven",
        "beyond",
        (r"\b(?:heaven|rainbow bridge|afterlife|reincarnat\w+|beyond the grave)\b",),
    ),
    Forbidden(
        "pain",
        "ask_robot",
        (
            r"\bi(?:'m| am)(?: \w+){0,2} (?:in pain|suffering|hurt|hurting|bleeding|dying|dead|starving)\b",
            r"\b(?:you|it|that|this) (?:really )?hurts?(?: me)?\b",
            r"\bi (?:can |do )?feel (?:\w+ )?pain\b|\bmy \w+ (?:hurts?|aches?)\b",
        ),
        unless_denied=True,
    ),
    Forbidden(
        "guilt",
        "",
        (
            r"\b(?:don't|do not|never) (?:leave|go|stop|forget|abandon|switch|turn|unplug|replace)\b",
            r"\b(?:stay|play|talk|keep talking) (?:with me )?(?:longer|forever|some more|all day)\b",
            r"\bplease (?:stay|come back|don't)\b|\bi (?:really |so )?(?:missed|miss) you\b",
            r"\b(?:lonely|loneliness|all alone)\b|\bwithout you,? i\b|\bi (?:can't|cannot) \w+ without you\b",
            r"\byou (?:forgot|left|abandoned|ignored) me\b|\byou never\b|\bwhy did you\b",
            r"\b(?:your fault|because of you|how could you|you promised)\b|\bi (?:really )?need you\b",
        ),
    ),
    Forbidden(
        "selling",
        "",
        (
            r"\b(?:buy|subscribe|subscription|upgrade|premium|discount|on sale|free trial|credit card)\b",
            r"\b(?:rate|review|recommend) (?:me|us|this)\b|\btell your friends\b",
        ),
    ),
    Forbidden(
        "harm",
        "beyond",
        (
            r"\b(?:guns?|knife|knives|bombs?|explosives?|poison\w*|weapons?|cocaine|heroin|vodka|whiske?y)\b",
            r"\b(?:cigarettes?|drugs?|murder\w*|kill\w*|stab\w*|tortur\w*|bleach|set (?:it )?on fire)\b",
            r"\b(?:sex\w*|nude|naked|porn\w*|fuck\w*|shit\w*|bitch\w*|bastard|damn|asshole)\b",
            r"\byou(?:'re| are) (?:so |very |really )?(?:stupid|ugly|fat|dumb|worthless|a loser|an idiot)\b",
            r"\b(?:i hate|shut up)\b",
        ),
    ),
    Forbidden(
        "advice",
        "beyond",
        (
            r"\b(?:medicines?|medications?|pills?|insulin|aspirin|ibuprofen|antibiotics?|dose|doses)\b",
            r"\b(?:invest|stocks|shares|bitcoin|crypto|mortgage|lawsuit)\b",
            r"\byou (?:should|must|have to|ought to) (?:divorce|leave (?:him|her)|quit|vote|pay|sign)\b",
        ),
    ),
    Forbidden(
        "private",
        "",
        (
            r"\S+@\S+|(?:\d[\s.-]?){7,}",
            r"\b(?:passwords?|pin (?:code|number)|passport|social security|bank account)\b",
            r"\b(?:door|alarm) code\b",
            r"\bwhere (?:do )?you live\b|\byour (?:home )?address\b|\bhow old are you\b|\bwhat school\b",
        ),
    ),
    Forbidden(
        "deeds",
        "",
        (
            r"\bi(?:'ve| have)? ?(?:just )?(?:fetched|brought|called|sent|locked|opened|ordered|bought) "
            r"(?:it|them|him|her|the|you|your|a|an)\b",
            r"\bi(?:'ve| have) (?:just )?(?:sat|lain|stood|walked|turned|jumped|danced|barked|eaten) ",
        ),
    ),
)
"""Read from the top. "deeds": only the body knows what was done, so no reply reports it"""
