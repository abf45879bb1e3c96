// The roster with a script: arrows, letters and the mouse send the very forms that stand on the page.
// After each change the server draws; every [data-part] is replaced and the chosen cells stay chosen.
import { keysOn, typing } from "./desk_keys.js";
import { released } from "./press.js";

const words = JSON.parse(document.getElementById("roster-words").textContent);
const parts = ["tools", "notes", "sheet", "palette"];
const slot = 30;
const every = 1500;
let picked = null; // {member, from, to}: column numbers, both included
let busy = false;

const table = () => document.querySelector(".ros");
const rows = () => [...table().querySelectorAll("tr[data-member]")];
const starts = () => table().dataset.starts.split(",").map(Number);
const rowOf = (member) => rows().find((row) => row.dataset.member === member);
const cells = (row) => [...row.querySelectorAll(".c")];
const clock = (minute) => `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, "0")}`;

function show(focus = true) {
  for (const each of table().querySelectorAll(".is-picked")) each.classList.remove("is-picked");
  for (const each of table().querySelectorAll('.c[tabindex="0"]')) each.tabIndex = -1;
  const row = picked && rowOf(picked.member);
  if (!row) {
    const first = table().querySelector(".c");
    if (first) first.tabIndex = 0;
    return;
  }
  const all = cells(row);
  for (let at = picked.from; at <= picked.to; at += 1) {
    all[at].classList.add("is-picked");
    all[at].setAttribute("aria-selected", "true");
  }
  const head = all[picked.head ?? picked.from];
  head.tabIndex = 0;
  if (focus) head.focus({ preventScroll: false });
  const times = `${clock(starts()[picked.from])}〜${clock(starts()[picked.to] + slot)}`;
  const name = row.querySelector(".who").firstChild.textContent.trim();
  document.querySelector("[data-chosen]").textContent = words.chosen.replace("{name}", name).replace("{times}", times);
  const form = document.querySelector("[data-place]");
  form.elements.member.value = picked.member;
  form.elements.since.value = starts()[picked.from];
  form.elements.until.value = starts()[picked.to] + slot;
}

function pick(member, from, to = from, focus = true) {
  for (const each of table().querySelectorAll('[aria-selected="true"]')) each.removeAttribute("aria-selected");
  picked = { member, from: Math.min(from, to), to: Math.max(from, to), head: to };
  show(focus);
}

function put(page, focus) {
  for (const name of parts) {
    const fresh = page.querySelector(`[data-part=${name}]`);
    const old = document.querySelector(`[data-part=${name}]`);
    if (!fresh || !old) return location.reload();
    const left = old.scrollLeft;
    old.replaceWith(fresh);
    fresh.scrollLeft = left;
  }
  ready();
  show(focus);
}

async function renew(answer, focus = true) {
  if (new URL(answer.url).pathname === "/sign-in") return location.reload();
  put(new DOMParser().parseFromString(await answer.text(), "text/html"), focus);
}

async function send(form, more = {}) {
  if (busy) return;
  busy = true;
  table()?.setAttribute("aria-busy", "true");
  const body = new FormData(form);
  for (const [name, value] of Object.entries(more)) body.set(name, value);
  try {
    await renew(await fetch(form.getAttribute("action"), { method: "post", body: new URLSearchParams(body) }));
  } catch {
    document.querySelector("[data-part=notes]").textContent = words.cut;
  } finally {
    busy = false;
    table()?.removeAttribute("aria-busy");
  }
}

const place = (more) => send(document.querySelector("[data-place]"), more);

/** Move the chosen stretch by columns, or to the person `down` rows further. */
function shift(right, down) {
  const all = rows();
  const to = all[all.findIndex((row) => row.dataset.member === picked.member) + down];
  const from = picked.from + right;
  const length = picked.to - picked.from;
  if (!to || from < 0 || from + length >= starts().length) return;
  const was = picked;
  picked = { member: to.dataset.member, from, to: from + length, head: from };
  move(was, to.dataset.member, from);
}

function move(was, to, from) {
  place({ action: "move", member: was.member, since: starts()[was.from], until: starts()[was.to] + slot, to, begin: starts()[from] });
}

