// A page with [data-live] follows its office: one look at the board's ETag every few seconds, and when it has
// changed, the server's own words replace the live part. Focus and open folds outside of it stay.
const every = 5000;
const staleAfter = 15000;
const live = document.querySelector("[data-live]");

async function follow(part) {
  const address = `/api/v1/offices/${encodeURIComponent(part.dataset.office)}/board`;
  let etag = null;
  let truth = Date.now();
  const look = async () => {
    try {
      const answer = await fetch(address, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
      if (answer.ok || answer.status === 304) truth = Date.now();
      if (answer.ok) {
        const first = etag === null;
        etag = answer.headers.get("ETag");
        if (!first) await renew();
      }
    } catch {
      // Silence is told below.
    }
    document.body.classList.toggle("stale", Date.now() - truth > staleAfter);
  };
  const renew = async () => {
    const page = await fetch(location.href, { cache: "no-store" });
    if (!page.ok) return;
    const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
    const now = document.querySelector("main");
    const next = fresh.querySelector("main");
    if (now && next && now.innerHTML !== next.innerHTML) {
      now.className = next.className;
      now.replaceChildren(...next.childNodes);
      document.title = fresh.title;
    }
  };
  await look();
  setInterval(look, every);
}

if (live) follow(live);
