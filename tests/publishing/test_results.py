"""The figures of a model card: those of evaluation, with the intervals that drawing sentences gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import bootstrap

from stages.corpus.files import read_json
from stages.corpus.labels import SYSTEMS
from stages.errors import UserError
from stages.publishing.results import results
from stages.scoring.counts import counts, f1
from stages.scoring.paired import resampled
from stages.scoring.predictions import read
from tests.finished import finished


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(tmp_path_factory.mktemp("finished"))


def test_values_are_those_of_evaluation(reports: Path) -> None:
    found = results(reports, "span_marker-A", 500, 0.95, seed=1)
    metrics, types = (read_json(reports / "runs/span_marker-A" / name) for name in ("metrics.json", "per_type.json"))
    for name in ("precision", "recall", "f1"):
        assert round(found.scores[name].value, 4) == metrics[name]
    assert {kind: (round(one.value, 4), n) for kind, (one, n) in found.per_type.items()} == {
        kind: (row["f1"], row["support"]) for kind, row in types.items()
    }
    assert found.plain["macro_f1"] == metrics["macro_f1"]
    assert found.splits == [("train", 40, 40), ("val", 40, 40), ("test", 40, 40)]


def test_intervals_are_those_of_scipy(reports: Path) -> None:
    predictions = read(reports / "runs/token_classifier-B/predictions.jsonl")
    table = counts(predictions.gold, predictions.pred, SYSTEMS["B"]).sum(axis=1)

    def statistic(*columns: np.ndarray, axis: int) -> np.ndarray:
        return f1(np.stack([column.sum(axis=axis) for column in columns], axis=-1))

    theirs = bootstrap(
        tuple(table.T), statistic, paired=True, n_resamples=4000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    ours = results(reports, "token_classifier-B", 4000, 0.95, seed=5).scores["f1"]
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    assert ours.low < ours.value < ours.high


def test_draws_have_the_mean_of_the_table_and_depend_on_the_seed_alone() -> None:
    table = np.random.default_rng(0).integers(0, 3, size=(30, 2, 3))
    drawn = resampled(table, 3000, np.random.default_rng(4))
    assert drawn.shape == (3000, 2, 3)
    np.testing.assert_allclose(drawn.mean(axis=0), table.sum(axis=0), rtol=0.03)
    assert (drawn == resampled(table, 3000, np.random.default_rng(4))).all()
    assert (drawn != resampled(table, 3000, np.random.default_rng(5))).any()


def test_a_run_that_is_not_there_is_told(reports: Path) -> None:
    with pytest.raises(UserError, match=r"runs/span_marker-C/metrics\.json: no such file"):
        results(reports, "span_marker-C", 100, 0.95, seed=1)
