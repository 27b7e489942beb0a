"""The demo: flights of 2013, replayed through the running system."""

from typing import Final

MODEL: Final = "late_arrival"
START: Final = "2013-03-01"
"""The first day of the replay: January and February are history."""
CHANGED: Final = "2013-03-08"
"""The midnight at which the definition is changed."""
UNTIL: Final = "2013-03-16"
"""The default end of the replay, a midnight."""
END: Final = "2014-01-01"
"""The end of the data."""
