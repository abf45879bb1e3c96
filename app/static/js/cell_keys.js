// Arrows walk through the cells of a table whose cells are links; one of them is in the order of Tab, Enter opens it.
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function next(table, cell, [down, along]) {
  const rows = [...table.rows].map((row) => [...row.querySelectorAll("[data-cell]")]).filter((cells) => cells.length);
  const at = rows.findIndex((cells) => cells.includes(cell));
  if (along) return rows[at][rows[at].indexOf(cell) + along];
  const away = (other) => Math.abs(other.dataset.cell - cell.dataset.cell);
  // A day that opens later has no cell in the same column: then the nearest.
  return rows[at + down]?.reduce((best, other) => (away(other) < away(best) ? other : best));
}

for (const table of document.querySelectorAll("[data-cells]")) {
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("[data-cell]");
    if (!cell || !STEPS[event.key] || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    event.preventDefault();
    next(table, cell, STEPS[event.key])?.focus();
  });
  table.addEventListener("focusin", (event) => {
    const cell = event.target.closest("[data-cell]");
    if (!cell) return;
    for (const other of table.querySelectorAll('[data-cell][tabindex="0"]')) other.tabIndex = -1;
    cell.tabIndex = 0;
  });
}
