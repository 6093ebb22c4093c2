// Offers the address that was probably meant; taking it is one press, leaving it none.
const DOMAINS = ["gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "proton.me", "aol.com", "gmx.de", "web.de"];

// Whether one slip of the fingers (a letter too many, too few, wrong, or two swapped) makes `typed` of `meant`.
function isSlip(typed, meant) {
  if (typed === meant || Math.abs(typed.length - meant.length) > 1) return false;
  let start = 0;
  while (start < meant.length && typed[start] === meant[start]) start += 1;
  let end = 0;
  while (end < meant.length - start && end < typed.length - start && typed.at(-1 - end) === meant.at(-1 - end)) end += 1;
  const [one, other] = [typed.slice(start, typed.length - end), meant.slice(start, meant.length - end)];
  return (one.length < 2 && other.length < 2) || (one.length === 2 && one[0] === other[1] && one[1] === other[0]);
}

function suggest(address) {
  const [, name, domain] = address.trim().match(/^(.+)@([^@]+)$/) ?? [];
  if (!name || DOMAINS.includes(domain.toLowerCase())) return "";
  const meant = DOMAINS.find((known) => isSlip(domain.toLowerCase(), known));
  return meant ? `${name}@${meant}` : "";
}

function offer(place, field, address) {
  place.textContent = "";
  if (!address) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link-button";
  button.textContent = address;
  button.addEventListener("click", () => {
    field.value = address;
    place.textContent = "";
    field.focus();
  });
  place.append("Did you mean ", button, "?");
}

for (const place of document.querySelectorAll('[data-module="email-suggestion"]')) {
  const field = document.getElementById(place.dataset.for);
  offer(place, field, place.querySelector("strong")?.textContent);
  let waiting;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => offer(place, field, suggest(field.value)), 400);
  });
}
