// A page with [data-live] follows its office: one look at the board's ETag every few seconds, and when it has
// changed, the server's own words replace the live part. Focus and open folds outside of it stay.
// Truth is what stands on the page: a change that could not be shown is not truth, and silence is told.
const every = 5000;
const giveUp = 5000;
const staleAfter = 15000;
let etag = null;
let truth = Date.now();
let looking = false;

function ask(where, headers = {}) {
  return fetch(where, { headers, cache: "no-store", signal: AbortSignal.timeout(giveUp) });
}

async function renew() {
  const page = await ask(location.href);
  if (!page.ok) throw new Error(`page ${page.status}`);
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  const now = document.querySelector("main");
  const next = fresh.querySelector("main");
  if (now.innerHTML === next.innerHTML) return;
  now.className = next.className;
  now.replaceChildren(...next.childNodes);
  document.title = fresh.title;
}

async function look(office) {
  if (looking) return;
  looking = true;
  try {
    const where = `/api/v1/offices/${encodeURIComponent(office)}/board`;
    const answer = await ask(where, etag ? { "If-None-Match": etag } : {});
    if (!answer.ok && answer.status !== 304) throw new Error(`board ${answer.status}`);
    if (answer.ok) {
      await renew();
      // Kept only now: a change that failed to show is asked for again.
      etag = answer.headers.get("ETag");
    }
    truth = Date.now();
  } catch {
    // The watch tells of silence.
  } finally {
    looking = false;
  }
}

function watch() {
  const stale = Date.now() - truth > staleAfter;
  document.body.classList.toggle("stale", stale);
  document.querySelector("[data-stale]").hidden = !stale;
}

const live = document.querySelector("[data-live]");
if (live) {
  const { office } = live.dataset;
  look(office);
  setInterval(() => look(office), every);
  setInterval(watch, 1000);
}
