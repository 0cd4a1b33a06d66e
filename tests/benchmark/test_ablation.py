"""Recipes: settings that exist, figures that are the scorer's, and a table that says what was found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stages import ablation as command
from stages import settings
from stages.benchmark import ablation
from stages.benchmark.ours import load
from stages.benchmark.plan import Plan, recipes
from stages.benchmark.recipes import OURS, RECIPES
from stages.benchmark.trainings import Job, Trained, found_precision, train, trained
from stages.corpus.files import read_json, write_json
from stages.corpus.labels import SYSTEMS, TAGS, project
from stages.errors import UserError
from stages.models import families
from stages.reporting.ablation import brief, looks, missing, table
from stages.settings import Family
from tests.benchmark.builders import directory, sentences

ROOT = Path(__file__).resolve().parents[2]
VAL = sentences(2)
GOLD = [[TAGS[tag] for tag in one["ner_tags"]] for one in VAL]
NOTHING = [["O"] * len(tags) for tags in GOLD]


def models(tags: list[list[str]], count: int = 2) -> list[Trained]:
    return [Trained(Path(), "abc1234", tags, 60.0)] * count


class Kept:
    """Trainings as the command's cache keeps them, without their weights, and the rows that it makes of them."""

    def __init__(self, root: Path) -> None:
        self.cache, self.data, self.output = root / "cache", directory(root / "data", times=2), root / "ablation.json"
        self.corpus = command.read_corpus(self.data)

    def keep(self, name: str, seed: int, tags: list[list[str]], **others: list[list[str]]) -> Path:
        (job,) = ablation.jobs(settings.load(), name, "A", [seed], None)
        folder = self.cache / job.name(self.corpus)
        folder.mkdir(parents=True)
        for file, found in {"tags": tags, "tags_val": tags, **others}.items():
            write_json(folder / f"{file}.json", found)
        write_json(folder / "training.json", {"commit": "abc1234", "cpu_seconds": 60.0})
        return folder

    def rows(self, only: str, seeds: str, test: bool = False) -> list[dict[str, Any]]:
        command.main(only=[only], seeds=seeds, test=test, data=self.data, threads=1, output=self.output)
        rows: list[dict[str, Any]] = read_json(self.output)["rows"]
        return rows


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    made = Kept(tmp_path)
    monkeypatch.setattr(command, "CACHE", made.cache)
    return made


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_made_of_settings_that_exist_and_differs_from_ours(name: str) -> None:
    hyper, recipe = settings.load(), RECIPES[name]
    (job,) = ablation.jobs(hyper, name, "A", [1], None)
    type(job.settings).model_validate(job.settings.model_dump())
    assert set(recipe.changes) <= set(job.settings.model_dump())
    whole = hyper.training(recipe.family, "A", "local")
    assert (job.settings == whole) == (name == OURS[recipe.family] or recipe.asked is not None)


def test_an_encoder_wins_over_the_profiles() -> None:
    jobs = ablation.jobs(settings.load(), "run-ner-3", "B", [1, 2], "some/encoder")
    assert [job.settings.encoder for job in jobs] == ["some/encoder"] * 2
    assert {(job.settings.encoder_revision, job.settings.encoder_layers) for job in jobs} == {(None, None)}
    assert [(job.seed, job.system, job.settings.epochs, job.settings.batch_size) for job in jobs] == [
        (1, "B", 3, 8), (2, "B", 3, 8),
    ]  # fmt: skip


def test_the_benchmark_measures_plain_fine_tuning_whatever_the_profile_has() -> None:
    span, token = recipes(settings.load())
    for found in (span, token):
        assert (found.case, found.embeddings, found.learning_rate) == ("encoder", "trained", 3e-4)
    assert (span.train_sentences, span.epochs, token.epochs, token.decoding) == (3000, 2, 3, "free")


