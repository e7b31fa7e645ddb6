"""Evidence that is named must be there: every test and file of the threat model and of the provisions."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("docs/threats.md", "docs/etsi.md", "SECURITY.md")
_TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("page", PAGES)
def test_every_test_and_file_named_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in _TESTS, name
    for path in re.findall(r"`(tests/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / link).exists(), link


def test_all_thirteen_provisions_stand_with_evidence() -> None:
    rows = re.findall(r"^\| (5\.\d+|6) [^|]+\|([^|]+)\|([^|]+)\|$", (ROOT / "docs/etsi.md").read_text(), re.M)
    assert [number for number, _, _ in rows] == [*(f"5.{n}" for n in range(1, 14)), "6"]
    assert all(len(evidence.strip()) > 20 and gap.strip() for _, evidence, gap in rows)


def test_every_letter_of_stride_has_a_row() -> None:
    letters = re.findall(r"^\| ([STRIDE]) \|", (ROOT / "docs/threats.md").read_text(), re.MULTILINE)
    assert set(letters) == set("STRIDE")
