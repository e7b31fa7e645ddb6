"""What is read, tidied and split, and what is said of files that cannot be."""

import re
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra: pip install 'everpaw[training]'")
pytest.importorskip("phonenumbers", reason="needs the extra: pip install 'everpaw[training]'")

from hypothesis import given
from hypothesis import strategies as st

from runtime.contracts.errors import TrainingError
from training.data import cleaning, privacy
from training.school import examples, splits
from training.school.examples import Example
from training.school.settings import Lesson


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.tsv", "sit down\tsit\tanna\n", Example("sit down", ("sit",), "anna")),
        ("a.tsv", "label\ttext\nsit\tsit down\n", Example("sit down", ("sit",))),
        ("a.csv", '"sit, please",sit\n', Example("sit, please", ("sit",))),
        ("a.jsonl", '{"text": "sit", "label": ["joy", "fear"]}\n', Example("sit", ("fear", "joy"))),
        ("a.json", '{"train": [["sit down", "sit"]], "val": []}', Example("sit down", ("sit",))),
    ],
)
def test_each_form_is_read(name: str, text: str, found: Example, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert examples.read(tmp_path / name, "train") == [found]


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.tsv", b"sit down\tsit\nno label\n", "line 2: needs a text and a label"),
        ("a.tsv", b"", "holds no example"),
        ("a.tsv", b"\xff\xfe", "is not UTF-8"),
        ("a.jsonl", b'{"text": "sit", "label": "sit"}\n{"text"\n', "line 2 is not JSON"),
        ("a.jsonl", b"[1]\n", "line 1: needs a text and a label"),
        ("a.json", b'{"train": 3}', "is not the file of CLINC-150"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, data: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TrainingError, match=told):
        examples.read(tmp_path / name, "train")


def test_a_corpus_that_lacks_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"lacks dev\.tsv"):
        examples.read(tmp_path, "validation")
    with pytest.raises(TrainingError, match="is not there"):
        examples.read(tmp_path / "none.tsv", "train")


def test_what_is_tidied_is_counted() -> None:
    texts = (
        "Sit  down!",
        "sit down",
        "   ",
        "call 212 555 0123 now",
        "wo soll ich denn hingehen mein Freund",
    )
    tidied = examples.tidy([Example(text, ("a",)) for text in texts], True, True, "en")
    assert [e.text for e in tidied.examples] == ["Sit down!", "call [phone] now"]
    assert tidied.counts == {"read": 5, "empty": 1, "other_language": 1, "scrubbed": 1, "repeated": 1}


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("my name is john smith", "my name is [name] smith"),
        ("My name is John Smith.", "My name is [name]."),
        ("then I met Anna at noon", "then I met [name] at noon"),
        ("tell dr. house", "tell dr. [name]"),
        ("ring me at (212) 555-0123 today", "ring me at [phone] today"),
        ("or +44 20 7946 0958", "or [phone]"),
        ("pay with 4111 1111 1111 1111 please", "pay with [card] please"),
        ("i live at 12 old mill road, 90210", "i live at [address]"),
        ("write to a.b@example.org", "write to [mail]"),
        ("我叫王小明,电话13912345678", "我叫[name],电话[phone]"),
        ("住在人民路123号5室", "[address]"),
    ],
)
def test_private_words_go(text: str, scrubbed: str) -> None:
    assert privacy.scrub(text) == scrubbed


@pytest.mark.parametrize(
    "text",
    ["call me when you can", "call me back", "wake me at 6 and again at 7 30 45", "on 2024-12-05 at 10:30",
     "my name is not important", "i miss you", "10 of us on this forum", "order 1234567890123 is late",
     "Will you come in May?", "what is 23 times 45", "the road is long", "我叫你过来"],
)  # fmt: skip
def test_other_words_stay(text: str) -> None:
    assert privacy.scrub(text) == text


@given(st.text(max_size=60))
def test_scrubbing_and_cleaning_twice_change_nothing_more(text: str) -> None:
    once = privacy.scrub(text)
    assert privacy.scrub(once) == once
    clean = cleaning.normalise(text)
    assert cleaning.normalise(clean) == clean


def test_texts_are_made_alike() -> None:
    assert (
        cleaning.normalise("  Ｓit\u200b  “down”…  soooooo https://x.y <b>now</b>")
        == 'Sit "down"... sooo now'
    )
    assert cleaning.same("Sit, down!") == cleaning.same("sit down")
    assert cleaning.same("!") != cleaning.same("?")
    assert cleaning.segmented("我的小狗坐下") == ["我", "的", "小狗", "坐下"]


@pytest.mark.parametrize(
    ("text", "name"),
    [("please sit down on the floor", "en"), ("坐下", "zh"), ("hm", ""), ("сидеть", "ru"),
     ("ich möchte jetzt gerne schlafen gehen", "de")],
)  # fmt: skip
def test_a_language_is_told_where_it_can_be(text: str, name: str) -> None:
    assert cleaning.language_of(text) == name


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from("abc"), st.sampled_from(["", "x", "y", "z"])),
        min_size=40,
        max_size=90,
    )
)
def test_parts_share_neither_text_nor_source(rows: list[tuple[int, str, str]]) -> None:
    some = [Example(f"text {n}", (label,), f"{source}{n % 9}" if source else "") for n, label, source in rows]
    try:
        rest, part = splits.split(some, 0.3, 1)
    except TrainingError:
        return
    assert splits.leaks(rest, part) == []
    assert len(rest) + len(part) == len(some)
    assert splits.split(some, 0.3, 1) == (rest, part)


def test_a_split_takes_about_the_share_of_each_label() -> None:
    some = [Example(f"{label} {i}", (label,)) for label, n in (("a", 200), ("b", 50)) for i in range(n)]
    _, part = splits.split(some, 0.2, 3)
    assert 38 <= sum(e.labels == ("a",) for e in part) <= 41
    assert 8 <= sum(e.labels == ("b",) for e in part) <= 11


def test_leaks_are_found() -> None:
    one, other = [Example("Sit down", ("a",), "anna")], [Example("sit down!", ("b",), "anna")]
    assert splits.leaks(one, other) == ["sit down", "source anna"]
    with pytest.raises(TrainingError, match="sources on both sides"):
        splits.without_leaks(one, other)
    kept, n = splits.without_leaks([Example("sit down", ("a",))], [Example("Sit down", ("a",))])
    assert (kept, n) == ([], 1)


def test_a_digest_tells_data_apart_but_not_its_order() -> None:
    one, other = Example("a", ("x",)), Example("b", ("x",))
    assert examples.digest([one, other]) == examples.digest([other, one])
    assert examples.digest([one]) != examples.digest([Example("a", ("y",))])


def test_the_settings_shown_are_settings() -> None:
    page = (Path(__file__).parents[3] / "docs/school.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert Lesson.model_validate(tomllib.loads(text)) == Lesson()
