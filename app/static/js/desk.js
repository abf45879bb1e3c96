// The clerk's desk with a script: the same acts by the API, without a new page. Nothing is shown before the server
// said it. Without this file the desk works by plain forms.
import { asksByLinks, dialogs } from "./desk_dialog.js";
import { concern } from "./desk_concern.js";
import { draw, startClocks, wholeRows } from "./desk_draw.js";
import { listen } from "./desk_keys.js";
import { offline } from "./desk_offline.js";
import { sender } from "./desk_send.js";
import { follow } from "./live.js";
import { released } from "./press.js";

const deafFor = 700;
const refreshGap = 1000;
// A line that has waited long enough is called without any event: the desk looks again by itself.
const lookAgain = 30000;
const giveUp = 8000;
const words = JSON.parse(document.getElementById("desk-words").textContent);
const said = document.querySelector("[data-result]");
const refused = document.querySelector("[data-refused]");
const desk = () => document.querySelector("[data-screen=desk]");
const onStep = new Set(["recall", "start", "finish", "miss", "park", "rejoin", "ready"]);
let deafUntil = performance.now() + deafFor;
let quiet = null;

// Acts that the screen itself shows are only spoken: nothing moves that need not.
const seen = new Set(["call-next", "call", "miss-next", "recall", "start", "finish", "miss", "park", "transfer"]);

function tell(text, wrong = false, spokenOnly = false) {
  clearTimeout(quiet);
  document.querySelector("[data-notice]")?.remove();
  for (const [strip, mine] of [[said, !wrong], [refused, wrong]]) {
    strip.textContent = mine ? text : "";
    strip.hidden = !mine || !text;
    strip.classList.toggle("vh", mine && spokenOnly);
  }
  if (text && !wrong) quiet = setTimeout(() => tell(""), 8000);
}

/** What an act is at the API; null for those that only the form knows. */
function apiOf(action, data) {
  const [name, of] = action.split(":");
  const counter = `/api/v1/counters/${encodeURIComponent(desk().dataset.counter)}`;
  const step = of ?? (name === "ready" ? data.get("making") : data.get("step"));
  if (name === "call-next") return { url: `${counter}/call-next`, body: {} };
  if (name === "call") return { url: `${counter}/call`, body: { number: data.get("number") } };
  if (name === "miss-next") return { url: `${counter}/miss-next`, body: { step: Number(step) } };
  if (name === "undo") return { url: `${counter}/undo`, body: { step: Number(data.get("undo_step")), action: data.get("undo_action") } };
  if (name === "transfer" && data.get("service") && !data.get("note")) return { url: `/api/v1/steps/${step}/transfer`, body: { service: data.get("service") } };
  return onStep.has(name) ? { url: `/api/v1/steps/${step}/${name}`, body: {} } : null;
}

function act(form, button) {
  const hero = button?.matches("[data-hero]");
  if (send.busy || ask.coming || (hero && performance.now() < deafUntil)) return;
  const data = new FormData(form, button);
  const action = data.get("action");
  if (!line.allows(action)) return tell(words.notOffline, true);
  const number = button?.dataset.number ?? (data.get("number") || desk().dataset.number);
  const plain = [...data].filter(([name]) => !["idempotency_key", "csrf_token"].includes(name));
  const request = apiOf(action, data) ?? { url: form.getAttribute("action"), form: plain };
  button?.setAttribute("aria-busy", "true");
  if (!send.send({ ...request, action: action.split(":")[0], number, counter: desk().dataset.counter })) return;
  ask.close();
}

async function answered(request, answer) {
  if (answer.status === 401 || (answer.redirected && new URL(answer.url).pathname === "/sign-in")) return signIn();
  line.back();
  if (request.form) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    await released();
    return drawn(page, true);
  }
  const body = answer.status === 204 ? null : await answer.json().catch(() => null);
  await refresh();
  if (!answer.ok) return tell(body?.error?.message ?? words.failed, true);
  if (!body) return tell(words.said.nobody);
  tell(words.said[request.action].replaceAll("{n}", body.ticket?.number ?? request.number), false, seen.has(request.action));
}

function drawn(page, withNotice) {
  const before = `${desk().dataset.state} ${desk().dataset.party}`;
  if (!draw(page)) return location.assign("/desk");
  if (before !== `${desk().dataset.state} ${desk().dataset.party}`) deafUntil = performance.now() + deafFor;
  const notice = withNotice && page.querySelector("[data-notice]");
  if (notice) tell(notice.textContent.trim(), notice.matches(".bad"));
  line.redraw();
}

