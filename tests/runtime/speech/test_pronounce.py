"""How words are said: the dictionary, the pack's additions, and what is refused."""

from pathlib import Path

import pytest

from runtime.contracts.errors import GrammarError, PackError
from runtime.speech.pronounce import ADDITIONS, DICTIONARY, Pronouncer
from runtime.speech.units import UNITS, is_phone
from runtime.starter import FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / DICTIONARY).write_bytes((FOLDER / "asr" / DICTIONARY).read_bytes())
    return tmp_path


def test_the_starter_knows_english() -> None:
    starter = Pronouncer.load(FOLDER / "asr")
    assert len(starter) > 100_000
    assert starter.ways("sit") == (("S", "IH", "T"),)
    assert starter.ways("the")[:2] == (("DH", "AH"), ("DH", "IY"))
    assert starter.ways("qwrtz") == ()
    assert all(is_phone(phone) for way in starter.ways("good") for phone in way)
    assert not is_phone(UNITS[0])


def test_an_addition_comes_before_the_dictionary(folder: Path) -> None:
    (folder / ADDITIONS).write_text("nala\tN AA L AH\nsit\tS EH T\n")
    own = Pronouncer.load(folder)
    assert own.ways("nala") == (("N", "AA", "L", "AH"),)
    assert own.ways("sit") == (("S", "EH", "T"),)
    assert own.ways("sits") == (("S", "IH", "T", "S"),)


def test_an_unknown_word_is_an_error_with_the_cure(folder: Path) -> None:
    with pytest.raises(GrammarError, match=r"how 'qwrtz' is said.*everpaw pack build"):
        Pronouncer.load(folder).must("qwrtz")


def test_damaged_files_are_refused(folder: Path) -> None:
    (folder / ADDITIONS).write_text("nala\tN XX L AH\n")
    with pytest.raises(PackError, match="'nala' is said with 'XX'"):
        Pronouncer.load(folder)
    (folder / ADDITIONS).unlink()
    (folder / DICTIONARY).write_bytes(b"no dictionary")
    with pytest.raises(PackError, match="cannot be read"):
        Pronouncer.load(folder)
    (folder / DICTIONARY).unlink()
    with pytest.raises(PackError, match="cannot be read"):
        Pronouncer.load(folder)
