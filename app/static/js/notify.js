// Notices of this browser: offered only where they can be had; the permission is asked by a press, never before.
const form = document.querySelector("[data-notify]");
const choice = form?.querySelector("[data-push]");

function bytes(base64) {
  const padded = base64.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat((4 - (base64.length % 4)) % 4);
  return Uint8Array.from(atob(padded), (letter) => letter.charCodeAt(0));
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") throw new Error("refused");
  const worker = await navigator.serviceWorker.register("/push-worker.js");
  await navigator.serviceWorker.ready;
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(form.dataset.key) });
}

async function send(event) {
  const chosen = form.querySelector("input[name=ch]:checked");
  if (chosen?.value !== "push" || form.elements.subscription.value) return;
  event.preventDefault();
  try {
    form.elements.subscription.value = JSON.stringify(await subscribe());
    form.submit();
  } catch {
    form.querySelector("[data-push-refused]").hidden = false;
    choice.hidden = true;
    form.querySelector("input[name=ch]:not([value=push])")?.click();
  }
}

if (choice && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
  choice.hidden = Notification.permission === "denied";
  form.addEventListener("submit", send);
}
