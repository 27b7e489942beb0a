"""Exact contributions of a linear model: each prepared column counts its difference from the baseline row."""

from dataclasses import dataclass

import numpy as np

from smallbox.arrays import Floats, Floats32, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A linear model of ``p`` prepared columns.

    Attributes:
        coefficients: ``(p, o)``.
    """

    coefficients: Floats

    def sums(self, prepared: Floats32) -> Floats:
        """What the columns add to each output, ``(n, o)``."""
        return prepared.astype(np.float64) @ self.coefficients

    def contributions(self, prepared: Floats32, baseline: Floats32, owners: Ints, features: int) -> Floats:
        """What each feature adds against the baseline row, ``(n, features, o)``.

        Args:
            prepared: ``(n, p)``.
            baseline: ``(p,)``.
            owners: ``(p,)`` the feature of each column; -1 for one that depends on none.
            features: how many there are.
        """
        used = np.flatnonzero((owners >= 0) & self.coefficients.any(axis=1))
        moved = (prepared[:, used].astype(np.float64) - baseline[used]).T
        found = np.zeros((features, len(prepared), self.coefficients.shape[1]))
        np.add.at(found, owners[used], moved[:, :, None] * self.coefficients[used, None, :])
        return found.swapaxes(0, 1)