function arrow(event) {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  event.preventDefault();
  const [right, down] = step;
  if (!picked) return pick(rows()[0].dataset.member, 0);
  if (event.altKey) return shift(right, down);
  const head = picked.head ?? picked.from;
  const next = Math.min(Math.max(head + right, 0), starts().length - 1);
  if (event.shiftKey && right) {
    const tail = head === picked.to ? picked.from : picked.to;
    return pick(picked.member, tail, next);
  }
  const all = rows();
  const to = all[all.findIndex((row) => row.dataset.member === picked.member) + down];
  if (to) pick(to.dataset.member, next);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || typing(event.target)) return;
  const inGrid = event.target.closest?.(".ros");
  if (event.key.startsWith("Arrow") && inGrid) return arrow(event);
  if (event.altKey || (event.key === "Enter" && event.target.closest?.("a, button, summary, .ros"))) return;
  if (event.key !== "Enter" && !keysOn()) return;
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
  const name = digit ?? (event.key.length === 1 ? event.key.toUpperCase() : event.key);
  if (digit && digit !== "0") return document.querySelector(`[data-digit="${digit}"]`)?.click();
  if (name === "P") return window.print();
  const button = document.querySelector(`[data-press="${CSS.escape(name)}"]`);
  if (!button || (button.name === "work" && !picked)) return;
  event.preventDefault();
  button.click();
}

function dragged(table_) {
  let drag = null;
  const at = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest(".c");
  const place_ = (cell) => ({ member: cell.closest("tr").dataset.member, column: cells(cell.closest("tr")).indexOf(cell) });
  const clear = () => table_.querySelectorAll(".is-target").forEach((each) => each.classList.remove("is-target"));
  table_.addEventListener("pointerdown", (event) => {
    const cell = event.target.closest(".c");
    if (!cell || event.button || event.pointerType === "touch") return;
    const { member, column } = place_(cell);
    const within = picked && picked.member === member && picked.from <= column && column <= picked.to;
    drag = { member, column, moves: within && picked.to > picked.from - 1 && cell.classList.contains("is-picked"), gone: false };
    if (!drag.moves || event.shiftKey) pick(member, event.shiftKey && picked ? picked.from : column, column);
    table_.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  table_.addEventListener("pointermove", (event) => {
    const cell = drag && at(event);
    if (!cell) return;
    const { member, column } = place_(cell);
    if (member === drag.member && column === drag.column && !drag.gone) return;
    drag.gone = true;
    if (!drag.moves) {
      if (member === drag.member) pick(member, drag.column, column);
      return;
    }
    clear();
    table_.classList.add("is-moving");
    drag.to = { member, from: picked.from + column - drag.column };
    const row = cells(rowOf(member));
    for (let n = 0; n <= picked.to - picked.from; n += 1) row[drag.to.from + n]?.classList.add("is-target");
  });
  const end = (event) => {
    if (!drag) return;
    const { moves, gone, to, member, column } = drag;
    drag = null;
    clear();
    table_.classList.remove("is-moving");
    if (!moves) return;
    if (!gone) return whole(member, column);
    const length = picked.to - picked.from;
    if (event.type === "pointercancel" || !to || to.from < 0 || to.from + length >= starts().length) return;
    const was = picked;
    picked = { member: to.member, from: to.from, to: to.from + length, head: to.from };
    move(was, to.member, to.from);
  };
  table_.addEventListener("pointerup", end);
  table_.addEventListener("pointercancel", end);
  table_.addEventListener("dblclick", (event) => {
    const cell = event.target.closest(".c");
    if (cell) whole(place_(cell).member, place_(cell).column);
  });
  table_.addEventListener("click", (event) => {
    const cell = event.target.closest(".c");
    if (cell && event.pointerType === "touch") pick(place_(cell).member, place_(cell).column);
  });
  table_.addEventListener("focusin", (event) => {
    const cell = event.target.closest(".c");
    if (!cell || picked) return;
    pick(place_(cell).member, place_(cell).column, undefined, false);
  });
}

/** Choose the whole block in which a cell stands. */
function whole(member, column) {
  const all = cells(rowOf(member));
  const same = (n) => all[n] && all[n].dataset.work === all[column].dataset.work;
  let from = column;
  let to = column;
  while (same(from - 1)) from -= 1;
  while (same(to + 1)) to += 1;
  pick(member, from, to);
}

function ready() {
  const print = document.querySelector("[data-print]");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
  if (table()) dragged(table());
}

async function follow() {
  if (document.querySelector("[data-going]") && !busy) {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      await released();
      if (!busy) await renew(answer, false);
    } catch {
      // The next look tries again.
    }
  }
  setTimeout(follow, every);
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-roster]");
  if (!form) return;
  event.preventDefault();
  send(form, event.submitter?.name ? { [event.submitter.name]: event.submitter.value } : {});
});
document.addEventListener("keydown", pressed);
const keys = document.querySelector("[data-keys]");
if (keys) keys.hidden = false;
ready();
if (table()) show(false);
follow();
