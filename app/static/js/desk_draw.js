// Drawing the desk: the server's own words replace what has changed, and clocks run between.
// Focus and the place in the list are kept; whoever calls waits for a click under way (press.js).
let ahead = 0;

/** The instant on the server's clock. */
export function serverNow() {
  return Date.now() + ahead;
}

/** Learn the server's clock from the page that stands. */
export function readClock() {
  const now = document.querySelector("[data-now]");
  if (now) ahead = Date.parse(now.dataset.now) - Date.now();
}

const varies = "[data-elapsed], [data-since-minutes], [data-since-number], [data-remaining]";

function bare(element) {
  const copy = element.cloneNode(true);
  for (const each of copy.querySelectorAll(varies)) each.textContent = "";
  for (const each of copy.querySelectorAll("progress, [name=csrf_token], [name=idempotency_key]")) each.removeAttribute("value");
  copy.removeAttribute("style");
  return copy.outerHTML;
}

function place() {
  const at = document.activeElement;
  if (!at || at === document.body) return { lost: true };
  if (!at.closest("main")) return { elsewhere: true };
  // The blue button changes its verb: who stands on it stays on it, not on the key that has the former verb.
  return { hero: at.matches("[data-hero]"), key: at.dataset.key, row: at.matches("[data-row]") ? at.textContent : null, value: at.value };
}

function restore({ elsewhere, hero, key, row, value }) {
  if (elsewhere || document.activeElement?.closest("main, dialog")) return;
  const main = document.querySelector("main");
  const same = hero ? null : row
    ? [...main.querySelectorAll("[data-row]")].find((link) => link.textContent === row)
    : (key && main.querySelector(`[data-key="${CSS.escape(key)}"]:not(:disabled)`)) ||
      (value && main.querySelector(`button[value="${CSS.escape(value)}"]:not(:disabled)`));
  (same || main.querySelector("[data-hero]:not(:disabled)") || main).focus({ preventScroll: true });
}

function replaceParts(now, next) {
  const [old, fresh] = [[...now.children], [...next.children]];
  if (old.length !== fresh.length) return now.replaceChildren(...next.childNodes);
  old.forEach((part, i) => {
    if (bare(part) === bare(fresh[i])) return;
    const scrolled = part.scrollTop;
    part.replaceWith(fresh[i]);
    fresh[i].scrollTop = scrolled;
  });
}

/** A list that scrolls ends with a whole row: half a row looks like the last one. */
export function wholeRows() {
  const box = document.querySelector(".queue-box");
  if (!box) return;
  box.style.maxHeight = "";
  const { top, bottom } = box.getBoundingClientRect();
  const below = Number.parseFloat(getComputedStyle(box).paddingBottom);
  const rows = [...box.querySelectorAll("tr")].map((row) => row.getBoundingClientRect().bottom + box.scrollTop);
  const last = rows.findLast((end) => end <= bottom - below + 1);
  if (last && last < rows.at(-1)) box.style.maxHeight = `${last - top + below}px`;
}

/** Replace what differs in the desk by `page`; false when the page is not a desk any more. */
export function draw(page) {
  const fresh = page.querySelector("[data-screen=desk]");
  if (!fresh) return false;
  const focus = place();
  const work = document.querySelector("[data-screen=desk]");
  replaceParts(work, fresh);
  for (const { name, value } of fresh.attributes) work.setAttribute(name, value);
  const [live, offline] = ["[data-live]", "[data-offline]"].map((which) => [document.querySelector(which), page.querySelector(which)]);
  replaceParts(...live);
  replaceParts(...offline);
  for (const left of [".bar .cn", ".bar .sub"]) document.querySelector(left)?.replaceWith(page.querySelector(left));
  document.title = page.title;
  readClock();
  tick();
  wholeRows();
  restore(focus);
  return true;
}

function elapsed(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let minuteWords = "{n}";

/** Let the clocks run; `words`: how minutes are said. */
export function startClocks(words) {
  minuteWords = words;
  readClock();
  setInterval(tick, 1000);
}

function tick() {
  const now = serverNow();
  const seconds = (iso) => Math.max(Math.floor((now - Date.parse(iso)) / 1000), 0);
  for (const each of document.querySelectorAll("[data-elapsed]")) say(each, elapsed(seconds(each.dataset.elapsed)));
  for (const each of document.querySelectorAll("[data-elapsed-of]")) each.value = Math.min(seconds(each.dataset.elapsedOf), each.max);
  for (const each of document.querySelectorAll("[data-since-minutes]")) say(each, minuteWords.replace("{n}", Math.floor(seconds(each.dataset.sinceMinutes) / 60)));
  for (const each of document.querySelectorAll("[data-since-number]")) say(each, String(Math.floor(seconds(each.dataset.sinceNumber) / 60)));
  for (const each of document.querySelectorAll("[data-remaining]")) {
    const left = Math.ceil((Date.parse(each.dataset.remaining) - now) / 60000);
    say(each, (left >= 0 ? each.dataset.words : each.dataset.over).replace("{n}", Math.abs(left)));
  }
}
