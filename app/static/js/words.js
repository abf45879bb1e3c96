// Sentences the server has rendered into <template id="say-…"> in the page's language, with {name} to fill.

/** A fragment of the sentence with its values, readings (ruby) and all. */
export function say(name, values = {}) {
  const made = document.querySelector(`#say-${name}`).content.cloneNode(true);
  const walker = document.createTreeWalker(made, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    node.nodeValue = node.nodeValue.replace(/\{(\w+)\}/g, (all, key) => (key in values ? values[key] : all));
  }
  return made;
}

/** The clock of the hall (Asia/Tokyo), as the page's language writes it; follows local_clock of app/web/formats.py. */
export function clock(at) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit" }).formatToParts(at);
  const hour = Number(parts.find((part) => part.type === "hour").value);
  const minute = parts.find((part) => part.type === "minute").value;
  return say(document.querySelector("#say-clock-am") && hour < 12 ? "clock-am" : "clock", {
    hour24: hour, hour12: hour % 12 || 12, hour2: String(hour).padStart(2, "0"), minute,
  });
}

/** Tell that the page stands still, or moves again. */
export function showStale(stale) {
  document.body.classList.toggle("stale", stale);
  document.querySelector("[data-stale]").hidden = !stale;
}
