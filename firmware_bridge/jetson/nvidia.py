"""NVIDIA's own flashing is never wrapped: this only shows the command to type.

The board must be in recovery mode, the host in the unpacked Linux_for_Tegra folder. NVIDIA's quick start for
the release is the authority.
"""

GUIDE = "https://docs.nvidia.com/jetson/archives/"
COMMANDS = {
    "agx-thor": "sudo ./l4t_initrd_flash.sh jetson-agx-thor-devkit internal",
    "agx-orin": "sudo ./l4t_initrd_flash.sh jetson-agx-orin-devkit internal",
    "orin-nano": "sudo ./l4t_initrd_flash.sh jetson-orin-nano-devkit internal",
}
"""Board -> from Linux_for_Tegra of R38 (Thor) or R39 and later (Thor and Orin)"""


def show(board: str) -> str:
    return "\n".join(
        (
            "# NVIDIA's tool; it erases the board. Put the board into recovery mode, then type on the host:",
            "cd Linux_for_Tegra && sudo ./tools/l4t_flash_prerequisites.sh && sudo ./apply_binaries.sh",
            COMMANDS[board],
            f"# Compare with the Quick Start of your release: {GUIDE}",
        )
    )
