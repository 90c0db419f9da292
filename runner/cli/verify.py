"""`assay verify`: whether results and receipts are whole, ours, and follow from their own evidence."""

from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from assessments.errors import UsageError
from runner.recompute import differences
from runner.reports.wording import count
from runner.results import read_result, scorecard_bytes, signature_beside
from runner.signed import is_receipt, receipt, scorecard
from runner.state_folder import default_state
from runner.store.places import keys_folder
from runner.store.signing import PUBLIC, Verifier, verifier


@click.command("verify")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--key", type=click.Path(dir_okay=False, path_type=Path), help="The signer's public key. [default: this host's]"
)
def command(results: Sequence[Path], key: Path | None) -> None:
    """Check RESULTS: a scorecard.json, the folder of a grading, or a receipt.

    Digests, signature, and of a scorecard rulings and points, each budget's worked out again from the times of its
    requests. Ends with 2 if anything differs.
    """
    problems: list[str] = []
    for path in results:
        signed_by = _key(key)
        if is_receipt(path):
            found = receipt(path, signed_by)
            problems += [f"{path}: {problem}" for problem in found.problems]
            if not found.problems:
                click.echo(f"{path}: {found.sentence}")
            continue
        card, _ = read_result(path)
        found = scorecard(scorecard_bytes(path), signature_beside(path), signed_by)
        mine = [*differences(card), *found.problems]
        problems += [f"{path}: {problem}" for problem in mine]
        if not mine:
            rulings = count(sum(result.ruling is not None for result in card.results), "ruling")
            follow = f"{count(len(card.results), 'outcome')} and {rulings} follow from the evidence"
            click.echo(f"{path}: {follow}; {found.sentence}")
    if problems:
        raise UsageError(problems)


def _key(named: Path | None) -> Verifier | None:
    """The key to check with. None: this host has none, and none was named."""
    own = keys_folder(default_state()) / PUBLIC
    return verifier(named) if named else verifier(own) if own.is_file() else None
