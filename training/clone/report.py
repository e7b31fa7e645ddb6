"""One HTML page that stands alone: what each step made, and what went wrong."""

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from training.clone.steps import Finding, Pet, Step

_MARKS = {"good": "✓", "poor": "!", "bad": "✗"}
_STYLE = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
_HEAD = (
    "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
)


def write(pet: Pet, steps: Sequence[Step], out: Path) -> None:
    """The page into `out`, whole or not at all."""
    name = html.escape(pet.profile.name)
    parts = [f"<h1>{name}</h1>", f"<p>{html.escape(_who(pet))}</p>"]
    for step in steps:
        made = pet.made(step.name)
        body = (
            step.page(pet, made)
            if made
            else f"<p>Not made yet: everpaw clone build {html.escape(str(pet.folder))}</p>"
        )
        title = f"<h2>{html.escape(step.what)}</h2>"
        parts.append(f"<section id='{step.name}'>{title}{_table(step.check(pet))}{body}</section>")
    page = f"{_HEAD}<title>{name}</title><style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"
    draft = out.with_name(f".{out.name}.new")
    draft.write_text(page, encoding="utf-8")
    draft.replace(out)


def _who(pet: Pet) -> str:
    profile = pet.profile
    words = [profile.sex, profile.breed, profile.species, f"born {profile.born}" if profile.born else ""]
    return (
        f"{' '.join(w for w in words if w)}; {', '.join(profile.traits) or 'no traits told'}; {profile.life}"
    )


def _table(findings: Iterable[Finding]) -> str:
    rows = "".join(
        f"<tr class='{f.mark}'><td>{_MARKS[f.mark]}</td><td>{html.escape(f.about)}</td>"
        f"<td>{html.escape(f.words)}</td></tr>"
        for f in findings
    )
    return f"<table>{rows}</table>" if rows else ""


def told(finding: Finding) -> str:
    """One line for a terminal."""
    return f"{_MARKS[finding.mark]} {finding.about}: {finding.words}"
