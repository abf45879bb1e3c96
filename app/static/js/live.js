// Follow an office: join its room, keep the newest snapshot, tell when the truth is old.
//
// The newest (epoch, seq) wins. A beat that is ahead of us, or a new connection, joins again and so gets the
// whole snapshot; without a socket the same snapshot is polled by its ETag. Truth is a snapshot that
// `onSnapshot` has drawn: one that could not be drawn, and silence, make the page stale after 15 s. What is stale has
// taken figures away, so nothing but a snapshot drawn anew makes it true again; one that could not be is asked for anew.
import { io } from "../vendor/socket.io.esm.min.js";

const pollEvery = 5000;
const giveUp = 5000;
const staleAfter = 15000;
const views = { "/live": "board", "/staff": "queue" };

/**
 * @param {{namespace?: "/live"|"/staff", view?: "board"|"counters"|"queue", office: string, hall?: string|null, start?: {epoch: string, seq: number},
 *   onSnapshot: (snapshot: object) => void|Promise<void>, onStale?: (stale: boolean) => void, onSignedOut?: () => void}} options
 *   start: the version that stands on the page already.
 * @returns {{refresh: () => Promise<void>}} refresh asks at once, for instance after an action.
 */
export function follow({ namespace = "/live", view = views[namespace], office, hall = null, start = {}, onSnapshot, onStale = () => {}, onSignedOut = () => {} }) {
  const path = `/api/v1/offices/${encodeURIComponent(office)}/${view}${hall ? `?hall=${encodeURIComponent(hall)}` : ""}`;
  let shown = { epoch: start.epoch ?? null, seq: start.seq ?? -1, business_date: null };
  let truth = Date.now();
  let stale = false;
  let asking = false;
  let drawing = Promise.resolve();

  const socket = io(namespace, {
    path: "/socket.io", transports: ["websocket"], reconnectionDelay: 500, reconnectionDelayMax: 5000, randomizationFactor: 0.9,
  });

  function proven() {
    truth = Date.now();
    if (stale) {
      stale = false;
      onStale(false);
    }
  }

  /** What was shown is still so; what is stale is not shown any more. */
  function unchanged() {
    if (!stale) proven();
  }

  // One after another: a drawing that asks the server must not be overtaken by an older one.
  function take(snapshot) {
    drawing = drawing.then(() => draw(snapshot)).catch((error) => console.warn("not drawn", error));
    return drawing;
  }

  async function draw(snapshot) {
    if (!snapshot || snapshot.error) return;
    const { epoch, seq, business_date } = snapshot;
    if (epoch === shown.epoch && seq < shown.seq) return;
    const known = epoch === shown.epoch && seq === shown.seq && business_date === shown.business_date;
    if (!known || stale) await onSnapshot(snapshot);
    shown = { epoch, seq, business_date };
    proven();
  }

  function join() {
    const wish = { office, view };
    if (hall) wish.hall = hall;
    socket.emit("join", wish, take);
  }

  socket.on("connect", join);
  socket.on(view, take);
  socket.on("beat", ({ epoch, seq }) => {
    if (!stale && epoch === shown.epoch && seq <= shown.seq) proven();
    else join();
  });

  async function poll() {
    if (asking) return;
    asking = true;
    try {
      const known = shown.business_date && !stale ? { "If-None-Match": `"${shown.epoch}.${shown.seq}"` } : {};
      const answer = await fetch(path, { headers: known, cache: "no-store", signal: AbortSignal.timeout(giveUp) });
      if (answer.ok) await take(await answer.json());
      else if (answer.status === 304) unchanged();
      else if (answer.status === 401) onSignedOut();
    } catch {
      // The watch tells of silence.
    } finally {
      asking = false;
    }
  }

  function watch() {
    const old = Date.now() - truth > staleAfter;
    if (old && !stale) {
      stale = true;
      onStale(true);
    }
  }

  setInterval(() => (socket.connected && Date.now() - truth < 2 * pollEvery ? undefined : poll()), pollEvery);
  setInterval(watch, 1000);
  // A phone that wakes up has slept through everything.
  document.addEventListener("visibilitychange", () => document.hidden || Date.now() - truth < 1000 || poll());
  addEventListener("online", poll);
  return { refresh: poll };
}
