"""The terms of an explanation, as answers have them."""

from typing import Literal

Method = Literal["tree_shap", "linear", "permutations"]
"""How contributions were computed: from the trees, from the coefficients, or by replacing values feature by feature."""

Background = Literal["training_rows", "baseline_row"]
"""What contributions are differences from: the average over training rows, or the answer for a baseline row."""

Scale = Literal[
    "score",
    "log",
    "log_odds",
    "class_log_odds",
    "log_odds_before_calibration",
    "probability_before_calibration",
]
"""What contributions add up to: the score; its logarithm; its log-odds; of each class a number whose softmax are the
scores; or log-odds or probability as the estimator gives them to a calibration that is not linear in them."""
