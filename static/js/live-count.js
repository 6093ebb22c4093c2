// Keeps count and goal of an open page up to date while somebody looks at it.
const EVERY = 15_000;
const language = document.documentElement.lang;

function show(root, name, number) {
  const places = name === "count" ? document.querySelectorAll(`[data-live="${name}"]`) : root.querySelectorAll(`[data-live="${name}"]`);
  for (const place of places) place.textContent = number.toLocaleString(language);
}

async function refresh(root) {
  const answer = await fetch(root.dataset.url, { credentials: "omit" });
  if (!answer.ok) return;
  const { count, goal, local } = await answer.json();
  if (count === null) return;
  const bar = root.querySelector("progress");
  // Read aloud only when the goal has moved: not every signature is news.
  if (bar.max !== goal && bar.value) {
    root.querySelector('[data-live="news"]').textContent = `Goal reached. The next one is ${goal.toLocaleString(language)}.`;
  }
  show(root, "count", count);
  show(root, "goal", goal);
  if (local !== null) show(root, "local", local);
  bar.max = goal;
  bar.value = count;
  root.classList.toggle("progress--empty", count === 0);
}

for (const root of document.querySelectorAll('[data-module="live-count"]')) {
  setInterval(() => {
    if (!document.hidden) refresh(root).catch(() => {});
  }, EVERY);
}
