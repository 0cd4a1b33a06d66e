"""params.yaml is read as DVC reads it, and a value that cannot be is named with its line and the way out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from stages import settings
from stages.models import places
from stages.settings import FAMILIES, SettingsError, load

PARAMS = Path(__file__).parents[1] / "params.yaml"
SHARED = "profiles.sample.token_classifier.shared"


@pytest.fixture
def params(tmp_path: Path) -> Path:
    """A copy of the project's params.yaml to spoil."""
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS.read_text())
    return path


def put(params: Path, place: str, value: Any) -> None:
    """Set the value at a dotted place, as ``dvc exp run -S`` does."""
    yaml = YAML()
    raw = yaml.load(params.read_text())
    *parents, last = place.split(".")
    at = raw
    for key in parents:
        at = at[key]
    at[last] = value
    yaml.dump(raw, params)


def refused(params: Path) -> str:
    with pytest.raises(SettingsError) as error:
        load(params)
    message = str(error.value)
    assert message.startswith(f"{params}:")
    assert "\n" not in message
    return message.removeprefix(f"{params}:")


def line_of(params: Path, message: str) -> str:
    """The line of the file that the message blames."""
    return params.read_text().splitlines()[int(message.split(":")[0]) - 1].strip()


def test_the_projects_own_parameters_are_sound() -> None:
    found = load(PARAMS)
    assert found.profile == "sample"
    assert found.chosen.source == "directory"
    assert found.hub.revision == "2814b78e7af4b5a1f1886fe7ad49632de4d9dd25"


def test_both_systems_list_the_same_names_with_no_value() -> None:
    systems = load(PARAMS).systems
    assert list(systems.A.train) == list(systems.B.train)
    assert set(systems.A.train.values()) == {None}


def test_the_full_profile_has_the_published_hyperparameters() -> None:
    found = load(PARAMS)
    a, b = (found.training("span_marker", system, "full") for system in ("A", "B"))
    assert a == b
    assert (a.learning_rate, a.batch_size, a.accumulation, a.epochs, a.warmup_ratio) == (5e-5, 16, 2, 2, 0.1)
    assert (a.weight_decay, a.max_tokens, a.marker_pairs, a.entity_words) == (0.01, 256, 128, 8)  # type: ignore[union-attr]
    a, b = (found.training("token_classifier", system, "full") for system in ("A", "B"))
    assert (a.learning_rate, a.batch_size, b.batch_size, a.epochs, a.warmup_ratio) == (2e-5, 20, 35, 1, 0.0)
    for family in FAMILIES:
        a = found.training(family, "A", "full")
        assert (a.scheduler, a.weight_decay, a.train_sentences, a.keep) == ("linear", 0.01, None, "last")


def test_the_best_profile_trains_longer_and_keeps_the_epoch_that_val_chooses() -> None:
    found = load(PARAMS)
    for family in FAMILIES:
        one = found.training(family, "A", "best")
        assert one.epochs > found.training(family, "A", "full").epochs
        assert one.keep == "best"
        places.check(one)


@pytest.mark.parametrize("encoder", ["microsoft/deberta-v3-base", "google/flan-t5-base", "google/mt5-small"])
def test_span_marker_refuses_an_encoder_of_relative_positions_by_its_name(encoder: str) -> None:
    one = load(PARAMS).training("span_marker", "A", "best").model_copy(update={"encoder": encoder})
    with pytest.raises(places.EncoderError, match=f"'{encoder}' has relative positions.*absolute position ids alone"):
        places.check(one)
    places.check(load(PARAMS).training("token_classifier", "A", "best").model_copy(update={"encoder": encoder}))


@pytest.mark.parametrize("encoder", ["FacebookAI/roberta-large", "intfloat/multilingual-e5-base", "org/bert5"])
def test_span_marker_takes_encoders_whose_names_say_nothing_of_relative_positions(encoder: str) -> None:
    places.check(load(PARAMS).training("span_marker", "A", "best").model_copy(update={"encoder": encoder}))


@pytest.mark.parametrize("family", FAMILIES)
def test_own_values_win_over_shared_and_the_systems_over_both(params: Path, family: settings.Family) -> None:
    put(params, f"profiles.sample.{family}.shared.batch_size", 8)
    put(params, f"profiles.sample.{family}.B", {"batch_size": 9, "epochs": 3})
    put(params, "systems.B.train.epochs", 5)
    found = load(params)
    assert (found.training(family, "B").batch_size, found.training(family, "B").epochs) == (9, 5)
    assert found.training(family, "A").batch_size == 8
    assert found.training(family, "A").epochs != 5


@pytest.mark.parametrize("text", ["8e-05", "8e-5", "0.00008", "8.0e-05"])
def test_every_way_to_write_a_rate_is_a_number(params: Path, text: str) -> None:
    params.write_text(params.read_text().replace("learning_rate: null", f"learning_rate: {text}"))
    assert load(params).training("token_classifier", "A").learning_rate == 8e-5


