// The review page: sources open beside a vote; choosing "fixable" opens the box for the right answer.

import { openSource } from "./nod.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest(".cite, .fixable");
  const card = button?.closest(".card");
  if (!card) return;
  if (button.matches(".cite")) {
    openSource(button, `/review/${card.dataset.answer}/sources/${button.dataset.n}`);
    return;
  }
  const correct = card.querySelector(".correct");
  const box = correct.querySelector("textarea");
  if (!correct.open || box.value === box.defaultValue) { // nothing was corrected yet: show where to
    event.preventDefault();
    correct.open = true;
    box.focus();
  }
});

// Ctrl+Enter in the box saves the correction.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  const form = event.target.closest?.(".judge");
  form?.querySelector(".fixable").click(); // htmx sends the button that was pressed
});
