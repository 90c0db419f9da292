"""`assay report` over scorecards on disk."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from runner.reports import document

Assay = Callable[..., "subprocess.CompletedProcess[str]"]
FACTORY = Path(__file__).resolve().parents[1] / "reports" / "scorecards.py"


@pytest.fixture
def results(module_at: Callable[[Path], Any], tmp_path: Path) -> tuple[Path, Path]:
    cards = module_at(FACTORY)
    files = (tmp_path / "ada.json", tmp_path / "grace.json")
    for file, name in zip(files, ("Ada", "Grace"), strict=True):
        file.write_bytes(document.dump(cards.scorecard(candidate=name)))
    return files


def test_junit_goes_to_standard_output_or_to_a_file(assay: Assay, results: tuple[Path, Path], tmp_path: Path) -> None:
    printed = assay("report", "junit", *results)
    assert printed.returncode == 0, printed.stderr
    assert len(ElementTree.fromstring(printed.stdout.encode())) == 2
    written = assay("report", "junit", *results, "-o", tmp_path / "out.xml")
    assert written.returncode == 0
    assert (tmp_path / "out.xml").read_text() == printed.stdout


def test_pages_go_to_one_pdf(assay: Assay, results: tuple[Path, Path], tmp_path: Path) -> None:
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        pytest.skip("WeasyPrint or Pango is missing")
    made = assay("report", "pdf", *results, "--for", "candidate", "-o", tmp_path / "out.pdf")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "out.pdf").read_bytes().startswith(b"%PDF-")


def test_a_pdf_without_weasyprint_says_what_to_install(
    assay: Assay, results: tuple[Path, Path], tmp_path: Path
) -> None:
    stand_in = tmp_path / "broken"
    stand_in.mkdir()
    (stand_in / "weasyprint.py").write_text("raise OSError('cannot load library libpango')")
    refused = assay("report", "pdf", results[0], "-o", tmp_path / "out.pdf", PYTHONPATH=f"{stand_in}")
    assert refused.returncode == 2
    assert "pip install 'assay-runner[pdf]'" in refused.stderr
    assert not (tmp_path / "out.pdf").exists()


@pytest.mark.parametrize("verb", ["pdf", "junit"])
def test_a_result_that_is_not_there_is_named(assay: Assay, tmp_path: Path, verb: str) -> None:
    refused = assay("report", verb, "nowhere", "-o", tmp_path / "out")
    assert refused.returncode == 2
    assert "nowhere" in refused.stderr
