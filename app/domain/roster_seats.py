"""At which counter of its line somebody sits: the same one all day where that is possible, none twice at once."""

from collections.abc import Mapping, Sequence

from app.domain.roster import NOT_SERVING, Shifts


def seats(shifts: Shifts, counters: Mapping[str, Sequence[str]]) -> dict[tuple[str, int], str | None]:
    """The counter of each person in each half-hour that is served; None where a line has more people than counters.

    ``counters``: the places of each line in their order.
    """
    own: dict[tuple[str, str], str] = {}
    found: dict[tuple[str, int], str | None] = {}
    length = max((len(cells) for cells in shifts.values()), default=0)
    for slot in range(length):
        at_work = [(who, cells[slot]) for who, cells in shifts.items() if cells[slot] not in NOT_SERVING]
        taken: set[str] = set()
        # Whoever sits goes on sitting; whoever has a place of old comes back to it; newcomers take what is left.
        for who, line in at_work:
            if slot and shifts[who][slot - 1] == line:
                place = found[who, slot] = found[who, slot - 1]
                taken |= {place} if place is not None else set()
        for who, line in sorted(at_work, key=lambda each: each not in own):
            if (who, slot) in found:
                continue
            mine = own.get((who, line))
            free = [place for place in counters.get(line, ()) if place not in taken]
            kept = set(own.values())
            place = (
                mine if mine in free else next((each for each in free if each not in kept), free[0] if free else None)
            )
            found[who, slot] = place
            if place is not None:
                taken.add(place)
                own.setdefault((who, line), place)
    return found
