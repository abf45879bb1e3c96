// The keys of the desk: the numeric pad, the row above the letters, and what a QR reader types.
//
// `event.code` is asked, so that an active IME does not matter. A reader types a whole code within milliseconds: a
// key acts only when no other follows it at once, and a run of keys is handed over as what was read.
const follows = 50;
const setting = "madoguchi.desk.keys";
const byKey = { "*": "*", "?": "*", "+": "+", "-": "−", "/": "/", ".": "." };
const byCode = {
  NumpadDecimal: ".", Period: ".", NumpadDivide: "/", Slash: "/", NumpadMultiply: "*", NumpadSubtract: "−", Minus: "−",
  NumpadAdd: "+",
};
const shifted = { Slash: "*", Quote: "*", Digit8: "*", Semicolon: "+", Equal: "+" };

function nameOf(event) {
  if (byKey[event.key]) return byKey[event.key];
  if (event.shiftKey) return shifted[event.code] ?? null;
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  return digit ? digit[1] : (byCode[event.code] ?? null);
}

/** Whether somebody is typing words. */
export function typing(target) {
  return target.closest?.("input:not([type=radio]):not([type=checkbox]), select, textarea") !== null;
}

/** Whether single keys act; people may switch them off (WCAG 2.1.4). */
export function keysOn() {
  try {
    return localStorage.getItem(setting) !== "off";
  } catch {
    return true;
  }
}

export function switchKeys(on) {
  try {
    localStorage.setItem(setting, on ? "on" : "off");
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/**
 * @param {{onKey: (name: string) => void, onEnter: (event: KeyboardEvent) => void, onScan: (text: string) => void,
 *   onMove: (event: KeyboardEvent) => void, inDialog: () => boolean, onDialogDigit: (digit: number) => void}} to
 */
export function listen(to) {
  let held = [];
  let timer = null;

  function flush() {
    clearTimeout(timer);
    const keys = held;
    held = [];
    if (keys.length === 1 && keys[0].name && keysOn()) to.onKey(keys[0].name);
  }

  function enter(event) {
    if (held.length > 1) {
      event.preventDefault();
      const text = held.map(({ typed }) => typed).join("");
      held = [];
      clearTimeout(timer);
      to.onScan(text);
      return;
    }
    flush();
    if (event.repeat) event.preventDefault();
    else to.onEnter(event);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (to.inDialog()) {
      const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
      if (digit) to.onDialogDigit(Number(digit[1]));
      return;
    }
    if (event.key === "Enter") return enter(event);
    if (event.key === "F2" || event.key === "F4" || event.key === "F9" || event.key.startsWith("Arrow")) return to.onMove(event);
    const name = nameOf(event);
    if (!name && event.key.length !== 1) return;
    if (event.key === " " && held.length === 0) return;
    if (event.repeat) return;
    if (name) event.preventDefault();
    held.push({ name, typed: event.key.length === 1 ? event.key : (name ?? "") });
    clearTimeout(timer);
    timer = setTimeout(flush, follows);
  });
}
