// The time a slot is held, counted down: the end as a clock time is the truth, this is an extra. A screen reader hears
// it at five minutes and at one, not each second; when it is over the page says so by being asked for again.
const held = document.querySelector("[data-hold]");
const said = document.querySelector("[data-say]");
const left = held.querySelector("[data-left]");
const bar = held.querySelector("[data-bar]");
// Counted from the page's arrival, so that a wrong clock on the phone changes nothing.
const end = performance.now() + Number(held.dataset.seconds) * 1000;
const spoken = new Set();

function speak(name) {
  if (spoken.has(name)) return;
  spoken.add(name);
  said.textContent = said.dataset[name];
}

function tick() {
  const seconds = Math.max(0, Math.round((end - performance.now()) / 1000));
  held.querySelector("[data-clock-left]").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  bar.value = seconds;
  if (seconds <= 60) speak("one");
  else if (seconds <= 300 && Number(held.dataset.seconds) > 300) speak("five");
  if (seconds > 0) return;
  clearInterval(running);
  speak("over");
  // What was typed stays with the browser; a form half filled is not thrown away under somebody's hands.
  setTimeout(() => { if (!document.activeElement?.matches("input")) location.reload(); }, 1500);
}

left.hidden = bar.hidden = false;
const running = setInterval(tick, 1000);
tick();
