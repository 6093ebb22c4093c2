/* The matrix of petitions: choosing all rows of the page, how many are chosen, and no edit lost by leaving. */

function begin(form) {
  const boxes = [...form.querySelectorAll('input[name="chosen"]')];
  const all = form.querySelector('[data-part="all"]');
  const told = form.querySelector('[data-part="chosen"]');
  let last = null;
  let edited = form.querySelector(".matrix-wrong") !== null;

  function count() {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    if (!told) return;
    told.hidden = chosen === 0;
    told.textContent = `${chosen} chosen`;
  }

  function between(box) {
    const ends = [boxes.indexOf(last), boxes.indexOf(box)].sort((one, other) => one - other);
    for (const each of boxes.slice(ends[0], ends[1] + 1)) each.checked = box.checked;
  }

  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  for (const box of boxes) {
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last) between(box);
      last = box;
      count();
    });
  }
  form.addEventListener("input", (event) => {
    if (event.target.matches("td input:not([type=checkbox]), td textarea")) edited = true;
  });
  form.addEventListener("submit", () => {
    edited = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (edited) event.preventDefault();
  });
  count();
}

for (const form of document.querySelectorAll('[data-module="matrix"]')) begin(form);
