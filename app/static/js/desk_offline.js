// When the line is cut: say since when, what still works, and try again every five seconds. Only what belongs to the
// number already at the counter may be recorded; no call goes out from here, because another counter may call it too.
import { serverNow } from "./desk_draw.js";

const again = 5000;
const records = new Set(["finish", "park"]);

/**
 * @param {{words: object, tell: (text: string, wrong?: boolean) => void, retry: () => void, waiting: () => boolean}} to
 *   waiting: an act is on its way and has no answer.
 */
export function offline({ words, tell, retry, waiting }) {
  const strip = document.querySelector("[data-stale]");
  const connection = document.querySelector("[data-connection]");
  const now = Object.assign(document.createElement("button"), { className: "btn low", type: "button", textContent: words.tryNow });
  let since = null;
  let tries = 0;
  let timer = null;
  now.addEventListener("click", () => retry());
  strip.append(now);
  connection.hidden = false;

  function time(at) {
    return new Intl.DateTimeFormat("ja-JP", { hour: "numeric", minute: "2-digit", second: "2-digit", timeZone: "Asia/Tokyo" }).format(at);
  }

  function say() {
    strip.querySelector("[data-stale-since]").textContent = words.offlineSince.replace("{time}", time(since));
    strip.querySelector("[data-stale-text]").textContent = words.offlineText.replace("{n}", tries);
    connection.classList.add("off");
    connection.querySelector("[data-connection-text]").textContent = words.disconnected;
  }

  function redraw() {
    const cut = since !== null;
    document.body.classList.toggle("offline", cut);
    strip.hidden = !cut;
    document.querySelector("[data-live]").hidden = cut;
    document.querySelector("[data-offline]").hidden = !cut;
    if (!cut) return;
    const serving = document.querySelector("[data-screen=desk]").dataset.state === "serving";
    for (const key of document.querySelectorAll("#pad button, #pad a, .toast button, .making button")) {
      const kept = serving && !waiting() && (records.has(key.value) || key.matches("[data-hero]"));
      if (kept || key.dataset.key === "*") continue;
      if (key.matches("a")) key.setAttribute("aria-disabled", "true");
      else key.disabled = true;
    }
    const hero = document.querySelector("[data-hero]");
    const saying = waiting() ? [words.unsent, words.unsentText] : serving ? [words.record, words.recordText] : [words.cut, words.cutText];
    [hero.querySelector("b").textContent, hero.querySelector("span").textContent] = saying;
  }

  function again5() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (since === null) return;
      tries += 1;
      say();
      retry();
      again5();
    }, again);
  }

  function cut() {
    if (since === null) {
      since = serverNow();
      tries = 1;
      again5();
    }
    say();
    redraw();
  }

  return {
    cut,
    redraw,
    /** The line is there again. */
    back() {
      if (since === null) return;
      since = null;
      clearTimeout(timer);
      connection.classList.remove("off");
      connection.querySelector("[data-connection-text]").textContent = words.connected;
      redraw();
      retry();
    },
    /** An act has no answer yet. */
    silence(request) {
      cut();
      const kept = records.has(request.action);
      tell(kept ? words.kept.replace("{n}", request.number) : words.asking, !kept);
    },
    /** Whether an act may be sent (or recorded) now. */
    allows(action) {
      return since === null || records.has(action);
    },
  };
}
