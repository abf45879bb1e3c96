// The keys of the planning pages: digits open a page, a marked key presses its button or link.
import { keysOn, typing } from "./desk_keys.js";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === "Enter" && event.target.closest?.("a, button, summary")) return;
  if (event.key !== "Enter" && !keysOn()) return;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
  const name = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const found = document.querySelector(digit ? `[data-digit="${digit}"]` : `[data-press="${CSS.escape(name)}"]`);
  if (!found) return;
  event.preventDefault();
  found.click();
});
