"""A private RabbitMQ node from Debian's package: own cookie, own epmd, own ports, own data."""

import contextlib
import itertools
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from support.servers import end, free_port, listens, missing, wait_until

SCRIPTS = Path("/usr/lib/rabbitmq/bin")


class RabbitMQ:
    """One node. `start` it, `stop` it, `kill` it; its data stay until `remove`."""

    def __init__(self, tls: tuple[Path, Path] | None = None) -> None:
        """With ``tls``, the files of a certificate and its key, it also listens with TLS, on `tls_port`."""
        if not (SCRIPTS / "rabbitmq-server").exists() or not shutil.which("epmd"):
            missing("RabbitMQ", "apt-get install rabbitmq-server")
        self.home = Path(tempfile.mkdtemp(prefix="dragoman-rabbit-"))
        self.port, distribution, self.epmd_port = free_port(), free_port(), free_port()
        self.tls_port = free_port() if tls is not None else 0
        cookie = self.home / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        plugins = self.home / "enabled_plugins"
        plugins.write_text("[].\n")
        config = self.home / "rabbitmq.conf"
        config.write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nloopback_users = none\nlog.console = false\n"
            # Enough disk for tests is any disk; the default limit would block publishers on a small one.
            "disk_free_limit.absolute = 1MB\n"
        )
        if tls is not None:
            with config.open("a") as more:
                more.write(f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}\n")
                more.write(f"ssl_options.certfile = {tls[0]}\nssl_options.keyfile = {tls[1]}\n")
                more.write("ssl_options.verify = verify_none\nssl_options.fail_if_no_peer_cert = false\n")
        # A clean environment: Debian's /etc/rabbitmq and the caller's variables are about another node.
        self.environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "RABBITMQ_NODENAME": f"dragoman-{os.getpid()}-{self.port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_CONF_ENV_FILE": str(self.home / "none.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_MNESIA_BASE": str(self.home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.home / "log"),
            "RABBITMQ_PID_FILE": str(self.home / "pid"),
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
            "RABBITMQ_CTL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        self._epmd: subprocess.Popen[bytes] | None = None
        self._node: subprocess.Popen[bytes] | None = None
        self._vhosts = itertools.count(1)

    @property
    def url(self) -> str:
        """Of the default virtual host."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    @property
    def pid(self) -> int | None:
        """Of the node, while it runs."""
        return self._node.pid if self._node is not None and self._node.poll() is None else None

    def start(self) -> None:
        """Start it and wait until it takes connections and has finished booting."""
        if self._epmd is None:  # our own, so that the node does not leave a daemon behind
            self._epmd = self._run("epmd", "-port", str(self.epmd_port), "-address", "127.0.0.1")
            wait_until(lambda: listens(self.epmd_port), what="epmd")
        # The server's script runs the node as its child when input is closed; as itself when it may have
        # input.
        environment = {"RABBITMQ_ALLOW_INPUT": "1", "RABBITMQ_SERVER_START_ARGS": "-noinput"}
        self._node = self._run(str(SCRIPTS / "rabbitmq-server"), **environment)
        node = self._node
        wait_until(lambda: listens(self.port) or node.poll() is not None, 60.0, "RabbitMQ's port")
        if node.poll() is not None:
            raise AssertionError(f"RabbitMQ has ended: see {self.home / 'output'}")

    def stop(self) -> None:
        """Stop it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """As an administrator would."""
        self.stop()
        self.start()

    def ctl(self, *arguments: str) -> str:
        """``rabbitmqctl``: slow (it starts a virtual machine)."""
        command = [str(SCRIPTS / "rabbitmqctl"), "--quiet", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    def remove(self) -> None:
        """End everything and remove the data."""
        self.stop()
        if self._epmd is not None:
            end(self._epmd, signal.SIGKILL)
            self._epmd = None
        shutil.rmtree(self.home, ignore_errors=True)

    def _run(self, *command: str, **environment: str) -> "subprocess.Popen[bytes]":
        with (self.home / "output").open("ab") as output:
            return subprocess.Popen(
                command,
                env={**self.environment, **environment},
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )

    def _end(self, number: int) -> None:
        node, self._node = self._node, None
        if node is not None:
            end(node, number)
            # erl_child_setup leads a group of its own and ends by itself when the node is gone.
            with contextlib.suppress(AssertionError):
                wait_until(lambda: not listens(self.port), 5.0)
