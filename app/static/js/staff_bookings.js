// Keys of the bookings screen: a link or button that carries data-key is pressed by it, rows follow ↑ and ↓. Nothing
// is pressed while somebody types, and nothing without the script is missing: all are links.
const typing = "input, select, textarea, [contenteditable]";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(typing)) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") return step(event);
  const wanted = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const found = document.querySelector(`[data-key="${CSS.escape(wanted)}"]`);
  // Enter belongs to what has the focus; it means something of its own only where nothing has.
  if (!found || (wanted === "Enter" && event.target.closest("a, button, summary, label"))) return;
  event.preventDefault();
  found.click();
});

function step(event) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const now = rows.findIndex((row) => row.getAttribute("aria-current"));
  const next = rows[Math.min(Math.max(now + (event.key === "ArrowDown" ? 1 : -1), 0), rows.length - 1)];
  event.preventDefault();
  next.click();
}

// The full record hides itself; the server has sent it for so long and no longer.
const shown = document.querySelector("[data-hide-after]");
if (shown) {
  let left = Number(shown.dataset.hideAfter);
  const said = shown.querySelector("[data-left]");
  const tick = () => {
    said.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left <= 0) location.replace(shown.dataset.back);
    left -= 1;
  };
  tick();
  setInterval(tick, 1000);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") location.replace(shown.dataset.back); });
}
