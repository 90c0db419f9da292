"""The machine that grades: what it is, as far as scores and timings may depend on it."""

import functools
import hashlib
import os
import platform
from dataclasses import astuple
from pathlib import Path

from assessments.scorecard import Host
from assessments.submission import Digest
from runner import __version__


@functools.cache
def this_host() -> Host:
    """The fingerprint is over the other fields: the same for machines that should measure alike."""
    host = Host(
        fingerprint=Digest(""),
        system=_distribution(),
        kernel=platform.release(),
        machine=f"{platform.machine()} {_processor()}".strip(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        assay=__version__,
    )
    fingerprint = hashlib.sha256(repr(astuple(host)).encode()).hexdigest()
    return Host(Digest(fingerprint), *astuple(host)[1:])


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
