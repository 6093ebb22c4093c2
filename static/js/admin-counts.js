/* Keeps the counts and states on the campaign's form fresh while somebody looks at it. */

const EVERY = 5000;

function show(root, part, text) {
  const place = root.querySelector(`[data-part="${part}"]`);
  if (place && place.textContent !== text) place.textContent = text;
}

async function refresh(header) {
  if (document.hidden) return;
  const response = await fetch(header.dataset.url, { headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) return;
  const numbers = await response.json();
  show(header, "total", numbers.total);
  for (const row of document.querySelectorAll("[data-petition]")) {
    const petition = numbers.petitions[row.dataset.petition];
    if (!petition) continue;
    show(row, "state", petition.state);
    show(row, "count", petition.count);
  }
}

for (const header of document.querySelectorAll('[data-module="counts"]')) {
  // A failed request is made up for by the next one.
  setInterval(() => refresh(header).catch(() => {}), EVERY);
}
