"""The demonstration: a year of flights replayed through the running system."""

from typing import Final

MODEL: Final = "late_arrival"
START: Final = "2013-03-01"
"""The replay's first day: January and February are history."""
UNTIL: Final = "2013-03-22"
"""The midnight at which it ends when nothing else is asked for."""
END: Final = "2014-01-01"
"""The end of the data."""
