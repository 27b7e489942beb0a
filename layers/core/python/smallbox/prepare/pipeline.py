"""``prepare``: the first step of a pipeline, with imputation, scaling, bins and encodings."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypedDict

from smallbox.define.signature import Columns
from smallbox.errors import DefinitionError


class Numeric(TypedDict, total=False):
    """Options for numbers; a key that is left out does nothing.

    Attributes:
        impute: replaces missing numbers by a statistic of the training rows, or by a number.
        indicate_missing: whether each number gets a second column, 1 where it is missing.
        scale: ``"standard"`` to mean 0 and standard deviation 1, ``"robust"`` to median 0 and interquartile range 1,
            ``"minmax"`` to 0 to 1; of the training rows, after the imputation.
    """

    impute: Literal["mean", "median", "most_frequent"] | float | None
    indicate_missing: bool
    scale: Literal["standard", "robust", "minmax"] | None


class Categorical(TypedDict, total=False):
    """Options for texts.

    Attributes:
        encode: ``"one-hot"``, the default: a column for each category, all zeros for an unknown category; or
            ``"ordinal"``: one column of whole numbers in alphabetical order, -1 for an unknown category.
        min_frequency: categories with fewer training rows than this (below 1: with a smaller share of them) are rare:
            they share one column, or one number.
    """

    encode: Literal["one-hot", "ordinal"]
    min_frequency: float | None


Bins = int | Sequence[float]
"""Number of bins with about equally many rows, or the inner edges of the bins, ascending."""

_GREATEST: Final = 3.4e38
"""About the largest float32. Comparing with it also excludes infinity and NaN."""

_IMPUTE: Final = ("mean", "median", "most_frequent")
_SCALE: Final = ("standard", "robust", "minmax")
_ENCODE: Final = ("one-hot", "ordinal")


def prepare(
    columns: Columns,
    *,
    numeric: Numeric | None = None,
    discretize: Mapping[str, Bins] | None = None,
    categorical: Categorical | None = None,
) -> Any:
    """The first step of a definition's pipeline: a scikit-learn ``ColumnTransformer`` of the model's columns.

    The steps become part of the ONNX graph, so serving prepares a request exactly as training did. Without options
    numbers pass unchanged, NaN included, and texts are one-hot encoded: what boosted trees take.

    Args:
        columns: the model's columns, as the definition's estimator function gets them.
        numeric: options for all numbers that are not discretized.
        discretize: by numeric column the bins that replace the number: one-hot, a column for each bin. A bin includes
            its lower edge. A missing number is in no bin.
        categorical: options for texts. A missing text is the category ``""``.

    Raises:
        DefinitionError: when a column is not numeric, or an option or its value does not exist; the message lists
            what does.
    """
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415 - the predict path imports definitions without it

    numbers: Numeric = _checked("numeric", Numeric, numeric)
    texts: Categorical = _checked("categorical", Categorical, categorical)
    bins = {} if discretize is None else dict(discretize)
    _check_numeric(numbers)
    _check_categorical(texts)
    _check_bins(columns, bins)
    steps = [*_numeric_steps(columns, numbers, bins), *_categorical_steps(columns, texts)]
    return ColumnTransformer([step for step in steps if step[2]])


def _numeric_steps(
    columns: Columns, options: Numeric, bins: Mapping[str, Bins]
) -> Iterator[tuple[str, Any, Sequence[int]]]:
    from sklearn.impute import MissingIndicator  # noqa: PLC0415

    from smallbox.prepare.discretizer import Discretizer  # noqa: PLC0415

    kept = [at for at, name in enumerate(columns.numeric) if name not in bins]
    yield "numeric", _scaled(options), kept
    if options.get("indicate_missing"):
        yield "missing", MissingIndicator(features="all"), kept
    # in the order of the columns: the ONNX export supports no other
    cut = [name for name in columns.numeric if name in bins]
    yield "bins", Discretizer([_plain(bins[name]) for name in cut]), [columns.numeric.index(name) for name in cut]


def _plain(how: Bins) -> Bins:
    return how if isinstance(how, int) else tuple(map(float, how))


def _scaled(options: Numeric) -> Any:
    """Imputation, then scaling; each only if asked for."""
    from sklearn.pipeline import Pipeline  # noqa: PLC0415
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler  # noqa: PLC0415

    scalers = {"standard": StandardScaler, "robust": RobustScaler, "minmax": MinMaxScaler}
    impute, scale = options.get("impute"), options.get("scale")
    steps = []
    if impute is not None:
        steps.append(("impute", _imputer(impute)))
    if scale is not None:
        steps.append(("scale", scalers[scale]()))
    return Pipeline(steps) if steps else "passthrough"


def _imputer(impute: str | float) -> Any:
    from sklearn.impute import SimpleImputer  # noqa: PLC0415

    # keep a column without training values: dropping it would shift the columns behind it
    if isinstance(impute, str):
        return SimpleImputer(strategy=impute, keep_empty_features=True)
    return SimpleImputer(strategy="constant", fill_value=float(impute), keep_empty_features=True)


def _categorical_steps(columns: Columns, options: Categorical) -> Iterator[tuple[str, Any, Sequence[int]]]:
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder  # noqa: PLC0415

    rare = options.get("min_frequency")
    encoder: Any = OneHotEncoder(handle_unknown="ignore", min_frequency=rare, sparse_output=False)
    if options.get("encode") == "ordinal":
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=rare)
    yield "categorical", encoder, columns.categorical_positions


def _checked(role: str, kind: Any, options: Any) -> Any:
    given = {} if options is None else dict(options)
    known = tuple(kind.__annotations__)
    for name in given:
        if name not in known:
            raise DefinitionError(f"prepare: {role} has no option {name!r}; it has {', '.join(known)}")
    return given


def _check_numeric(options: Numeric) -> None:
    impute = options.get("impute")
    if impute is not None and impute not in _IMPUTE and not _is_number(impute):
        raise DefinitionError(f"prepare: impute={impute!r} must be one of {', '.join(_IMPUTE)}, a number, or None")
    scale = options.get("scale")
    if scale is not None and scale not in _SCALE:
        raise DefinitionError(f"prepare: scale={scale!r} must be one of {', '.join(_SCALE)}, or None")


def _check_categorical(options: Categorical) -> None:
    encode, rare = options.get("encode", "one-hot"), options.get("min_frequency")
    if encode not in _ENCODE:
        raise DefinitionError(f"prepare: encode={encode!r} must be one of {', '.join(_ENCODE)}")
    if rare is None:
        return
    if not _is_number(rare) or rare <= 0 or (rare >= 1 and not isinstance(rare, int)):
        raise DefinitionError(
            f"prepare: min_frequency={rare!r} must be a whole number of rows, or a share of them below 1"
        )


def _check_bins(columns: Columns, bins: Mapping[str, Bins]) -> None:
    for name, how in bins.items():
        if name not in columns.numeric:
            raise DefinitionError(
                f"prepare: discretize: {name!r} is not numeric; numeric columns are {', '.join(columns.numeric)}"
            )
        if not _are_bins(how):
            raise DefinitionError(
                f"prepare: discretize: {name}={how!r} must be a number of bins, at least 2, or edges in ascending order"
            )


def _are_bins(how: Any) -> bool:
    if isinstance(how, int):
        return how >= 2  # noqa: PLR2004 - one bin carries no information; True, which is 1, is excluded too
    if isinstance(how, str) or not isinstance(how, Sequence):
        return False
    return bool(how) and all(map(_is_number, how)) and all(low < high for low, high in itertools.pairwise(how))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _GREATEST
