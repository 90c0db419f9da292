"""Versions of the timed service that differ from its reference in known ways."""

import re
from pathlib import Path

REFERENCE = Path(__file__).parent / "timed-service/solutions/accepted/reference/main.py"


def version(**changed: object) -> dict[str, str]:
    """A submission whose constants are changed: `TIMES=2.0` does twice the work."""
    text = REFERENCE.read_text()
    for name, value in changed.items():
        text, found = re.subn(rf"^{name} = .*$", f"{name} = {value!r}", text, flags=re.MULTILINE)
        if found != 1:
            msg = f"the timed service has no constant {name}"
            raise ValueError(msg)
    return {"main.py": text}
