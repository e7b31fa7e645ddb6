"""Are coats named rightly? Procedural coats on made-up animals, four photos each under a lamp of its own.

    python -m training.clone.looks.coat_benchmark --coats 100 [--plain]

Shape and cameras are the true ones: this measures colours alone. `--plain` leaves the lamps away.
"""

import argparse
import sys
from dataclasses import dataclass

import numpy as np
import torch

from runtime.intervals import Share
from runtime.pace import Pace
from training.clone.looks import draw, example
from training.clone.looks.camera import Camera
from training.clone.looks.paint import Photo, paint
from training.clone.looks.palette import Coat, coat_of
from training.clone.looks.surface import Mesh

SIZE = 256
YAWS_DEG = (90.0, 20.0, 225.0, -60.0)
ANIMALS = 10
CALLED = {"tabby": "striped"}
SCALE = 1.1


@dataclass(frozen=True, slots=True)
class Subject:
    pattern: str
    colours: tuple[str, ...]
    """The ground first"""


def seen(number: int, meshes: list[Mesh], *, plain: bool) -> tuple[Subject, Coat]:
    """What coat `number` is, and what is found."""
    rng = np.random.default_rng([11, number])
    mesh = meshes[number % len(meshes)]
    pattern = example.PATTERNS[number // len(meshes) % len(example.PATTERNS)]
    first, second = (str(name) for name in rng.choice(list(example.COATS), 2, replace=False))
    colours = example.coat(mesh, pattern, first, second, number)
    photos = []
    for yaw in YAWS_DEG:
        camera = Camera(yaw + rng.uniform(-8, 8), 5 + rng.uniform(-4, 4), scale=SCALE)
        lamp = None if plain else np.array([rng.normal(), rng.normal(), 1.5])
        picture = draw.colours(mesh, colours, camera, SIZE, lamp)
        photos.append(Photo(picture, draw.silhouette(mesh, camera, SIZE), camera))
    subject = Subject(CALLED.get(pattern, pattern), (first,) if pattern == "solid" else (first, second))
    return subject, coat_of(mesh, paint(mesh, photos, lit=not plain))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.clone.looks.coat_benchmark", description=__doc__
    )
    parser.add_argument("--coats", type=int, default=100)
    parser.add_argument("--plain", action="store_true", help="no lamps")
    parser.add_argument("--show", action="store_true", help="what was wrong")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    meshes = [example.framed(example.animal(seed)) for seed in range(min(ANIMALS, args.coats))]
    named = patterns = whole = 0
    pace = Pace(args.coats)
    for number in range(args.coats):
        subject, coat = seen(number, meshes, plain=args.plain)
        found = [c.name for c in coat.colours]
        colours_right = set(subject.colours) == set(found[: len(subject.colours)])
        named, patterns = named + colours_right, patterns + (coat.pattern == subject.pattern)
        whole += colours_right and coat.pattern == subject.pattern
        if args.show and not (colours_right and coat.pattern == subject.pattern):
            told = ", ".join(f"{c.name} {c.share:.2f}" for c in coat.colours)
            print(f"{number}: {subject.pattern} {subject.colours} -> {coat.pattern}: {told}", file=sys.stderr)
        if number % 20 == 19:
            print(
                f"{number + 1}: {Share(whole, number + 1)}, {pace.left(number + 1)}",
                file=sys.stderr,
                flush=True,
            )
    for what, right in (("colours", named), ("pattern", patterns), ("both", whole)):
        print(f"{what} right: {Share(right, args.coats)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
