// Says how long the form was open, and sends it once however often the button is pressed.
const form = document.querySelector('[data-module="sign-form"]');

if (form) {
  const opened = performance.now();
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
    if (form.elements.elapsed) form.elements.elapsed.value = Math.round(performance.now() - opened);
  });
  // Somebody who comes back to the page may send it again.
  addEventListener("pageshow", () => (sent = false));
}
