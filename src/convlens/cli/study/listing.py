"""``convlens study list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import ConvlensError
from ...names import shown
from ..options import JsonFlag, notes, out, print_json

if TYPE_CHECKING:
    from ...studies.catalog import StudyEntry
    from ...studies.spec import Profile, Study


def listed(json: JsonFlag = False) -> None:
    """List the studies: the question of each, what it compares, and how many trainings it takes.

    Example: [bold]convlens study list[/bold]
    """
    from ...studies import entries

    broken: dict[str, str] = {}
    found = [_described(entry) for entry in entries(broken).values()]
    for reason in broken.values():
        notes.print(reason)
    if json:
        print_json(found)
        return
    for one in found:
        out.print(shown(f"{one['name']}: {one['question']}"))
        if one["arms"]:
            sizes = [f"{profile['name']} ({profile['trials']} trials)" for profile in one["profiles"]]
            out.print(shown(f"  arms: {'; '.join(one['arms'])}"))
            cost = f"standard takes at most {one['max_minutes']:g} minutes on two cores"
            out.print(shown(f"  profiles: {', '.join(sizes)}; {cost}"))
    out.print()
    out.print(
        "An arm is one of the networks that are compared, a trial is one training of an arm with one seed, and a "
        "profile says how many trials."
    )
    if found:
        out.print(f"Next: convlens study run {found[0]['name']} --profile quick")


def _described(entry: StudyEntry) -> dict[str, Any]:
    """Return a study as plain data; if its data are not available, the question says so."""
    try:
        study = entry.study()
    except ConvlensError as error:
        return {"name": entry.name, "question": f"cannot be described here: {error}", "arms": [], "profiles": []}
    profiles = [_profile(study, profile) for profile in entry.profiles.values()]
    arms = [arm.name for arm in study.arms]
    return {
        "name": entry.name,
        "question": study.question,
        "arms": arms,
        "profiles": profiles,
        "max_minutes": study.max_minutes,
    }


def _profile(study: Study, profile: Profile) -> dict[str, Any]:
    """Return the size of a study under a profile, up to its first look."""
    first = profile.up_to(1)
    arms = study.under(profile).arms
    return {
        "name": profile.name,
        "trials": sum(len(first.seeds_of(arm)) for arm in arms),
        "arms": [arm.name for arm in arms],
        "looks": list(profile.all_looks),
        "seeds": list(profile.seeds),
    }
