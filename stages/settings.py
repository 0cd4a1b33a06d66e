"""params.yaml as typed, checked values.

DVC reads the file with YAML 1.2 rules, so it is read here with ruamel.yaml too: PyYAML would take
the ``8e-05`` that ``dvc exp run -S`` writes for text.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stages.errors import UserError

PARAMS = Path("params.yaml")

Family = Literal["span_marker", "token_classifier"]
System = Literal["A", "B"]
FAMILIES: tuple[Family, ...] = ("span_marker", "token_classifier")

Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0, lt=1)]
Finite = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Scheduler = Literal["linear", "cosine", "constant", "constant_with_warmup"]
Embeddings = Literal["trained", "sparse", "frozen"]
Decoding = Literal["free", "legal"]
Case = Literal["encoder", "learnt"]
Keep = Literal["last", "best"]

OnBadRow = Literal["stop", "skip"]


class SettingsError(UserError):
    """A value of params.yaml that cannot be: names file, line, field, value and the way out."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Common(_Strict):
    """What both families are trained with; params.yaml says what each value does, and its unit."""

    encoder: Annotated[str, Field(min_length=1)]
    encoder_revision: str | None
    encoder_layers: Positive | None
    train_sentences: Positive | None
    epochs: Positive
    batch_size: Positive
    accumulation: Positive
    learning_rate: Rate
    scheduler: Scheduler
    warmup_ratio: Share
    weight_decay: Finite
    max_grad_norm: Annotated[Finite, Field(gt=0)]
    embeddings: Embeddings
    case: Case
    max_tokens: Annotated[int, Field(ge=8)]
    keep: Keep
    consistency: Finite


class TokenClassifierSettings(_Common):
    """Hyperparameters of the token classifier: the common ones, and how labels are chosen."""

    decoding: Decoding


class SpanMarkerSettings(_Common):
    """Hyperparameters of SpanMarker: the common ones, and what it asks."""

    marker_pairs: Positive
    entity_words: Positive
    mode: Literal["exact", "selective"]
    negatives: Annotated[int, Field(ge=2)]
    proposal_recall: Share


FamilySettings = TokenClassifierSettings | SpanMarkerSettings
_FAMILY_SETTINGS: dict[Family, type[TokenClassifierSettings | SpanMarkerSettings]] = {
    "span_marker": SpanMarkerSettings,
    "token_classifier": TokenClassifierSettings,
}


class _FamilyProfile(_Strict):
    """``shared`` holds every value; ``A`` and ``B`` hold what one system has otherwise."""

    shared: dict[str, Any]
    A: dict[str, Any]
    B: dict[str, Any]


class Profile(_Strict):
    """One complete way to run: where sentences come from and how both families are trained."""

    source: Literal["directory", "hub"]
    span_marker: _FamilyProfile
    token_classifier: _FamilyProfile


class _Data(_Strict):
    directory: Annotated[str, Field(min_length=1)]
    on_bad_row: OnBadRow


class _Hub(_Strict):
    dataset: Annotated[str, Field(min_length=1)]
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class _Headline(_Strict):
    family: Family
    system: System


class _Overrides(_Strict):
    train: dict[str, Any]


class _Systems(_Strict):
    A: _Overrides
    B: _Overrides


class _Compare(_Strict):
    resamples: Annotated[int, Field(ge=100)]
    confidence: Annotated[float, Field(gt=0.5, lt=1)]


class _Checkpoints(_Strict):
    minutes: Finite


class _Profiles(_Strict):
    sample: Profile
    local: Profile
    full: Profile
    best: Profile


class Settings(_Strict):
    """The whole of params.yaml."""

    profile: Literal["sample", "local", "full", "best"]
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    data: _Data
    hub: _Hub
    headline: _Headline
    compare: _Compare
    checkpoints: _Checkpoints
    systems: _Systems
    profiles: _Profiles

    @property
    def chosen(self) -> Profile:
        """The profile that ``profile`` names."""
        return getattr(self.profiles, self.profile)  # type: ignore[no-any-return]

    def training(self, family: Family, system: System, profile: str | None = None) -> FamilySettings:
        """The hyperparameters of one model: ``shared``, then the system's own, then ``systems.*.train``.

        Raises:
            ValidationError: (pydantic) a value is missing, unknown or of the wrong kind.
        """
        part = getattr(getattr(self.profiles, profile or self.profile), family)
        override = {k: v for k, v in getattr(self.systems, system).train.items() if v is not None}
        return _FAMILY_SETTINGS[family](**{**part.shared, **getattr(part, system), **override})


