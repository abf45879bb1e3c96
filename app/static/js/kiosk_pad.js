// The pad: keys write into the field beside them; a keyboard that is plugged in writes there as well.

/** Connect the pads of the screen that stands now. */
export function connectPads() {
  for (const form of document.querySelectorAll("[data-pad]")) connect(form);
}

function connect(form) {
  const field = form.querySelector("input.k-typed");
  // The kiosk has keys of its own: the browser's keyboard would cover them.
  field.inputMode = "none";
  form.addEventListener("click", (event) => {
    const { key } = event.target.closest("[data-key]")?.dataset ?? {};
    if (key && field.value.length < field.maxLength) field.value += key;
    if (event.target.closest("[data-clear]")) field.value = field.value.slice(0, -1);
  });
}
