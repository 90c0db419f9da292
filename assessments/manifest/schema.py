"""The manifest's shape: what an author may write in `challenge.toml`, field by field.

Unknown keys are problems. `assay challenge schema` prints this as JSON Schema.
"""

import re
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from assessments.budget import MEASURED, Arrivals, Metric, Scenario
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


_MOST_REQUESTS = 400_000
"""Of both sides in all sessions: each one's times are kept, and a scorecard is to be read by people's tools."""


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
    state: bool = Field(default=False, description="Service only: a folder that survives its restarts, in STATE_DIR.")


class LimitsTable(_Table):
    """[limits]: the hard limits of one sandbox."""

    memory_mb: int = Field(default=512, ge=16, le=65536)
    processes: int = Field(default=64, ge=1, le=4096, description="Processes and threads together.")
    cpus: float = Field(default=1.0, ge=0.1, le=64)
    scratch_mb: int = Field(default=64, ge=1, le=4096, description="Size of /tmp.")
    output_kb: int = Field(default=4096, ge=1, le=8192, description="Standard output and error together.")
    open_files: int = Field(default=1024, ge=16, le=65536)
    job_s: float = Field(default=20, gt=0, le=3600, description="Wall time of one run of a job.")


class BaselineTable(_Table):
    """[baseline]: the most that handing in nothing of one's own may earn; `assay challenge verify` holds it to that."""

    starter_share_max: float = Field(default=0.2, ge=0, lt=1, description="Share of all points of the bare starter.")
    empty_share_max: float = Field(default=0.0, ge=0, lt=1, description="Share of all points of empty files.")


class AssetTable(_Table):
    """[[assets]]: a folder that the sandbox sees read-only at /assets/<mount>."""

    name: Name
    folder: InsidePath
    mount: Name
    hidden: bool = False


class CompanionTable(_Table):
    """[[companions]]: what a service needs beside it; answered by the hidden tests, or a program from packages."""

    id: Name
    port: int = Field(ge=1024, le=65535)
    command: list[Line] = Field(default_factory=list, max_length=50, description="Makes it a program.")
    packages: list[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$", max_length=100)]] = Field(
        default_factory=list, max_length=10, description="Debian packages, unpacked at /packages."
    )
    ready_path: Annotated[str, Field(pattern=r"^(/[!-~]*)?$", max_length=200)] = "/"
    start_timeout_s: float = Field(default=20, gt=0, le=300)
    memory_mb: int = Field(default=512, ge=16, le=65536)
    serves: bool = Field(default=False, description="Of a program: the submission can reach it.")
    scheme: Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*$", max_length=20)] = "http"


class PlanTable(_Table):
    """[[plans]]: how budgets are measured, submission and reference solution in turns."""

    id: Name
    scenario: Scenario = Field(strict=False)
    arrivals: Arrivals = Field(default=Arrivals.POISSON, strict=False, description="Of an open plan.")
    rate_per_s: float = Field(default=100, gt=0, le=2000, description="Of an open plan.")
    concurrency: int = Field(default=16, ge=1, le=256, description="Callers of a closed plan, connections of an open.")
    block_s: float = Field(default=1, ge=0.1, le=30)
    warm_up_s: float = Field(default=1, ge=0, le=60)
    timeout_s: float = Field(default=2, gt=0, le=60, description="A request without a right answer by then has none.")
    pairs_min: int = Field(default=6, ge=5, le=100, description="Pairs of blocks before the first verdict.")
    pairs_max: int = Field(default=30, ge=5, le=400, description="Pairs of blocks after which there is none.")
    tries: int = Field(default=3, ge=1, le=5, description="How often an undecided budget may be measured in all.")


class BudgetTable(_Table):
    """[checks.budget]: what the check limits, in relation to the reference solution."""

    plan: Name
    metric: Metric = Field(strict=False)
    limit: float = Field(default=1.3, gt=1, le=100, description="How many times the reference's figure is allowed.")
    backstop: float | None = Field(
        default=None, gt=0, description="In the metric's unit (s, bytes, 1/s): fails anyway."
    )
    gone_at: float = Field(default=2, gt=1, le=1000, description="The ratio from which no points are left.")
    wrong_share: float = Field(default=0.005, ge=0, le=0.5, description="Requests that may go without a right answer.")


