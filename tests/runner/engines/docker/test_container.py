"""What a container is asked to be, and how a difference between that and what stands is found."""

import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from assessments.challenge import Limits
from runner.engines.docker.container import Identity, Placement, body, differences, weaknesses
from runner.engines.protocol import Mount, SandboxSpec

SPEC = SandboxSpec(
    purpose="test",
    command=("python", "main.py"),
    folder="/submission",
    mounts=(Mount(Path("/host/submission"), "/submission"),),
    limits=Limits(64 << 20, 16, 1.5, 4 << 20, 1 << 20, 64, 5.0),
    env={"PATH": "/bin"},
)
IDENTITY = Identity("run-1", "state-1", "somebody", "name-1")
PLACEMENT = Placement(
    "sha256:1", 1_900_000_007, Path("/host/passwd"), None, "{}", None, 1, counts_swap=True, holds=True
)


def standing() -> dict[str, Any]:
    """What an engine tells of a container that is exactly as it was asked for."""
    asked = copy.deepcopy(body(SPEC, IDENTITY, PLACEMENT))
    config = {name: asked[name] for name in ("User", "Entrypoint", "Cmd")}
    networks = {"Networks": {"none": {}}}
    return {"HostConfig": asked["HostConfig"], "Config": config, "NetworkSettings": networks, "Mounts": []}


def test_what_stands_as_it_was_asked_for_is_no_difference() -> None:
    assert differences(body(SPEC, IDENTITY, PLACEMENT), standing()) == []


def test_what_other_engines_fill_in_is_no_difference() -> None:
    told = standing()
    told["HostConfig"] |= {"PidMode": "", "CapAdd": None, "Devices": [], "MaskedPaths": None, "ShmSize": 64 << 20}
    told["HostConfig"]["MaskedPaths"] = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"]
    told["HostConfig"]["Ulimits"] = [{"Name": "nproc", "Soft": 9, "Hard": 9}, *reversed(told["HostConfig"]["Ulimits"])]
    told["HostConfig"]["LogConfig"] = {"Type": "none", "Config": {"max-size": "1m"}}
    for mount in told["HostConfig"]["Mounts"]:
        mount["BindOptions"]["ReadOnlyNonRecursive"] = True
    told["Mounts"] = [{"Destination": "/submission", "RW": False}, {"Destination": "/etc/passwd", "RW": False}]
    assert differences(body(SPEC, IDENTITY, PLACEMENT), told) == []


CHANGES: dict[str, tuple[tuple[str, str], Any]] = {
    "a bridge": (("HostConfig", "NetworkMode"), "bridge"),
    "a network": (("NetworkSettings", "Networks"), {"none": {}, "bridge": {}}),
    "a right": (("HostConfig", "CapDrop"), []),
    "all rights": (("HostConfig", "Privileged"), True),
    "a writable root": (("HostConfig", "ReadonlyRootfs"), False),
    "no limit of memory": (("HostConfig", "Memory"), 0),
    "swap": (("HostConfig", "MemorySwap"), -1),
    "no limit of processes": (("HostConfig", "PidsLimit"), None),
    "no filter": (("HostConfig", "SecurityOpt"), ["seccomp=unconfined"]),
    "a log on the disk": (("HostConfig", "LogConfig"), {"Type": "json-file", "Config": {}}),
    "the host's processes": (("HostConfig", "IpcMode"), "host"),
    "the host's process ids": (("HostConfig", "PidMode"), "host"),
    "an added right": (("HostConfig", "CapAdd"), ["SYS_ADMIN"]),
    "a device": (("HostConfig", "Devices"), [{"PathOnHost": "/dev/kvm"}]),
    "nothing hidden": (("HostConfig", "MaskedPaths"), []),
    "another group": (("HostConfig", "GroupAdd"), ["docker"]),
    "a core": (("HostConfig", "Ulimits"), [{"Name": "core", "Soft": -1, "Hard": -1}]),
    "another folder": (("HostConfig", "Mounts"), [{"Type": "bind", "Source": "/", "Target": "/submission"}]),
    "one more mount": (("Mounts",), [{"Destination": "/host", "RW": False}]),  # type: ignore[dict-item]
    "another user": (("Config", "User"), "0:0"),
    "another command": (("Config", "Cmd"), ["sh"]),
    "a writable mount": (("Mounts",), [{"Destination": "/submission", "RW": True}]),  # type: ignore[dict-item]
}


@pytest.mark.parametrize(("place", "value"), CHANGES.values(), ids=CHANGES.keys())
def test_whatever_is_not_as_it_was_asked_for_is_found(place: tuple[str, ...], value: Any) -> None:
    told = standing()
    target = told
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    assert differences(body(SPEC, IDENTITY, PLACEMENT), told)


def test_cores_of_its_own_take_the_place_of_a_quota() -> None:
    config = body(dataclasses.replace(SPEC, cores=(2, 3)), IDENTITY, PLACEMENT)["HostConfig"]
    assert config["CpusetCpus"] == "2,3"
    assert "CpuQuota" not in config
    assert body(SPEC, IDENTITY, PLACEMENT)["HostConfig"]["CpuQuota"] == 150_000


def test_a_folder_with_odd_characters_is_one_word_to_the_shell() -> None:
    spec = dataclasses.replace(SPEC, folder="/a b'; touch /x #")
    assert "cd '/a b'\"'\"'; touch /x #' || exit" in body(spec, IDENTITY, PLACEMENT)["Entrypoint"][2]


GOOD = "Name:\tsh\nUid:\t7\t7\t7\t7\nGid:\t7\t7\t7\t7\nGroups:\t7 \nNoNewPrivs:\t1\nSeccomp:\t2\n" + "".join(
    f"Cap{name}:\t0000000000000000\n" for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")
)


def test_a_process_without_rights_has_no_weakness() -> None:
    assert weaknesses(GOOD, 7) == []
    assert weaknesses(GOOD, None) == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("Uid:\t7\t7\t7\t7", "Uid:\t0\t0\t0\t0"),
        ("Uid:\t7\t7\t7\t7", "Uid:\t7\t7\t0\t7"),
        ("Groups:\t7 ", "Groups:\t7 27"),
        ("NoNewPrivs:\t1", "NoNewPrivs:\t0"),
        ("Seccomp:\t2", "Seccomp:\t0"),
        ("CapBnd:\t0000000000000000", "CapBnd:\t00000000a80425fb"),
        ("CapEff:\t0000000000000000\n", ""),
    ],
)
def test_every_right_that_is_left_is_a_weakness(good: str, bad: str) -> None:
    assert good in GOOD
    assert weaknesses(GOOD.replace(good, bad), 7)
