"""`everpaw clone init | check | card | build | click | report`: one animal's folder becomes its pack.

The school makes the parts and may not know the bridge; here, above both, the bridge's skills are evaluated
and laid into the pet's folder as plain poses, and what the steps made becomes a pack.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from export.pack import build as build_pack
from firmware_bridge.sampled import RATE_HZ, sampled
from firmware_bridge.skills import load_skills
from runtime import starter
from runtime.contracts.archive import SUFFIX, write_archive
from runtime.contracts.body import load_body
from runtime.contracts.errors import CloneError
from training.clone import folder as pet_folder
from training.clone import report, steps
from training.clone.folder import KEPT
from training.clone.looks import clicking
from training.clone.looks.alike import asks_of
from training.clone.looks.clicking import Ask
from training.clone.persona import step as persona
from training.clone.profile import Profile
from training.clone.table import STEPS

SKILLS = "skills.json"


def main(argv: list[str] | None = None) -> int:
    """`everpaw clone`."""
    args = _parse(argv)
    return int(args.work(args))


def _init(args: argparse.Namespace) -> int:
    answers = {f: getattr(args, f) for f in pet_folder.QUESTIONS if getattr(args, f) is not None}
    pet_folder.init(args.pet, answers, _ask)
    print(
        f"{args.pet}: put photos, recordings and notes into its folders, then: everpaw clone check {args.pet}"
    )
    return 0


def _check(args: argparse.Namespace) -> int:
    """Exit 1 where something is bad, so that a script may ask."""
    pet = _pet(args.pet)
    found = [finding for step in STEPS for finding in step.check(pet)]
    for finding in found:
        print(report.told(finding))
    return int(any(f.mark == "bad" for f in found))


def _build(args: argparse.Namespace) -> int:
    pet = _pet(args.pet)
    if args.out is not None and (args.out.suffix != SUFFIX or args.out.is_dir()):
        raise CloneError(f"--out {args.out}: a pack is a file NAME{SUFFIX}; give such a name")
    lay_skills(pet.folder)
    outcomes = steps.build(pet, STEPS)
    while args.page and sys.stdin.isatty() and (asks := asks_of(pet, outcomes)):
        print(f"{asks[0].photo}: {asks[0].why}", file=sys.stderr)
        if not _clicked(pet, asks, 0):
            break
        outcomes = steps.build(pet, STEPS)
    failed = [o for o in outcomes if o.how in ("failed", "left out")]
    for outcome in failed:
        print(f"everpaw: {outcome.name} is not in the twin: {outcome.why}", file=sys.stderr)
    if args.out is not None:
        _pack(pet, [o.name for o in outcomes if o not in failed], args.out)
        print(f"{args.out}: sign it with: everpaw pack sign {args.out}")
    return int(bool(failed))


def _click(args: argparse.Namespace) -> int:
    """Exit 0 in any case: nothing to click on is an error, no click is none."""
    pet = _pet(args.pet)
    if _clicked(pet, asks_of(pet), args.port):
        print(f"everpaw clone build {args.pet} takes them", file=sys.stderr)
    return 0


def _clicked(pet: steps.Pet, asks: Sequence[Ask], port: int) -> bool:
    """Show the page; True where there are clicks to build with."""
    page = clicking.Page(pet, asks)
    wanted = clicking.served(page, port, lambda line: print(f"to click: {line}", file=sys.stderr, flush=True))
    return wanted and page.changed


def _card(args: argparse.Namespace) -> int:
    """Tell what is new in it since the owner last saw it."""
    path, card = persona.edit(_pet(args.pet))
    for says in card.new:
        print(f"+ {says}")
    print(f"{path}: {len(card.facts)} facts; edit it, then: everpaw clone build {args.pet}", file=sys.stderr)
    return 0


def _report(args: argparse.Namespace) -> int:
    out = args.out or args.pet / "report.html"
    report.write(_pet(args.pet), STEPS, out)
    print(out)
    return 0


def _pet(folder: Path) -> steps.Pet:
    return steps.Pet(folder, Profile.load(folder))


def lay_skills(folder: Path) -> None:
    """The starter's skills as poses in degrees, where the steps find them: `.clone/skills.json`."""
    body = load_body()
    poses = sampled(load_skills(starter.FOLDER / "skills", body), body)
    (folder / KEPT).mkdir(exist_ok=True)
    data = {"rate_hz": RATE_HZ, "joints": body.names, "rest": body.rest, "skills": poses}
    (folder / KEPT / SKILLS).write_text(json.dumps(data) + "\n")


def _pack(pet: steps.Pet, made: Sequence[str], out: Path) -> None:
    """The starter pack with what the steps made in its place."""
    parts = [part for name in made if (part := pet.folder / KEPT / name / "pack").is_dir()]
    profile, grammar = pet.profile, starter.FOLDER / "grammar.yaml"
    with tempfile.TemporaryDirectory(prefix="everpaw-") as scratch:
        draft = Path(scratch) / "pack"
        build_pack(
            draft, grammar=grammar, asr=None, wake=None, name=profile.name, language=profile.language,
            parts=parts,
        )  # fmt: skip
        write_archive(draft, out)


def _ask(question: str) -> str:
    if not sys.stdin.isatty():
        raise CloneError("no terminal to ask on; give --name, --species and the others")
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise CloneError("the questions were ended; nothing was written")
    return line


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw clone", description="Photos, recordings and notes of one animal become its twin."
    )
    whats = parser.add_subparsers(dest="what", required=True)
    parts = {
        "init": (_init, "make a pet's folder by asking"),
        "check": (_check, "what is good, what is missing, what to take again and why"),
        "build": (_build, "all steps; what is unchanged is kept, interrupted the same line goes on"),
        "click": (_click, "a page to click on: where the animal is on each photo; kept beside the photos"),
        "card": (_card, "what the notes tell, as card.toml for you to edit"),
        "report": (_report, "one HTML page of what was made"),
    }
    words = {}
    for name, (work, help) in parts.items():
        words[name] = whats.add_parser(name, help=help)
        words[name].add_argument("pet", type=Path, help="the pet's folder")
        words[name].set_defaults(work=work)
    for field, question in pet_folder.QUESTIONS.items():
        words["init"].add_argument(f"--{field}", help=question.strip())
    words["build"].add_argument("--out", type=Path, help="NAME.paw to make of it")
    words["build"].add_argument(
        "--no-page", dest="page", action="store_false",
        help="show no page to click on where a photo asks for it (none is shown without a terminal either)",
    )  # fmt: skip
    words["click"].add_argument("--port", type=int, default=0, help="of the page; a free one where not given")
    words["report"].add_argument("--out", type=Path, help="page to write (default: PET/report.html)")
    return parser.parse_args(argv)