let renewing = null;
async function renew() {
  const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(giveUp) });
  if (new URL(answer.url).pathname === "/sign-in") return signIn();
  if (!answer.ok) throw new Error(`desk ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  await released();
  drawn(page, false);
}

/** Show the truth; several wishes at once are one look, and one more after it. */
async function refresh() {
  if (renewing) await renewing.catch(() => {});
  renewing = renew();
  try {
    await renewing;
  } catch {
    line.cut();
  } finally {
    renewing = null;
  }
}

let due = null;
let known = null;
function changed(snapshot) {
  const shown = desk().dataset;
  line.back();
  const mine = concern(snapshot, shown.counter, shown.neighbours.split(" "));
  const same = mine === known;
  known = mine;
  if (same || (snapshot.epoch === shown.epoch && snapshot.seq <= Number(shown.seq))) return;
  renewSoon();
}

function renewSoon() {
  const shown = desk().dataset;
  // Spread over a moment: a hundred desks hear of the same change at once. Who has nothing to do is told first.
  due ??= setTimeout(() => {
    due = null;
    if (send.busy) renewSoon();
    else refresh();
  }, Math.random() * (shown.state === "idle" ? refreshGap / 5 : refreshGap));
}

function signIn() {
  location.assign(`/sign-in?next=${encodeURIComponent("/desk")}`);
}

const line = offline({ words, tell, retry: () => (send.busy ? send.now() : refresh()), waiting: () => send.busy });
const send = sender({
  token: () => document.querySelector("meta[name=csrf-token]").content,
  onAnswer: answered,
  onSilence: (request) => line.silence(request),
});
const ask = dialogs(document.querySelector("[data-ask]"), {
  onFailed: (status) => {
    if (status === 401) return signIn();
    if (status === 0) line.cut();
    tell(status === 0 ? words.notOffline : words.notOnScreen, true);
    if (status) refresh();
  },
  onClosed: () => document.querySelector("[data-hero]:not(:disabled)")?.focus({ preventScroll: true }),
});

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (form.matches("[data-find]")) {
    event.preventDefault();
    ask.ask(`${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`);
  } else if (form.matches("[data-desk]")) {
    event.preventDefault();
    act(form, submitter);
  }
});

asksByLinks(ask, words, {
  allowed(link) {
    if (link.getAttribute("aria-disabled")) tell(words.notOffline, true);
    return !link.getAttribute("aria-disabled");
  },
  onAsked: prepare,
});

/** What a question's page cannot know: the procedures of the chosen line. */
function prepare() {
  const box = document.querySelector("[data-ask]");
  const service = box.querySelector("select[name=service]");
  const choose = () => {
    const chosen = box.querySelector("input[name=category]:checked")?.value;
    for (const group of service.querySelectorAll("optgroup")) group.hidden = group.disabled = group.dataset.of !== chosen;
    service.value = service.querySelector("optgroup:not([hidden]) option")?.value ?? "";
  };
  if (!service) return;
  box.addEventListener("change", (event) => event.target.name === "category" && choose());
  choose();
}

const regions = () => [...document.querySelectorAll("main [data-region]")].filter((each) => each.offsetParent);
function move(event) {
  const at = document.activeElement;
  const rows = [...document.querySelectorAll("[data-row]")];
  const pad = [...document.querySelectorAll("#pad [data-key]:not(:disabled), #pad [data-hero]:not(:disabled)")];
  const upDown = event.key === "ArrowUp" || event.key === "ArrowDown";
  const step = event.key === "ArrowUp" || event.key === "ArrowLeft" ? -1 : 1;
  if (event.key === "F4" || event.key === "F9") document.querySelector(`[data-key="${event.key}"]:not(:disabled)`)?.click();
  else if (event.key === "F2") {
    const all = regions();
    const next = all[(all.findIndex((each) => each.contains(at)) + 1) % all.length];
    (next?.querySelector("[data-hero]:not(:disabled), [data-row]") ?? next)?.focus();
  } else if (upDown && (at.matches("[data-row], [data-hero]") || at === document.body || at.matches("main, [data-region]"))) {
    rows[Math.min(Math.max(rows.indexOf(at) + step, 0), rows.length - 1)]?.focus();
  } else if (pad.includes(at)) pad[(pad.indexOf(at) + step + pad.length) % pad.length].focus();
  else return;
  event.preventDefault();
}

listen({
  onKey(name) {
    const key = document.querySelector(`[data-key="${CSS.escape(name)}"]`);
    if (key && !key.disabled) key.click();
    else tell(words.notOnScreen);
  },
  onEnter(event) {
    if (event.target.closest("button, a, summary")) return;
    event.preventDefault();
    document.querySelector("[data-hero]:not(:disabled)")?.click();
  },
  onScan(text) {
    tell(words.scanned);
    ask.ask(`/desk/number?n=${encodeURIComponent(text.slice(0, 200))}`);
  },
  onMove: move,
  inDialog: () => ask.open,
  onDialogDigit: (digit) => ask.choose(digit),
});

addEventListener("offline", () => line.cut());
addEventListener("online", () => (send.busy ? send.now() : refresh()));
setInterval(() => document.hidden || document.body.classList.contains("offline") || renewSoon(), lookAgain);
startClocks(words.minutes);
wholeRows();
addEventListener("resize", wholeRows);
document.fonts.ready.then(wholeRows);
document.querySelector("[data-hero]:not(:disabled)")?.focus({ preventScroll: true });
ask.keep(new URL("/desk/ask/keys", location).href);
send.resume(desk().dataset.counter);
const { office, epoch, seq } = desk().dataset;
follow({
  namespace: "/staff", office, start: { epoch, seq: Number(seq) }, onSnapshot: changed,
  onStale: (stale) => (stale ? line.cut() : line.back()), onSignedOut: signIn,
});
