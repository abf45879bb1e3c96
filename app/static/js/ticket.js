// A number's own page finds its number in the one board everybody gets: people ahead and range are put in place.
// Only when its own situation changes (called, missed, back in line, another counter) it asks the server once.
import { follow } from "./live.js";
import { released } from "./press.js";
import { clock, say, showStale } from "./words.js";

const quietEvery = 30000;
const { office, number } = document.querySelector("[data-ticket]").dataset;
let situation = null;
let renewed = Date.now();
let truth = new Date();
let was = null;
let past = false;

function placeIn(board) {
  for (const line of Object.values(board.waiting)) {
    const ahead = line.findIndex(([each]) => each === number);
    if (ahead >= 0) return { ahead, low: line[ahead][1], high: line[ahead][2] };
  }
  return null;
}

// What is heard: without the readings above the letters, and from a region that stands on the page all the time.
function tell(how, part) {
  const said = part?.cloneNode(true);
  for (const reading of said?.querySelectorAll("rt, svg, .vh") ?? []) reading.remove();
  for (const each of said?.querySelectorAll("*") ?? []) each.after(" ");
  const words = said?.textContent.replace(/\s+/g, " ").trim() ?? "";
  const place = document.querySelector(`[data-told="${how}"]`);
  if (place.textContent !== words) place.textContent = words;
}

function within(main, { href, textContent }) {
  return [...main.querySelectorAll("a, button")].find((each) => each.href === href && each.textContent === textContent);
}

async function renew() {
  const page = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (!page.ok) throw new Error(`page ${page.status}`);
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  await released();
  const now = document.querySelector("main");
  const next = fresh.querySelector("main");
  const changed = now.dataset.status !== next.dataset.status;
  const held = now.contains(document.activeElement) ? document.activeElement : null;
  if (changed) navigator.vibrate?.(next.dataset.status === "called" ? [300, 150, 300] : []);
  now.className = next.className;
  now.dataset.status = next.dataset.status;
  now.replaceChildren(...next.childNodes);
  if (held) (within(now, held) ?? now).focus();
  if (changed) tell(next.dataset.status === "called" ? "now" : "then", now.querySelector(".mid, .awaits, .then, .ended"));
  document.title = fresh.title;
  renewed = Date.now();
}

function put(what, made) {
  document.querySelector(`main [data-f="${what}"]`)?.replaceChildren(made);
}

const fiveMinutes = 300000;

// The middle of the range as a time of day; follows around of app/web/formats.py.
function around({ low, high }) {
  return new Date(Math.ceil((Date.now() + 30000 * (low + high)) / fiveMinutes) * fiveMinutes);
}

function told(place) {
  if (place.ahead === 0) return say("next");
  return place.low === null ? say("unknown") : say("about", { ...place, clock: clock(around(place)) });
}

async function draw(board) {
  const place = placeIn(board);
  const called = board.calls.find((call) => call.number === number);
  const now = place ? "waiting" : `${called?.seq ?? "elsewhere"}`;
  const changed = situation !== null && situation !== now;
  const shown = document.querySelector("main").dataset.status;
  const contradicts = (place !== null) !== (shown === "waiting");
  // What happens at the counter and in the back office is not on the board: look now and then while it lasts.
  const quiet = !place && !["done", "cancelled"].includes(shown) && Date.now() - renewed > quietEvery;
  if (changed || contradicts || quiet || past) await renew();
  past = false;
  situation = now;
  truth = new Date();
  was = place;
  if (!place) return;
  const fewer = document.querySelector('main [data-f="ahead"]')?.textContent !== String(place.ahead);
  put("ahead", String(place.ahead));
  put("estimate", told(place));
  if (fewer) tell("then", document.querySelector("main .two"));
  put("at", say("at", { clock: clock(truth) }));
}

// What was true stays, in the past tense; people ahead, minutes and states go until the server has told them anew.
function onStale(stale) {
  showStale(stale, truth);
  if (!stale) return undefined;
  past = true;
  for (const tag of document.querySelectorAll("[data-tag]")) tag.replaceChildren(say("state", { clock: clock(truth) }));
  document.querySelector("main .coming")?.remove();
  const figures = document.querySelector("main .two");
  // Before the first snapshot the figure is the one that came with the page.
  const ahead = was?.ahead ?? document.querySelector('main [data-f="ahead"]')?.textContent;
  if (!figures || ahead === undefined) return undefined;
  const line = document.createElement("p");
  line.className = "then";
  line.append(say("was", { clock: clock(truth), n: ahead }));
  return figures.replaceWith(line);
}

follow({ office, onSnapshot: draw, onStale });
