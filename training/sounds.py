"""The starter's pet sounds: `python -m training.sounds --out runtime/starter/sounds`.

Each kind is a table row of calls with ranges; variations are drawn from a seed. No recording is used.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from training.animal import RATE_HZ, Call, Signal, room, sequence, voice

Rng = np.random.Generator
PEAK = 0.82
_DOG = ((620.0, 140.0, 1.0), (1_350.0, 220.0, 0.7), (2_700.0, 380.0, 0.35), (4_100.0, 600.0, 0.15))
"""Resonances of a small dog's throat, about 12 cm long"""
_SHUT = ((420.0, 120.0, 1.0), (1_150.0, 300.0, 0.25), (2_500.0, 500.0, 0.1))
"""Mouth shut: whines and whimpers"""


def _bark(rng: Rng, pitch: float = 1.0, seconds: float = 0.2) -> Signal:
    f0 = pitch * rng.uniform(400, 480)
    return voice(
        Call(
            seconds * rng.uniform(0.9, 1.15),
            f0_hz=((0, f0 * 0.75), (0.18, f0 * 1.25), (0.5, f0 * 1.1), (1, f0 * 0.55)),
            loud=((0, 0), (0.07, 1), (0.4, 0.85), (0.75, 0.25), (1, 0)),
            formants_hz=_DOG,
            jaw=((0, 0.75), (0.25, 1.3), (0.6, 1.15), (1, 0.7)),
            breath=0.36,
            rough=rng.uniform(0.4, 0.6),
            tilt=0.85,
        ),
        rng,
    )


def bark(rng: Rng) -> Signal:
    """Two sharp ones."""
    gap = rng.uniform(0.1, 0.17)
    return sequence([(_bark(rng), 1.0, gap), (_bark(rng, 1.04), 0.9, 0)])


def woof(rng: Rng) -> Signal:
    """One low, soft bark, lips half shut."""
    f0 = rng.uniform(230, 280)
    call = Call(
        rng.uniform(0.24, 0.3),
        f0_hz=((0, f0 * 0.8), (0.25, f0 * 1.15), (1, f0 * 0.6)),
        loud=((0, 0), (0.12, 1), (0.5, 0.6), (1, 0)),
        formants_hz=((430, 120, 1.0), (950, 200, 0.55), (2_300, 400, 0.15)),
        jaw=((0, 0.7), (0.3, 1.15), (1, 0.65)),
        breath=0.25,
        rough=0.3,
        tilt=0.95,
    )
    return voice(call, rng)


def whine(rng: Rng) -> Signal:
    """A thin, sinking tone through the nose."""
    f0 = rng.uniform(720, 860)
    call = Call(
        rng.uniform(0.6, 0.85),
        f0_hz=((0, f0 * 0.9), (0.25, f0 * 1.2), (0.6, f0 * 1.08), (1, f0 * 0.75)),
        loud=((0, 0), (0.15, 0.7), (0.5, 1), (0.85, 0.5), (1, 0)),
        formants_hz=((800, 220, 1.0), (1_700, 350, 0.3), (3_100, 500, 0.1)),
        breath=0.08,
        tilt=0.97,
        vibrato=(rng.uniform(7, 9), 0.025),
    )
    return voice(call, rng)


def pant(rng: Rng) -> Signal:
    """Breath in, breath out, six times or so."""
    breaths: list[tuple[Signal, float, float]] = []
    for i in range(int(rng.integers(8, 11))):
        out = i % 2 == 0
        call = Call(
            rng.uniform(0.11, 0.14) if out else rng.uniform(0.09, 0.11),
            f0_hz=((0, 120), (1, 110)),
            loud=((0, 0), (0.35, 1), (1, 0)),
            formants_hz=((950, 500, 0.7), (1_900, 700, 1.0), (3_600, 1_200, 0.5))
            if out
            else ((1_300, 600, 0.5), (2_600, 800, 1.0), (4_600, 1_400, 0.6)),
            breath=1.0,
        )
        breaths.append((voice(call, rng), 0.9 if out else 0.55, rng.uniform(0.015, 0.035)))
    return sequence(breaths) * 0.6