@pytest.mark.parametrize(
    ("place", "value", "wanted"),
    [
        ("profile", "sampel", "profile is the text 'sampel'"),
        ("profile", None, "profile is null"),
        ("seed", -1, "seed is -1"),
        ("seed", "42", "seed is the text '42'.*without quotes"),
        ("seed", True, "seed is True"),
        ("seed", 2**32, "seed is 4294967296"),
        ("data.directory", "", "data.directory is the text ''"),
        ("hub.revision", "main", "hub.revision is the text 'main'"),
        ("headline.family", "crf", "headline.family is the text 'crf'.*'span_marker' or 'token_classifier'"),
        ("headline.system", "C", "headline.system is the text 'C'.*'A' or 'B'"),
        ("compare.resamples", 10, "compare.resamples is 10"),
        ("compare.confidence", 95, "compare.confidence is 95"),
        ("profiles.full.source", "huub", "profiles.full.source is the text 'huub'"),
        ("profiles.sample.token_classifier.A", None, "token_classifier.A is null"),
        (f"{SHARED}.learning_rate", "5e-4", "learning_rate is the text '5e-4'.*write a number, without quotes"),
        (f"{SHARED}.learning_rate", 3, "learning_rate is 3"),
        (f"{SHARED}.learning_rate", float("nan"), "learning_rate is nan"),
        (f"{SHARED}.weight_decay", float("inf"), "weight_decay is inf"),
        (f"{SHARED}.max_grad_norm", float("inf"), "max_grad_norm is inf"),
        (f"{SHARED}.max_grad_norm", 0, "max_grad_norm is 0"),
        (f"{SHARED}.epochs", 2.5, "epochs is 2.5"),
        (f"{SHARED}.batch_size", 0, "batch_size is 0"),
        (f"{SHARED}.warmup_ratio", 1.5, "warmup_ratio is 1.5"),
        (f"{SHARED}.scheduler", "liner", "scheduler is the text 'liner'.*'linear', 'cosine'"),
        (f"{SHARED}.max_tokens", 7, "max_tokens is 7"),
        (f"{SHARED}.encoder", None, "encoder is null"),
        ("systems.B.train.learning_rate", "3e-5", "systems.B.train.learning_rate is the text '3e-5'"),
        ("systems.A.train.batch_size", -2, "systems.A.train.batch_size is -2"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_line(params: Path, place: str, value: Any, wanted: str) -> None:
    put(params, place, value)
    message = refused(params)
    assert re.search(wanted, message)
    assert line_of(params, message).startswith(place.split(".")[-1] + ":")


@pytest.mark.parametrize("profile", settings.Profiles)
def test_profiles_that_are_not_chosen_are_checked_too(params: Path, profile: str) -> None:
    put(params, f"profiles.{profile}.span_marker.B", {"epochs": 0})
    assert f"profiles.{profile}.span_marker.B.epochs is 0" in refused(params)


@pytest.mark.parametrize(
    ("place", "near"),
    [
        ("sed", "seed"),
        ("data.directry", "directory"),
        ("systems.A.train.learning_rat", "learning_rate"),
        (f"{SHARED}.batchsize", "batch_size"),
        ("profiles.sample.span_marker.A.epoch", "epochs"),
        ("profiles.locl", "local"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(params: Path, place: str, near: str) -> None:
    put(params, place, 1)
    message = refused(params)
    assert f"{place} is unknown; did you mean '{near}'?" in message
    assert place.split(".")[-1] in line_of(params, message)


def test_a_misspelt_name_is_told_before_the_one_that_is_missing_for_it(params: Path) -> None:
    params.write_text(params.read_text().replace("\nseed:", "\nsead:"))
    assert "sead is unknown; did you mean 'seed'?" in refused(params)


def test_a_name_far_from_all_is_refused_with_the_list(params: Path) -> None:
    put(params, "headline.zzz", 1)
    assert "headline.zzz is unknown; known here: family, system" in refused(params)


def test_a_parameter_of_one_family_is_none_of_a_systems(params: Path) -> None:
    put(params, "systems.A.train.marker_pairs", 64)
    assert "systems.A.train.marker_pairs is unknown" in refused(params)


def test_a_missing_value_is_named(params: Path) -> None:
    params.write_text(params.read_text().replace("\nseed: 42", "\n# none"))
    assert "seed is missing" in refused(params)
    params.write_text(PARAMS.read_text().replace("        scheduler: linear", "        # none", 1))
    assert "profiles.sample.span_marker.shared.scheduler is missing" in refused(params)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "found nothing"),
        ("- 1\n", "found a list or text"),
        ("profile: [\n", "2: not valid YAML"),
        ("seed: 1\nseed: 2\n", "2: not valid YAML: found duplicate key"),
        ("seed:\n\t1\n", "2: not valid YAML"),
        ("seed: \x07\n", "not valid YAML"),
        (b"\xff\xfe", "not valid YAML in UTF-8"),
    ],
)
def test_a_file_that_is_no_yaml_is_refused_in_one_line(tmp_path: Path, text: str | bytes, wanted: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert wanted in refused(path)


def test_no_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "no such file. Run the stages from the root" in refused(tmp_path / "params.yaml")
    (tmp_path / "folder").mkdir()
    assert "cannot be read: Is a directory" in refused(tmp_path / "folder")


def test_settings_cannot_be_changed() -> None:
    found = load(PARAMS)
    with pytest.raises(ValidationError, match="frozen"):
        found.seed = 3


def test_settings_need_no_torch() -> None:
    program = (
        "import sys, stages.check, stages.download, stages.filter, stages.derive; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=PARAMS.parent).returncode == 0
