"""Headless Chromium on a page of ours: clicks, looks, and what it asked of the network."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

try:
    from selenium.common.exceptions import WebDriverException
except ImportError:
    pytest.skip("selenium is not installed", allow_module_level=True)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
PATIENCE_S = 30.0
_WORDS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--enable-unsafe-swiftshader",
    "--use-angle=swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


_TEXTS = """
const seen = (e) => (e.checkVisibility() ? (e.innerText ?? e.textContent).trim() : "");
return [...document.querySelectorAll(arguments[0])].map(seen);
"""


class Browser:
    """One window."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver, self.address = driver, address

    def open(self, *, robot: str = "puppet", lang: str = "en") -> None:
        """Load the page; what was done to the last one is gone."""
        self.driver.get(f"{self.address}?robot={robot}&lang={lang}")
        self.wait(lambda: self.run("return !!window.everpawTwin && !!window.socket?.connected"))

    def show(self) -> None:
        """The first part of the puppet's page in English, loaded only where another or a question is open."""
        asks = self.driver.find_elements("css selector", ".q-dialog__inner")
        if asks or "robot=puppet&lang=en" not in self.driver.current_url:
            self.open()
        self.part("now")

    def part(self, name: str) -> None:
        """Turn to a part of the page; on a slow machine the last turn's echo may undo a click."""
        tab = f'[data-do="tab-{name}"]'
        self.wait(lambda: self._is_on(tab) or (self._clicked(tab) and False))

    def _is_on(self, tab: str) -> bool:
        if self.element(tab).get_attribute("aria-selected") != "true":
            return False
        time.sleep(0.3)
        return str(self.element(tab).get_attribute("aria-selected")) == "true"

    def run(self, script: str, *args: object) -> Any:
        return self.driver.execute_script(script, *args)

    def element(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def do(self, name: str) -> None:
        """A real click on the control of that name, as soon as it can be clicked."""
        self.wait(lambda: self._clicked(f'[data-do="{name}"]'))

    def _clicked(self, selector: str) -> bool:
        shown = [e for e in self.driver.find_elements("css selector", selector) if e.is_displayed()]
        if not shown or not shown[-1].is_enabled():
            return False
        try:
            self.run("arguments[0].scrollIntoView({block: 'center'})", shown[-1])
            shown[-1].click()
        except WebDriverException:  # it moves still, or something is before it
            return False
        return True

    def see(self, name: str) -> str:
        """The text there; empty while it is not on the page."""
        found = self.driver.find_elements("css selector", f'[data-see="{name}"]')
        return str(found[0].text) if found else ""

    def texts(self, selector: str) -> list[str]:
        """Of every element there; of what cannot be seen the empty one."""
        return [str(text) for text in self.run(_TEXTS, selector)]

    def question(self) -> list[str]:
        """What a question that is open says will go, as soon as it can be read."""
        self.wait(lambda: all(self.texts(".ask li") or [""]))
        return self.texts(".ask li")

    def wait(self, true: Callable[[], Any], timeout_s: float = PATIENCE_S) -> None:
        give_up_s = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < give_up_s, f"not within {timeout_s} s; the page: {self.body[:1_500]}"
            time.sleep(0.03)

    @property
    def body(self) -> str:
        return str(self.run("return document.body.innerText"))

    def media(self, *, dark: bool = False, phone: bool = False) -> None:
        """As a phone, or as at night."""
        feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        if phone:
            size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
            self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        else:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def download_to(self, folder: Path) -> None:
        """Where the window puts what it is handed."""
        how = {"behavior": "allow", "downloadPath": str(folder)}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", how)

    def hosts(self) -> set[str]:
        """Every host that was asked for anything since the last look."""
        messages = [json.loads(row["message"])["message"] for row in self.driver.get_log("performance")]
        urls = [
            m["params"].get("request", m["params"]).get("url", "")
            for m in messages
            if m["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated")
        ]
        return {urlsplit(url).hostname or "" for url in urls if not url.startswith(("data:", "blob:"))}

    def console(self) -> list[str]:
        return [row["message"] for row in self.driver.get_log("browser") if row["level"] != "INFO"]


@contextmanager
def browser(address: str, *more: str) -> Iterator[Browser]:
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium and chromium-driver are not installed")
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for word in (*_WORDS, "--window-size=1280,1000", *more):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(DRIVER))
    try:
        yield Browser(driver, address)
    finally:
        driver.quit()
