// The length and the look of a text while it is typed; the server counts the same (app/domain/sms.py) and decides.
const area = document.querySelector("[data-short]");
const given = document.querySelector("[data-values]");
const basic = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const extended = new Set("^{}\\[~]|€\f");

function length(text) {
  const letters = [...text];
  const plain = letters.every((letter) => basic.has(letter) || extended.has(letter));
  const weights = letters.map((letter) => (plain ? (extended.has(letter) ? 2 : 1) : letter.length));
  const [single, part] = plain ? [160, 153] : [70, 67];
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total <= single) return { n: total, m: 1, single, part };
  let parts = 1;
  let used = 0;
  for (const weight of weights) {
    if (used + weight > part) [parts, used] = [parts + 1, 0];
    used += weight;
  }
  return { n: total, m: parts, single, part };
}

function filled(text, values) {
  return text
    .replace(/\[([^[\]]*)\]/g, "$1")
    .replace(/\{([^{}]*)\}/g, (whole, place) => values[place] ?? whole);
}

if (area && given) {
  const { values, one, rule } = JSON.parse(given.textContent);
  const meter = document.querySelector("[data-meter] b");
  const bar = document.querySelector("[data-bar]");
  const bubble = document.querySelector("[data-bubble]");
  area.addEventListener("input", () => {
    const text = filled(area.value, values);
    const { n, m, single, part } = length(text);
    bubble.textContent = text;
    document.querySelector("[data-longest]").hidden = true;
    meter.textContent = one.replace("{n}", n).replace("{m}", m);
    document.querySelector("[data-rule]").textContent = rule.replace("{n}", single).replace("{m}", part);
    bar.setAttribute("viewBox", `0 0 ${2 * part} 10`);
    bar.querySelector("rect").setAttribute("width", Math.min(n, 2 * part));
    bar.querySelector("path").setAttribute("d", `M${single} 0v10`);
  });
}