def growl_play(rng: Rng) -> Signal:
    """A rolling, rising play growl; higher and shorter than an angry one."""
    f0 = rng.uniform(110, 140)
    roll = rng.uniform(22, 28)
    call = Call(
        rng.uniform(0.7, 0.95),
        f0_hz=((0, f0 * 0.85), (0.5, f0), (0.85, f0 * 1.35), (1, f0 * 1.5)),
        loud=((0, 0), (0.15, 0.7), (0.8, 1), (1, 0)),
        formants_hz=((480, 140, 1.0), (1_200, 250, 0.5), (2_400, 450, 0.2)),
        jaw=((0, 0.8), (0.7, 1.0), (1, 1.35)),
        breath=0.3,
        rough=0.8,
        tilt=0.9,
    )
    signal = voice(call, rng)
    tremble = 0.72 + 0.28 * np.sin(2 * np.pi * roll * np.arange(len(signal)) / RATE_HZ)
    return signal * tremble


def yip(rng: Rng) -> Signal:
    """A short, high, bright one or two."""
    calls: list[tuple[Signal, float, float]] = []
    for _ in range(int(rng.integers(1, 3))):
        f0 = rng.uniform(680, 820)
        call = Call(
            rng.uniform(0.1, 0.14),
            f0_hz=((0, f0 * 0.8), (0.35, f0 * 1.45), (1, f0 * 0.95)),
            loud=((0, 0), (0.12, 1), (0.5, 0.7), (1, 0)),
            formants_hz=((900, 200, 1.0), (1_800, 280, 0.6), (3_300, 500, 0.3)),
            jaw=((0, 0.8), (0.4, 1.25), (1, 0.9)),
            breath=0.15,
            rough=0.1,
            tilt=0.85,
        )
        calls.append((voice(call, rng), 1.0, rng.uniform(0.08, 0.12)))
    return sequence(calls)


def sniff(rng: Rng) -> Signal:
    """Quick draughts through the nose."""
    draughts: list[tuple[Signal, float, float]] = []
    for _ in range(int(rng.integers(3, 6))):
        centre = rng.uniform(2_300, 2_900)
        call = Call(
            rng.uniform(0.07, 0.1),
            f0_hz=((0, 100), (1, 100)),
            loud=((0, 0), (0.55, 1), (0.8, 0.5), (1, 0)),
            formants_hz=((centre * 0.45, 500, 0.4), (centre, 800, 1.0), (centre * 1.9, 1_500, 0.6)),
            jaw=((0, 0.85), (1, 1.2)),
            breath=1.0,
        )
        draughts.append((voice(call, rng), rng.uniform(0.6, 1.0), rng.uniform(0.06, 0.11)))
    return sequence(draughts) * 0.55


def yawn(rng: Rng) -> Signal:
    """The mouth opens wide over a sinking tone, with a squeak at the end."""
    f0 = rng.uniform(380, 460)
    call = Call(
        rng.uniform(0.9, 1.15),
        f0_hz=((0, f0 * 0.9), (0.2, f0 * 1.25), (0.6, f0 * 0.9), (0.82, f0 * 0.6), (1, f0 * 0.85)),
        loud=((0, 0), (0.2, 0.55), (0.5, 1), (0.8, 0.4), (0.9, 0.3), (1, 0)),
        formants_hz=_DOG,
        jaw=((0, 0.6), (0.45, 1.45), (0.8, 1.1), (1, 0.65)),
        breath=0.35,
        tilt=0.97,
        vibrato=(5.5, 0.01),
    )
    return voice(call, rng)


def howl(rng: Rng) -> Signal:
    """Up, a long held tone, down."""
    f0 = rng.uniform(430, 520)
    call = Call(
        rng.uniform(1.5, 1.9),
        f0_hz=((0, f0 * 0.6), (0.16, f0 * 0.98), (0.3, f0 * 1.06), (0.7, f0), (1, f0 * 0.68)),
        loud=((0, 0), (0.12, 0.6), (0.35, 1), (0.75, 0.85), (1, 0)),
        formants_hz=((520, 120, 1.0), (980, 160, 0.55), (2_500, 420, 0.12)),
        jaw=((0, 0.8), (0.25, 1.0), (0.8, 0.95), (1, 0.75)),
        breath=0.07,
        rough=0.02,
        tilt=0.97,
        vibrato=(rng.uniform(4.5, 5.5), 0.018),
    )
    return room(voice(call, rng), rng, 0.2)


