"""What the pipeline writes in README.md and docs/: between ``<!-- begin:NAME -->`` and ``<!-- end:NAME -->``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from stages.benchmark.recipes import RECIPES
from stages.corpus.files import read_json
from stages.errors import UserError
from stages.reporting import ablation as compared
from stages.reporting import benchmark as measured
from stages.reporting import rehearsal as rehearsed
from stages.reporting.names import FAMILIES, KINDS, run_title
from stages.reporting.tables import markdown_table, number, runs_table

COLUMNS = {"precision": "P", "recall": "R", "f1": "F1", "macro_f1": "macro F1", "five_f1": "five-type F1"}

PICTURES = {
    "a_against_b.png": "A against B: the gap as usually reported, and on common ground with its interval",
    "f1_per_type.png": "F1 per type of A, B and the lookup baseline, for both families",
    "loss_curves.png": "Training and validation loss of A and B, for both families",
}


def pages(root: Path) -> list[Path]:
    """README.md and the pages below docs/, from the project's folder ``root``."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def fill(page: str, parts: Mapping[str, str], name: str = "README.md") -> str:
    """``page`` with each named part replaced; parts without markers in it are left out, all else stays.

    ``name`` is the page's path from the project's folder: links to reports lead from there.

    Raises:
        UserError: a part begins and does not end, or begins twice.
    """
    up = "../" * name.count("/")
    for part, text in parts.items():
        begin, end = f"<!-- begin:{part} -->", f"<!-- end:{part} -->"
        if begin not in page and end not in page:
            continue
        if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
            raise UserError(f"{name}: needs one {begin} and after it one {end}; mend the markers")
        before, rest = page.split(begin)
        after = rest.split(end)[1]
        linked = text.strip().replace("](reports/", f"]({up}reports/")
        page = f"{before}{begin}\n{linked}\n{end}{after}"
    return page


def parts(root: Path) -> dict[str, str]:
    """Every part by name, from the reports below ``root``; where its input is missing, one line says so."""
    found: tuple[Callable[[Path], str], ...] = (
        sample, commands, real, recipes, ablation, speed, benchmark, rehearsal, promises,
    )  # fmt: skip
    return {write.__name__: write(root / "reports") for write in found}


def sample(reports: Path) -> str:
    """The runs of the pipeline's last run in this folder, its verdict, and how long it took.

    The seconds are those of the first ``make repro`` of a clone, which had every stage to run, in
    ``.cache/repro_seconds`` beside the reports; they are no output of the pipeline, whose files say nothing of time or
    machine.
    """
    if not (reports / "runs.csv").exists() or not (reports / "comparison.json").exists():
        return "*No figures yet: `make repro` and then `make readme` write them.*"
    table = _table(pd.read_csv(reports / "runs.csv"))
    text = f"{table}\n\n> {read_json(reports / 'comparison.json')['verdict']}"
    clock = reports.parent / ".cache/repro_seconds"
    if not clock.exists():
        return text
    minutes, seconds = divmod(int(clock.read_text(encoding="utf-8")), 60)
    took = f"`make repro` took {minutes} min {seconds:02d} s after the installation, on two CPU cores, and ended in:"
    return f"{took}\n\n{text}"


def commands(reports: Path) -> str:
    """The recorded output of DVC's commands: each ``$ command`` line begins a block of its own."""
    path = reports / "commands.txt"
    if not path.exists():
        return "*Not recorded yet: `reports/commands.txt` is missing.*"
    blocks = re.split(r"(?m)^(?=\$ )", path.read_text(encoding="utf-8"))
    return "\n\n".join(f"```console\n{block.strip()}\n```" for block in blocks if block.strip())


def real(reports: Path) -> str:
    """What came out on real sentences: data, settings, runs, verdicts and pictures, from ``reports/real/*.json``."""
    folder = reports / "real"
    if not (folder / "runs.json").exists():
        return "*No figures yet: `make real DATA=folder` and then `make readme` write them.*"
    runs = read_json(folder / "runs.json")
    answers = []
    for family in FAMILIES:
        answers.append(
            f"- **{KINDS[family]}, A against B.** {read_json(folder / f'comparison-{family}.json')['verdict']}"
        )
    for system in "AB":
        answers.append(f"- **System {system}, family against family.** {_verdict(folder / f'families-{system}.json')}")
    shown = [f"![{text}](reports/real/{name})" for name, text in PICTURES.items() if (folder / name).exists()]
    table = _table(runs_table(runs["test"], runs["val"]))
    texts = [_data(read_json(folder / "data.json"), read_json(folder / "settings.json")), table]
    return "\n\n".join([*texts, "\n".join(answers), *shown])


