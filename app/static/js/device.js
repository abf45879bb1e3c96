// On boards and kiosks: says every few seconds that the device is there; a token taken away leads back to pairing.
// A browser that was never paired asks once and stops.
const EVERY = 6000;
let paired = false;

async function beat() {
  try {
    const answer = await fetch("/pair/beat", { cache: "no-store", signal: AbortSignal.timeout(EVERY) });
    if (answer.ok) {
      const now = (await answer.json()).paired;
      if (paired && !now) return location.replace("/pair");
      if (!now) return;
      paired = true;
    }
  } catch {
    // The line is cut; the screen itself tells that.
  }
  setTimeout(beat, EVERY);
}

beat();
