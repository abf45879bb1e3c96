// Time on the kiosk: a screen nobody touches asks first and then goes back to the start; a ticket counts down and
// can be given longer, as often as somebody wants (WCAG 2.2.1). Touching anything is being there.
import { start } from "./kiosk_turn.js";

let deadline = 0;
let asking = 0;

/** Begin the time of the screen that stands now. */
export function keepTime() {
  const { idle, return: leaves } = document.body.dataset;
  asking = 0;
  deadline = after(leaves || idle);
  document.querySelector("[data-more]")?.addEventListener("click", longer);
  document.querySelector("[data-home]")?.addEventListener("click", home);
  document.querySelector("[data-stay]")?.addEventListener("click", stay);
  document.querySelector("[data-still]")?.addEventListener("cancel", stay);
  say();
}

function after(seconds) {
  return Number(seconds) ? Date.now() + 1000 * Number(seconds) : 0;
}

function longer() {
  deadline = Math.max(deadline, after(document.body.dataset.longer));
  say();
}

function stay() {
  asking = 0;
  document.querySelector("[data-still]")?.close();
  deadline = after(document.body.dataset.idle);
}

async function home() {
  deadline = asking = 0;
  if ("leave" in document.body.dataset) await leave();
  return start();
}

async function leave() {
  const form = document.querySelector("[data-leaves]");
  const body = new URLSearchParams(new FormData(form));
  // Staff mode also ends by itself, so a server that is away does no harm here.
  await fetch(form.action, { method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(3000) }).catch(() => {});
}

function touched() {
  if (asking) return;
  const { idle, return: leaves } = document.body.dataset;
  if (leaves) deadline = Math.max(deadline, after(leaves));
  else if (deadline) deadline = after(idle);
}

function say() {
  for (const each of document.querySelectorAll("[data-say]")) {
    const until = each.closest("dialog") ? asking : deadline;
    if (until) each.textContent = each.dataset.say.replace("{n}", Math.max(0, Math.ceil((until - Date.now()) / 1000)));
  }
}

function tick() {
  say();
  if (asking) return Date.now() > asking ? home() : undefined;
  if (!deadline || Date.now() < deadline) return undefined;
  if (document.body.dataset.return) return home();
  asking = after(document.body.dataset.ask);
  document.querySelector("[data-still]").showModal();
  return say();
}

for (const kind of ["pointerdown", "keydown", "scroll"]) document.addEventListener(kind, touched, { passive: true });
setInterval(tick, 1000);