class CheckTable(_Table):
    """[[checks]]: one hidden or public test; the test's marker must say the same."""

    id: Name
    points: float = Field(gt=0, le=1000)
    skill: Name
    visibility: Visibility = Field(strict=False)
    time_limit_s: float = Field(default=20, gt=0, le=600, description="A budget's follows from its plan.")
    budget: BudgetTable | None = None


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
    baseline: BaselineTable = BaselineTable()
    assets: list[AssetTable] = Field(default_factory=list, max_length=50)
    companions: list[CompanionTable] = Field(default_factory=list, max_length=10)
    plans: list[PlanTable] = Field(default_factory=list, max_length=20)
    checks: list[CheckTable] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        problems = [
            *self._repeated(),
            *self._unknown_skills(),
            *self._mounts(),
            *self._companions(),
            *self._budgets(),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _repeated(self) -> list[str]:
        lists = {
            "checks": [check.id for check in self.checks],
            "skills": self.skills,
            "assets": [asset.name for asset in self.assets],
            "plans": [plan.id for plan in self.plans],
            "companions": [companion.id for companion in self.companions],
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

    def _companions(self) -> list[str]:
        problems = []
        if self.entry.kind is not EntryKind.SERVICE and (self.companions or self.entry.state):
            problems.append("companions: a job has neither companions nor a state; this entry is a job")
        answered = [companion for companion in self.companions if not companion.command]
        serving = [companion for companion in self.companions if companion.command and companion.serves]
        taken = Counter([self.entry.port, *(companion.port for companion in (*answered, *serving))])
        problems += [
            f"companions: port {port} is taken {count} times, the entry's counted; give each its own"
            for port, count in taken.items()
            if count > 1
        ]
        problems += [
            f"companions: '{companion.id}' is answered by the hidden tests: packages are for one with a command"
            for companion in answered
            if companion.packages
        ]
        problems += [
            f"companions: '{companion.id}' is answered by the hidden tests, and serves anyhow; serves is for a program"
            for companion in answered
            if companion.serves
        ]
        if self.plans:
            problems += [
                f"companions: '{companion.id}' serves, and would be measured with the submission; a challenge has "
                "plans or a program that serves"
                for companion in serving
            ]
        return problems

    def _budgets(self) -> list[str]:
        plans = {plan.id: plan for plan in self.plans}
        budgets = [(check.id, check.budget) for check in self.checks if check.budget]
        problems = []
        for check, budget in budgets:
            if budget.plan not in plans:
                problems.append(f"checks: '{check}' names the plan '{budget.plan}', which plans does not list; add it")
            elif budget.metric not in MEASURED[plans[budget.plan].scenario]:
                can = ", ".join(sorted(MEASURED[plans[budget.plan].scenario]))
                problems.append(
                    f"checks: '{check}': the plan '{budget.plan}' cannot measure {budget.metric}, but: {can}"
                )
            if budget.gone_at <= budget.limit:
                problems.append(f"checks: '{check}': gone_at must be above limit, from where the points fall to it")
        used = {budget.plan for _, budget in budgets}
        problems += [
            f"plans: no check is about '{name}'; add a budget or take it out" for name in plans if name not in used
        ]
        problems += [
            f"plans: '{plan.id}': pairs_max is below pairs_min"
            for plan in self.plans
            if plan.pairs_max < plan.pairs_min
        ]
        problems += [
            f"plans: '{plan.id}': could keep more than {_MOST_REQUESTS:,} requests; lower rate_per_s, block_s or tries"
            for plan in self.plans
            if plan.scenario is Scenario.OPEN
            and 4 * plan.tries * plan.pairs_max * plan.rate_per_s * plan.block_s > _MOST_REQUESTS
        ]
        is_job = self.entry.kind is EntryKind.JOB
        problems += [
            f"plans: '{plan.id}': {plan.scenario} is for a {'service' if is_job else 'job'}, and this entry is none"
            for plan in self.plans
            if (plan.scenario is Scenario.BATCH) is not is_job
        ]
        return problems
