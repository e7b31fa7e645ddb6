"""The looks on the report's page: masks on photos, the avatar beside each, and turning in a small viewer."""

import base64
import html
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.clone.looks import draw
from training.clone.looks.alike import FACTS
from training.clone.looks.cutting import CUTS, Cut, cuts
from training.clone.looks.intake import Picture
from training.clone.looks.recipe import camera_of
from training.clone.looks.surface import Mesh
from training.clone.steps import Pet

SHOWN = 224
ORIGINS = np.array([(0.35, 0.65, 0.4), (0.9, 0.72, 0.25), (0.75, 0.3, 0.3)])
"""Seen, mirrored, guessed"""


def masks_page(_pet: Pet, made: Path) -> str:
    figures = [_figure(_outlined(cut), f"{cut.name}: what is taken for the animal") for cut in cuts(made)]
    lost = [row for row in json.loads((made / CUTS).read_text()) if "why" in row]
    words = "".join(f"<p class='bad'>✗ {html.escape(r['name'])}: {html.escape(r['why'])}</p>" for r in lost)
    return f"<div class='row'>{''.join(figures)}</div>{words}"


def avatar_page(pet: Pet, made: Path) -> str:
    facts = json.loads((made / "pack" / "avatar" / FACTS).read_text())
    data = np.load(made / "surface.npz")
    mesh = Mesh(data["vertices"], data["faces"])
    colours = np.clip(data["colours"], 0, 1)
    taken = {cut.name: cut for cut in cuts(pet.folder / ".clone" / "masks")}
    pairs = "".join(
        _pair(taken[name], mesh, colours, camera, overlap)
        for (name, overlap), camera in zip(facts["photos"].items(), facts["cameras"], strict=True)
        if name in taken
    )
    return (
        f"{_words(facts)}{_viewer(mesh, colours, data['origin'])}<h3>Beside its photos</h3>"
        f"<div class='row'>{pairs}</div>{_palette(facts['coat'])}{_proportions(facts['proportions'])}"
    )


def _words(facts: dict[str, Any]) -> str:
    surface = ", ".join(f"{100 * share:.0f} % {word}" for word, share in facts["surface"].items())
    ask = f"<p class='poor'>! To make it more alike: {html.escape(facts['ask'])}.</p>" if facts["ask"] else ""
    return (
        f"<p>Its outline covers the photos' by {100 * facts['overlap']:.0f} % (intersection over union)."
        f" The shape is {facts['shape']}; of its surface {surface}.</p>{ask}"
    )


def _pair(
    cut: Cut, mesh: Mesh, colours: npt.NDArray[np.float64], camera: dict[str, float], overlap: float
) -> str:
    drawn = draw.colours(mesh, colours, camera_of(camera), SHOWN)
    both = np.concatenate(
        [cv2.resize(cut.picture, (SHOWN, SHOWN), interpolation=cv2.INTER_AREA), drawn], axis=1
    )
    return _figure(both, f"{cut.name}: overlap {overlap:.2f}")


def _outlined(cut: Cut) -> Picture:
    out = cut.picture.copy()
    out[~cut.mask] = (out[~cut.mask] * 0.35 + 160).clip(0, 255).astype(np.uint8)
    lines, _ = cv2.findContours(cut.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(out, lines, -1, (220, 60, 40), 2)
    return cv2.resize(out, (SHOWN, SHOWN), interpolation=cv2.INTER_AREA)


def _figure(picture: Picture, caption: str) -> str:
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 85])
    source = f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"
    text = html.escape(caption)
    return f"<figure><img alt='{text}' src='{source}'><figcaption>{text}</figcaption></figure>"


def _palette(coat: dict[str, Any]) -> str:
    swatches = "".join(
        f"<figure><span class='swatch' style='background: rgb{tuple(c['rgb'])}'></span>"
        f"<figcaption>{c['name']} {100 * c['share']:.0f} %</figcaption></figure>"
        for c in coat["colours"]
    )
    return f"<h3>Coat: {coat['pattern']}</h3><div class='row'>{swatches}</div>"


def _proportions(of: dict[str, float]) -> str:
    rows = "".join(
        f"<tr><td>{name.replace('_', ' ')}</td><td>{value:.2f}</td></tr>" for name, value in of.items()
    )
    return f"<h3>Proportions, by the trunk's length</h3><table>{rows}</table>"


def _viewer(mesh: Mesh, colours: npt.NDArray[np.float64], origin: npt.NDArray[np.int64]) -> str:
    """A WebGL canvas that turns, to drag by mouse or finger; a box shows what was seen, mirrored, guessed."""
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    places = ((mesh.vertices - (low + high) / 2) * 1.7 / (high - low).max())[:, [1, 2, 0]]
    parts = {
        "places": places.astype(np.float32),
        "normals": mesh.normals[:, [1, 2, 0]].astype(np.float32),
        "colours": (colours * 255).astype(np.uint8),
        "origins": (ORIGINS[origin] * 255).astype(np.uint8),
        "faces": mesh.faces.astype(np.uint16),
    }
    data = {name: base64.b64encode(np.ascontiguousarray(v).tobytes()).decode() for name, v in parts.items()}
    script = Path(__file__).with_name("viewer.js").read_text(encoding="utf-8")
    return (
        "<div class='row'><canvas id='avatar' width='640' height='420'"
        " style='touch-action: none; max-width: 100%'></canvas></div>"
        "<p><label><input type='checkbox' id='origin'> show what was"
        " <b style='color: rgb(89,166,102)'>seen</b>, <b style='color: rgb(229,184,64)'>mirrored</b>,"
        " <b style='color: rgb(191,77,77)'>guessed</b></label> · drag to turn</p>"
        f"<script>const AVATAR = {json.dumps(data)};\n{script}</script>"
    )
