"""The shares of the classes among rows without labels, when only these shares have changed."""

from typing import Final

from smallbox.arrays import Floats, np

_EM_STEPS: Final = 100


def shifted_prior(expected: Floats, prior: Floats) -> Floats:
    """The prior of rows without labels, ``(k,)``, if only the prior has changed.

    Expectation maximisation of Saerens, Latinne, Decaestecker (Neural Computation 14, 2002).

    Args:
        expected: ``(n, k)`` calibrated probabilities under the old prior.
        prior: ``(k,)`` the old prior.
    """
    found = prior
    for _ in range(_EM_STEPS):
        found = under_prior(expected, prior, found).mean(axis=0)
    return found


def under_prior(expected: Floats, old: Floats, new: Floats) -> Floats:
    """Calibrated probabilities ``(n, k)`` under another prior, by Bayes."""
    weighted = expected * (new / old)
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))
