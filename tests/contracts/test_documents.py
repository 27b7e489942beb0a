"""Proves that every document store keeps what it was given and lets only the first of two writers win."""

import pytest

from smallbox.errors import Conflict
from smallbox.ports import Documents


def test_a_document_comes_back_as_it_was_put(documents: Documents) -> None:
    """A document comes back equal, numbers included, and an absent one is None."""
    documents.put("model#m", "version#1", {"auc": 0.1 + 0.2, "tags": ["a"], "none": None})
    assert documents.get("model#m", "version#1") == {"auc": 0.1 + 0.2, "tags": ["a"], "none": None}
    assert documents.get("model#m", "version#2") is None


def test_a_query_is_ordered_and_stays_within_its_prefix(documents: Documents) -> None:
    """A query yields the documents of one partition with the prefix, in sort-key order."""
    for sort in ("version#2", "history#1", "version#1"):
        documents.put("model#m", sort, {"sort": sort})
    documents.put("model#other", "version#0", {"sort": "other"})
    assert [d["sort"] for d in documents.query("model#m", "version#")] == ["version#1", "version#2"]
    assert [d["sort"] for d in documents.query("model#m")] == ["history#1", "version#1", "version#2"]


def test_a_new_document_is_put_once(documents: Documents) -> None:
    """put_new refuses a document that is there, and leaves it alone."""
    documents.put_new("p", "s", {"n": 1})
    with pytest.raises(Conflict):
        documents.put_new("p", "s", {"n": 2})
    assert documents.get("p", "s") == {"n": 1}


def test_only_the_first_of_two_swaps_wins(documents: Documents) -> None:
    """Swap takes the revision that was read, so of two writers who read the same one only one writes."""
    documents.swap("p", "s", {"n": 1}, 0)
    assert documents.get("p", "s") == {"n": 1, "revision": 1}
    documents.swap("p", "s", {"n": 2}, 1)
    for stale in (0, 1):
        with pytest.raises(Conflict):
            documents.swap("p", "s", {"n": 3}, stale)
    assert documents.get("p", "s") == {"n": 2, "revision": 2}
