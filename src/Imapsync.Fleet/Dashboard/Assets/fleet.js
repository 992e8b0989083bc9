"use strict";

for (const source of document.querySelectorAll("[data-live-source]")) {
  const stale = document.getElementById("stale");
  const say = text => { stale.textContent = text; stale.hidden = text === ""; };
  const events = new EventSource(source.dataset.liveSource);
  const find = name => new Map([...document.querySelectorAll(`[data-${name}]`)].map(element => [element.dataset[name], element]));
  const parts = find("part");
  let numbers = find("live");
  // The parts of the page to load again, each with the newest version that an event announced.
  const wanted = new Map();
  let isLoading = false;

  // A part that contains the focus is not replaced until the focus has moved elsewhere, so that nobody's input is disturbed.
  const isBusy = part => part !== document.activeElement && part.contains(document.activeElement);
  const load = async () => {
    const isWanted = () => [...wanted].some(([name, version]) => parts.get(name).dataset.version !== version && !isBusy(parts.get(name)));
    if (isLoading || !isWanted()) return;
    isLoading = true;
    const asked = new Map(wanted);
    try {
      const answer = await fetch(location.href);
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of page.querySelectorAll("[data-part]")) {
        const shown = parts.get(part.dataset.part);
        if (!shown || isBusy(shown)) continue;
        shown.replaceChildren(...part.childNodes);
        shown.dataset.version = part.dataset.version;
        // The loaded part is at least as new as the announced version. It is loaded again only if an event during the request announced another version.
        if (wanted.get(part.dataset.part) === asked.get(part.dataset.part)) wanted.delete(part.dataset.part);
      }
      numbers = find("live");
    } catch {
      // The next event causes the next attempt.
    } finally {
      isLoading = false;
    }
  };
  document.addEventListener("focusout", () => setTimeout(load));
  events.onmessage = event => {
    say("");
    for (const [name, text] of Object.entries(JSON.parse(event.data))) {
      if (parts.has(name)) wanted.set(name, text);
      const element = numbers.get(name);
      if (!element) continue;
      if (element.tagName === "PROGRESS") element.value = Number(text);
      else if (element.textContent !== text) element.textContent = text;
      if ("status" in element.dataset) element.dataset.status = text;
    }
    load();
  };
  events.onerror = () => say(events.readyState === EventSource.CLOSED
    ? "These numbers are no longer kept up to date. Load the page again."
    : "The server does not answer; these numbers may be old.");
  // When the user leaves the page, end its event stream at once, so that it occupies no connection.
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

// Files that are too large are not sent, because the server would refuse them.
const files = [...document.querySelectorAll("input[data-most]")];
for (const input of files) {
  input.addEventListener("change", () => {
    const octets = files.reduce((sum, other) => sum + (other.files[0]?.size ?? 0), 0);
    const most = Number(input.dataset.most);
    for (const other of files) other.setCustomValidity("");
    if (octets > most) input.setCustomValidity(`The files have ${Math.ceil(octets / 1048576)} MiB, and ${most / 1048576} MiB may be uploaded. Split the list into several.`);
    input.reportValidity();
  });
}
