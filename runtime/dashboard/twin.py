"""The page's element for the live twin; what it shows stands in twin.js."""

from nicegui import ui
from nicegui.elements.scene.scene import Scene  # registers three.js as the page's module `nicegui-scene`

from runtime.contracts.reports import BodyMeta

assert Scene.component is not None


class Twin(ui.element, component="twin.js"):
    """`pose` turns its joints; `avatar` is the address of a GLB whose bones bear the joints' names, or ""."""

    def __init__(self, label: str, without: str, avatar: str) -> None:
        super().__init__()
        self._props.update({"label": label, "without": without, "avatar": avatar, "body": None})

    def take_body(self, body: BodyMeta | None) -> None:
        """The robot's measures, as `meta/body` tells them."""
        told = body.model_dump(include={"name", "joints", "geometry"}) if body else None
        if told != self._props["body"]:
            self._props["body"] = told
            self.update()

    def pose(self, joints_deg: dict[str, float]) -> None:
        """Angles of now, degrees."""
        self.run_method("pose", joints_deg)
