// Questions of the desk: the page of the question is put into a dialog. The list of keys is kept for when the line is cut.
import { keysOn, switchKeys } from "./desk_keys.js";

const giveUp = 5000;

/**
 * @param {HTMLDialogElement} box
 * @param {{onFailed: (status: number) => void, onClosed: () => void}} to onFailed: 0 when there was no answer.
 */
export function dialogs(box, { onFailed, onClosed }) {
  const known = new Map();
  let asked = 0;

  async function load(href) {
    const answer = await fetch(href, { headers: { "X-Part": "1" }, cache: "no-store", signal: AbortSignal.timeout(giveUp) });
    if (answer.redirected) return { status: 401, html: "" };
    return { status: answer.status, html: await answer.text() };
  }

  function show(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const content = page.querySelector("[data-dialog]");
    if (!content) return false;
    box.replaceChildren(content);
    box.classList.toggle("wide", content.dataset.dialog === "wide");
    box.setAttribute("aria-labelledby", "ask-h");
    if (!box.open) box.showModal();
    (box.querySelector("[autofocus]") ?? box.querySelector("input:not([type=hidden]), button, a"))?.focus();
    return true;
  }

  box.addEventListener("close", () => {
    box.replaceChildren();
    onClosed();
  });
  box.addEventListener("click", (event) => {
    if (event.target === box) box.close();
    const close = event.target.closest("[data-close]");
    if (!close) return;
    event.preventDefault();
    box.close();
  });

  return {
    get open() {
      return box.open || asked > 0;
    },
    /** Whether a question is on its way: what is typed now is meant for it. */
    get coming() {
      return !box.open && asked > 0;
    },
    close() {
      if (box.open) box.close();
    },
    /** Keep a question at hand that must open without a line. */
    async keep(href) {
      try {
        const { status, html } = await load(href);
        if (status === 200) known.set(href, html);
      } catch {
        // It is asked for when it is needed.
      }
    },
    async ask(href) {
      asked += 1;
      try {
        const { status, html } = await load(href);
        if (!((status === 200 || status === 404) && show(html))) onFailed(status);
      } catch {
        if (known.has(href)) show(known.get(href));
        else onFailed(0);
      } finally {
        asked -= 1;
      }
    },
    /** Choose the nth radio of the question. */
    choose(n) {
      const radio = box.querySelectorAll("input[type=radio]")[n - 1];
      if (!radio) return;
      radio.checked = true;
      radio.focus();
      radio.dispatchEvent(new Event("change", { bubbles: true }));
    },
  };
}

/**
 * Links with data-asks open their question, and the switch in a question turns single keys on and off.
 * @param {ReturnType<typeof dialogs>} ask
 * @param {{keysOn: string, keysOff: string}} words
 * @param {{allowed?: (link: HTMLAnchorElement) => boolean, onAsked?: () => void}} to
 */
export function asksByLinks(ask, words, { allowed = () => true, onAsked = () => {} } = {}) {
  const state = () => (keysOn() ? words.keysOn : words.keysOff);
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-asks]");
    const button = event.target.closest("[data-keys-switch]");
    if (button) {
      switchKeys(!keysOn());
      button.textContent = state();
    }
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (!allowed(link)) return;
    await ask.ask(link.href);
    const keys = document.querySelector("[data-ask] [data-keys-switch]");
    if (keys) Object.assign(keys, { hidden: false, textContent: state() });
    onAsked();
  });
}
