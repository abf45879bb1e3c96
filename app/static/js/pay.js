// While money may be on its way: looks every three seconds and turns the page when it says something else.
const main = document.querySelector("[data-paying]");

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.querySelector("main")?.dataset.paying;
      if (now !== main.dataset.paying) return location.reload();
    }
  } catch {
    // Offline: the page says what was true, and asks again.
  }
  setTimeout(look, 3000);
}

if (main) setTimeout(look, 1000);
