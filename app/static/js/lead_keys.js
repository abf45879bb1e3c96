// The keys of the floor: digits do a proposal, letters open a line, W the counters, arrows move.
//
// A key acts only when no other follows it at once: a QR reader types a whole number within milliseconds.
import { keysOn, typing } from "./desk_keys.js";

const follows = 50;
const byCode = { NumpadDivide: "/", Slash: "/", NumpadMultiply: "*" };

function nameOf(event) {
  if (event.key === "*" || event.key === "?") return "*";
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  if (digit) return event.shiftKey ? null : digit[1];
  const letter = /^Key([A-Z])$/.exec(event.code);
  return letter ? letter[1] : (byCode[event.code] ?? null);
}

/** Move within a grid of links as they stand on the glass. */
function within(all, at, key) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  const i = all.indexOf(at);
  if (step) return all[i + step];
  const here = at.getBoundingClientRect();
  const beyond = all.filter((each) => {
    const there = each.getBoundingClientRect();
    return Math.abs(there.left - here.left) < here.width / 2 && (key === "ArrowDown" ? there.top > here.top : there.top < here.top);
  });
  return key === "ArrowDown" ? beyond[0] : beyond.at(-1);
}

function move(event) {
  const at = document.activeElement;
  const tiles = [...document.querySelectorAll("[data-tile]")];
  const rows = [...document.querySelectorAll("[data-row]")];
  const upDown = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  let to = null;
  if (tiles.includes(at)) to = within(tiles, at, event.key);
  else if (upDown && rows.includes(at)) to = rows[rows.indexOf(at) + upDown];
  else if (upDown === 1 && at.matches("[data-line]")) to = at.querySelector("[data-row]");
  if (!to) return;
  event.preventDefault();
  to.focus();
}

function nextRegion() {
  const all = [...document.querySelectorAll("[data-region]")];
  const next = all[(all.findIndex((each) => each.contains(document.activeElement)) + 1) % all.length];
  (next.querySelector("button, a") ?? next).focus();
}

/** @param {{onKey: (name: string) => void, inDialog: () => boolean}} to */
export function listen(to) {
  let held = [];
  let timer = null;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || to.inDialog()) return;
    if (event.key.startsWith("Arrow")) return move(event);
    if (event.key === "F2") {
      event.preventDefault();
      return nextRegion();
    }
    const name = nameOf(event);
    if (event.repeat || (!name && event.key.length !== 1)) return;
    if (name === "/") event.preventDefault();
    held.push(name);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const keys = held;
      held = [];
      if (keys.length === 1 && keys[0] && keysOn()) to.onKey(keys[0]);
    }, follows);
  });
}
