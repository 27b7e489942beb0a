"""The profiles of days, added up from the stored profiles of hours: no row of a table is read."""

from collections.abc import Callable, Iterable, Sequence

from smallbox.profiles.profile import Profile, merged_profiles
from smallbox.profiles.store import (
    ProfileStore,
    ProfileSubject,
    labelled_subject,
    prediction_subject,
    source_subject,
)
from smallbox.records import Channel
from smallbox.times import DAY, Micros


def day_profiles(
    store: ProfileStore, model: str, version: int, channel: Channel, days: Sequence[Micros]
) -> dict[Micros, Profile]:
    """What a version answered in a channel, in all of its arms, by day of the request.

    Args:
        store: has the profiles.
        model: the model's name.
        version: the version's number.
        channel: the channel.
        days: the begins of the days, microseconds.

    Returns:
        The profile of each day that has one, by the day's begin, in the bins of the version's reference by day. Empty
        for a version without such a reference.
    """
    return _of_days(store, _arms(store, model, version, channel, prediction_subject), days)


def labelled_day_profiles(
    store: ProfileStore, model: str, version: int, channel: Channel, days: Sequence[Micros]
) -> dict[Micros, Profile]:
    """Outputs, labels and losses of a version's labelled predictions by day of ``settles_from``; as above."""
    return _of_days(store, _arms(store, model, version, channel, labelled_subject), days)


def source_day_profiles(store: ProfileStore, source: str, days: Sequence[Micros]) -> dict[Micros, Profile]:
    """The accepted records of a source by day of the event time; as above."""
    return _of_days(store, [source_subject(source)], days)


def _arms(
    store: ProfileStore,
    model: str,
    version: int,
    channel: Channel,
    subject: Callable[[str, int, str, str], ProfileSubject],
) -> list[ProfileSubject]:
    any_arm = subject(model, version, channel, "")
    return [one for one in store.parts(any_arm.name) if one.part.startswith(any_arm.part)]


def _of_days(store: ProfileStore, subjects: Sequence[ProfileSubject], days: Iterable[Micros]) -> dict[Micros, Profile]:
    found = {}
    for day in sorted(days):
        hours = [one for subject in subjects for one in store.between(subject, day, day + DAY).values()]
        if hours:
            found[day] = merged_profiles(hours[0].layout, hours)
    return found
