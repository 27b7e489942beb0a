"""CUPED under peeking: outcomes adjusted by a covariate, with a slope that is fitted on earlier units only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from smallbox.arrays import Floats


@dataclass(frozen=True, slots=True)
class CovariateFit:
    """What the earlier units say of covariate and outcome, whatever their arm.

    Attributes:
        units: their number.
        covariate: their mean covariate.
        outcome: their mean outcome.
        covariate_squares: sum of squared deviations of the covariate.
        outcome_squares: that of the outcome.
        products: sum of the products of both deviations.
    """

    units: int = 0
    covariate: float = 0.0
    outcome: float = 0.0
    covariate_squares: float = 0.0
    outcome_squares: float = 0.0
    products: float = 0.0

    @property
    def slope(self) -> float:
        """The regression of the outcome on the covariate; 0 where the covariate does not vary."""
        return self.products / self.covariate_squares if self.covariate_squares > 0 else 0.0

    @property
    def explained(self) -> float:
        """The share of the outcome's variance that the covariate explains: the squared correlation."""
        both = self.covariate_squares * self.outcome_squares
        return self.products**2 / both if both > 0 else 0.0

    def adjusted(self, outcomes: Floats, covariates: Floats) -> Floats:
        """``outcome - slope * (covariate - mean)`` of later units, with the slope and the mean of the earlier ones.

        CUPED (Deng, Xu, Kohavi, Walker, WSDM 2013). Slope and mean do not depend on the units that they adjust, so the
        difference of two arms stays unbiased at every look (compare Lindon, Ham, Tingley, Bojinov, arXiv 2210.08589);
        its variance falls by the share :attr:`explained`. A missing covariate, NaN, adjusts nothing.

        >>> fit = CovariateFit().with_units(np.array([1.0, 3.0, 5.0]), np.array([0.0, 1.0, 2.0]))
        >>> fit.slope, fit.adjusted(np.array([4.0, 7.0]), np.array([2.0, np.nan])).tolist()
        (2.0, [2.0, 7.0])
        """
        return outcomes - self.slope * np.nan_to_num(covariates - self.covariate, nan=0.0)

    def with_units(self, outcomes: Floats, covariates: Floats) -> "CovariateFit":
        """With further units; those without a covariate are left out."""
        known = ~np.isnan(covariates)
        y, x = outcomes[known], covariates[known]
        if not len(x):
            return self
        units, mean_x, mean_y = self.units + len(x), float(x.mean()), float(y.mean())
        apart_x, apart_y, weight = mean_x - self.covariate, mean_y - self.outcome, self.units * len(x) / units
        return CovariateFit(
            units,
            self.covariate + apart_x * len(x) / units,
            self.outcome + apart_y * len(x) / units,
            self.covariate_squares + float(((x - mean_x) ** 2).sum()) + apart_x**2 * weight,
            self.outcome_squares + float(((y - mean_y) ** 2).sum()) + apart_y**2 * weight,
            self.products + float(((x - mean_x) * (y - mean_y)).sum()) + apart_x * apart_y * weight,
        )

    def as_json(self) -> dict[str, float | int]:
        """The fit as a document."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, float | int]) -> "CovariateFit":
        """The inverse of :meth:`as_json`."""
        sums = {name: float(value) for name, value in document.items() if name != "units"}
        return cls(int(document["units"]), **sums)
