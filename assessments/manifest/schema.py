"""The manifest's shape: what an author may write in `challenge.toml`, field by field.

Unknown keys are problems. `assay challenge schema` prints this as JSON Schema.
"""

import re
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from assessments.challenge import EntryKind
from assessments.check import Visibility


def _inside(path: str) -> str:
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or "" in parts or "." in parts or ".." in parts:
        msg = "must be a relative path inside its folder, with forward slashes"
        raise ValueError(msg)
    return path


def _kebab(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        msg = "must be lower-case words joined by hyphens, such as batch-keeps-order"
        raise ValueError(msg)
    return name


InsidePath = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_inside)]
Name = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_kebab)]
Line = Annotated[str, Field(min_length=1, max_length=300)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EnvironmentTable(_Table):
    """[environment]: the locked packages a submission runs with."""

    lock: InsidePath = Field(description="Hash-locked requirements file.")


class EntryTable(_Table):
    """[entry]: how a submission is started."""

    kind: EntryKind = Field(strict=False)
    command: list[Line] = Field(min_length=1, max_length=30)
    required_files: list[InsidePath] = Field(min_length=1, max_length=20)
    port: int = Field(default=8000, ge=1024, le=65535, description="Service only.")
    ready_path: Annotated[str, Field(pattern=r"^/[!-~]*$", max_length=200)] = "/ready"
    start_timeout_s: float = Field(default=20, gt=0, le=300)


class LimitsTable(_Table):
    """[limits]: the hard limits of one sandbox."""

    memory_mb: int = Field(default=512, ge=16, le=65536)
    processes: int = Field(default=64, ge=1, le=4096, description="Processes and threads together.")
    cpus: float = Field(default=1.0, ge=0.1, le=64)
    scratch_mb: int = Field(default=64, ge=1, le=4096, description="Size of /tmp.")
    output_kb: int = Field(default=4096, ge=1, le=8192, description="Standard output and error together.")
    open_files: int = Field(default=1024, ge=16, le=65536)
    job_s: float = Field(default=20, gt=0, le=3600, description="Wall time of one run of a job.")


class AssetTable(_Table):
    """[[assets]]: a folder that the sandbox sees read-only at /assets/<mount>."""

    name: Name
    folder: InsidePath
    mount: Name
    hidden: bool = False


class CheckTable(_Table):
    """[[checks]]: one hidden or public test; the test's marker must say the same."""

    id: Name
    points: float = Field(gt=0, le=1000)
    skill: Name
    visibility: Visibility = Field(strict=False)
    time_limit_s: float = Field(default=20, gt=0, le=600)


class ChallengeManifest(BaseModel):
    """challenge.toml: one challenge."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, title="Assay challenge manifest")

    format: Literal[1]
    id: Name
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    title: Line
    summary: Annotated[str, Field(min_length=1, max_length=1000)]
    roles: list[Name] = Field(default_factory=list, max_length=20)
    skills: list[Name] = Field(min_length=1, max_length=20)
    time_minutes: int = Field(ge=1, le=1440)
    pass_mark: float = Field(default=0.6, gt=0, le=1)
    environment: EnvironmentTable
    entry: EntryTable
    limits: LimitsTable = LimitsTable()
    assets: list[AssetTable] = Field(default_factory=list, max_length=50)
    checks: list[CheckTable] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        problems = [*self._repeated(), *self._unknown_skills(), *self._mounts()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _repeated(self) -> list[str]:
        lists = {
            "checks": [check.id for check in self.checks],
            "skills": self.skills,
            "assets": [asset.name for asset in self.assets],
        }
        return [
            f"{field}: '{name}' stands {count} times; give each its own name"
            for field, names in lists.items()
            for name, count in Counter(names).items()
            if count > 1
        ]

    def _unknown_skills(self) -> list[str]:
        used = {check.skill for check in self.checks}
        unknown = [
            f"checks: '{check.id}' is for the skill '{check.skill}', which skills does not list; add it there"
            for check in self.checks
            if check.skill not in self.skills
        ]
        idle = [
            f"skills: no check is for '{skill}'; add one or take it out" for skill in self.skills if skill not in used
        ]
        return unknown + idle

    def _mounts(self) -> list[str]:
        shown = Counter(asset.mount for asset in self.assets if not asset.hidden)
        twice = [f"assets: two shown assets share the mount '{mount}'" for mount, count in shown.items() if count > 1]
        return twice + [
            f"assets: the hidden asset '{asset.name}' has the mount '{asset.mount}', where no shown asset stands"
            for asset in self.assets
            if asset.hidden and asset.mount not in shown
        ]