@pytest.mark.parametrize(("name", "family"), [("roberta-1", "token_classifier"), ("span-marker-1", "span_marker")])
def test_the_projects_recipes_are_those_that_the_profile_full_rebuilds(name: str, family: Family) -> None:
    """But for our encoder and its window, SpanMarker's epochs (over doubled rows), what exact mode does not read."""
    (job,) = ablation.jobs(settings.load(), name, "A", [1], None)
    ours, full = job.settings.model_dump(), settings.load().training(family, "A", "full").model_dump()
    apart = {field for field, value in full.items() if ours[field] != value}
    assert apart <= {"encoder", "max_tokens"} | ({"epochs", "negatives"} if family == "span_marker" else set())


def test_a_row_has_the_scorers_figures_and_the_distance_is_from_ours() -> None:
    found = ablation.row("plain", VAL, "A", models(NOTHING))
    assert found["val"]["f1"] == [0.0, 0.0]
    assert (found["cpu_seconds"], found["precision"]["ours"]) == (60.0, found_precision())
    noted = [one._replace(precision="fp8") for one in models(NOTHING)]
    assert ablation.row("plain", VAL, "A", noted)["precision"]["ours"] == "fp8"
    apart = ablation.distance("plain", VAL, "A", models(NOTHING), models(GOLD))
    assert (apart["difference"], apart["interval"]) == (-1.0, [-1.0, -1.0])


def test_seeds_of_trained_recipes_are_not_paired_and_those_of_the_same_weights_are() -> None:
    unlike = [*models(GOLD, 1), *models(NOTHING, 1)]
    low, high = ablation.distance("plain", VAL, "A", unlike, unlike)["interval"]
    assert low < -0.4 < 0.4 < high
    assert ablation.distance("token-without-legal", VAL, "A", unlike, unlike)["interval"] == [0.0, 0.0]


def test_trainings_that_would_not_end_in_their_last_epoch_are_refused(kept: Kept) -> None:
    (job,) = ablation.jobs(settings.load(), "token", "A", [1], None)
    plan = Plan(kept.corpus, *recipes(settings.load()), repeats=1, threads=1, cache=kept.cache)
    with pytest.raises(UserError, match=r"keep: best: .* set it to last"):
        trained(plan, [replace(job, settings=job.settings.model_copy(update={"keep": "best"}))])


def test_only_types_with_enough_entities_enter_the_macro_figure() -> None:
    without = [project(tags, [kind for kind in SYSTEMS["A"] if kind != "PER"]) for tags in GOLD]
    many = sentences(30)  # 90 of LOC, 30 of PER, of ANIM and of DIS
    found = ablation.scores(many, "A", models(without * 15, 1))
    assert found["macro_f1_frequent"] == [0.75]
    assert ablation.scores(VAL * 14, "A", models(without * 14, 1))["macro_f1_frequent"] == [1.0]  # 28 of PER: LOC alone


def test_system_b_is_scored_on_its_five_types() -> None:
    plant = [{"tokens": ["Moss"], "ner_tags": [TAGS.index("B-PLANT")]}]
    answer = models([["O"]], 1)
    assert ablation.scores(VAL + plant, "B", models([*GOLD, ["O"]], 1))["f1"] == [1.0]
    assert ablation.scores(VAL + plant, "A", models([*GOLD, ["O"]], 1))["f1"][0] < 1
    assert ablation.scores(plant, "B", answer)["per_type"] == {}


