// Turning to another screen of the kiosk. A form that carries an Idempotency-Key is sent again with the same key
// until it is answered: whether the first one arrived is unknown, and the key makes it one ticket in any case.
import { released } from "./press.js";

const giveUp = 6000;
const showLoadingAfter = 300;
// A server that is started anew is back within these.
const tries = 15;
/** @type {{quiet: boolean} | null} the turn under way */
let turning = null;
let away = false;
let arrived = () => {};

/** @param {() => void} then runs after every screen that was put in place */
export function onArrival(then) {
  arrived = then;
}

/** Back to the first screen, which forgets everything. */
export function start() {
  return turn(document.body.dataset.start);
}

/** Say that this machine cannot be used, and come back by itself. */
export function down({ leaving = false } = {}) {
  // A number on the glass may be somebody's only ticket: it stands until it is left.
  if (away || (!leaving && document.querySelector(".k-ticket"))) return;
  away = true;
  document.querySelector("dialog[open]")?.close();
  const words = document.querySelector("template[data-down]").content.cloneNode(true);
  for (const each of document.querySelectorAll("main")) each.inert = true;
  document.body.append(words);
  recover();
}

async function recover() {
  while (away) {
    await new Promise((done) => setTimeout(done, 3000));
    if (await turn(document.body.dataset.start, { quiet: true })) away = false;
  }
}

/** @returns {Promise<boolean>} whether the screen was put in place */
export function turn(address, { quiet = false } = {}) {
  return go(() => ask(address), { quiet });
}

/** Send a form as its method says, to where the touched button says. */
export function turnBy(form, submitter = null) {
  const action = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
  const fields = new URLSearchParams(new FormData(form, submitter));
  if (form.method === "get") return turn(`${action}?${fields}`);
  const once = fields.has("idempotency_key");
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  return go(() => insist(action, fields, once ? tries : 1), {});
}

function ask(address, more = {}) {
  return fetch(address, { cache: "no-store", signal: AbortSignal.timeout(giveUp), ...more });
}

async function insist(address, body, left) {
  try {
    const answer = await ask(address, { method: "POST", body });
    if (answer.status !== 503 || left <= 1) return answer;
  } catch (error) {
    if (left <= 1) throw error;
  }
  await new Promise((done) => setTimeout(done, 1500));
  return insist(address, body, left - 1);
}

async function go(fetching, { quiet }) {
  // A touch goes before the screen's own freshening, which in a busy hall is often under way.
  if (turning && (quiet || !turning.quiet)) return false;
  const mine = { quiet };
  turning = mine;
  const loading = quiet ? 0 : setTimeout(showLoading, showLoadingAfter);
  try {
    const answer = await fetching();
    if (!(answer.headers.get("Content-Type") ?? "").startsWith("text/html")) throw new Error(`${answer.status}`);
    const text = await answer.text();
    // Nor does it take away what a finger is on.
    if (quiet) await released();
    if (turning !== mine) return false;
    if (!new URL(answer.url).pathname.startsWith("/kiosk/")) return location.assign(answer.url);
    place(text, answer.url);
    return true;
  } catch {
    if (!quiet) down({ leaving: true });
    return false;
  } finally {
    clearTimeout(loading);
    if (turning === mine) turning = null;
  }
}

function showLoading() {
  const main = document.querySelector("main");
  const bones = document.querySelector("template[data-loading]").content.cloneNode(true);
  main.setAttribute("aria-busy", "true");
  main.replaceChildren(bones);
}

function place(text, address) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  // Parsed without a script, what is meant for a page without one comes alive.
  for (const each of fresh.querySelectorAll("noscript")) each.remove();
  const { documentElement: page, body } = document;
  page.lang = fresh.documentElement.lang;
  page.className = fresh.documentElement.className;
  document.title = fresh.title;
  for (const name of Object.keys(body.dataset)) delete body.dataset[name];
  Object.assign(body.dataset, fresh.body.dataset);
  const moved = address !== location.href;
  const focused = document.activeElement?.getAttribute("href");
  body.replaceChildren(...fresh.body.childNodes);
  history.replaceState(null, "", address);
  if (moved) scrollTo(0, 0);
  arrived();
  // The same screen with new figures keeps the place of a keyboard or switch.
  if (!moved && focused) body.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
