// The kiosk's one document for the whole day: screens are fetched and put in place, so that a server that is away
// never leaves the browser's own error page on the glass. Without this script the same pages are links and forms.
import { follow } from "./live.js";
import { connectPads } from "./kiosk_pad.js";
import { printPaper } from "./kiosk_print.js";
import { watchCodes } from "./kiosk_scan.js";
import { keepTime } from "./kiosk_time.js";
import { down, onArrival, turn, turnBy } from "./kiosk_turn.js";

function arrive() {
  for (const each of document.querySelectorAll("[data-again], [data-more], [data-key], [data-clear]")) each.hidden = false;
  connectPads();
  keepTime();
  printPaper();
  watchCodes(turn);
  document.querySelector("[data-focus]")?.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || link.origin !== location.origin) return;
  if (!link.pathname.startsWith("/kiosk/")) return;
  event.preventDefault();
  turn(link.href);
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  turnBy(event.target, event.submitter);
});

function clock() {
  const shown = document.querySelector("[data-clock]");
  const now = new Intl.DateTimeFormat("ja-JP", { timeZone: "Asia/Tokyo", hour: "numeric", minute: "2-digit" });
  if (shown) shown.textContent = now.format(new Date());
}

// The first screen follows the lines; every screen learns when the server is away and when it is back.
function freshen({ epoch, seq }) {
  const { dataset } = document.body;
  if (!("live" in dataset) || (dataset.epoch === epoch && Number(dataset.seq) >= seq)) return;
  turn(location.href, { quiet: true });
}

onArrival(arrive);
arrive();
setInterval(clock, 1000);
// The hour opens and closes purposes without any event.
setInterval(() => { if ("live" in document.body.dataset) turn(location.href, { quiet: true }); }, 60000);
follow({ office: document.body.dataset.office, onSnapshot: freshen, onStale: (stale) => { if (stale) down(); } });