def test_the_command_writes_a_row_and_counts_the_looks_at_test(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "CACHE", tmp_path / "cache")
    data, output = directory(tmp_path / "data"), tmp_path / "ablation.json"
    corpus = command.read_corpus(data)
    (job,) = ablation.jobs(settings.load(), "token", "A", [1], str(tiny_bert))
    short = Job("ours", job.settings.model_copy(update={"epochs": 1}), 1, bf16=False)
    train(short, corpus, tmp_path / "cache" / job.name(corpus), "abc1234")  # for both rows
    for _ in range(2):
        command.main(
            only=["token token-without-legal"], seeds="1", encoder=str(tiny_bert), test=True, data=data, threads=1,
            output=output,
        )  # fmt: skip
        rows = read_json(output)["rows"]
        assert [row["name"] for row in rows] == [
            f"{name}-A-{tiny_bert.name}" for name in ("token", "token-without-legal")
        ]
        assert [row["test"]["looks"] for row in rows] == [1, 1]  # the same models' figures are no news
    assert table(rows).count("\n") == 3
    assert "test split: 2, at 2 of 2 rows" in looks(rows)
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_test_figures_go_with_the_models_that_they_were_of_and_the_looks_stay(kept: Kept) -> None:
    kept.keep("token", 1, GOLD)
    kept.keep("token", 2, NOTHING)
    kept.rows("token", "1", test=True)
    (row,) = kept.rows("token", "1")
    assert (row["test"]["looks"], row["test"]["f1"]) == (1, [1.0])
    (row,) = kept.rows("token", "1 2")
    assert (row["val"]["f1"], row["test"]) == ([1.0, 0.0], {"looks": 1})
    assert table([row]).splitlines()[-1].endswith("| 1 |  |  |  |  |")
    assert brief([row]).count("\n") == 1  # nothing below the header
    (row,) = kept.rows("token", "1 2", test=True)
    assert (row["test"]["looks"], row["test"]["f1"]) == (2, [1.0, 0.0])
    assert brief([row]).splitlines()[-1].startswith("| Token classifier A: profile local | 2 | 0.5000 | 0.5000 | – |")


def test_a_row_names_its_trainings_and_those_that_it_is_compared_with(kept: Kept) -> None:
    """And on test it is compared only with models that were looked at there."""
    for name, tags in (("token", GOLD), ("plain", NOTHING)):
        kept.keep(name, 1, tags)
    (plain,) = kept.rows("plain", "1", test=True)
    assert plain["difference"] == -1.0
    assert "difference" not in plain["test"]
    token, plain = kept.rows("token plain", "1", test=True)
    assert (token["against"], plain["against"]) == ([], token["trainings"])
    assert "difference" not in token
    assert (plain["test"]["difference"], plain["test"]["looks"]) == (-1.0, 1)
    assert table([plain]).splitlines()[-1].endswith("| −100.0 (−100.0 to −100.0) |")


