"""The voice's part of the report: every sound with its shape, a player, its labels and its source."""

import base64
import html
from pathlib import Path

import numpy as np
import soundfile

from training.clone.steps import Pet
from training.clone.voice.bank import Bank, Unit

_WIDTH, _HEIGHT = 220, 40
_ROW = """<tr><td>{wave}</td>
<td><audio controls preload="none" style="width:11em" src="data:audio/flac;base64,{sound}"></audio></td>
<td><b>{kind}</b>{label}<br><small>{likely}</small></td>
<td>{seconds:.2f} s, {pitch}<br><small>quality {quality:.2f}{denoised}</small></td>
<td><small>{source}, {start:.1f}-{end:.1f}&nbsp;s</small></td></tr>"""


def of(pet: Pet, made: Path) -> str:
    """HTML of what the step made."""
    bank = Bank.model_validate_json((made / "bank/bank.json").read_bytes())
    played = [unit for unit in bank.units if unit.played]
    if not played:
        return "<p>No call was found: it has the starter's made-up voice.</p>"
    rows = "".join(_row(unit, made / "bank/sounds" / unit.file) for unit in played)
    left = len(bank.units) - len(played)
    consent = html.escape(played[0].source.consent or "not stated")
    head = f"<p>{len(played)} sounds; {left} more were found and are not carried. Consent: {consent}.</p>"
    return f"{head}<table>{rows}</table>"


def _row(unit: Unit, path: Path) -> str:
    samples, _ = soundfile.read(path, dtype="float32")
    return _ROW.format(
        wave=_wave(samples),
        sound=base64.b64encode(path.read_bytes()).decode(),
        kind=html.escape(unit.kind),
        label=", as its owner says" if unit.label else ", suggested",
        likely=", ".join(f"{kind} {100 * belief:.0f} %" for kind, belief in unit.suggested.items()),
        seconds=unit.seconds,
        pitch=f"{unit.f0_hz:.0f} Hz" if unit.f0_hz else "no tone",
        quality=unit.quality,
        denoised=", denoised" if unit.denoised else "",
        source=html.escape(unit.source.file),
        start=unit.source.start_s,
        end=unit.source.end_s,
    )


def _wave(samples: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> str:
    """The outline of a sound as a drawing."""
    columns = np.array_split(samples, _WIDTH // 2)
    heights = [float(np.abs(c).max(initial=0)) * _HEIGHT / 2 for c in columns]
    bars = "".join(
        f"M{2 * x} {_HEIGHT / 2 - h:.1f}V{_HEIGHT / 2 + h:.1f}" for x, h in enumerate(heights) if h > 0.2
    )
    return (
        f"<svg width='{_WIDTH}' height='{_HEIGHT}' role='img' aria-label='waveform'>"
        f"<path d='{bars}' stroke='currentColor' stroke-width='1.4'/></svg>"
    )
