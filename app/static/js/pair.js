// A device nobody touches: asks for a code, waits until staff claim it, opens its screen, and survives a cut line.
const body = document.body;
const form = document.querySelector("form");
const cut = document.querySelector(".cut");
const left = document.querySelector("[data-left]");
const ends = Date.now() + Number(body.dataset.seconds) * 1000;
const ASK = 3000;
const AGAIN = 60000;

function minutes() {
  if (!left) return;
  const said = left.dataset.left.replace("{n}", Math.max(1, Math.ceil((ends - Date.now()) / 60000)));
  if (left.textContent !== said) left.textContent = said;
}

async function ask() {
  minutes();
  try {
    const answer = await fetch("/pair/state", { cache: "no-store", signal: AbortSignal.timeout(ASK * 2) });
    if (answer.ok) {
      cut.hidden = true;
      const { state } = await answer.json();
      if (state !== "waiting") return form.submit();
    }
  } catch {
    cut.hidden = false;
  }
  setTimeout(ask, ASK);
}

// A page that could not be fetched would end the story: leave only while the server answers.
async function whenReachable() {
  try {
    await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(ASK * 2) });
    form.submit();
  } catch {
    cut.hidden = false;
    setTimeout(whenReachable, ASK);
  }
}

if (body.dataset.state === "waiting") ask();
else if (body.dataset.state === "crowded") setTimeout(whenReachable, AGAIN);
else whenReachable();
