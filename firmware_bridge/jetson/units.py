"""The systemd units of a robot, each with as little leave as its work allows.

mind and bridge reach this computer only (`IPAddressDeny=any`): nothing leaves the house, by the kernel's
word. The updater alone may use the network; packs belong to root, so the mind cannot alter what it runs.
"""

USER = "everpaw"
PYTHON = "/opt/everpaw/venv/bin/everpaw"
CONFIG = "/etc/everpaw/robot.toml"
ROOT = "/var/lib/everpaw"
SERVICES = ("everpaw-bridge.service", "everpaw-mind.service")
"""What an update restarts"""

SANDBOX = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
CapabilityBoundingSet=
AmbientCapabilities=
LimitCORE=0
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
"""
SHARED = "UMask=0022\n"
"""The updater writes what the mind reads"""
HERE_ONLY = "IPAddressDeny=any\nIPAddressAllow=localhost\n"
WANTED = "[Install]\nWantedBy=multi-user.target\n"


def _service(description: str, body: str, *, after: str = "", extra: str = "", install: str = WANTED) -> str:
    order = f"After={after}\nWants={after}\n" if after else ""
    return f"[Unit]\nDescription={description}\n{order}{extra}\n[Service]\n{body}{SANDBOX}\n{install}"


def units(port: str = "auto") -> dict[str, str]:
    """Unit file name -> text."""
    always = "Restart=always\nRestartSec=2\n"
    as_user = f"User={USER}\nGroup={USER}\nUMask=0077\n"
    return {
        "everpaw-broker.service": _service(
            "everpaw: the MQTT broker, for this computer only",
            f"ExecStart=/usr/sbin/mosquitto -c /etc/everpaw/mosquitto.conf\n{as_user}{always}{HERE_ONLY}"
            "PrivateDevices=yes\n",
        ),
        "everpaw-bridge.service": _service(
            "everpaw: between MQTT and the microcontroller",
            f"ExecStart={PYTHON} bridge --config {CONFIG} --port {port}\n"
            f"{as_user}SupplementaryGroups=dialout\n{always}{HERE_ONLY}"
            "DevicePolicy=closed\nDeviceAllow=char-ttyUSB rw\nDeviceAllow=char-ttyACM rw\n"
            "DeviceAllow=char-ttyTHS rw\nLimitRTPRIO=1\nLimitNICE=-10\n"
            "StateDirectory=everpaw-bridge\nEnvironment=XDG_DATA_HOME=/var/lib/everpaw-bridge\n",
            after="everpaw-broker.service",
        ),
        "everpaw-mind.service": _service(
            "everpaw: the mind",
            f"ExecStart={PYTHON} run --config {CONFIG}\n{as_user}SupplementaryGroups=audio video render\n"
            f"{always}{HERE_ONLY}StateDirectory=everpaw-mind\nEnvironment=HOME=/var/lib/everpaw-mind\n"
            "Environment=XDG_DATA_HOME=/var/lib/everpaw-mind\nEnvironment=OMP_WAIT_POLICY=PASSIVE\n",
            after="everpaw-broker.service everpaw-trial.service",
        ),
        "everpaw-trial.service": _service(
            "everpaw: end an update that a power cut interrupted",
            f"Type=oneshot\nExecStart={PYTHON} update resume --config {CONFIG} --set update.services=[]\n"
            f"TimeoutStartSec=120\nSuccessExitStatus=1\nReadWritePaths={ROOT}\n{SHARED}{HERE_ONLY}PrivateDevices=yes\n",
            after="everpaw-broker.service",
            extra="Before=everpaw-mind.service everpaw-bridge.service\n",
        ),
        "everpaw-update.service": _service(
            "everpaw: look for another pack",
            f"Type=oneshot\nExecStart={PYTHON} update install --config {CONFIG}\nTimeoutStartSec=3600\n"
            f"SuccessExitStatus=1\nReadWritePaths={ROOT}\n{SHARED}PrivateDevices=yes\n",
            after="network-online.target",
            install="",
        ),
        "everpaw-update.timer": (
            "[Unit]\nDescription=everpaw: look for another pack every hour\n\n"
            "[Timer]\nOnBootSec=10min\nOnUnitActiveSec=1h\nRandomizedDelaySec=20min\n\n"
            "[Install]\nWantedBy=timers.target\n"
        ),
        "everpaw-first.service": (
            "[Unit]\nDescription=everpaw: end the first install\nAfter=network-online.target\n"
            "Wants=network-online.target\nConditionPathExists=!/opt/everpaw/installed\n\n"
            "[Service]\nType=oneshot\nExecStart=/bin/sh /opt/everpaw/setup\nTimeoutStartSec=3600\n\n"
            f"{WANTED}"
        ),
    }


MOSQUITTO = """\
# For this computer only.
listener 1883 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
"""
