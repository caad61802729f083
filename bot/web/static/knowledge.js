// The knowledge page: files too large are refused before they travel.

import { onDrop, toast } from "./nod.js";

const MOST_FILE_BYTES = 25 * 1024 * 1024;
const learn = document.getElementById("learn");

learn?.addEventListener("htmx:confirm", (event) => {
  const input = learn.querySelector("input[type=file]");
  const large = [...input.files].find((file) => file.size > MOST_FILE_BYTES);
  if (!input.files.length || large) event.preventDefault();
  if (large) toast(`${large.name}: ${learn.dataset.tooLarge}`);
});
learn?.addEventListener("htmx:afterRequest", () => { learn.querySelector("input[type=file]").value = ""; });

const drop = document.getElementById("drop");
if (drop) {
  onDrop(drop, (files) => {
    const input = learn.querySelector("input[type=file]");
    input.files = files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
