// The display above a counter draws its own part of a snapshot that every display of the hall is sent; nothing is
// fetched for a call. When the truth is old the number goes (更新停止): only staff know then whose turn it is.
import { follow } from "./live.js";

const languageEvery = 9000;
// Words that staff change (names of lines, languages) come with the page.
const anewEvery = 60000;

const { dataset } = document.body;
let says = JSON.parse(document.querySelector("#says").textContent);
let mine = null;
let shown = "";
// The call the glass showed last; null until the first drawing, since a page that opens has no news.
let told = null;
let stale = false;
let truth = new Date();

const one = (selector) => document.querySelector(selector);
const wall = new Intl.DateTimeFormat("ja-JP", { timeZone: "Asia/Tokyo", hour: "numeric", minute: "2-digit" });

// displays/counter.py says the same for the first drawing.
function stateOf(glass) {
  const party = glass.now;
  if (party?.state === "serving") return "serving";
  if (party) return party.phase === "deliver" ? "deliver" : "called";
  if (glass.state === "paused") return glass.back_at ? "back" : "soon";
  return glass.state === "open" ? "open" : "closed";
}

function values() {
  return {
    number: mine?.now?.number ?? "", counter: mine?.instead ?? "", since: wall.format(truth),
    time: mine?.back_at ? wall.format(new Date(mine.back_at)) : "", line: says.lines[mine?.line]?.ja ?? "",
  };
}

function filled(text) {
  const known = values();
  return text.replace(/\{(\w+)\}/g, (whole, name) => known[name] ?? whole);
}

function put(screen, selector, text) {
  const part = screen.querySelector(selector);
  if (part) part.textContent = text;
}

function drawLine(screen) {
  const found = document.getElementById(`line-${mine.now?.category ?? mine.line}`);
  screen.querySelector('[data-f="line"]').replaceChildren(...(found ? [found.content.cloneNode(true)] : []));
}

function screenOf(state) {
  const screen = one(`#state-${state}`).content.firstElementChild.cloneNode(true);
  if (state === "stale") {
    put(screen, ".ct-now p", filled(screen.querySelector(".ct-now p").textContent));
    return screen;
  }
  put(screen, '[data-f="number"]', values().number);
  put(screen, '[data-f="time"]', values().time);
  if (mine.instead && mine.line) put(screen, '[data-f="instead"]', filled(one("#instead").content.textContent));
  const phase = screen.querySelector(".phase");
  if (phase) phase.replaceWith(one(`#phase-${mine.now.phase === "deliver" ? "deliver" : "accept"}`).content.firstElementChild.cloneNode(true));
  drawLine(screen);
  return screen;
}

function speakSecond() {
  const code = says.languages[Math.floor(Date.now() / languageEvery) % says.languages.length];
  for (const part of document.querySelectorAll("#glass [data-second]")) {
    part.lang = code;
    part.textContent = filled(says.second[code][part.dataset.second]);
    const shut = ["back", "soon", "closed"].includes(part.dataset.second);
    if (shut && mine?.instead) part.textContent += ` ${filled(says.second[code].instead)}`;
  }
  for (const part of document.querySelectorAll("#glass [data-line]")) {
    part.lang = code;
    part.textContent = says.lines[part.dataset.line][code];
  }
}

function show() {
  const state = stale ? "stale" : stateOf(mine);
  const now = JSON.stringify([state, stale || mine]);
  if (now !== shown) {
    shown = now;
    const screen = screenOf(state);
    const called = state === "called" || state === "deliver";
    const call = called ? JSON.stringify(mine.now) : "";
    screen.classList.toggle("ct-new", called && told !== null && told !== call);
    told = call;
    one("#glass").replaceChildren(screen);
    one("#announce").textContent = called ? filled(one("#glass .no").textContent + one("#glass .do").textContent) : "";
  }
  speakSecond();
}

function draw(snapshot) {
  const found = snapshot.counters.find((each) => each.id === dataset.counter);
  // Moved to another hall, or gone: the server knows.
  if (!found) return location.reload();
  mine = found;
  truth = new Date();
  return show();
}

function onStale(now) {
  stale = now;
  if (stale || mine) show();
}

async function anew() {
  const page = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (!page.ok) return;
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  Object.assign(dataset, fresh.body.dataset);
  for (const template of fresh.querySelectorAll("template")) document.getElementById(template.id)?.replaceWith(template);
  says = JSON.parse(fresh.querySelector("#says").textContent);
  shown = "";
  if (mine || stale) show();
}

follow({
  view: "counters", office: dataset.office, hall: dataset.hall, onSnapshot: draw, onStale,
});
setInterval(() => (mine || stale) && speakSecond(), 1000);
// Spread, so that all counters do not ask in the same second.
setTimeout(() => setInterval(() => stale || anew().catch(() => {}), anewEvery), anewEvery * Math.random());
