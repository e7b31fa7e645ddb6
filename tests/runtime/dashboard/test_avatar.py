"""A pack's own figure in the page: the clone's avatar, its bones turned as told, its paws on the floor."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nicegui", reason="the [dashboard] extra is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")
pytest.importorskip("torch", reason="the [clone] extra is not installed")

from export.clone import lay_skills
from runtime import starter
from runtime.broker import available_kind, run_broker
from tests.runtime.dashboard.browser import Browser, browser
from tests.runtime.dashboard.puppet import BODY, Puppet
from tests.runtime.dashboard.scene import answers, dashboard, pose
from training.clone.looks import glb, recipe, rig
from training.clone.looks.paint import Paint
from training.clone.looks.shape import Shape
from training.clone.looks.surface import polygonise

if available_kind() is None:
    pytest.skip("no broker is installed", allow_module_level=True)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter pack with an avatar as `everpaw clone build` writes one."""
    folder = tmp_path_factory.mktemp("pack") / "starter"
    shutil.copytree(Path(starter.__file__).parent, folder)
    lay_skills(folder.parent)
    shape = Shape()
    mesh = polygonise(shape, 0.0)
    coat = Paint(np.full(mesh.vertices.shape, 0.5), np.zeros(len(mesh.vertices), int))
    skills = json.loads((folder.parent / recipe.SKILLS).read_text())
    glb.write(folder / "avatar.glb", "Mia", mesh, coat, rig.rigged(mesh, shape), skills, 0.16)
    return folder


@pytest.fixture(scope="module")
def page(pack: Path) -> Iterator[tuple[Browser, Puppet]]:
    with ExitStack() as stack:
        broker = stack.enter_context(run_broker())
        puppet = stack.enter_context(closing(Puppet(broker.port, pack.parent / "memory")))
        address = stack.enter_context(dashboard(broker.port, "--pack", str(pack)))
        window = stack.enter_context(browser(address))
        window.wait(lambda: answers(address))
        window.open()
        skinned = "return !!window.everpawTwin.figure?.getObjectByProperty('isSkinnedMesh', true)"
        window.wait(lambda: window.run(skinned))
        yield window, puppet


def test_its_bones_turn_as_told_and_its_paws_stay_on_the_floor(page: tuple[Browser, Puppet]) -> None:
    window, puppet = page
    rest = {joint.name: joint.rest_deg for joint in BODY.joints}
    for sent in (rest, pose(1), pose(2), pose(3)):
        puppet.joints(sent)
        window.wait(lambda sent=sent: window.run("return window.everpawTwin.target") == sent)
        window.wait(lambda: window.run("return !window.everpawTwin.ease"))
        shown = window.run("return window.everpawTwin.angles()")
        assert shown.keys() == sent.keys()
        assert max(abs(shown[name] - angle) for name, angle in sent.items()) <= 0.1
        window.run("window.everpawTwin.figure.updateMatrixWorld(true)")
        lows = window.run("return window.everpawTwin.contacts.map((contact) => contact.low())")
        assert len(lows) == 4
        assert min(lows) == pytest.approx(0, abs=1e-4)
