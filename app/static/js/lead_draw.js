// Drawing the floor: what the server drew replaces what differs, part by part; focus stays on the same thing.
const fresh = /(name="(?:csrf_token|idempotency_key)" value=")[^"]*/g;

function bare(part) {
  return part.innerHTML.replace(fresh, "$1");
}

/** What the digit keys would do now; when it changes, a finger on its way must not hit something else. */
export function proposals(root = document) {
  return [...root.querySelectorAll("[data-part=alerts] [data-key]")].map((each) => each.id).join(" ");
}

function replace(part, next) {
  for (const { name, value } of next.attributes) part.setAttribute(name, value);
  if (bare(part) === bare(next)) return;
  const at = part.contains(document.activeElement) ? document.activeElement : null;
  const [id, open] = [at?.id, [...part.querySelectorAll("details[open]")].map((each) => each.id)];
  part.replaceChildren(...next.childNodes);
  for (const each of open) part.querySelector(`#${CSS.escape(each)}`)?.setAttribute("open", "");
  if (!at || at === part) return;
  // What had the focus is gone: the region keeps it, so that Enter does nothing nobody meant.
  const same = id && part.querySelector(`#${CSS.escape(id)}`);
  (same || part).focus({ preventScroll: true });
}

/** Replace what differs by `page`; false when the page is not the floor. */
export function draw(page) {
  if (!page.querySelector("[data-screen=lead]")) return false;
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = page.querySelector(`[data-part="${part.dataset.part}"]`);
    if (next) replace(part, next);
  }
  const token = page.querySelector("meta[name=csrf-token]");
  document.querySelector("meta[name=csrf-token]").content = token.content;
  return true;
}
