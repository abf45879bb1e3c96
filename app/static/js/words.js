// Sentences the server has rendered into <template id="say-…"> in the page's language, with {name} to fill.

const holes = /\{(\w+)\}/;

function filled(text, values) {
  const parts = text.split(holes).map((part, at) => (at % 2 && part in values ? values[part] : at % 2 ? `{${part}}` : part));
  return parts.map((part) => (part instanceof Node ? part.cloneNode(true) : String(part)));
}

/** A fragment of the sentence with its values (texts, or fragments such as a clock), readings (ruby) and all. */
export function say(name, values = {}) {
  const made = document.querySelector(`#say-${name}`).content.cloneNode(true);
  fill(made, values);
  return made;
}

/** Put values in the holes of what stands below `root`. */
export function fill(root, values) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const open = [];
  while (walker.nextNode()) if (holes.test(walker.currentNode.nodeValue)) open.push(walker.currentNode);
  for (const node of open) node.replaceWith(...filled(node.nodeValue, values));
}

/** The clock of the hall (Asia/Tokyo), as the page's language writes it; follows local_clock of app/web/formats.py. */
export function clock(at) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit" }).formatToParts(at);
  const hour = Number(parts.find((part) => part.type === "hour").value);
  const minute = parts.find((part) => part.type === "minute").value;
  return say(document.querySelector("#say-clock-am") && hour < 12 ? "clock-am" : "clock", {
    hour24: hour, hour12: hour % 12 || 12, hour2: String(hour).padStart(2, "0"), minute,
  });
}

let standing = null;

// A phone that knows it has no line says so; one that does not know says what it sees: the office does not answer.
function tellWhy() {
  const why = navigator.onLine ? "office" : "phone";
  for (const part of document.querySelectorAll("[data-stale] [data-when]")) part.hidden = part.dataset.when !== why;
}
addEventListener("online", tellWhy);
addEventListener("offline", tellWhy);

/** Tell that the page stands still, with the time of its last truth, or that it moves again. */
export function showStale(stale, truth) {
  const note = document.querySelector("[data-stale]");
  standing ??= note.cloneNode(true);
  const made = standing.cloneNode(true);
  if (stale) fill(made, { clock: clock(truth) });
  note.replaceWith(made);
  made.hidden = !stale;
  tellWhy();
  document.body.classList.toggle("stale", stale);
}
