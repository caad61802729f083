// The chat: ask, watch the answer grow, open a source, vote, stop, undo.

import { closePane, connected, isTyping, onDrop, onEscape, onKey, openSource, post, say, toast } from "./nod.js";

const $ = (selector, root = document) => root.querySelector(selector);
const composer = $("#composer"), text = $("#text"), turns = $("#turns"), scroll = $("#scroll"), chips = $("#chips");
const sendButton = $("#send"), stopButton = $("#stop"), side = $("#side");
const words = composer.dataset;
const conversation = words.conversation;
const MOST_FILE_BYTES = 25 * 1024 * 1024;

// ── staying at the end while it grows, unless somebody reads further up ──

let isAtEnd = true;
scroll.addEventListener("scroll", () => { isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80; });
const toEnd = (isForced) => { if (isForced || isAtEnd) scroll.scrollTop = scroll.scrollHeight; };

// ── asking ──

let questionId = crypto.randomUUID(); // names the question: sent twice it is asked once
let isSending = false;
const uploading = new Set(); // files on their way

const draftKey = `nod-draft-${location.pathname}`;
text.value = sessionStorage.getItem(draftKey) ?? "";

function fit() {
  if (!CSS.supports("field-sizing", "content")) {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  }
  sendButton.disabled = isSending || !text.value.trim();
  sessionStorage.setItem(draftKey, text.value);
}

/** Show what was asked at once; the server's own turn takes its place. */
function ownLine(asked) {
  $("#empty")?.remove();
  const turn = document.createElement("article");
  turn.className = "turn";
  turn.dataset.live = "";
  turn.dataset.own = questionId;
  turn.setAttribute("aria-busy", "true");
  const said = document.createElement("div");
  said.className = "asked";
  said.append(line(words.me), Object.assign(document.createElement("p"), { className: "question", textContent: asked }));
  const answered = document.createElement("div");
  answered.className = "answered";
  const who = line("nod");
  who.append(Object.assign(document.createElement("span"), { className: "note", textContent: words.looking }));
  answered.append(who);
  turn.append(said, answered);
  turns.append(turn);
  say(words.looking);
  toEnd(true);
  return turn;
}

function line(name) {
  const who = Object.assign(document.createElement("p"), { className: "who" });
  who.append(Object.assign(document.createElement("b"), { textContent: name }), " ");
  return who;
}

async function send() {
  const asked = text.value.trim();
  if (!asked || isSending) return;
  isSending = true;
  const turn = ownLine(asked);
  text.value = "";
  fit();
  const form = new FormData();
  form.set("text", asked);
  form.set("message_id", questionId);
  try {
    if (uploading.size) {
      $(".note", turn).textContent = words.waitingFiles;
      await Promise.all(uploading); // reading them is the answer's business
    }
    for (const chip of chips.children) if (chip.dataset.document) form.append("file", chip.dataset.document);
    const response = await post(composer.action, form);
    if (!response.ok) throw new Error(await response.text());
    const [added] = put(await response.text(), turn);
    chips.replaceChildren();
    questionId = crypto.randomUUID();
    follow(added);
    began(asked);
    done();
  } catch (error) {
    turn.remove();
    text.value = text.value ? `${asked}\n${text.value}` : asked;
    toast(error instanceof TypeError ? document.body.dataset.failed : error.message);
  } finally {
    isSending = false;
    fit();
    toEnd(true);
  }
}

/** Put the server's turns in the place of an element (or at the end) and wake htmx in them. */
function put(html, place) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const added = [...holder.content.children];
  if (place) place.replaceWith(...added);
  else turns.append(...added);
  added.forEach((element) => window.htmx.process(element));
  return added;
}

/** Something on the list of first steps may be done now. */
const done = () => document.body.dispatchEvent(new Event("nod-done"));

/** The first question made a conversation: it has an address and a line in the list. */
function began(asked) {
  if (location.pathname.endsWith(conversation)) return refreshList();
  sessionStorage.removeItem(draftKey);
  history.replaceState(null, "", `/chat/${conversation}`);
  $("#title").textContent = asked;
  document.title = `${asked.slice(0, 60)} · nod`;
  return refreshList();
}

async function refreshList() {
  await window.htmx.ajax("GET", "/chat/list", { target: "#conversations", swap: "outerHTML" });
  $(`#conversations a[data-conversation="${conversation}"]`)?.setAttribute("aria-current", "page");
}

composer.addEventListener("submit", (event) => { event.preventDefault(); send(); });
text.addEventListener("input", fit);

