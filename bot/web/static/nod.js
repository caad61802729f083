// What every page shares: keys, sentences when something fails, the language and zone, sheets that close.

const body = document.body;
export const csrf = body.dataset.csrf ?? "";

// The time zone goes to the server, which writes the times.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`nod_zone=${zone}`)) {
  document.cookie = `nod_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
}

/** Tell a screen reader something. */
export function say(text) {
  document.getElementById("say").textContent = text;
}

/** Show a sentence for a while, perhaps with something to press. */
export function toast(text, label, act, seconds = 10) {
  const box = document.createElement("div");
  box.className = "toast";
  box.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (label) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: label });
    button.addEventListener("click", () => { box.remove(); act(); });
    box.append(button);
  }
  document.getElementById("toasts").replaceChildren(box);
  setTimeout(() => box.remove(), seconds * 1000);
}

const banner = document.getElementById("banner");

/** Say that the connection is gone, or that it is back. */
export function connected(isConnected) {
  if (isConnected === banner.hidden) return;
  banner.textContent = isConnected ? "" : body.dataset.offline;
  banner.hidden = isConnected;
  if (isConnected) toast(body.dataset.back, "", null, 3);
}

/** Send a form to the server as this session; resolves with the response, rejects when there is no connection. */
export function post(url, form) {
  return fetch(url, { method: "POST", body: form, headers: { "X-CSRF-Token": csrf, "HX-Request": "true" } });
}

/** Whether keys belong to what is being typed. */
export function isTyping(target) {
  return target instanceof Element && target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]") !== null;
}

// ── keys: by their place on the keyboard, so they work in Hangul mode; never inside a text field ──

const acts = new Map();
let afterG = 0;

/** Do something when a key is pressed outside text fields: `KeyN`, `shift+Slash`, `g KeyC`. What returns false leaves the key to the browser. */
export function onKey(name, act) {
  acts.set(name, act);
}

const escapes = [];

/** Do something on Esc, also inside text fields; the last one registered that returns true ends it. */
export function onEscape(act) {
  escapes.push(act);
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.code === "Escape") {
    if ([...escapes].reverse().some((act) => act(event))) event.preventDefault();
    return;
  }
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const isAfterG = Date.now() - afterG < 1500;
  afterG = event.code === "KeyG" ? Date.now() : 0;
  const name = `${isAfterG ? "g " : ""}${event.shiftKey ? "shift+" : ""}${event.code}`;
  const act = acts.get(name);
  if (act && act(event) !== false) event.preventDefault();
});

for (const [code, href] of [["KeyC", "/chat"], ["KeyR", "/review"], ["KeyK", "/knowledge"]]) {
  if (document.querySelector(`.tabs a[href="${href}"]`)) onKey(`g ${code}`, () => location.assign(href));
}
onKey("KeyN", () => location.assign("/chat"));
const showKeys = () => document.getElementById("keys")?.showModal();
onKey("shift+Slash", showKeys);
document.querySelector("[data-keys]")?.addEventListener("click", showKeys);

// ── menus close when something else is pressed ──

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
onEscape(() => {
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return false;
  menu.open = false;
  menu.querySelector("summary").focus();
  return true;
});

// ── the source pane ──

const pane = document.getElementById("pane");
let opener = null;

/** Open a source beside the text that names it, at the marked passage. */
export async function openSource(button, url) {
  let response;
  try {
    response = await fetch(url, { headers: { "HX-Request": "true" } });
  } catch {
    toast(body.dataset.failed);
    return;
  }
  if (!response.ok) {
    toast(await response.text());
    return;
  }
  pane.innerHTML = await response.text(); // a fragment of our own, escaped by the server
  pane.hidden = false;
  document.querySelectorAll(".cite.is-open").forEach((open) => open.classList.remove("is-open"));
  button.classList.add("is-open");
  opener = button;
  const text = pane.querySelector(".pane-text");
  const mark = pane.querySelector(".marked");
  text.scrollTop = Math.max(0, mark.offsetTop - text.clientHeight / 4);
  pane.querySelector("h2").focus({ preventScroll: true });
}

/** Close the source pane; return whether it was open. */
export function closePane() {
  if (!pane || pane.hidden) return false;
  pane.hidden = true;
  pane.replaceChildren();
  opener?.classList.remove("is-open");
  opener?.focus();
  return true;
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close-pane]")) closePane();
});
onEscape(closePane);

// ── files dropped anywhere on the page ──

/** Show where files may be dropped while some are dragged over the page, and hand over those that are. */
export function onDrop(target, take) {
  let depth = 0;
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (isShown) => { target.hidden = !isShown; };
  addEventListener("dragenter", (event) => { if (hasFiles(event)) { depth += 1; show(true); } });
  addEventListener("dragleave", (event) => { if (hasFiles(event)) { depth = Math.max(0, depth - 1); show(depth > 0); } });
  addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    take(event.dataTransfer.files);
  });
}

// ── htmx: say what failed; the form keeps what was typed ──

document.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  if (status === 401) banner.textContent = body.dataset.signedOut, banner.hidden = false;
  else if (status !== 422) toast(responseText || body.dataset.failed);
});
document.addEventListener("htmx:sendError", () => toast(body.dataset.failed));
addEventListener("offline", () => connected(false));
addEventListener("online", () => connected(true));
