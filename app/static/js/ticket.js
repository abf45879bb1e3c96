// A number's own page finds its number in the one board everybody gets: people ahead and range are put in place.
// Only when its own situation changes (called, missed, back in line, another counter) it asks the server once.
import { follow } from "./live.js";
import { clock, say, showStale } from "./words.js";

const quietEvery = 30000;
const { office, number } = document.querySelector("[data-ticket]").dataset;
let situation = null;
let renewed = Date.now();

function placeIn(board) {
  for (const line of Object.values(board.waiting)) {
    const ahead = line.findIndex(([each]) => each === number);
    if (ahead >= 0) return { ahead, low: line[ahead][1], high: line[ahead][2] };
  }
  return null;
}

async function renew() {
  const page = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (!page.ok) throw new Error(`page ${page.status}`);
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  const now = document.querySelector("main");
  const next = fresh.querySelector("main");
  if (now.dataset.status !== next.dataset.status) navigator.vibrate?.(next.dataset.status === "called" ? [300, 150, 300] : []);
  now.className = next.className;
  now.dataset.status = next.dataset.status;
  now.replaceChildren(...next.childNodes);
  document.title = fresh.title;
  renewed = Date.now();
}

function put(what, made) {
  document.querySelector(`main [data-f="${what}"]`)?.replaceChildren(made);
}

function told(place) {
  if (place.ahead === 0) return say("next");
  return place.low === null ? say("unknown") : say("about", place);
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
  if (changed || contradicts || quiet) await renew();
  situation = now;
  if (!place) return;
  put("ahead", String(place.ahead));
  put("estimate", told(place));
  put("at", clock(new Date()));
}

follow({ office, onSnapshot: draw, onStale: showStale });
