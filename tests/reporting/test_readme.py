"""README.md and docs/ say what the reports say, and nothing that nobody measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stages.corpus.files import read_json, write_json
from stages.errors import UserError
from stages.gather import main as gather
from stages.readme import main
from stages.reporting.readme import commands, fill, pages, parts, promises, real, sample
from stages.reporting.tables import runs_table, write_csv
from stages.summary import by_run
from tests.finished import PARAMS, finished

ROOT = Path(__file__).resolve().parents[2]
EMPTY = (
    "# Title\n\n<!-- begin:sample -->\nold\n<!-- end:sample -->\n\nbetween\n\n"
    "<!-- begin:real --><!-- end:real -->\nend\n"
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with reports of a finished pipeline, its gathered figures, and what summary and compare add."""
    root = tmp_path_factory.mktemp("readme")
    reports = finished(root)
    tables = [by_run(reports / "runs", name, read_json) for name in ("metrics.json", "metrics_val.json")]
    write_csv(reports / "runs.csv", runs_table(tables[0], tables[1]))
    write_json(reports / "comparison.json", {"verdict": "A and B tie."})
    gather(reports / "real", reports, PARAMS)
    return root


def test_fill_replaces_between_markers_alone() -> None:
    filled = fill(EMPTY, {"sample": "new\n", "real": "", "absent": "x"})
    assert filled == (
        "# Title\n\n<!-- begin:sample -->\nnew\n<!-- end:sample -->\n\nbetween\n\n"
        "<!-- begin:real -->\n\n<!-- end:real -->\nend\n"
    )
    assert fill(filled, {"sample": "new\n", "real": ""}) == filled


def test_links_to_reports_lead_from_the_page_that_they_stand_in() -> None:
    page = "<!-- begin:real --><!-- end:real -->"
    assert "(reports/a.png)" in fill(page, {"real": "![x](reports/a.png)"})
    assert "(../reports/a.png)" in fill(page, {"real": "![x](reports/a.png)"}, "docs/more.md")


@pytest.mark.parametrize(
    "broken",
    ["<!-- begin:real -->", "<!-- end:real -->", "<!-- end:real --><!-- begin:real -->",
     "<!-- begin:real --><!-- begin:real --><!-- end:real -->"],
)  # fmt: skip
def test_broken_markers_are_refused(broken: str) -> None:
    with pytest.raises(UserError, match="mend the markers"):
        fill(broken, {"real": "x"})


def test_every_part_says_so_where_nothing_was_measured(tmp_path: Path) -> None:
    found = parts(tmp_path)
    assert set(found) == {
        "sample", "commands", "real", "recipes", "ablation", "speed", "benchmark", "rehearsal", "promises",
    }  # fmt: skip
    for text in found.values():
        assert "\n" not in text
        assert text.startswith("*No")


def test_sample_has_every_scored_run_and_the_verdict(root: Path) -> None:
    text = sample(root / "reports")
    metrics = read_json(root / "reports/runs/token_classifier-B/metrics.json")
    assert (
        f"| Token classifier B | {metrics['precision']:.4f} | {metrics['recall']:.4f} | {metrics['f1']:.4f} |" in text
    )
    assert text.endswith("> A and B tie.")
    assert text.count("\n|") == 1 + 6


def test_real_has_data_runs_verdicts_and_pictures_that_exist(root: Path) -> None:
    text = real(root / "reports")
    assert "40 / 40 / 40 sentences" in text
    assert "never to be set beside a published" in text
    for name in ("comparison-span_marker", "comparison-token_classifier", "families-A", "families-B"):
        assert read_json(root / f"reports/real/{name}.json")["verdict"] in text
    pictures = [line.split("(")[-1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert len(pictures) == 3
    assert all((root / picture).exists() for picture in pictures)


def test_commands_are_blocks_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "commands.txt").write_text(
        "$ dvc repro\nup to date\n\n$ dvc metrics diff A B\n| f1 |\n", encoding="utf-8"
    )
    assert commands(tmp_path) == (
        "```console\n$ dvc repro\nup to date\n```\n\n```console\n$ dvc metrics diff A B\n| f1 |\n```"
    )


def test_promises_are_a_row_each(tmp_path: Path) -> None:
    row = {
        "promise": "1 It holds",
        "how": "often | hard",
        "tries": 1234,
        "failures": 5,
        "commit": "abc",
        "date": "2026-01-02",
    }
    write_json(tmp_path / "promises.json", {"rows": [row]})
    assert promises(tmp_path).splitlines()[2] == "| 1 It holds | often \\| hard (2026-01-02, abc) | 1,234 | 5 |"


def test_check_tells_and_writing_mends(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = root / "README.md"
    path.write_text(EMPTY, encoding="utf-8")
    with pytest.raises(UserError, match="make readme"):
        main(check=True, root=root)
    assert "-old" in capsys.readouterr().out
    assert path.read_text(encoding="utf-8") == EMPTY
    main(root=root)
    main(check=True, root=root)
    assert "> A and B tie." in path.read_text(encoding="utf-8")


def test_pages_of_docs_are_filled_and_compared_too(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "README.md").write_text("# Title\n", encoding="utf-8")
    more = root / "docs/more.md"
    more.parent.mkdir()
    more.write_text(EMPTY, encoding="utf-8")
    with pytest.raises(UserError, match=r"not what the reports say: docs/more\.md; run"):
        main(check=True, root=root)
    assert "-old" in capsys.readouterr().out
    main(root=root)
    assert "(../reports/real/f1_per_type.png)" in more.read_text(encoding="utf-8")
    main(check=True, root=root)


def test_every_part_stands_on_one_page_and_links_lead_to_files() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in pages(ROOT)}
    for name in parts(ROOT):
        assert sum(text.count(f"<!-- begin:{name} -->") for text in texts.values()) == 1
    for path, text in texts.items():
        for link in re.findall(r"\]\(([^)]+)", text):
            name, _, section = link.partition("#")
            target = path.parent / name if name else path
            assert link.startswith("https://") or target.exists(), f"{path.name}: {link}"
            if section and not link.startswith("https://"):
                headings = re.findall(r"(?m)^#+ (.+)", target.read_text(encoding="utf-8"))
                anchors = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
                assert section in anchors, f"{path.name}: {link}"


def test_unknown_part_and_missing_readme_are_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such part; there are sample, commands, real, recipes, "):
        main(only=["samples"], root=root)
    with pytest.raises(UserError, match="there is no README"):
        main(root=tmp_path)


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("real", "real/runs.json"),
        ("speed", "benchmark.json"),
        ("benchmark", "benchmark.json"),
        ("recipes", "ablation.json"),
        ("ablation", "ablation.json"),
        ("commands", "commands.txt"),
        ("promises", "promises.json"),
    ],
)
def test_readme_of_this_project_is_what_the_committed_figures_say(part: str, source: str) -> None:
    """The parts whose figures are committed; the others change with each run on a machine."""
    if not (ROOT / "reports" / source).exists():
        pytest.skip(f"reports/{source} is not there yet: its command writes it")
    main(check=True, only=[part], root=ROOT)
