"""The table of preparation steps that Smallbox converts to ONNX itself.

skl2onnx has no converter for them, or one whose results differ from scikit-learn's; each module says which.
"""

from collections.abc import Mapping
from typing import Final

from sklearn.impute import MissingIndicator
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler

from smallbox.objectives.scaling import ScaledScore
from smallbox.objectives.temperature import TemperatureScaled
from smallbox.prepare.discretizer import DISCRETIZER, Discretizer
from smallbox.prepare.graph import Converter
from smallbox.prepare.missing import MISSING_INDICATOR
from smallbox.prepare.one_hot import ONE_HOT
from smallbox.prepare.ordinal import ORDINAL
from smallbox.prepare.scaled_score import SCALED_SCORE
from smallbox.prepare.scaling import SCALER
from smallbox.prepare.temperature import TEMPERATURE

CONVERTERS: Final[Mapping[type, Converter]] = {
    OneHotEncoder: ONE_HOT,
    OrdinalEncoder: ORDINAL,
    StandardScaler: SCALER,
    RobustScaler: SCALER,
    MinMaxScaler: SCALER,
    MissingIndicator: MISSING_INDICATOR,
    Discretizer: DISCRETIZER,
    TemperatureScaled: TEMPERATURE,
    ScaledScore: SCALED_SCORE,
}
"""By scikit-learn class the converter of its instances."""
