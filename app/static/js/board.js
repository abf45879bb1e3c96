// The lobby board follows its office by ETag: unchanged costs one small answer; a change redraws from the
// server. After 15 s without truth every number goes (更新停止): an old number must not look new.
const every = 2000;
const staleAfter = 15000;
const newsEvery = 12000;
let etag = document.body.dataset.etag;
let truth = Date.now();
let settleAt = Number(document.body.dataset.hold) ? Date.now() + 1000 * Number(document.body.dataset.hold) : 0;
let stale = false;

function address() {
  const { office, hall } = document.body.dataset;
  return `/api/v1/offices/${encodeURIComponent(office)}/board${hall ? `?hall=${encodeURIComponent(hall)}` : ""}`;
}

async function redraw() {
  const page = await fetch(location.href, { cache: "no-store" });
  if (!page.ok) return;
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  for (const [name, value] of Object.entries(fresh.body.dataset)) document.body.dataset[name] = value;
  document.body.replaceChildren(...fresh.body.childNodes);
  settleAt = Number(document.body.dataset.hold) ? Date.now() + 1000 * Number(document.body.dataset.hold) : 0;
  etag = document.body.dataset.etag;
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
  try {
    const answer = await fetch(address(), { headers: { "If-None-Match": `"${etag}"` }, cache: "no-store" });
    if (answer.ok || answer.status === 304) {
      truth = Date.now();
      const settled = settleAt && Date.now() > settleAt;
      if (answer.ok || settled || stale) await redraw();
    }
  } catch {
    // Silence is told below.
  }
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
setInterval(clock, 1000);
setInterval(news, newsEvery);
