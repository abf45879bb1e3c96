// The lobby board draws each snapshot itself: one message for all boards, and nobody fetches a page for a call.
// New calls share the hero for a while and then settle; when the truth is old, every number goes (更新停止).
import { follow } from "./live.js";
import { announce, unlock } from "./voice.js";

const newsEvery = 12000;
const languageEvery = 9000;
const mostAtOnce = 3;
const listed = 5;
// The clock changes the glass too (closing time, a notice that ends), with no event to tell of it.
const anewEvery = 60000;

const { dataset } = document.body;
const says = JSON.parse(document.querySelector("#says").textContent);
const hold = 1000 * says.hold;
let board = null;
let stale = false;
let truth = new Date();
let spoken = 0;

const one = (selector) => document.querySelector(selector);

function clone(name, values) {
  const made = one(`#${name}`).content.firstElementChild.cloneNode(true);
  for (const part of made.querySelectorAll("[data-f]")) put(part, values);
  return made;
}

function put(part, values) {
  const what = part.dataset.f;
  if (what === "phase" || what === "say") part.textContent = part.dataset[values.phase];
  else if (what === "quiet") part.textContent = part.dataset[values.some ? "some" : "none"];
  else part.textContent = values[what] ?? "";
  if (what === "phase") part.closest(".phase").classList.toggle("phase-deliver", values.phase === "deliver");
}

function filled(text, call) {
  return text.replace("{number}", call.number).replace("{counter}", call.counter);
}

function secondLanguage() {
  const others = says.languages.filter((language) => language !== "ja");
  return others[Math.floor(Date.now() / languageEvery) % others.length] ?? "en";
}

function second(article, call) {
  const line = article.querySelector("[data-second]");
  if (!line) return;
  const language = secondLanguage();
  line.lang = language.replace("_", "-");
  line.textContent = filled(says[call.phase === "deliver" ? "deliver" : "written"][language] ?? "", call);
}

function young(call) {
  return Date.now() - Date.parse(call.called_at) < hold;
}

function drawCalls() {
  const fresh = board.calls.filter(young).slice(0, mostAtOnce);
  const hero = fresh.length ? fresh : board.calls.slice(0, 1);
  const place = one("#call");
  const shown = hero.map((call) => `${call.seq}`).join() + fresh.length;
  if (place.dataset.shown !== shown) {
    place.dataset.shown = shown;
    place.className = `bd-call${fresh.length ? " fresh" : ""}${hero.length > 1 ? " several" : ""}`;
    const articles = hero.map((call) => clone(hero.length > 1 ? "among" : "alone", call));
    articles.forEach((article, index) => second(article, hero[index]));
    place.replaceChildren(...(articles.length ? articles : [clone("quiet", { some: Object.keys(board.waiting).length })]));
  } else if (!hero.length) {
    place.replaceChildren(clone("quiet", { some: Object.keys(board.waiting).length }));
  }
  one("#past").replaceChildren(...board.calls.slice(hero.length, hero.length + listed).map((call) => clone("past-call", call)));
}

function rangeOf(line) {
  if (line.waiting === 0 && line.lamp === "free") return says.words.now;
  if (!line.estimate) return "";
  return says.words.range.replace("{low}", line.estimate.low).replace("{high}", line.estimate.high);
}

function drawLines() {
  for (const line of board.categories) {
    const row = one(`[data-line="${CSS.escape(line.id)}"]`);
    if (!row || "booked" in row.dataset) continue;
    row.querySelector('[data-f="waiting"]').textContent = line.waiting;
    row.querySelector('[data-f="range"]').textContent = rangeOf(line);
    row.querySelector('[data-f="lamp"]').replaceWith(one(`#lamp-${line.lamp}`).content.firstElementChild.cloneNode(true));
  }
}

// Each call is announced once, oldest first, and only while it is young: a board that starts says nothing old.
function speak() {
  const fresh = board.calls.filter((call) => call.seq > spoken && young(call)).reverse();
  spoken = Math.max(spoken, ...board.calls.map((call) => call.seq));
  for (const call of fresh) {
    one("#announce").textContent = filled(says[call.phase === "deliver" ? "deliver" : "written"].ja, call);
    announce(call, says);
  }
}

function draw(snapshot) {
  const newDay = board && board.business_date !== snapshot.business_date;
  board = snapshot;
  truth = new Date();
  if (stale || newDay || (dataset.closed === "yes" && snapshot.calls.some(young))) return anew();
  if (dataset.closed === "yes") return undefined;
  drawCalls();
  drawLines();
  return speak();
}

// Takes the whole page from the server: after a stop, at midnight, and when opening hours or notices change.
async function anew() {
  const page = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (!page.ok) throw new Error(`board ${page.status}`);
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  for (const [name, value] of Object.entries(fresh.body.dataset)) dataset[name] = value;
  document.body.replaceChildren(...fresh.body.childNodes);
  stale = false;
  if (board && dataset.closed !== "yes" && Number(dataset.seq) <= board.seq) {
    drawCalls();
    drawLines();
  }
}

function onStale(now) {
  if (!now || stale) return undefined;
  stale = true;
  one("#announce").textContent = "";
  for (const part of document.querySelectorAll(".bd-call, .bd-past, .bd-wait, .bd-closed")) part.remove();
  const clock = new Intl.DateTimeFormat("ja-JP", { timeZone: "Asia/Tokyo", hour: "numeric", minute: "2-digit" });
  const note = one("#stale").content.cloneNode(true);
  const [hour, minute] = clock.format(truth).split(":");
  for (const part of note.querySelectorAll("[data-f]")) part.textContent = part.dataset.f === "since" ? `${hour}時${minute}分` : `${hour}:${minute}`;
  return one(".bd-head").after(note);
}

function tick() {
  const now = new Intl.DateTimeFormat("ja-JP", { timeZone: "Asia/Tokyo", hour: "numeric", minute: "2-digit" });
  one(".bd-clock time").textContent = now.format(new Date());
  if (!board || stale || dataset.closed === "yes") return;
  drawCalls();
  const hero = board.calls.filter(young)[0] ?? board.calls[0];
  const alone = one("#call > .call");
  if (hero && alone) second(alone, hero);
}

function news() {
  const all = [...document.querySelectorAll("[data-news]")];
  const now = all.findIndex((each) => !each.hidden);
  if (all.length < 2 || board?.calls.some(young)) return;
  all[now].hidden = true;
  all[(now + 1) % all.length].hidden = false;
}

unlock();
follow({ office: dataset.office, hall: dataset.hall || null, onSnapshot: draw, onStale });
setInterval(tick, 1000);
setInterval(news, newsEvery);
// Spread, so that a hundred boards do not ask in the same second.
setTimeout(() => setInterval(() => stale || anew().catch(() => {}), anewEvery), anewEvery * Math.random());
