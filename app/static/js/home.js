// How busy it is now: the lines of the page follow the office's board in place.
import { follow } from "./live.js";
import { released } from "./press.js";
import { clock, say, showStale } from "./words.js";

const live = document.querySelector("[data-live]");

function range(line) {
  if (line.waiting === 0 && line.lamp === "free") return say("now");
  return line.estimate ? say("range", line.estimate) : say("unknown");
}

// What stands on the page from its server, until the first snapshot: the office may fall silent before it came.
let lines = [...live.querySelectorAll("[data-line]")].map((row) => ({ id: row.dataset.line, waiting: row.dataset.waiting }));
let truth = new Date();

function put(row, what, made) {
  row?.querySelector(`[data-f="${what}"]`)?.replaceChildren(made);
}

function rowOf(line) {
  return live.querySelector(`[data-line="${CSS.escape(line.id)}"]`);
}

async function draw(board) {
  await released();
  lines = board.categories;
  truth = new Date();
  for (const line of board.categories) {
    const row = rowOf(line);
    put(row, "waiting", say("waiting", { n: line.waiting }));
    put(row, "range", range(line));
    put(row, "lamp", say(`lamp-${line.lamp}`));
  }
  put(live, "at", say("at", { clock: clock(truth) }));
}

// What was true stays, in the past tense; what it would mean now goes.
function onStale(stale) {
  showStale(stale, truth);
  if (!stale) return undefined;
  for (const line of lines) {
    const row = rowOf(line);
    put(row, "waiting", "");
    put(row, "range", say("was", { clock: clock(truth), n: line.waiting }));
    put(row, "lamp", say("lamp-stale"));
  }
  return undefined;
}

follow({ office: live.dataset.office, onSnapshot: draw, onStale });
// The lines come with the opening; a little later, so that a hundred pages do not ask within one second.
if (live.dataset.opens) setTimeout(() => location.reload(), Math.max(0, Date.parse(live.dataset.opens) - Date.now()) + 30000 * Math.random());
