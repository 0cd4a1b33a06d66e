"""A folder of reports as a finished pipeline leaves it, made of sentences that belong to no data set."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from stages.corpus.files import write_json
from stages.corpus.labels import SPLITS, SYSTEMS
from stages.evaluate import figures
from stages.reporting.names import FAMILIES
from stages.scoring.predictions import read
from tests.reporting.builders import side, write_rows

PARAMS = Path(__file__).resolve().parents[1] / "params.yaml"


def finished(root: Path) -> Path:
    """Reports of four models and the lookup baseline below ``root``; returns ``root/reports``."""
    reports = root / "reports"
    for i, kind in enumerate((*FAMILIES, "lookup")):
        for j, (system, types) in enumerate(SYSTEMS.items()):
            run = reports / "runs" / f"{kind}-{system}"
            predictions = read(write_rows(run / "predictions.jsonl", side(types, 10 * i + j, 0.3, sentences=40)))
            metrics, types_found = figures(predictions, system)  # type: ignore[arg-type]
            for name in ("metrics.json", "metrics_val.json"):
                write_json(run / name, metrics)
            write_json(run / "per_type.json", types_found)
            if kind in FAMILIES:
                curves = {"epoch": [0.5, 1.0], "train_loss": [0.9, 0.4], "val_loss": [None, 0.5]}
                pd.DataFrame(curves).to_csv(run / "curves.csv", index=False)
    for system, types in SYSTEMS.items():
        records = [
            {"split": split, "type": kind, "entities": 40, "words": 80, "sentences": 40}
            for split in SPLITS
            for kind in ("all", *types)
        ]
        (reports / "data").mkdir(exist_ok=True)
        pd.DataFrame(records).to_csv(reports / "data" / f"{system}.csv", index=False)
    return reports
