/* Puts a merge field or a source's key where somebody is writing, and lists the sources as they are typed. */

const FIELDS = 'textarea, input[type="text"]';

/** The field that was written in last. */
let last = null;

function insert(text) {
  if (!last || !last.isConnected) return;
  last.focus();
  last.setRangeText(text, last.selectionStart, last.selectionEnd, "end");
  last.dispatchEvent(new Event("input", { bubbles: true }));
}

function clickable(code) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = code.textContent;
  button.className = "insert";
  // Without this the field would lose the cursor's place.
  button.addEventListener("mousedown", (event) => event.preventDefault());
  button.addEventListener("click", () => insert(button.textContent));
  code.replaceWith(button);
}

function typedSources() {
  const rows = [];
  for (const input of document.querySelectorAll('#sources-group input[name^="sources-"][name$="-key"]')) {
    if (input.name.includes("__prefix__") || !input.value.trim()) continue;
    const title = document.getElementsByName(input.name.replace(/-key$/, "-title"))[0];
    rows.push([input.value.trim(), title ? title.value : ""]);
  }
  return rows;
}

function listSources(list) {
  const items = typedSources().map(([key, title]) => {
    const item = document.createElement("li");
    const code = document.createElement("code");
    const name = document.createElement("bdi");
    code.textContent = `[^${key}]`;
    name.textContent = title.length > 60 ? `${title.slice(0, 60)}…` : title;
    item.append(code, " ", name);
    clickable(code);
    return item;
  });
  if (items.length) list.replaceChildren(...items);
}

for (const help of document.querySelectorAll('[data-module="writing"]')) {
  const letters = help.closest(".letters");
  const list = help.querySelector('[data-part="sources"]');
  help.querySelector(".writing-hint").hidden = false;
  // Above the letters it would only be in the way.
  if (!matchMedia("(min-width: 75rem)").matches) help.querySelector("details").open = false;
  for (const code of help.querySelectorAll("code[data-insert]")) clickable(code);
  const remember = (field) => {
    if (field.matches(FIELDS)) last = field;
  };
  letters.addEventListener("focusin", (event) => remember(event.target));
  // On a slow network somebody writes before this runs.
  if (letters.contains(document.activeElement)) remember(document.activeElement);
  const sources = document.getElementById("sources-group");
  if (sources) sources.addEventListener("change", () => listSources(list));
}
