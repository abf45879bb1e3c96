// Administration with a script: keys beside the buttons, counters, and drafts that save themselves.
// Without it every form still works; nothing here decides anything.

const TEXT = "input:not([type=checkbox]):not([type=radio]), textarea, select";

function named(event) {
  const keys = [];
  if (event.ctrlKey || event.metaKey) keys.push("ctrl");
  if (event.altKey) keys.push("alt");
  keys.push(event.key.toLowerCase());
  return keys.join("+");
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.repeat) return;
  const key = named(event);
  // A single letter never acts while somebody types, and never with another key held.
  const typing = event.target.closest?.(TEXT);
  if (typing && !key.includes("+") && key !== "escape") return;
  const found = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key && !each.disabled);
  if (!found) return;
  event.preventDefault();
  if (found.matches("input")) return found.focus();
  found.click();
});

// ---- how much room the words take, readings 《…》 not counted ----
function count(input) {
  const place = input.closest("label")?.querySelector("[data-count]");
  if (!place) return;
  const length = [...input.value.replace(/《[^》]*》/g, "")].length;
  place.querySelector("b").textContent = length;
  place.classList.toggle("over", length > Number(place.dataset.count));
}
document.addEventListener("input", (event) => count(event.target));

// ---- parts of a day's form that the choice above makes needless ----
function needed() {
  const kind = document.querySelector("input[name=kind]:checked")?.value;
  for (const part of document.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(kind);
}
document.addEventListener("change", needed);
needed();

// Parts of the page that a newer page replaces; what has the focus stays as it is.
async function renew(answer, parts) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const name of parts) {
    const [here, there] = [document, page].map((each) => each.querySelector(`[data-part=${name}]`));
    if (here && there && !here.contains(document.activeElement)) here.replaceWith(there);
  }
}

// ---- a list that follows: whether devices are heard ----
const FOLLOW = 10000;
async function follow() {
  const stale = document.querySelector("[data-stale]");
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(FOLLOW) });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    await renew(answer, ["counts", "trouble", "table"]);
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}
if (document.querySelector("[data-follow]")) setInterval(follow, FOLLOW);

// ---- the kiosk's draft saves itself, and the screen beside it follows ----
let dirty = false;

async function save(form) {
  const told = form.querySelector("[data-saved]");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok) throw new Error(answer.status);
    await renew(answer, ["chip", "list", "preview", "changes"]);
    dirty = false;
    told.textContent = told.dataset.words;
  } catch {
    told.textContent = told.dataset.failed;
  }
}

const auto = document.querySelector("[data-autosave]");
if (auto) {
  auto.addEventListener("input", () => (dirty = true));
  auto.addEventListener("change", () => save(auto));
  auto.addEventListener("submit", () => (dirty = false));
  addEventListener("beforeunload", (event) => dirty && event.preventDefault());
}

// Folds stay as they were while one person edits one button after another.
for (const fold of document.querySelectorAll("[data-fold]")) {
  const name = `fold-${fold.dataset.fold}`;
  if (sessionStorage.getItem(name)) fold.open = true;
  fold.addEventListener("toggle", () => (fold.open ? sessionStorage.setItem(name, "1") : sessionStorage.removeItem(name)));
}
