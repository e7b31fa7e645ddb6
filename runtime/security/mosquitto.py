"""The configuration of a house's mosquitto: TLS 1.3, a certificate from everybody, roles, limits."""

import getpass
from pathlib import Path

from runtime.contracts.errors import ConfigError
from runtime.contracts.topics import MAX_PAYLOAD_BYTES

CONFIG, ROLES, PID = "mosquitto.conf", "dynamic-security.json", "mosquitto.pid"
AUTHORITY, SERVER, SERVER_KEY, REVOKED = "ca.crt", "server.crt", "server.key", "crl.pem"
PORT = 8883
LEAST_CONNECTIONS = 256


def configuration(folder: Path, listen: str, port: int, clients: int) -> str:
    """`mosquitto.conf` for the files of `folder`, on address `listen`, for so many certificates.

    mosquitto takes the certificate's name for the user, and the plugin's roles for what that user may do; who
    has a certificate and no role may connect, and neither say nor hear anything.
    """
    place = str(folder.resolve())
    if any(c.isspace() for c in place):
        raise ConfigError(f"mosquitto takes no path with spaces: {place!r}; give another --broker-folder")
    return "\n".join(
        [
            "# Written by `everpaw security`; it is written anew by init and rotate.",
            # Started by root it would change to a user that may not read the keys.
            f"user {getpass.getuser()}",
            "per_listener_settings false",
            "allow_anonymous false",
            # Found by the loader's own search, so that the same file serves on every kind of computer.
            "plugin mosquitto_dynamic_security.so",
            f"plugin_opt_config_file {place}/{ROLES}",
            f"listener {port} {listen}",
            "tls_version tlsv1.3",
            f"cafile {place}/{AUTHORITY}",
            f"certfile {place}/{SERVER}",
            f"keyfile {place}/{SERVER_KEY}",
            f"crlfile {place}/{REVOKED}",
            "require_certificate true",
            "use_identity_as_username true",
            "allow_zero_length_clientid false",
            "set_tcp_nodelay true",
            "persistence false",
            f"pid_file {place}/{PID}",
            f"max_connections {_connections(clients)}",
            *_LIMITS,
            "log_dest stderr",
            *(f"log_type {kind}" for kind in ("error", "warning", "notice")),
            "connection_messages true",
            "",
        ]
    )


def _connections(clients: int) -> int:
    """Mind, bridge and updater of a robot have one each; in steps, because a broker reads it at its start."""
    return LEAST_CONNECTIONS * max(1, -(-4 * clients // LEAST_CONNECTIONS))


# No memory_limit: mosquitto 2.0 counts every SIGHUP against it, and dies of one certificate too many.
_LIMITS = (
    "max_keepalive 120",
    "max_inflight_messages 64",
    "max_queued_messages 1000",
    f"max_queued_bytes {1000 * MAX_PAYLOAD_BYTES}",
    f"max_packet_size {4 * MAX_PAYLOAD_BYTES}",
    "persistent_client_expiration 1d",
)
