"""Where an engine is looked for, and which ones are refused with a reason."""

import http.server
import json
import socket
import socketserver
import threading
from pathlib import Path

import pytest

from assessments.errors import InfrastructureError, UsageError
from runner.engines.choose import Chosen, EngineName, Wish, choose, wish
from runner.engines.docker.daemon import Unusable, connect, find_daemon
from runner.engines.docker.endpoint import Endpoint, endpoints


def test_the_environment_names_the_only_engine_that_is_asked() -> None:
    (found,) = endpoints({"DOCKER_HOST": "unix:///run/mine.sock", "HOME": "/nobody"})
    assert (found.url, found.found_by, found.local) == ("unix:///run/mine.sock", "DOCKER_HOST", True)


def test_the_current_context_is_asked_before_any_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    name = "elsewhere"
    meta = tmp_path / ".docker/contexts/meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    endpoint = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": "unix:///run/there.sock"}}}
    (meta / "meta.json").write_text(json.dumps(endpoint))
    (tmp_path / ".docker/config.json").write_text(json.dumps({"currentContext": name}))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / ".docker"))
    first = next(iter(endpoints({"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path / ".docker")})))
    assert first.url == "unix:///run/there.sock"


def test_a_rootless_engines_socket_is_found_in_its_users_folder(tmp_path: Path) -> None:
    (tmp_path / "docker.sock").touch()
    found = [endpoint.url for endpoint in endpoints({"HOME": "/nobody", "XDG_RUNTIME_DIR": str(tmp_path)})]
    assert f"unix://{tmp_path}/docker.sock" in found


def test_an_engine_on_another_machine_cannot_be_used_and_it_is_said_why() -> None:
    with pytest.raises(Unusable, match="this machine's own socket"):
        connect(Endpoint("tcp://10.0.0.1:2375", "DOCKER_HOST"))


def test_an_engine_that_does_not_answer_costs_seconds_and_a_sentence(silent_socket: Path) -> None:
    found = find_daemon({"DOCKER_HOST": f"unix://{silent_socket}"})
    assert isinstance(found, tuple)
    assert "does not answer" in found[0]


def test_something_else_that_answers_is_no_engine(tmp_path: Path) -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"[1, 2]")

        def log_message(self, *_: object) -> None:
            pass

        def address_string(self) -> str:
            return "somebody"

    class Server(socketserver.UnixStreamServer):
        def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
            return super().get_request()[0], ("somebody", 0)

    with Server(str(tmp_path / "other.sock"), Other) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(Unusable, match="not as a Docker engine does"):
                connect(Endpoint(f"unix://{tmp_path}/other.sock", "DOCKER_HOST"))
        finally:
            server.shutdown()
            thread.join()


def test_without_an_engine_bubblewrap_is_chosen_and_docker_cannot_be_had(tmp_path: Path) -> None:
    env = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    chosen = choose(Wish(EngineName.AUTO), env)
    assert chosen.daemon is None
    assert chosen.passed_over, "an engine that was named and does not answer is told of"
    with pytest.raises(InfrastructureError, match="does not answer"):
        choose(Wish(EngineName.DOCKER), env)
    assert choose(Wish(EngineName.BUBBLEWRAP), env) == Chosen(None, "it was asked for")


def test_where_an_engine_answers_it_is_chosen(bench: object) -> None:
    chosen = choose(Wish(EngineName.AUTO))
    assert chosen.daemon
    chosen.daemon.close()


def test_a_runtime_that_the_engine_does_not_have_is_refused_with_those_it_has(bench: object) -> None:
    with pytest.raises(InfrastructureError, match=r"no runtime nonesuch: it has .*runc"):
        choose(Wish(EngineName.AUTO, "nonesuch"))


def test_options_come_before_the_environment_and_a_slip_is_an_error() -> None:
    env = {"ASSAY_ENGINE": "docker", "ASSAY_RUNTIME": "kata"}
    assert wish(None, None, env) == Wish(EngineName.DOCKER, "kata")
    assert wish("bubblewrap", "runc", env) == Wish(EngineName.BUBBLEWRAP, "runc")
    with pytest.raises(UsageError, match="there is no engine 'podman'"):
        wish(None, None, {"ASSAY_ENGINE": "podman"})
