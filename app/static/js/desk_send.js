// One act at a time, with one key, until its answer is known. No answer (a cut line, a busy server) never means
// "not done": the same request goes again with the same key, also after the page was loaded anew.
const kept = "madoguchi.desk.unanswered";
const again = 5000;
const giveUp = 8000;
const busyServer = [502, 503, 504];

/** 128 bits of chance; crypto.randomUUID is missing on http pages of a closed network. */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function remember(request) {
  try {
    if (request) sessionStorage.setItem(kept, JSON.stringify(request));
    else sessionStorage.removeItem(kept);
  } catch {
    // A browser that keeps nothing still retries while the page stands.
  }
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(kept));
  } catch {
    return null;
  }
}

function ask({ url, body, form, key }, token) {
  const headers = { "X-CSRFToken": token, "Idempotency-Key": key };
  const signal = AbortSignal.timeout(giveUp);
  if (!form) headers["Content-Type"] = "application/json";
  const sent = form ? new URLSearchParams([...form, ["idempotency_key", key], ["csrf_token", token]]) : JSON.stringify(body);
  return fetch(url, { method: "POST", headers, body: sent, signal, cache: "no-store" });
}

/**
 * @param {{token: () => string, onAnswer: (request: object, answer: Response) => Promise<void>,
 *   onSilence: (request: object, times: number) => void}} options
 */
export function sender({ token, onAnswer, onSilence }) {
  let open = null;
  let timer = null;
  let times = 0;

  async function attempt() {
    clearTimeout(timer);
    const request = open;
    let answer = null;
    try {
      answer = await ask(request, token());
    } catch {
      // Nobody knows whether it was done.
    }
    if (!answer || busyServer.includes(answer.status)) {
      times += 1;
      onSilence(request, times);
      timer = setTimeout(attempt, again);
      return;
    }
    remember(null);
    try {
      await onAnswer(request, answer);
    } finally {
      open = null;
    }
  }

  return {
    /** Whether an act is under way. */
    get busy() {
      return open !== null;
    },
    /** Send `{url, body | form, action, number}`; nothing while another act is under way. */
    send(request) {
      if (open) return false;
      open = { ...request, key: freshKey() };
      times = 0;
      remember(open);
      attempt();
      return true;
    },
    /** Take up what had no answer before the page was loaded. */
    resume(counter) {
      const left = remembered();
      if (!left || open || left.counter !== counter) return remember(null);
      open = left;
      attempt();
    },
    /** Try at once. */
    now() {
      if (open && timer) attempt();
    },
  };
}
