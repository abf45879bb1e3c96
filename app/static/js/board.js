// The lobby board follows its office by ETag: unchanged costs one small answer; a change redraws from the
// server. After 15 s without truth every number goes (更新停止): an old number must not look new.
// Truth is a board that stands on the glass: an answer that could not be drawn is not truth. The watch has a
// timer of its own and every request an end, since a server that hangs answers nothing at all.
const every = 2000;
const giveUp = 5000;
const staleAfter = 15000;
const newsEvery = 12000;
// The clock changes the glass too (closing time, a notice that ends), with no event to tell of it.
const drawAnew = 60000;
let truth = Date.now();
let drawn = Date.now();
let settleAt = settling();
let looking = false;
let stale = false;

function settling() {
  const seconds = Number(document.body.dataset.hold);
  return seconds ? Date.now() + 1000 * seconds : 0;
}

function address() {
  const { office, hall } = document.body.dataset;
  return `/api/v1/offices/${encodeURIComponent(office)}/board${hall ? `?hall=${encodeURIComponent(hall)}` : ""}`;
}

function ask(where, headers = {}) {
  return fetch(where, { headers, cache: "no-store", signal: AbortSignal.timeout(giveUp) });
}

async function redraw() {
  const page = await ask(location.href);
  if (!page.ok) throw new Error(`page ${page.status}`);
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  for (const [name, value] of Object.entries(fresh.body.dataset)) document.body.dataset[name] = value;
  document.body.replaceChildren(...fresh.body.childNodes);
  settleAt = settling();
  drawn = Date.now();
  stale = false;
}

function stop() {
  if (stale) return;
  stale = true;
  const words = document.querySelector("#stale").content.cloneNode(true);
  for (const part of document.querySelectorAll(".bd-call, .bd-past, .bd-wait, .bd-closed")) part.remove();
  document.querySelector(".bd-head").after(words);
}

async function look() {
  if (looking) return;
  looking = true;
  try {
    const answer = await ask(address(), { "If-None-Match": `"${document.body.dataset.etag}"` });
    if (!answer.ok && answer.status !== 304) throw new Error(`board ${answer.status}`);
    const due = (settleAt && Date.now() > settleAt) || Date.now() - drawn > drawAnew;
    if (answer.ok || due || stale) await redraw();
    truth = Date.now();
  } catch {
    // The watch tells of silence.
  } finally {
    looking = false;
  }
}

function watch() {
  if (Date.now() - truth > staleAfter) stop();
}

function clock() {
  const now = new Intl.DateTimeFormat("ja-JP", { timeZone: "Asia/Tokyo", hour: "numeric", minute: "2-digit" });
  const shown = document.querySelector(".bd-clock time");
  if (shown) shown.textContent = now.format(new Date());
}

function news() {
  const all = [...document.querySelectorAll("[data-news]")];
  const now = all.findIndex((each) => !each.hidden);
  if (all.length < 2 || settleAt > Date.now()) return;
  all[now].hidden = true;
  all[(now + 1) % all.length].hidden = false;
}

setInterval(look, every);
setInterval(watch, 1000);
setInterval(clock, 1000);
setInterval(news, newsEvery);
