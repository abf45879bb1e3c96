// Printing: the kiosk's browser prints without asking when it was started for it; the paper is in the page.

/** Print once if the screen asks for it, and again when somebody touches "once more". */
export function printPaper() {
  for (const each of document.querySelectorAll("[data-again]")) each.addEventListener("click", () => print());
  if (!("print" in document.body.dataset)) return;
  delete document.body.dataset.print;
  const address = new URL(location.href);
  address.searchParams.delete("print");
  history.replaceState(null, "", address);
  document.fonts.ready.then(() => requestAnimationFrame(() => print()));
}
