/* Counts who would get a mailing while somebody chooses the audience; without this there is a button. */

const FIELDS = ["audience", "of_petition", "places", "kind", "joined_since", "asks_to_sign", "leads_to", "others", "quiet_hours"];
const PAUSE = 600;

async function count(root, form, place) {
  const data = new FormData(form);
  data.set("mailing", root.dataset.mailing);
  const response = await fetch(root.dataset.url, { method: "POST", body: data, headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) return;
  place.textContent = (await response.json()).text;
}

for (const root of document.querySelectorAll('[data-module="mailing-count"]')) {
  const form = root.closest("form");
  const place = root.querySelector('[data-part="count"]');
  let waiting = 0;
  const ask = () => {
    clearTimeout(waiting);
    // A failed request leaves the button, which always works.
    waiting = setTimeout(() => count(root, form, place).catch(() => {}), PAUSE);
  };
  form.addEventListener("change", (event) => {
    if (FIELDS.includes(event.target.name)) ask();
  });
  if (!place.textContent.trim()) ask();
}
