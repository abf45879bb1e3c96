// Ticking procedures while somebody waits on the telephone: a few signs narrow the list, Enter takes the only one left,
// ↓ and ↑ go through what is left. Without the script all the boxes are there to be ticked.
const form = document.querySelector("[data-pick]");
const boxes = form ? [...form.querySelectorAll("[data-words]")] : [];
const shown = () => boxes.filter((box) => !box.hidden);

// Katakana as hiragana, full width as half: whatever the keyboard is set to finds the same.
function plain(text) {
  return text.normalize("NFKC").toLowerCase().replace(/[ァ-ヶ]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0x60)).trim();
}

function narrow(filter, said) {
  const wanted = plain(filter.value).split(/\s+/).filter(Boolean);
  for (const box of boxes) {
    const words = plain(box.dataset.words);
    box.hidden = !wanted.every((each) => words.includes(each));
  }
  for (const group of form.querySelectorAll("[data-pick-group]")) group.hidden = !group.querySelector("[data-words]:not([hidden])");
  const left = shown().length;
  if (!wanted.length) said.textContent = "";
  else if (left === 0) said.textContent = said.dataset.none;
  else if (left === 1) said.textContent = said.dataset.one;
  else said.textContent = said.dataset.many.replace("{n}", left);
}

function step(event) {
  const list = shown().map((box) => box.querySelector("input"));
  const now = list.indexOf(document.activeElement);
  const next = event.key === "ArrowDown" ? now + 1 : now - 1;
  if (event.key === "ArrowUp" && now < 0) return;
  event.preventDefault();
  (list[next] ?? (next < 0 ? form.querySelector("[data-pick-filter]") : list.at(-1)))?.focus();
}

if (form) {
  const filter = form.querySelector("[data-pick-filter]");
  const said = form.querySelector("[data-pick-said]");
  form.querySelector("[data-pick-find]").hidden = false;
  if (filter.autofocus) filter.focus();
  filter.addEventListener("input", () => narrow(filter, said));
  form.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const ticking = event.target.matches("[type=checkbox]");
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && (ticking || event.target === filter)) step(event);
    if (event.key !== "Enter" || event.target !== filter || !filter.value.trim()) return;
    event.preventDefault();
    if (shown().length !== 1) return;
    const box = shown()[0].querySelector("input");
    box.checked = !box.checked;
    filter.value = "";
    narrow(filter, said);
  });
}
