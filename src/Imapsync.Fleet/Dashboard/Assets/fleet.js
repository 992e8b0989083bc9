"use strict";

for (const source of document.querySelectorAll("[data-live-source]")) {
  const stale = document.getElementById("stale");
  const say = text => { stale.textContent = text; stale.hidden = text === ""; };
  const events = new EventSource(source.dataset.liveSource);
  const shown = new Map();
  for (const element of document.querySelectorAll("[data-live]")) shown.set(element.dataset.live, element);
  events.onmessage = event => {
    say("");
    for (const [name, text] of Object.entries(JSON.parse(event.data))) {
      const element = shown.get(name);
      if (!element) continue;
      if (element.tagName === "PROGRESS") element.value = Number(text);
      else if (element.textContent !== text) element.textContent = text;
      if ("status" in element.dataset) element.dataset.status = text;
    }
  };
  events.onerror = () => say(events.readyState === EventSource.CLOSED
    ? "These numbers are no longer kept up to date. Load the page again."
    : "The server does not answer; these numbers may be old.");
  // A page that is left ends its events at once, so that it holds no connection.
  addEventListener("pagehide", () => events.close());
}

const selection = document.getElementById("selection");
const page = document.getElementById("page");
if (selection && page) {
  const all = selection.elements.all;
  const rows = [...selection.querySelectorAll("input[name=ids]")];
  const tell = () => {
    const chosen = rows.filter(row => row.checked).length;
    page.checked = chosen === rows.length;
    page.indeterminate = chosen > 0 && chosen < rows.length;
    document.getElementById("selected").textContent = all.checked || chosen === 0 ? "" : `${chosen} selected`;
  };
  page.hidden = false;
  page.addEventListener("change", () => { for (const row of rows) row.checked = page.checked; });
  selection.addEventListener("change", tell);
  addEventListener("pageshow", tell);
}
