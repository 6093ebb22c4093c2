// Where a campaign asks for it: has the browser work out a sum while the form is filled in. Whatever goes wrong, the form is sent.
const note = document.querySelector('[data-module="proof-of-work"]');
const form = note?.closest("form");
const FRESH = 15 * 60_000; // the sum is good for twenty minutes
const PATIENCE = 20_000;

const wait = (time) => new Promise((done) => setTimeout(done, time));

function solve(challenge) {
  const hands = Math.min(4, navigator.hardwareConcurrency || 1);
  const workers = Array.from({ length: hands }, () => new Worker(note.dataset.worker));
  const answers = workers.map((worker, number) => new Promise((found, failed) => {
    worker.onerror = failed;
    worker.onmessage = ({ data }) => (data && !data.error ? found(data) : failed(data));
    worker.postMessage({ type: "work", challenge, counterStart: number, counterStep: hands, timeout: PATIENCE });
  }));
  return Promise.any(answers).finally(() => workers.forEach((worker) => worker.terminate()));
}

async function prove() {
  const answer = await fetch(note.dataset.url, { credentials: "omit", cache: "no-store" });
  if (!answer.ok) return "";
  const challenge = await answer.json();
  return btoa(JSON.stringify({ challenge, solution: await solve(challenge) }));
}

if (form) {
  let begun = 0;
  let proof;
  let ready = false;

  const begin = () => {
    if (begun && performance.now() - begun < FRESH) return;
    begun = performance.now();
    proof = Promise.race([prove(), wait(PATIENCE)]).catch(() => "").then((value) => {
      if (!value) begun = 0; // the next press of a key, or the button, tries once more
      return value ?? "";
    });
  };

  form.addEventListener("focusin", begin);
  form.addEventListener("submit", async (event) => {
    if (ready) return;
    // Nobody else may take this for sent.
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!note.hidden) return;
    note.hidden = false;
    note.textContent = note.dataset.text;
    begin();
    form.elements.proof.value = await proof;
    ready = true;
    // A form sends nothing while it still tells of being sent, which a proof that was ready would meet.
    setTimeout(() => form.requestSubmit());
  });
  // Somebody who comes back to the page needs another.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    begun = 0;
    ready = false;
    note.hidden = true;
    form.elements.proof.value = "";
  });
}