def recipes(reports: Path) -> str:
    """The recipes that were asked for the test split, from ``reports/ablation.json``."""
    path = reports / "ablation.json"
    if not path.exists():
        return "*No figures yet: `make ablation TEST=1` and then `make readme` write them.*"
    rows = read_json(path)["rows"]
    return "\n\n".join([compared.brief(rows), f"{compared.BRIEF} {measured.where(rows)}"])


def ablation(reports: Path) -> str:
    """Our recipes, each without one of its choices, and other people's, from ``reports/ablation.json``."""
    path = reports / "ablation.json"
    if not path.exists():
        return "*No figures yet: `make ablation` and then `make readme` write them.*"
    rows = read_json(path)["rows"]
    return "\n\n".join(
        [
            measured.origins(rows),
            compared.table(rows),
            compared.CAPTION,
            compared.looks(rows),
            compared.missing(rows, RECIPES),
        ]
    )


def speed(reports: Path) -> str:
    """How quick we are beside each peer, in a few columns, from ``reports/benchmark.json``."""
    path = reports / "benchmark.json"
    if not path.exists():
        return "*No figures yet: `make bench` and then `make readme` write them.*"
    rows = read_json(path)["rows"]
    return "\n\n".join([measured.brief(rows), f"{measured.BRIEF} {measured.where(rows)}"])


def benchmark(reports: Path) -> str:
    """The rows of ``reports/benchmark.json``, where and when they were measured, and their picture."""
    path = reports / "benchmark.json"
    if not path.exists():
        return "*No figures yet: `make bench` and then `make readme` write them.*"
    rows = read_json(path)["rows"]
    pictures = {
        "benchmark.png": "Ratios of every row with their spread",
        "benchmark_growth.png": "Sentences a second of every side by the number of sentences and by their length",
    }
    shown = [f"![{what}](reports/{name})" for name, what in pictures.items() if (reports / name).exists()]
    return "\n\n".join([measured.origins(rows), measured.table(rows), measured.CAPTION, *shown])


def rehearsal(reports: Path) -> str:
    """What trainings of full size took on a real machine, from ``reports/rehearsal.json``."""
    path = reports / "rehearsal.json"
    if not path.exists():
        return "*No figures yet: `make rehearse` and then `make readme` write them.*"
    text = rehearsed.table(read_json(path))
    kept = reports / "sample_on_gpu.json"  # test F1 of `dvc repro` on another machine, copied from its metrics.json
    if not (kept.exists() and (reports / "runs.csv").exists()):
        return text
    here = pd.read_csv(reports / "runs.csv").set_index("run")["f1"]
    return f"{text}\n\n{rehearsed.elsewhere(read_json(kept), here.to_dict())}"


def promises(reports: Path) -> str:
    """How often each promise was tried and failed, from ``reports/promises.json``."""
    if not (reports / "promises.json").exists():
        return "*Not tried yet: `make promises` and then `make readme` write the figures.*"
    rows = read_json(reports / "promises.json")["rows"]
    shown = [
        [row["promise"], f"{row['how']} ({row['date']}, {row['commit']})", f"{row['tries']:,}", f"{row['failures']:,}"]
        for row in rows
    ]
    return markdown_table(["promise", "how it was tried", "tries", "failures"], shown)


def _verdict(path: Path) -> str:
    return str(read_json(path)["verdict"])


def _data(counts: list[dict[str, Any]], settings: Mapping[str, Any]) -> str:
    """What the figures below it were made from, and what they must not be set beside."""
    sizes = {row["split"]: row["sentences"] for row in counts if row["type"] == "all" and row["system"] == "A"}
    listed = " / ".join(f"{sizes[split]:,}" for split in ("train", "val", "test"))
    trained = {
        family: settings["models"][f"{family}-A"]["train_sentences"] or sizes["train"]
        for family in FAMILIES
        if f"{family}-A" in settings["models"]
    }
    part = ", ".join(f"{KINDS[family]} on {count:,}" for family, count in trained.items())
    unlike = " The families were not given the same sentences: their rows do not compare architectures."
    caution = unlike if len(set(trained.values())) > 1 else ""
    return (
        f"{listed} sentences (train / val / test) of MultiNERD English, profile `{settings['profile']}`, "
        f"seed {settings['seed']}; trained: {part}. A part of the real data, divided anew: "
        "**never to be set beside a published MultiNERD figure**, only beside another row of this table. "
        f"Strict IOB2 on test; `val F1` is of other sentences.{caution}"
    )


def _table(runs: pd.DataFrame) -> str:
    """The runs that have a score, as Markdown."""
    scored = runs[runs["unscored"].isna()]
    rows = [
        [run_title(row["run"]), *(number(row[name]) for name in COLUMNS), number(row["val_f1"])]
        for _, row in scored.iterrows()
    ]
    return markdown_table(["run", *COLUMNS.values(), "val F1"], rows)