def load(path: str | Path = PARAMS) -> Settings:
    """Read and check params.yaml, every profile and every model of it, not only the chosen one.

    Raises:
        SettingsError: a key is unknown (the nearest known one is named), missing, or its value is
            of the wrong kind or out of range; names file, line, field and value.
    """
    try:
        raw = YAML(typ="rt").load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file. Run the stages from the root of the project.") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise SettingsError(f"{path}:{line}: not valid YAML: {error.problem}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid YAML in UTF-8: {str(error).splitlines()[0]}") from None
    if not isinstance(raw, dict):
        raise SettingsError(
            f"{path}: expected names with values, found {'nothing' if raw is None else 'a list or text'}"
        )
    try:
        settings = Settings(**_plain(raw))
    except ValidationError as error:
        raise SettingsError(_explain(path, raw, (), error, Settings)) from None
    for profile in Profiles:
        for family in FAMILIES:
            for system in ("A", "B"):
                _check_model(path, raw, settings, profile, family, system)
    return settings


Profiles = tuple(_Profiles.model_fields)
COSTLY = ("full", "best")
"""The profiles that want a GPU."""


def profiles(asked: Sequence[str] | None) -> Sequence[str]:
    """The names given with ``--profile``, or the costly ones.

    Raises:
        SettingsError: there is no profile of that name.
    """
    for name in asked or ():
        if name not in Profiles:
            raise SettingsError(f"--profile {name}: no such profile; known: {', '.join(Profiles)}")
    return asked or COSTLY


def _check_model(path: str | Path, raw: Any, settings: Settings, profile: str, family: Family, system: System) -> None:
    """Check one model's merged hyperparameters, and blame the place in the file that they came from."""
    base = ("profiles", profile, family)
    known = _FAMILY_SETTINGS[family].model_fields
    for place, allowed in (
        ((*base, "shared"), known),
        ((*base, system), known),
        (("systems", system, "train"), _Common.model_fields),
    ):
        for key in _at(raw, place):
            if key not in allowed:
                raise SettingsError(_unknown(path, raw, (*place, key), allowed))
    try:
        settings.training(family, system, profile)
    except ValidationError as error:
        field = error.errors()[0]["loc"][0]
        override = _at(raw, ("systems", system, "train"))
        own = _at(raw, (*base, system))
        if override.get(field) is not None:
            place = ("systems", system, "train")
        else:
            place = (*base, system) if field in own else (*base, "shared")
        raise SettingsError(_explain(path, raw, place, error, _FAMILY_SETTINGS[family])) from None


def _plain(value: Any) -> Any:
    """ruamel's annotated containers and scalars as plain Python, so that strict checks see plain types."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _at(raw: Any, place: tuple[Any, ...]) -> Any:
    """The value at ``place``, or an empty mapping where there is none."""
    for key in place:
        raw = raw.get(key, {}) if isinstance(raw, dict) else {}
    return raw


def _line(raw: Any, place: tuple[Any, ...]) -> int:
    """The line (from 1) of the key at ``place``, or of the nearest mapping around it."""
    parent = _at(raw, place[:-1])
    data = getattr(getattr(parent, "lc", None), "data", None) or {}
    if place and place[-1] in data:
        return int(data[place[-1]][0]) + 1
    return _line(raw, place[:-1]) if len(place) > 1 else 1


def _unknown(path: str | Path, raw: Any, place: tuple[Any, ...], known: Any) -> str:
    near = difflib.get_close_matches(str(place[-1]), list(known), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
    return f"{path}:{_line(raw, place)}: {'.'.join(map(str, place))} is unknown; {hint}"


def _explain(path: str | Path, raw: Any, prefix: tuple[Any, ...], error: ValidationError, model: type) -> str:
    """One fault of ``error`` in one line, with the place of its value in the file.

    An unknown name goes first: where it is misspelt, the right one is missing only for that.
    """
    first = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    place = (*prefix, *first["loc"])
    if first["type"] == "extra_forbidden":
        holder: Any = model
        for key in first["loc"][:-1]:
            holder = holder.model_fields[key].annotation
        return _unknown(path, raw, place, holder.model_fields)
    dotted = ".".join(map(str, place))
    if first["type"] == "missing":
        return f"{path}:{_line(raw, place)}: {dotted} is missing; every value has to be there"
    value = first["input"]
    shown = "null" if value is None else f"the text {value!r}" if isinstance(value, str) else repr(value)
    number = isinstance(value, str) and first["type"] in ("float_type", "int_type")
    way_out = " (write a number, without quotes)" if number else ""
    return f"{path}:{_line(raw, place)}: {dotted} is {shown}: {first['msg']}{way_out}"
