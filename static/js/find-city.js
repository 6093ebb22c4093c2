// Suggests cities while somebody types: the combobox of the ARIA Authoring Practices, with a list that only offers.
// Whatever goes wrong, the form still works as a form.
const PAUSE = 200;
const LONG_ENOUGH = 2;
const KINDS = { demand: "Demand", "thank-you": "Thank-you" };

function option(suggestion, index) {
  const item = document.createElement("li");
  item.className = "finder__option";
  item.id = `finder-option-${index}`;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  item.dataset.url = suggestion.url;
  const name = document.createElement("bdi");
  name.textContent = suggestion.label;
  const kind = document.createElement("span");
  kind.className = "finder__kind";
  kind.textContent = KINDS[suggestion.kind] ?? "";
  item.append(name, " ", kind);
  return item;
}

class Finder {
  constructor(box) {
    this.input = box.querySelector("input");
    this.list = box.querySelector("[role=listbox]");
    this.form = this.input.form;
    this.news = this.form.querySelector('[data-find-city="news"]');
    this.active = -1;
    this.input.setAttribute("role", "combobox");
    this.input.setAttribute("aria-autocomplete", "list");
    this.input.setAttribute("aria-controls", this.list.id);
    this.input.setAttribute("aria-expanded", "false");
    // Ours come instead of the browser's own.
    this.input.autocomplete = "off";
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.input.addEventListener("blur", () => this.close());
    // The field keeps the focus, so that a press on the list does not close it first.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("[role=option]")));
    this.form.addEventListener("submit", () => this.forget());
    addEventListener("pageshow", () => this.close());
  }

  get options() {
    return [...this.list.children];
  }

  typed() {
    this.forget();
    this.activate(-1);
    if (this.input.value.trim().length < LONG_ENOUGH) {
      this.close();
      this.tell("");
      return;
    }
    this.waiting = setTimeout(() => this.ask().catch(() => this.close()), PAUSE);
  }

  // What was asked before no longer matters.
  forget() {
    clearTimeout(this.waiting);
    this.request?.abort();
  }

  async ask() {
    const request = (this.request = new AbortController());
    const answer = await fetch(this.form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams({ city: this.input.value }),
      credentials: "omit",
      signal: request.signal,
    });
    const { suggestions, message } = answer.ok ? await answer.json() : { suggestions: [], message: "" };
    if (request.signal.aborted || document.activeElement !== this.input) return;
    this.list.replaceChildren(...suggestions.map(option));
    this.list.scrollTop = 0;
    this.show(suggestions.length > 0);
    this.tell(message);
  }

  // Read aloud, and shown in the place of the hint.
  tell(message) {
    this.news.replaceChildren();
    if (!message) return;
    const words = document.createElement("span");
    words.textContent = message;
    this.news.append(words);
  }

  show(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    if (!open) this.activate(-1);
  }

  close() {
    this.forget();
    this.show(false);
  }

  activate(index) {
    this.active = index;
    this.options.forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
    const item = this.options[index];
    if (item) {
      this.input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else {
      this.input.removeAttribute("aria-activedescendant");
    }
  }

  // Past the last option comes the field itself, and then the first.
  move(step) {
    const places = this.options.length + 1;
    this.activate(((this.active + 1 + step + places) % places) - 1);
  }

  pressed(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const open = !this.list.hidden;
    if (event.key === "Escape") {
      if (open) this.close();
      else this.input.value = "";
      event.preventDefault();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open && this.options.length && this.input.value) this.show(true);
      if (event.altKey) return;
      if (!this.list.hidden) this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (open && this.active >= 0 && (event.key === "Home" || event.key === "End")) {
      // As in the pattern: these go back to the text.
      this.activate(-1);
    } else if (open && this.active >= 0 && event.key === "Enter") {
      event.preventDefault();
      this.choose(this.options[this.active]);
    }
  }

  choose(item) {
    if (!item) return;
    this.forget();
    this.input.value = item.querySelector("bdi").textContent;
    this.show(false);
    location.assign(withReferral(item.dataset.url));
  }
}

// A shared link's code goes along, as it does when the form is sent.
function withReferral(address) {
  const code = new URLSearchParams(location.search).get("r");
  return code ? `${address}?${new URLSearchParams({ r: code })}` : address;
}

for (const box of document.querySelectorAll('[data-module="find-city"]')) new Finder(box);