// Enter. While a syllable is being composed, the key belongs to the input method: if it lets Enter through it says so by a second
// keydown or by a line break about to be inserted (both never happen for one press), and that one sends.
let isShift = false;
text.addEventListener("keydown", (event) => {
  isShift = event.shiftKey;
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  send();
});
text.addEventListener("beforeinput", (event) => {
  if (event.inputType !== "insertLineBreak" && event.inputType !== "insertParagraph") return;
  if (isShift) return;
  event.preventDefault();
  setTimeout(send); // after the syllable is in the box
});

for (const button of document.querySelectorAll("[data-ask]")) {
  button.addEventListener("click", () => { text.value = button.textContent; send(); });
}

// ── the answer as it grows ──

const streams = new Map();

function follow(turn) {
  if (!turn?.hasAttribute("data-live") || streams.has(turn.dataset.answer)) return showStop();
  const id = turn.dataset.answer;
  const stream = new EventSource(`/chat/answers/${id}/live`);
  streams.set(id, stream);
  stream.addEventListener("open", () => connected(true));
  stream.addEventListener("step", (event) => {
    $("[data-note]", document.getElementById(`a-${id}`)).textContent = JSON.parse(event.data).note;
  });
  stream.addEventListener("grew", (event) => {
    const { html, note } = JSON.parse(event.data);
    const now = document.getElementById(`a-${id}`);
    $("[data-note]", now).textContent = note;
    $("[data-text]", now).innerHTML = html; // made harmless by the server
    toEnd();
  });
  stream.addEventListener("end", (event) => {
    const { html, said } = JSON.parse(event.data);
    stream.close();
    streams.delete(id);
    put(html, document.getElementById(`a-${id}`));
    say(said);
    showStop();
    if (!streams.size) $(`#conversations a[data-conversation="${conversation}"] .pulse`)?.remove();
    toEnd();
  });
  stream.addEventListener("error", () => {
    connected(false);
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => again(id), 2000); // refused, as by a restarting server
  });
  return showStop();
}

async function again(id) {
  streams.delete(id);
  try {
    const response = await fetch(`/chat/answers/${id}`, { headers: { "HX-Request": "true" } });
    if (!response.ok) return;
    connected(true);
    follow(put(await response.text(), document.getElementById(`a-${id}`))[0]);
  } catch {
    setTimeout(() => again(id), 2000);
  }
}

function showStop() {
  stopButton.hidden = streams.size === 0;
}

function stop() {
  if (!streams.size) return false;
  for (const id of streams.keys()) post(`/chat/answers/${id}/stop`, new FormData()).catch(() => toast(document.body.dataset.failed));
  return true;
}

stopButton.addEventListener("click", stop);
onEscape((event) => !(isTyping(event.target) && event.target !== text) && stop());

document.querySelectorAll(".turn[data-live]").forEach(follow);
if (turns.children.length) toEnd(true);

// ── what can be done with an answer ──

const turnOf = (element) => element?.closest(".turn");
const current = () => turnOf(document.activeElement) ?? [...document.querySelectorAll(".turn:not([data-live])")].at(-1);

document.addEventListener("click", (event) => {
  const button = event.target.closest("button, summary");
  const turn = turnOf(button);
  if (button?.matches("[data-open-side]")) side.classList.add("is-open"), $("#find").focus();
  else if (button?.matches("[data-close-side]")) closeSide();
  else if (button?.matches("[data-delete-conversation]")) deleteConversation();
  else if (button?.matches("[data-drop-chip]")) button.closest(".chip").remove();
  else if (!turn) return;
  else if (button.matches(".cite")) openSource(button, `/chat/answers/${turn.dataset.answer}/sources/${button.dataset.n}`);
  else if (button.matches("[data-again]")) anotherAnswer(turn, button);
  else if (button.matches("[data-copy]")) copy(button);
  else if (button.matches("[data-delete]")) deleteTurn(turn);
});

async function anotherAnswer(turn, button) {
  button.disabled = true;
  try {
    const response = await post(`/chat/answers/${turn.dataset.answer}/again`, new FormData());
    const html = await response.text();
    if (!response.ok) throw new Error(html);
    if (!html) return;
    turn.remove();
    follow(put(html, null)[0]);
    say(words.looking);
    toEnd(true);
  } catch (error) {
    toast(error instanceof TypeError ? document.body.dataset.failed : error.message);
  } finally {
    button.disabled = false;
  }
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.words);
  } catch { // no clipboard without https: the old way
    const box = Object.assign(document.createElement("textarea"), { value: button.dataset.words });
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  toast(words.copied, "", null, 2);
}

