// What of the office's snapshot concerns one desk. A hundred desks hear of every change; only those whose lines,
// counter or neighbours it touches ask for their screen again.

/** One text that differs when the desk of `counter` would look different. */
export function concern(snapshot, counter, neighbours) {
  const own = snapshot.counters.find(({ id }) => id === counter);
  const lines = new Set((own?.lines ?? []).map(({ category }) => category));
  const beside = new Set(neighbours);
  const serves = (each) => each.state !== "closed" && each.lines.some(({ category }) => lines.has(category));
  const counters = snapshot.counters.filter((each) => each.id === counter || beside.has(each.id) || serves(each));
  const held = new Set(counters.flatMap(({ steps }) => steps));
  const near = snapshot.steps.filter(({ id, category }) => held.has(id) || lines.has(category));
  const visits = new Set(near.map(({ ticket }) => ticket));
  return JSON.stringify([
    snapshot.epoch, snapshot.business_date, counters,
    snapshot.categories.filter(({ id }) => lines.has(id)),
    snapshot.steps.filter(({ ticket }) => visits.has(ticket)),
  ]);
}
