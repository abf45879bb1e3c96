// The floor lead's live view with a script: every change of the office is drawn, acts are sent without a new page.
// Nothing is shown before the server said it. Without this file the screen works by plain forms and loads itself anew.
import { asksByLinks, dialogs } from "./desk_dialog.js";
import { sender } from "./desk_send.js";
import { draw, proposals } from "./lead_draw.js";
import { listen } from "./lead_keys.js";
import { follow } from "./live.js";
import { released } from "./press.js";

const deafFor = 1000;
const gap = 1500;
const minutesMove = 15000;
const oldAfter = 45000;
const giveUp = 8000;
const words = JSON.parse(document.getElementById("lead-words").textContent);
const strip = document.querySelector("[data-result]");
const screen = () => document.querySelector("[data-screen=lead]");
let deafUntil = performance.now() + deafFor;
let drawnAt = Date.now();
let silent = false;
let quiet = null;

function tell(text, wrong = false) {
  clearTimeout(quiet);
  strip.textContent = text;
  strip.hidden = !text;
  strip.classList.toggle("bad", wrong);
  if (text) quiet = setTimeout(() => tell(""), 8000);
}

function signIn() {
  location.assign(`/sign-in?next=${encodeURIComponent("/lead")}`);
}

/** Tell that the screen is old; what stands on it can no longer be pressed. */
function mark() {
  const cut = silent || Date.now() - drawnAt > oldAfter;
  if (document.body.classList.contains("cut") === cut) return;
  document.body.classList.toggle("cut", cut);
  const note = document.querySelector("[data-stale]");
  const connection = document.querySelector("[data-connection]");
  const time = new Intl.DateTimeFormat("ja-JP", { hour: "numeric", minute: "2-digit", timeZone: "Asia/Tokyo" }).format(drawnAt);
  note.hidden = !cut;
  note.querySelector("[data-stale-since]").textContent = words.staleSince.replace("{time}", time);
  note.querySelector("[data-stale-text]").textContent = words.staleText;
  connection.classList.toggle("off", cut);
  connection.querySelector("[data-connection-text]").textContent = cut ? words.disconnected : words.connected;
  lock();
}

function lock() {
  const cut = document.body.classList.contains("cut");
  for (const button of document.querySelectorAll("form[data-lead] button")) button.disabled = cut;
}

function put(page) {
  const before = proposals();
  if (!draw(page)) return location.assign(screen().dataset.page);
  if (before !== proposals()) deafUntil = performance.now() + deafFor;
  drawnAt = Date.now();
  mark();
  lock();
}

async function renew() {
  const answer = await fetch(screen().dataset.page, { cache: "no-store", signal: AbortSignal.timeout(giveUp) });
  if (new URL(answer.url).pathname === "/sign-in") return signIn();
  if (!answer.ok) throw new Error(`lead ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  await released();
  put(page);
}

let drawing = Promise.resolve();
let next = 0;

/** Draw the office as it is; several snapshots at once are one drawing, and one more after it. */
export function render(snapshot = null) {
  drawing = drawing.catch(() => {}).then(async () => {
    const { epoch, seq } = screen().dataset;
    if (snapshot && snapshot.epoch === epoch && snapshot.seq <= Number(seq)) return;
    await new Promise((resolve) => setTimeout(resolve, Math.max(next - Date.now(), 0)));
    next = Date.now() + gap;
    await renew();
  });
  return drawing;
}

async function answered(request, answer) {
  if (answer.status === 401 || new URL(answer.url).pathname === "/sign-in") return signIn();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!page.querySelector("[data-screen=lead]")) return tell(page.querySelector("h1")?.textContent.trim() || words.failed, true);
  put(page);
  tell("");
}

const send = sender({
  token: () => document.querySelector("meta[name=csrf-token]").content,
  onAnswer: answered,
  onSilence: () => tell(words.asking, true),
});
const ask = dialogs(document.querySelector("[data-ask]"), {
  onFailed: (status) => (status === 401 ? signIn() : tell(words.notOnScreen, true)),
  onClosed: () => {},
});

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (form.matches("[data-find]")) {
    event.preventDefault();
    ask.ask(`${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`);
  } else if (form.matches("[data-lead]")) {
    event.preventDefault();
    if (send.busy || document.body.classList.contains("cut")) return;
    const plain = [...new FormData(form, submitter)].filter(([name]) => !["idempotency_key", "csrf_token"].includes(name));
    submitter?.setAttribute("aria-busy", "true");
    send.send({ url: form.getAttribute("action"), form: plain });
    ask.close();
  }
});

asksByLinks(ask, words);

listen({
  onKey(name) {
    const line = document.querySelector(`[data-line="${name}"]`);
    const key = document.querySelector(`[data-key="${CSS.escape(name)}"]`);
    if (line) {
      line.scrollIntoView({ block: "start" });
      line.focus({ preventScroll: true });
    } else if (name === "W") document.querySelector("[data-tile]")?.focus();
    else if (/[0-9]/.test(name) && performance.now() < deafUntil) tell(words.changed);
    else if (key && !key.disabled) key.click();
    else if (/[0-9]/.test(name)) tell(words.notOnScreen);
  },
  inDialog: () => ask.open,
});

const { office, room, epoch, seq } = screen().dataset;
follow({
  namespace: room, office, start: { epoch, seq: Number(seq) }, onSnapshot: render, onSignedOut: signIn,
  onStale(stale) {
    silent = stale;
    mark();
  },
});
// Minutes pass without an event, and so do targets.
setInterval(() => render().catch(() => {}), minutesMove);
setInterval(mark, 1000);
