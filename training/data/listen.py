"""A page to hear what the synthetic people say, and what the world makes of it.

    everpaw train listen --text "hey buddy" --text "sit down" --out page.html
    everpaw train listen --name 小白 --out page.html

Each row is one voice: as the synthesiser speaks, as another speaker (formants, pitch, rate, breath), and in a
room with noise; below them every kind of noise alone. One file, nothing is fetched from anywhere.
"""

import argparse
import base64
import html
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from runtime.contracts.audio import SAMPLE_RATE_HZ
from runtime.contracts.errors import EverpawError, TrainingError
from runtime.pace import Pace
from training.data import animals, augment, noise, speech, voices
from training.data.voices import Floats, Voice
from training.wake.clips import mandarin_voices
from training.wake.texts import is_mandarin

_NOISE_S = 3
MOST_ROWS = 400


@dataclass(frozen=True, slots=True)
class Row:
    """`sounds`: column -> sound."""

    text: str
    voice: str
    sounds: dict[str, Floats]


def rows(texts: Sequence[str], count: int, seed: int, held_out: bool, level: float) -> Iterator[Row]:
    """`count` voices, the texts in turn; recorded voices as often as the recipes draw them."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        text = texts[number % len(texts)]
        voice = voices.choose(_voices(text, held_out), rng)
        spoken = speech.spoken(voices.plan(text, voice, rng))
        warped = augment.warp(spoken, rng, level)
        placed = augment.room(np.pad(warped, SAMPLE_RATE_HZ // 4), rng, level)
        yield Row(text, voice.id, {"as spoken": spoken, "another speaker": warped, "in a room": placed})


def _voices(text: str, held_out: bool) -> Sequence[Voice]:
    return mandarin_voices(held_out) if is_mandarin(text) else voices.voices(held_out)


def noises(seed: int) -> Iterator[Row]:
    rng = np.random.default_rng(seed)
    for kind in noise.KINDS:
        yield Row(kind, "", {"noise": noise.stretch(_NOISE_S * SAMPLE_RATE_HZ, rng, kind)})
    yield Row("an animal", "", {"noise": animals.animal(rng)})


def page(spoken: Sequence[Row], alone: Sequence[Row], title: str) -> str:
    """HTML with the sounds inside."""
    return _PAGE.format(title=html.escape(title), spoken=_table(spoken), alone=_table(alone))


def _table(found: Sequence[Row]) -> str:
    columns = list(found[0].sounds) if found else []
    head = "".join(f"<th>{name}</th>" for name in ("text", "voice", *columns))
    lines = []
    for row in found:
        cells = "".join(f"<td>{_player(row.sounds[column])}</td>" for column in columns)
        lines.append(f"<tr><td>{html.escape(row.text)}</td><td>{html.escape(row.voice)}</td>{cells}</tr>")
    return f"<table><tr>{head}</tr>\n" + "\n".join(lines) + "</table>"


def _player(sound: Floats) -> str:
    peak = float(np.abs(sound).max(initial=1e-6))
    file = io.BytesIO()
    soundfile.write(file, (0.7 / peak) * sound, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    data = base64.b64encode(file.getvalue()).decode()
    return f'<audio controls preload="none" src="data:audio/flac;base64,{data}"></audio>'


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100%; margin-bottom: 2rem }}
td, th {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884 }}
audio {{ height: 2rem; width: 13rem }}
</style>
<h1>{title}</h1>
{spoken}
<h2>Noises alone</h2>
{alone}
</html>
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="everpaw train listen", description="A page to hear what the synthetic people say."
    )
    parser.add_argument(
        "--text", "--name", action="append", required=True, help="what is said; may be given again"
    )
    parser.add_argument("--out", type=Path, required=True, help="the page, an .html file")
    parser.add_argument("--voices", type=int, default=24, help="rows")
    parser.add_argument("--level", type=float, default=0.7, help="roughness: 0 none, 1 a kitchen, 2 worse")
    parser.add_argument("--held-out", action="store_true", help="the voices that no recipe trains on")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args(argv)
    if not 1 <= args.voices <= MOST_ROWS:
        parser.error(f"--voices {args.voices}: give 1 to {MOST_ROWS}")
    try:
        write(args.out, args.text, args.voices, args.seed, args.held_out, args.level)
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    return 0


def write(out: Path, texts: Sequence[str], count: int, seed: int, held_out: bool, level: float) -> None:
    """Whole or not at all. TrainingError where nothing can be spoken."""
    if out.suffix != ".html":
        raise TrainingError(f"{out} is no page; give a name that ends in .html")
    pace, spoken = Pace(count), []
    for row in rows(texts, count, seed, held_out, level):
        spoken.append(row)
        if len(spoken) % 10 == 0:
            print(f"{len(spoken)} of {count} voices, {pace.left(len(spoken))}", file=sys.stderr)
    title = f"{len(spoken)} synthetic voices, roughness {level:g}"
    draft = out.with_suffix(".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    draft.write_text(page(spoken, list(noises(seed)), title), encoding="utf-8")
    draft.replace(out)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB; open it in a browser", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
