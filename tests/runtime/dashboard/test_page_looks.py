"""How the page looks: charts that stand out, a phone, axe-core, Chinese."""

from collections.abc import Sequence
from contextlib import closing

import pytest

from runtime.broker import available_kind
from runtime.contracts import messages as m
from tests.npm import fetched
from tests.runtime.dashboard.browser import Browser
from tests.runtime.dashboard.scene import PARTS, Scene

pytest.importorskip("nicegui", reason="the [dashboard] extra is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")
if available_kind() is None:
    pytest.skip("no broker is installed", allow_module_level=True)

from runtime.dashboard.charts import COLOURS
from runtime.lessons.book import Book
from runtime.lessons.lesson import Lesson

pytestmark = pytest.mark.usefixtures("fresh")


DRAWN = """
const rgb = (css) => css.match(/[\\d.]+/g).slice(0, 3).map(Number);
const card = rgb(getComputedStyle(document.querySelector('.chart').closest('.card')).backgroundColor);
const of = (selector, name) => [...document.querySelectorAll('.chart svg ' + selector)]
  .map((drawn) => getComputedStyle(drawn)[name]).filter((css) => css.startsWith('rgb')).map(rgb);
return [card, of('text', 'fill'), [...arguments[0]].map((hex) =>
  [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)))];
"""


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    """By WCAG 2.2's definition, 1 to 21."""

    def light(rgb: Sequence[float]) -> float:
        parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
        return float(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_words_and_lines_of_charts_stand_out_by_day_and_night(scene: Scene, dark: bool) -> None:
    page = scene.page
    page.media(dark=dark)
    page.open()
    page.part("charts")
    page.wait(lambda: len(page.texts(".chart svg text")) > 12)
    card, words, lines = page.run(DRAWN, list(COLOURS))
    assert min(contrast(colour, card) for colour in words) >= 4.5
    assert min(contrast(colour, card) for colour in lines) >= 3.0


LOWEST = """
return Math.max(...[...document.querySelectorAll('.card')].map((c) => c.getBoundingClientRect().bottom));
"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_phone_shows_all_of_it_with_stop_in_reach(scene: Scene, lang: str) -> None:
    page = scene.page
    page.media(phone=True)
    page.open(lang=lang)
    for part in PARTS:
        page.part(part)
        assert page.run("return document.documentElement.scrollWidth") <= 390, part
        box = page.run(
            "const b = document.querySelector('[data-do=stop]').getBoundingClientRect();"
            "return [b.top, b.bottom, b.width]"
        )
        assert box[0] >= 0
        assert box[1] <= 844
        assert box[2] >= 300
        page.run("window.scrollTo(0, document.documentElement.scrollHeight)")
        page.wait(lambda top=box[0]: page.run(LOWEST) <= top)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(scene: Scene, dark: bool) -> None:
    page = scene.page
    axe = fetched("axe-core", "4.12.1", "axe.min.js").read_text(encoding="utf-8")
    page.media(dark=dark)
    page.open()
    assert page.run("return document.body.classList.contains('body--dark')") == dark
    page.run(axe)
    scene.puppet.share_text = True
    with closing(Book(scene.puppet.held.lessons)) as book:
        book.add([Lesson(heard="sit down", clear=0.9, belief=0.9)])
    for part in PARTS:
        page.part(part)
        if part == "memory":
            for name in ("memory", "lessons"):
                page.do(f"{name}-read")
                page.wait(lambda name=name: page.driver.find_elements("css selector", ROWS[name]))
        assert serious(page) == [], part
    for part, name in (("memory", "erase"), ("robots", "update-install")):
        page.part(part)
        if name == "erase":
            page.do("tick-events")
        page.do(name)
        assert page.question()
        assert serious(page, QUESTION) == [], name
        scene.puppet.asked.clear()
        page.do("stop")  # no question stands before it
        assert scene.asked(m.StopCommand)
        if not page.texts(".ask li"):
            continue
        page.do("cancel")
        page.wait(lambda: not page.texts(".ask li"))


STILL = "return !document.getAnimations().length && !document.querySelector('[class*=enter-active]')"
QUESTION = "document.querySelector('.q-dialog'), {rules: {'color-contrast': {enabled: false}}}"
"""axe takes the darkened page behind a question for its ground; its colours are a card's, judged there"""
ROWS = {"memory": "tr[data-fact]", "lessons": "tr[data-lesson]"}


def serious(page: Browser, how: str = "") -> list[tuple[str, list[tuple[str, str]]]]:
    """What axe finds that keeps somebody out."""
    page.wait(lambda: page.run(STILL))
    found = page.driver.execute_async_script(f"axe.run({how}).then(arguments[0])")["violations"]
    return [
        (v["id"], [(n["html"][:200], n.get("failureSummary", "")[:200]) for n in v["nodes"][:3]])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


def test_chinese_is_chinese_and_a_click_away(scene: Scene) -> None:
    page = scene.page
    page.do("language")
    page.wait(lambda: "让它做什么" in page.body)
    assert page.run("return document.documentElement.lang").startswith("zh")
