"""The systemd units of a robot, each with as little leave as its work allows.

mind and bridge reach this computer only (`IPAddressDeny=any`), and the house's broker where they join one:
nothing leaves the house, by the kernel's word. The updater alone may use the network; packs belong to root,
so the mind cannot alter what it runs.
"""

USER = "everpaw"
PYTHON = "/opt/everpaw/venv/bin/everpaw"
CONFIG = "/etc/everpaw/robot.toml"
ROOT = "/var/lib/everpaw"
SERVICES = ("everpaw-bridge.service", "everpaw-mind.service")
"""What an update restarts"""
ENGINES = "/var/lib/everpaw-engines"
"""Where TensorRT's are, with a GPU"""

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
WANTED = "[Install]\nWantedBy=multi-user.target\n"


def _service(description: str, body: str, *, after: str = "", extra: str = "", install: str = WANTED) -> str:
    order = f"After={after}\nWants={after}\n" if after else ""
    return f"[Unit]\nDescription={description}\n{order}{extra}\n[Service]\n{body}{SANDBOX}\n{install}"


def units(port: str = "auto", broker: str = "", certificates: str = "", gpu: bool = False) -> dict[str, str]:
    """Unit file name -> text. `broker`: the address of the house's, in place of one of its own; the updater's
    `certificates` for it. `gpu`: engines are built at night.
    """
    found = _units(port, broker, f" --set mqtt.certificates={certificates}" if broker else "")
    if broker:
        del found["everpaw-broker.service"]
    return found | (_ENGINE_UNITS if gpu else {})


def _units(port: str, broker: str, own_certificates: str) -> dict[str, str]:
    here_only = f"IPAddressDeny=any\nIPAddressAllow=localhost {broker}".rstrip() + "\n"
    needed = "network-online.target" if broker else "everpaw-broker.service"
    always = "Restart=always\nRestartSec=2\n"
    as_user = f"User={USER}\nGroup={USER}\nUMask=0077\n"
    return {
        "everpaw-broker.service": _service(
            "everpaw: the MQTT broker, for this computer only",
            f"ExecStart=/usr/sbin/mosquitto -c /etc/everpaw/mosquitto.conf\n{as_user}{always}{here_only}"
            "PrivateDevices=yes\n",
        ),
        "everpaw-bridge.service": _service(
            "everpaw: between MQTT and the microcontroller",
            f"ExecStart={PYTHON} bridge --config {CONFIG} --port {port}\n"
            f"{as_user}SupplementaryGroups=dialout\n{always}{here_only}"
            "DevicePolicy=closed\nDeviceAllow=char-ttyUSB rw\nDeviceAllow=char-ttyACM rw\n"
            "DeviceAllow=char-ttyTHS rw\nLimitRTPRIO=1\nLimitNICE=-10\n"
            "StateDirectory=everpaw-bridge\nEnvironment=XDG_DATA_HOME=/var/lib/everpaw-bridge\n",
            after=needed,
        ),
        "everpaw-mind.service": _service(
            "everpaw: the mind",
            f"ExecStart={PYTHON} run --config {CONFIG}\n{as_user}SupplementaryGroups=audio video render\n"
            f"{always}{here_only}StateDirectory=everpaw-mind\nEnvironment=HOME=/var/lib/everpaw-mind\n"
            "Environment=XDG_DATA_HOME=/var/lib/everpaw-mind\nEnvironment=OMP_WAIT_POLICY=PASSIVE\n",
            after=f"{needed} everpaw-trial.service",
        ),
        "everpaw-trial.service": _service(
            "everpaw: end an update that a power cut interrupted",
            f"Type=oneshot\nExecStart={PYTHON} update resume --config {CONFIG} --set update.services=[]"
            f"{own_certificates}\n"
            f"TimeoutStartSec=120\nSuccessExitStatus=1\nReadWritePaths={ROOT}\n{SHARED}{here_only}PrivateDevices=yes\n",
            after=needed,
            extra="Before=everpaw-mind.service everpaw-bridge.service\n",
        ),
        "everpaw-update.service": _service(
            "everpaw: look for another pack",
            f"Type=oneshot\nExecStart={PYTHON} update install --config {CONFIG}{own_certificates}\n"
            f"TimeoutStartSec=3600\nSuccessExitStatus=1\nReadWritePaths={ROOT}\n{SHARED}PrivateDevices=yes\n",
            after="network-online.target",
            install="",
        ),
        "everpaw-attend.service": _service(
            "everpaw: updates that the owner's page asks for",
            f"ExecStart={PYTHON} update attend --config {CONFIG}{own_certificates}\n{always}"
            f"ReadWritePaths={ROOT}\n{SHARED}PrivateDevices=yes\n",
            after=needed,
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


_ENGINE_UNITS = {
    "everpaw-engines.service": _service(
        "everpaw: TensorRT engines of the pack, built here",
        f"Type=oneshot\nExecStart={PYTHON} engines build --config {CONFIG} --then"
        ' "systemctl try-restart everpaw-mind.service"\n'
        "TimeoutStartSec=infinity\nSuccessExitStatus=1\nNice=19\nCPUSchedulingPolicy=idle\n"
        "IOSchedulingClass=idle\nIPAddressDeny=any\nStateDirectory=everpaw-engines\n"
        f"Environment=HOME={ENGINES}\n{SHARED}",
        install="",
    ),
    "everpaw-engines.timer": (
        "[Unit]\nDescription=everpaw: build at night what engines are missing\n\n"
        "[Timer]\nOnCalendar=*-*-* 03:00\nRandomizedDelaySec=1h\nPersistent=yes\n\n"
        "[Install]\nWantedBy=timers.target\n"
    ),
}

MOSQUITTO = """\
# For this computer only.
listener 1883 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
"""
