"""The table of what the pet does of its own will, and what everything that happens does to its drives.

Skills and gaits are named as the pack's; one that the pack lacks is never chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

STAND, SIT, LIE, ASLEEP = "stand", "sit", "lie", "asleep"
UP = (STAND, SIT)
AWAKE = (STAND, SIT, LIE)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing it may do, and when it feels like it."""

    name: str
    skills: tuple[str, ...]
    """One of these, in turn"""
    wants: Mapping[str, float]
    """Drive -> how strongly it speaks for the act; below 0: against"""
    eases: Mapping[str, float] = field(default_factory=dict)
    """What it does to the drives, as in `drives.eased`"""
    bias: float = 0.0
    hours: tuple[tuple[float, float, float], ...] = ()
    """(hour, width in hours, weight): the times of day that speak for it"""
    mood: tuple[float, float] = (0.0, 0.0)
    """How valence and arousal speak for it"""
    begins: tuple[str, ...] = AWAKE
    """Postures it may begin in"""
    leaves: str = ""
    """Posture it ends in; empty: the same"""
    lasts_s: float = 4.0
    """How long it stays with it before it thinks of something else"""
    tired_s: float = 120.0
    """How long it does not feel like it again"""
    quiet: bool = False
    """Allowed where it is to be quiet: in quiet hours and while it was told to settle"""
    bid: bool = False
    """Meant for somebody: only while somebody may be there, and ever rarer while nobody answers"""
    gait_ms: int = 0
    """A walk of so long; only where locomotion is allowed"""
    after: tuple[str, ...] = ()
    """What speaks for it for some minutes after it happened or was said: OCCASIONS"""
    sounds: tuple[str, ...] = ()
    """Kinds of sound that go with it; the first that the pet has"""


OCCASIONS = frozenset(
    {"feed", "play", "walk", "come", "hello", "goodbye", "sleep", "wake_up", "praise", "noise", "touch"}
)
"""Intents and happenings that a quirk may follow"""

ACTS: tuple[Act, ...] = (
    Act(
        "look_around", ("look_left", "look_right", "look_up"), {"curiosity": 1.0}, {"curiosity": -0.2},
        hours=((10.5, 1.3, 0.17), (14.8, 1.0, 0.2), (21.0, 0.7, 0.15)), lasts_s=3.0, tired_s=120.0,
    ),
    Act(
        "listen", ("curious",), {"curiosity": 0.8, "company": 0.2}, {"curiosity": -0.15},
        hours=((17.0, 0.8, 0.45),), mood=(0.0, 0.1), tired_s=400.0,
    ),
    Act(
        "sniff", ("sniff",), {"curiosity": 1.0}, {"curiosity": -0.3},
        hours=((7.6, 0.6, 0.45), (12.2, 0.5, 0.3), (18.3, 0.7, 0.45)), begins=UP, tired_s=300.0,
    ),
    Act(
        "stretch", ("stretch",), {"comfort": 1.1, "rest": -0.2}, {"comfort": -0.6},
        hours=((7.2, 0.7, 0.5), (15.2, 0.8, 0.3)), leaves=STAND, lasts_s=6.0, tired_s=900.0,
    ),
    Act(
        "shake_off", ("shake_off",), {"comfort": 1.2, "rest": -0.3}, {"comfort": -0.4},
        hours=((7.4, 0.6, 0.4),), mood=(0.0, 0.3), leaves=STAND, tired_s=500.0,
    ),
    Act(
        "settle_itself", ("shake_head",), {"comfort": 1.3}, {"comfort": -0.25}, lasts_s=3.0, tired_s=200.0,
    ),
    Act(
        "droop", ("look_down",), {"rest": 1.1, "play": -0.3}, {"rest": -0.03, "comfort": -0.05},
        mood=(0.0, -0.3), lasts_s=6.0, tired_s=500.0,
    ),
    Act(
        "look_for_you", ("look_up", "look_at_me"), {"company": 1.3}, {"company": -0.1},
        hours=((17.2, 0.8, 0.25),), lasts_s=6.0, tired_s=400.0,
    ),
    Act(
        "wag", ("wag",), {"company": 1.1}, {"company": -0.06},
        hours=((19.5, 1.5, 0.25),), mood=(0.3, 0.1), tired_s=300.0,
    ),
    Act(
        "greet", ("greet",), {"company": 1.4, "rest": -0.3}, {"company": -0.2},
        hours=((18.5, 1.5, 0.3),), mood=(0.3, 0.2), leaves=STAND, lasts_s=8.0, tired_s=1_200.0, bid=True,
    ),
    Act(
        "invite", ("bow",), {"play": 1.4, "rest": -0.3}, {"play": -0.2},
        hours=((8.3, 1.0, 0.2), (18.0, 1.5, 0.2)), mood=(0.2, 0.3), leaves=STAND, lasts_s=8.0,
        tired_s=500.0, bid=True,
    ),
    Act(
        "frolic", ("happy",), {"play": 1.4, "rest": -0.4}, {"play": -0.3, "rest": 0.02},
        mood=(0.2, 0.4), leaves=STAND, lasts_s=6.0, tired_s=360.0,
    ),
    Act(
        "stroll", ("walk",), {"curiosity": 1.0, "play": 1.0, "rest": -0.4}, {"curiosity": -0.3, "play": -0.2},
        mood=(0.0, 0.2), leaves=STAND, lasts_s=4.0, tired_s=300.0, gait_ms=2_500,
    ),
    Act(
        "stand", ("stand",), {"play": 0.5, "curiosity": 0.5, "rest": -0.6}, {"comfort": -0.05},
        mood=(0.0, 0.4), begins=(SIT, LIE), leaves=STAND, lasts_s=3.0, tired_s=400.0,
    ),
    Act(
        "sit", ("sit",), {"rest": 0.6, "comfort": 0.2}, {"comfort": -0.05},
        bias=0.1, hours=((20.5, 1.2, 0.2),), begins=(STAND, LIE), leaves=SIT, lasts_s=20.0, tired_s=700.0,
    ),
    Act(
        "lie", ("lie",), {"rest": 0.95, "peace": 0.8}, {"comfort": -0.1, "rest": -0.02},
        hours=((12.9, 1.2, 0.3), (21.0, 1.0, 0.4)), mood=(0.0, -0.2), begins=UP, leaves=LIE, lasts_s=60.0,
        tired_s=900.0, quiet=True,
    ),
    Act(
        "sleep", ("sleep",), {"rest": 1.3, "peace": 0.5, "play": -0.2}, {},
        bias=-0.15, hours=((13.6, 1.0, 0.25), (22.0, 1.0, 0.4)), mood=(0.0, -0.3), begins=(LIE,),
        leaves=ASLEEP, lasts_s=1_500.0, tired_s=1_800.0, quiet=True,
    ),
    Act(
        "wake_up", ("wake_up",), {"rest": -1.6, "play": 0.3, "curiosity": 0.2}, {"comfort": 0.2},
        bias=0.65, begins=(ASLEEP,), leaves=STAND, lasts_s=5.0, tired_s=60.0,
    ),
)  # fmt: skip
BY_NAME: Mapping[str, Act] = {act.name: act for act in ACTS}

