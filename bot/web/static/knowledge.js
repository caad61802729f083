// The knowledge page: files on their way with a bar each, documents and sources taken away with ten seconds to undo, keys.

import { csrf, onDrop, onKey, post, toast } from "./nod.js";

const MOST_FILE_BYTES = 25 * 1024 * 1024;
const AT_ONCE = 3;
const REST_MS = 1000;
const learn = document.getElementById("learn");

// ── uploads ──

/** Send one file, moving its bar; resolve with the document's number. Rejects with a sentence. */
function send(file, bar) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    const form = new FormData();
    form.append("files", file);
    form.append("scope", learn.elements.scope.value);
    call.open("POST", "/knowledge/files");
    call.setRequestHeader("X-CSRF-Token", csrf);
    call.setRequestHeader("HX-Request", "true");
    call.upload.addEventListener("progress", (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; });
    call.addEventListener("load", () => {
      if (call.status === 200) resolve(call.responseText.match(/data-document="(\d+)"/)[1]);
      else reject(new Error(call.responseText));
    });
    call.addEventListener("error", () => reject(new Error(document.body.dataset.failed)));
    call.send(form);
  });
}

function line(file) {
  const item = document.createElement("li");
  const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0, ariaLabel: file.name });
  const state = Object.assign(document.createElement("span"), { className: "state", textContent: learn.dataset.sending });
  item.append(Object.assign(document.createElement("span"), { className: "name", textContent: file.name }), " ", bar, " ", state);
  return { item, bar, state };
}

async function upload(files) {
  const box = document.getElementById("uploads");
  const lines = [...files].map((file) => ({ file, ...line(file) }));
  const list = document.createElement("ul");
  list.append(...lines.map(({ item }) => item));
  const refused = document.createElement("ul");
  box.replaceChildren(list);
  document.querySelector(".refused")?.remove();
  const documents = [];
  const waiting = [...lines];
  async function next() {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      try {
        if (one.file.size > MOST_FILE_BYTES) throw new Error(learn.dataset.tooLarge);
        documents.push(await send(one.file, one.bar));
        one.bar.value = 1;
      } catch (error) {
        refused.append(Object.assign(document.createElement("li"), { className: "failed", textContent: `${one.file.name}: ${error.message}` }));
        one.item.remove();
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  if (refused.children.length) document.getElementById("uploads").before(Object.assign(refused, { className: "refused" }));
  const query = documents.map((id) => `document=${id}`).join("&");
  if (!query) box.replaceChildren();
  else htmx.ajax("GET", `/knowledge/uploads?${query}`, { target: "#uploads", swap: "outerHTML" });
  refresh();
}

/** Show the table as it is now. */
function refresh() {
  document.body.dispatchEvent(new Event("nod-learnt"));
}

if (learn) {
  const input = learn.querySelector("input[type=file]");
  input.addEventListener("change", () => { upload(input.files); input.value = ""; });
  onKey("KeyP", () => input.click());
  onDrop(document.getElementById("drop"), upload);
}
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "uploads" || document.querySelector("#uploads[data-settled]")) {
    document.querySelector("#uploads[data-settled]")?.removeAttribute("data-settled");
    if (event.detail.requestConfig?.path?.startsWith("/knowledge/uploads")) refresh();
  }
});

// ── trying a search: by words alone while somebody types, whole once they press Enter or rest, for a model may cost ──

const trial = document.getElementById("try");
let resting = 0;
trial?.addEventListener("input", () => {
  clearTimeout(resting);
  resting = setTimeout(() => trial.requestSubmit(), REST_MS);
});
trial?.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.triggeringEvent.type !== "submit") return;
  clearTimeout(resting);
  detail.parameters.whole = "true";
});

// ── taking away ──

async function remove(button) {
  const { remove: path, said, undo } = button.dataset;
  const response = await post(`/knowledge/${path}/remove`, new FormData()).catch(() => null);
  if (!response?.ok) {
    toast(response ? await response.text() : document.body.dataset.failed);
    return;
  }
  const row = button.closest("tr, .source-row");
  (row?.nextElementSibling ?? row?.previousElementSibling)?.querySelector("a, button")?.focus();
  row?.remove();
  button.disabled = true;
  toast(said, undo, async () => {
    const back = await post(`/knowledge/${path}/restore`, new FormData()).catch(() => null);
    if (!back?.ok) toast(back ? await back.text() : document.body.dataset.failed);
    button.disabled = false;
    refresh();
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remove]");
  if (button) remove(button);
});
onKey("KeyX", () => {
  const button = document.activeElement?.closest("tr, .source-row")?.querySelector("[data-remove]");
  if (!button) return false;
  remove(button);
  return true;
});
const adding = document.getElementById("adding");
if (adding) {
  onKey("KeyS", () => { adding.open = true; document.getElementById("source-location").focus(); });
}
onKey("Slash", () => document.getElementById("find")?.focus());