async function deleteTurn(turn) {
  const response = await post(`/chat/answers/${turn.dataset.answer}/delete`, new FormData()).catch(() => null);
  if (!response?.ok) return toast(response ? await response.text() : document.body.dataset.failed);
  streams.get(turn.dataset.answer)?.close();
  streams.delete(turn.dataset.answer);
  showStop();
  return put(await response.text(), turn)[0].querySelector("button").focus();
}

async function deleteConversation() {
  const response = await post(`/chat/${conversation}/delete`, new FormData()).catch(() => null);
  if (!response?.ok) return toast(response ? await response.text() : document.body.dataset.failed);
  streams.forEach((stream) => stream.close());
  streams.clear();
  showStop();
  turns.hidden = composer.hidden = true;
  closePane();
  await refreshList();
  return toast(words.deleted, words.undo, async () => {
    await post(`/chat/${conversation}/restore`, new FormData());
    location.reload();
  }, 30);
}

function closeSide() {
  const wasOpen = side.classList.contains("is-open");
  side.classList.remove("is-open");
  if (wasOpen) $("[data-open-side]").focus();
  return wasOpen;
}

onEscape(closeSide);

const press = (selector) => () => {
  const turn = current();
  const button = turn && $(selector, turn);
  button?.focus({ preventScroll: true }); // as a mouse would: what Enter means next depends on where the keyboard is
  button?.click();
};
for (const code of ["shift+Equal", "Equal", "NumpadAdd"]) onKey(code, press(".thumb.up"));
for (const code of ["Minus", "NumpadSubtract"]) onKey(code, press(".thumb.down"));
onKey("KeyA", press("[data-again]"));
onKey("KeyC", press("[data-copy]"));
onKey("KeyS", press(".steps > summary"));
onKey("Slash", () => { side.classList.add("is-open"); $("#find").focus(); });
for (let n = 1; n <= 7; n += 1) {
  for (const code of [`Digit${n}`, `Numpad${n}`]) onKey(code, () => [...document.querySelectorAll("details[open] > .why")].at(-1)?.querySelectorAll(".reason input")[n - 1]?.click());
}
onKey("Enter", (event) => {
  const form = [...document.querySelectorAll("details[open] > .why")].at(-1);
  if (!form || event.target.closest("button:not(.thumb), a, summary")) return false; // theirs
  return sendReasons(form);
});

function sendReasons(form) {
  window.htmx.process(form); // it takes a moment to wake what it has just put there; unawakened, the form would load the page anew
  form.requestSubmit();
}

// In the box for the right answer Enter sends too, as in the box to ask in.
document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.(".why");
  if (!form || event.defaultPrevented || event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229 || event.target.matches("button")) return;
  event.preventDefault();
  sendReasons(form);
});

// After a vote the keyboard goes on where it was.
document.addEventListener("htmx:afterSettle", (event) => {
  const foot = event.detail.elt;
  if (!foot.matches?.(".foot")) return;
  foot.scrollIntoView({ block: "nearest" });
  done();
  const why = $("details[open] .why", foot);
  if (why) say($("legend", why).textContent);
  if (document.activeElement === document.body) ($(".thumb[aria-pressed=true]", foot) ?? $(".thumb", foot))?.focus({ preventScroll: true });
});

// ── files ──


function upload(file) {
  const sending = uploaded(file).finally(() => uploading.delete(sending));
  uploading.add(sending);
}

async function uploaded(file) {
  const chip = Object.assign(document.createElement("div"), { className: "chip" });
  chip.dataset.state = "uploading";
  chip.append(
    Object.assign(document.createElement("span"), { className: "name", textContent: file.name }),
    Object.assign(document.createElement("span"), { className: "state", textContent: words.uploading }),
  );
  if (file.size > MOST_FILE_BYTES) return toast(`${file.name}: ${words.tooLarge}`);
  chips.append(chip);
  const form = new FormData();
  form.set("file", file);
  try {
    const response = await post(`/chat/${conversation}/files`, form);
    const html = await response.text();
    if (!response.ok) throw new Error(html);
    return put(html, chip);
  } catch (error) {
    chip.remove();
    return toast(`${file.name}: ${error instanceof TypeError ? document.body.dataset.failed : error.message}`);
  }
}

$("#file").addEventListener("change", (event) => {
  for (const file of event.target.files) upload(file);
  event.target.value = "";
  text.focus();
});

onDrop($("#drop"), (files) => {
  for (const file of files) upload(file);
  text.focus();
});
text.addEventListener("paste", (event) => {
  for (const file of event.clipboardData?.files ?? []) upload(file);
});

fit();
