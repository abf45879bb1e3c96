// What every staff screen does: its clock runs, and Alt + digit opens a screen of the menu.
const zone = "Asia/Tokyo";
const clock = document.querySelector("[data-clock]");

function tick() {
  const shown = clock?.querySelector("b");
  if (!shown) return;
  const now = new Intl.DateTimeFormat("ja-JP", { hour: "numeric", minute: "2-digit", timeZone: zone }).format();
  if (shown.textContent !== now) shown.textContent = now;
}

document.addEventListener("keydown", (event) => {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  if (!event.altKey || event.ctrlKey || event.metaKey || !digit) return;
  const link = document.querySelectorAll(".bar nav a")[Number(digit[1]) - 1];
  if (!link) return;
  event.preventDefault();
  link.click();
});

tick();
setInterval(tick, 5000);