def happy_whimper(rng: Rng) -> Signal:
    """A chain of small rising tones, mouth shut."""
    tones: list[tuple[Signal, float, float]] = []
    f0 = rng.uniform(560, 640)
    for _ in range(int(rng.integers(3, 6))):
        f0 *= rng.uniform(1.0, 1.09)
        call = Call(
            rng.uniform(0.1, 0.15),
            f0_hz=((0, f0 * 0.85), (0.6, f0 * 1.2), (1, f0 * 1.1)),
            loud=((0, 0), (0.3, 1), (0.7, 0.7), (1, 0)),
            formants_hz=_SHUT,
            jaw=((0, 1.3), (1, 1.6)),
            breath=0.12,
            tilt=0.95,
        )
        tones.append((voice(call, rng), rng.uniform(0.7, 1.0), rng.uniform(0.02, 0.06)))
    return sequence(tones) * 0.8


KINDS: dict[str, tuple[Callable[[Rng], Signal], tuple[float, float]]] = {
    "bark": (bark, (0.2, 0.6)),
    "woof": (woof, (0.2, 0.1)),
    "whine": (whine, (-0.5, 0.1)),
    "pant": (pant, (0.5, 0.4)),
    "growl_play": (growl_play, (0.3, 0.6)),
    "yip": (yip, (0.5, 0.7)),
    "sniff": (sniff, (0.2, 0.0)),
    "yawn": (yawn, (0.1, -0.7)),
    "howl": (howl, (-0.1, 0.3)),
    "happy_whimper": (happy_whimper, (0.7, 0.3)),
}
"""Kind -> (how it is made, its (valence, arousal))"""
_LONG = frozenset({"pant", "howl", "yawn"})
"""Kinds with one variation less, to keep the pack small"""
_SHADES = ((0.0, 0.0), (0.15, 0.2), (-0.15, -0.2), (0.1, 0.1))
"""How the variations of a kind differ in feeling; a livelier one is higher and shorter"""


def shade(signal: Signal, arousal: float) -> Signal:
    """Up and faster for more arousal, by reading it at another pace."""
    pace = 2 ** (arousal * 4 / 12)
    at = np.arange(0, len(signal) - 1, pace)
    return np.interp(at, np.arange(len(signal)), signal)


def finish(signal: Signal, rng: Rng) -> Signal:
    """A little room, soft ends, no DC, peak at PEAK."""
    level = float(np.abs(signal).max())
    wet = room(signal - signal.mean(), rng)
    fade = int(0.004 * RATE_HZ)
    wet[:fade] *= np.linspace(0, 1, fade)
    wet[-fade:] *= np.linspace(1, 0, fade)
    return wet * PEAK * min(1.0, level)


CARD = """# The starter's own pet sounds

Ten kinds, {count} sounds, {kb:.0f} KB, made by source-filter synthesis: a glottal-like pulse train with a
pitch contour, jitter and subharmonics, breath noise and moving formants (training/animal.py).

**Data** none: no recording was used, so no animal's voice and no licence stands behind them.

**Pitch** barks 300-600 Hz, falling; whines 550-1,000 Hz with vibrato; growls 95-210 Hz, rough;
howls held near 500 Hz.

**Measured** nothing but size and level: whether they please is for ears to say. They sound like a small
cartoon dog, not like a recording; a clone's own recordings replace them.

**Made by** `python -m training.sounds --out runtime/starter/sounds` (seed {seed}, a few seconds)

**Licence** Apache-2.0
"""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="training.sounds", description="Synthesise the starter's pet sounds."
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cards", type=Path, help="folder for sounds.md; default: cards beside --out")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--smoke", action="store_true", help="one variation a kind")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (kind, (make, (valence, arousal))) in enumerate(KINDS.items()):
        for i, (dv, da) in enumerate(_SHADES[: 1 if args.smoke else len(_SHADES) - (kind in _LONG)]):
            rng = np.random.default_rng([args.seed, number, i])
            signal = finish(shade(make(rng), da), rng)
            file = f"{kind}_{i + 1}.flac"
            soundfile.write(
                args.out / file, np.round(signal * 32_767).astype(np.int16), RATE_HZ, compression_level=1.0
            )
            rows.append(
                f'[[sound]]\nfile = "{file}"\nkind = "{kind}"\n'
                f"valence = {valence + dv:.2f}\narousal = {arousal + da:.2f}\n"
            )
    (args.out / "sounds.toml").write_text("\n".join(rows), encoding="utf-8")
    kb = sum(path.stat().st_size for path in args.out.glob("*.flac")) / 1_000
    cards = args.cards or args.out.parent / "cards"
    cards.mkdir(parents=True, exist_ok=True)
    (cards / "sounds.md").write_text(CARD.format(count=len(rows), kb=kb, seed=args.seed), encoding="utf-8")
    print(f"{len(rows)} sounds, {kb:.0f} KB in {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
