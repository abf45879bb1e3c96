// What a finger or the mouse is on stands until it is let go: a thing that is replaced in between is never clicked.
const longest = 3000;
let pressed = false;
let waiting = [];

function letGo() {
  pressed = false;
  const due = waiting;
  waiting = [];
  for (const each of due) each();
}

addEventListener("pointerdown", () => (pressed = true), true);
// The click comes after the pointer went up.
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(letGo, 50), true);

/** Once nothing is pressed; at the latest after three seconds, since a pointer may go up where nobody hears it. */
export function released() {
  if (!pressed) return Promise.resolve();
  return new Promise((done) => {
    waiting.push(done);
    setTimeout(done, longest);
  });
}
