/* Sends a form once for a double click. A download leaves its page standing, so the button works again soon. */

const SOON = 3000; // milliseconds

const sent = new WeakMap();

addEventListener("submit", (event) => {
  if (event.defaultPrevented || !event.target.matches('[method="post" i]')) return;
  if (performance.now() - (sent.get(event.target) ?? -SOON) < SOON) event.preventDefault();
  else sent.set(event.target, performance.now());
});

// Somebody who comes back to the page may send it again at once.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) sent.delete(form);
});
