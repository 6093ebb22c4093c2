// Opens the share sheet of the device, where it has one.
const button = document.querySelector('[data-module="share"]');

if (button && navigator.share) {
  const { title, text, url } = button.dataset;
  button.hidden = false;
  // Closing the sheet without sharing is no mistake.
  button.addEventListener("click", () => navigator.share({ title, text, url }).catch(() => {}));
}
