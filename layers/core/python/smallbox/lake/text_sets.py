"""Hashes of texts, and sets of texts that the batches of a column are compared with."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_BITS: Final = 24


class TextSet:
    """A set of texts, to find the rows of many batches that have one of them.

    Arrow's ``is_in`` builds its table anew for each batch. Here only rows whose hash is marked are compared by it.

    Args:
        texts: the texts.
    """

    def __init__(self, texts: pa.Array) -> None:
        self._texts = texts.cast(pa.string())
        self._marked = np.zeros(1 << _BITS, bool)
        self._marked[_places(self._texts)] = True

    def holds(self, column: pa.Array) -> pa.Array:
        """Whether each value of a column is in the set."""
        texts = column.cast(pa.string())
        found = self._marked[_places(texts)]
        if found.any():
            found[found] = pc.is_in(texts.filter(pa.array(found)), value_set=self._texts)
        return pa.array(found)


def _places(texts: pa.Array) -> npt.NDArray[np.uint64]:
    return text_hashes(texts) >> np.uint64(64 - _BITS)


def text_hashes(texts: pa.Array) -> npt.NDArray[np.uint64]:
    """A hash of each text: eight bytes at a time, mixed as splitmix64 does."""
    large = texts.cast(pa.large_string())
    _, offsets, content = large.buffers()
    bounds = np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]
    padded = np.concatenate((np.frombuffer(content or b"", np.uint8)[: bounds[-1]], np.zeros(8, np.uint8)))
    words = np.lib.stride_tricks.as_strided(padded.view(), (len(padded) - 7, 8), (1, 1)).view(np.uint64)[:, 0]
    begins, sizes = bounds[:-1], np.diff(bounds)
    hashes = sizes.astype(np.uint64)
    for at in range(0, int(sizes.max(initial=0)), 8):
        left = np.clip(sizes - at, 0, 8)
        # bytes beyond the text are shifted out; where nothing is left the word is 0
        shift = ((8 - left) * 8).astype(np.uint64)
        word = words[np.minimum(begins + at, len(words) - 1)]
        word <<= np.minimum(shift, 63)
        mixed = (hashes ^ word) * np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(31)
        # a text that has ended keeps its hash, however long its neighbours are
        hashes = np.where(left == 0, hashes, mixed)
    return hashes