SOUNDS: Mapping[str, tuple[str, ...]] = {
    "stretch": ("yawn",),
    "sniff": ("sniff",),
    "wag": ("trill", "happy_whimper"),
    "greet": ("meow", "yip"),
    "invite": ("growl_play", "trill"),
    "frolic": ("pant",),
    "sleep": ("yawn",),
    "startle": ("woof", "hiss"),
    "enjoy": ("purr", "happy_whimper"),
}
"""Act -> the sound that goes with it: the first of these kinds that the pet has"""

STARTLE = Act("startle", ("startle",), {}, {"curiosity": 0.4, "peace": 0.1}, leaves=STAND, tired_s=30.0)
ENJOY = Act("enjoy", ("wag",), {}, {"comfort": -0.3, "company": -0.3}, tired_s=20.0)
REACTIONS: Mapping[str, Act] = {"noise": STARTLE, "touch": ENJOY}
"""What happens -> what it does at once"""

POSTURE_OF: Mapping[str, str] = {
    "sit": SIT, "beg": SIT, "shake_paw": SIT, "wave": SIT, "lie": LIE, "play_dead": LIE, "sleep": ASLEEP,
    "stand": STAND, "stretch": STAND, "shake_off": STAND, "bow": STAND, "happy": STAND, "dance": STAND,
    "greet": STAND, "startle": STAND, "cower": STAND, "wake_up": STAND,
}  # fmt: skip
"""Skill -> the posture it ends in, whoever asked for it; others keep the posture, gaits end standing"""

HEARD: Mapping[str | None, Mapping[str, float]] = {
    None: {},
    "settle": {"peace": 0.95, "play": -0.6, "curiosity": -0.4, "company": -0.6},
    "sleep": {"rest": 0.9, "peace": 0.3, "play": -0.5},
    "wake_up": {"rest": -0.8, "peace": -1.0, "curiosity": 0.2},
    "quiet": {"peace": 0.3},
    "stay": {"peace": 0.15},
    "play": {"play": 0.6, "peace": -1.0, "rest": -0.4},
    "dance": {"play": 0.2, "peace": -0.5},
    "hello": {"company": -0.3, "play": 0.1, "peace": -0.3},
    "goodbye": {"company": -0.6, "play": -0.3, "peace": 0.2},
    "praise": {"company": -0.4, "comfort": -0.1},
    "love": {"company": -0.5, "comfort": -0.2},
    "scold": {"peace": 0.3, "play": -0.3},
    "come": {"company": -0.3, "peace": -0.5},
    "feed": {"curiosity": 0.2},
    "crisis": {"peace": 0.9, "play": -0.9},
}
"""Intent -> what it does to the drives, beside ANYTHING_SAID"""
ANYTHING_SAID: Mapping[str, float] = {"company": -0.2, "curiosity": -0.1}
HAPPENED: Mapping[str, Mapping[str, float]] = {
    "noise": {"curiosity": 0.4, "peace": 0.1},
    "touch": {"comfort": -0.3, "company": -0.3},
    "lift": {"curiosity": 0.2, "peace": 0.1},
}
