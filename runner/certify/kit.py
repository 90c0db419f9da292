"""What a candidate gets, made by an allow-list: nothing is in a kit because somebody forgot to leave it out.

<out>/
  brief.md  README.md   what to read
  starter/              what to start from
  public_tests/         plain pytest, no Assay needed
  assets/<mount>/       what the sandbox shows at /assets/<mount>; hidden assets are not here
  requirements.lock     the environment
"""

from pathlib import Path

from assessments.challenge import Challenge
from assessments.errors import UsageError
from runner.challenge_files import author_files
from runner.intake import write_tree


def kit_contents(challenge: Challenge) -> dict[str, bytes]:
    """The kit's files by path. Raises InvalidChallenge for a link or an odd file in an allowed folder."""
    folder = challenge.folder
    contents = {
        "brief.md": (folder / "brief.md").read_bytes(),
        "README.md": _readme(challenge).encode(),
        "requirements.lock": (folder / challenge.lock_file).read_bytes(),
    }
    parts = [("starter", folder / "starter"), ("public_tests", folder / "public_tests")]
    parts += [(f"assets/{asset.mount}", folder / asset.folder) for asset in challenge.assets if not asset.hidden]
    for name, source in parts:
        if source.is_dir():
            contents |= {f"{name}/{path}": content for path, content in author_files(source).items()}
    return contents


def write_kit(challenge: Challenge, out: Path) -> None:
    """Write the kit into a new folder. Raises UsageError if there is something already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: is there already; name a folder that is not, or an empty one")
    out.mkdir(parents=True, exist_ok=True)
    write_tree(kit_contents(challenge), out)
    for path in out.rglob("*"):
        if path.is_file():
            path.chmod(0o644)  # it is the candidate's to change


def _readme(challenge: Challenge) -> str:
    locked = (challenge.folder / challenge.lock_file).read_text("utf-8")
    install_pytest = "" if "pytest==" in locked else "    .venv/bin/pip install pytest\n"
    return f"""# {challenge.title}

Read `brief.md` first. It says what is wanted, how it is graded and how it is weighed; plan for about
{challenge.time_minutes} minutes.

Set up, from this folder, with Python {_PYTHON} or later:

    python3 -m venv .venv
    .venv/bin/pip install --require-hashes -r requirements.lock
{install_pytest}
Work in `starter/`. Run the public tests as often as you like; the hidden ones ask for more of the same contract:

    .venv/bin/python -m pytest public_tests

Hand in the content of `starter/`: as a folder, a .zip or a .tar.gz. It is run as `{" ".join(challenge.entry.command)}`.
{_beside(challenge)}"""


def _beside(challenge: Challenge) -> str:
    """What the submission finds around it when it is graded."""
    lines = [
        f"- `{companion.variable}` holds the address of its companion `{companion.id}`: {companion.url}\n"
        for companion in challenge.companions
        if companion.within_reach
    ]
    if challenge.entry.state:
        lines.append("- `STATE_DIR` names a folder that it may write to, and that stays when it is restarted\n")
    return "\nWhen it is graded, its environment has these variables:\n\n" + "".join(lines) if lines else ""


_PYTHON = "3.11"