def test_a_distance_on_test_goes_with_our_models_and_figures_with_their_commit(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kept.keep("plain", 1, NOTHING)
    for seed in (1, 2):
        kept.keep("token", seed, GOLD)
    _, plain = kept.rows("token plain", "1", test=True)
    assert plain["test"]["difference"] == -1.0
    (other,) = ablation.jobs(settings.load(), "token", "A", [2], None)
    asked = ablation.jobs
    monkeypatch.setattr(ablation, "jobs", lambda *args: [other] if args[1] == "token" else asked(*args))
    plain = kept.rows("plain", "1")[-1]  # as after a change of our recipe
    assert plain["against"] == plain["test"]["against"] == [other.name(kept.corpus)]
    assert "difference" not in plain["test"]
    assert plain["test"]["f1"] == [0.0]
    write_json(folder / "training.json", {"commit": "def5678", "cpu_seconds": 60.0})
    plain = kept.rows("plain", "1")[-1]  # trained anew
    assert plain["test"] == {"looks": 1}
    assert kept.rows("plain", "1", test=True)[-1]["test"]["looks"] == 2


def test_our_weights_asked_otherwise_are_no_look_at_ours(kept: Kept) -> None:
    kept.keep("token", 1, GOLD, tags_val_free=GOLD, tags_test_free=GOLD)
    for _ in range(2):
        (row,) = kept.rows("token-without-legal", "1", test=True)
        assert "difference" not in row["test"]


def test_only_rows_of_real_sentences_and_the_profiles_encoder_make_a_recipe_run(kept: Kept) -> None:
    kept.keep("token", 1, GOLD)
    (row,) = kept.rows("token", "1")
    assert missing([row], ["token", "plain"]) == "Recipes that were not run: `plain`."
    assert missing([row], ["token"]) == "Every recipe was run."
    for change in ({"data": "sample"}, {"encoder": "another"}, {"system": "B"}):
        assert missing([{**row, **change}], ["token"]) == "Recipes that were not run: `token`."


def test_committed_rows_are_compared_with_the_models_of_our_rows() -> None:
    rows = [one for one in read_json(ROOT / "reports/ablation.json")["rows"] if one["data"] == "real"]
    whole = {(one["recipe"], one["system"], one["encoder"]): one["trainings"] for one in rows}
    for one in rows:
        ours = whole.get((OURS[one["family"]], one["system"], one["encoder"]), [])
        assert set(one["against"]) <= set(ours), f"{one['name']}: measure it and {one['peer']} with the same seeds"
        assert bool(one["against"]) == (one["recipe"] not in OURS.values())


def test_rows_of_the_sample_stand_beside_real_ones_in_the_order_of_recipes(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("plain", "token"):
        kept.keep(name, 1, GOLD)
    for kind in ("real", "sample"):
        monkeypatch.setattr(command, "read_corpus", lambda _, kind=kind: kept.corpus._replace(kind=kind))
        rows = kept.rows("plain token", "1")
    assert [row["name"] for row in rows] == ["token-A", "token-A-sample", "plain-A", "plain-A-sample"]


def test_rows_of_others_stay_also_where_their_recipe_is_gone_or_they_came_meanwhile(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("plain", "token"):
        kept.keep(name, 1, GOLD)
    (row,) = kept.rows("plain", "1")
    answered = ablation.answered

    def slow(*args: Any) -> Any:
        gone = {**row, "name": "token-gone-A", "recipe": "token-gone"}
        write_json(kept.output, {"rows": [gone, row]})
        return answered(*args)

    monkeypatch.setattr(ablation, "answered", slow)
    rows = kept.rows("token", "1")
    assert [row["name"] for row in rows] == ["token-A", "plain-A", "token-gone-A"]


def test_a_row_that_asks_otherwise_asks_the_same_weights(kept: Kept) -> None:
    """Its own tags of val, and an interval in which a seed is one model on both sides."""
    folders = [kept.keep("token", seed, tags, tags_val_free=tags) for seed, tags in ((1, GOLD), (2, NOTHING))]
    (row,) = kept.rows("token-without-legal", "1 2")
    assert row["val"]["f1"] == [1.0, 0.0]
    assert row["interval"] == [0.0, 0.0]  # as wide as the seeds are apart, were they not each other's
    for folder in folders:
        write_json(folder / "tags_val_free.json", NOTHING)
    (row,) = kept.rows("token-without-legal", "1 2")
    assert row["val"]["f1"] == [0.0, 0.0]


def test_a_model_saved_for_legal_decoding_is_asked_freely(tiny_bert: Path, tmp_path: Path) -> None:
    legal = settings.load().training("token_classifier", "A", "local").model_copy(update={"encoder": str(tiny_bert)})
    families.create(legal, SYSTEMS["A"]).save(tmp_path / "model")
    assert [load(tmp_path / "model", mode).decoding for mode in (None, "free")] == ["legal", "free"]


def test_an_unknown_recipe_or_seed_is_named() -> None:
    with pytest.raises(UserError, match="no-such: no such recipe; there are token, "):
        command.main(only=["no-such"])
    with pytest.raises(UserError, match="--seeds 'one'"):
        command.main(only=["token"], seeds="one")
    for seeds in ("", "1 2 1"):
        with pytest.raises(UserError, match="expected different whole numbers"):
            command.main(only=["token"], seeds=seeds)
