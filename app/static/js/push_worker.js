// Shows a notice while the page is closed. A second one with the same tag takes the place of the first.
self.addEventListener("push", (event) => {
  const said = event.data?.json() ?? {};
  const options = { body: said.body, tag: String(said.tag ?? ""), data: { url: said.url }, requireInteraction: true };
  event.waitUntil(self.registration.showNotification(said.title ?? "", options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = event.notification.data?.url;
  if (url) event.waitUntil(self.clients.openWindow(url));
});
