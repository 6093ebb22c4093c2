// Copies the link that stands in the field beside the button.
const root = document.querySelector('[data-module="copy-link"]');

if (root && navigator.clipboard) {
  const [field, button] = [root.querySelector("input"), root.querySelector("button")];
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  });
}
