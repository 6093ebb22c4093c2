/* Keeps the progress of a mailing fresh while somebody looks at it. */

const PARTS = ["done", "left", "sent", "queued", "waiting", "failed", "in_doubt", "dropped"];

function show(root, numbers) {
  for (const name of PARTS) {
    const place = root.querySelector(`[data-part="${name}"]`);
    if (place && place.textContent !== numbers[name]) place.textContent = numbers[name];
  }
  root.querySelector('[data-part="bar"]').value = numbers.percent;
}

async function refresh(root) {
  const response = await fetch(root.dataset.url, { headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) return 10;
  const numbers = await response.json();
  // Another state has other buttons.
  if (numbers.state !== root.dataset.state) location.reload();
  show(root, numbers);
  return numbers.again_in;
}

async function follow(root) {
  let seconds = 3;
  if (!document.hidden) {
    // A failed request is made up for by the next one.
    seconds = await refresh(root).catch(() => 10);
  }
  setTimeout(() => follow(root), seconds * 1000);
}

for (const root of document.querySelectorAll('[data-module="mailing-progress"]')) {
  setTimeout(() => follow(root), 2000);
}
