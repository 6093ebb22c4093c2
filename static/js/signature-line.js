// Writes the name that is being typed on the line under the statement.
const name = document.querySelector('[data-module="signature-line"] [aria-hidden]');
const fields = ["sign-first_name", "sign-last_name"].map((id) => document.getElementById(id));

function write() {
  name.textContent = fields.map((field) => field.value.trim()).filter(Boolean).join(" ").slice(0, 160);
}

if (name && fields.every(Boolean)) {
  for (const field of fields) field.addEventListener("input", write);
  addEventListener("pageshow", write);
}
