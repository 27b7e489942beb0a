"""The demo: flights of 2013, replayed through the running system."""

from typing import Final

MODEL: Final = "late_arrival"
"""The model that is replayed."""
OTHERS: Final = ("arrival_delay", "arrival_outcome")
"""The models with other objectives, which go round the loop once."""
START: Final = "2013-03-01"
"""The first day of the replay: January and February are history."""
CHANGED: Final = "2013-03-03"
"""The midnight at which the definition is changed."""
UNTIL: Final = "2013-03-11"
"""The default end of the replay, a midnight."""
END: Final = "2014-01-01"
"""The end of the data."""
