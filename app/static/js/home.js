// How busy it is now: the lines of the page follow the office's board in place.
import { follow } from "./live.js";
import { clock, say, showStale } from "./words.js";

const live = document.querySelector("[data-live]");

function range(line) {
  if (line.waiting === 0 && line.lamp === "free") return say("now");
  return line.estimate ? say("range", line.estimate) : say("unknown");
}

function draw(board) {
  for (const line of board.categories) {
    const row = live.querySelector(`[data-line="${CSS.escape(line.id)}"]`);
    const put = (what, made) => row?.querySelector(`[data-f="${what}"]`)?.replaceChildren(made);
    put("waiting", say("waiting", { n: line.waiting }));
    put("range", range(line));
    put("lamp", say(`lamp-${line.lamp}`));
  }
  live.querySelector("[data-f=at]").replaceChildren(clock(new Date()));
}

follow({ office: live.dataset.office, onSnapshot: draw, onStale: showStale });
