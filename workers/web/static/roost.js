// What htmx leaves to do: local times, the state of the live connection, and saying so when nothing answers.
"use strict";
(() => {
  const words = document.body.dataset;
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

  function localTimes(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.valueOf())) time.textContent = format.format(at);
    }
    zonesOfTimes();
  }

  // What is filled in is the reader's own time, with the clock of that day: half of the year it is another one than today's.
  function zonesOfTimes() {
    for (const zone of document.querySelectorAll("[data-zone-of]")) {
      const given = zone.form.elements[zone.dataset.zoneOf].value;
      zone.value = String(-(given ? new Date(given) : new Date()).getTimezoneOffset());
    }
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("[type=datetime-local]")) zonesOfTimes();
  });

  function live(state) {
    const shown = document.getElementById("live-state");
    if (!shown || shown.dataset.state === state) return;
    shown.dataset.state = state;
    if (state === "on") shown.dataset.wasOn = "yes";
    shown.hidden = false;
    shown.querySelector(".words").textContent = { on: words.live, off: words.lost, trouble: words.trouble }[state];
  }

  function offline(text) {
    const shown = document.getElementById("offline");
    shown.textContent = text;
    shown.hidden = !text;
  }

  const progress = document.getElementById("progress");
  let waiting = 0;
  const byItself = (event) => event.detail.elt.getAttribute("hx-trigger")?.startsWith("sse:");
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (byItself(event)) return;
    waiting += 1;
    offline("");
    progress.classList.add("on");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (byItself(event)) return;
    waiting = Math.max(0, waiting - 1);
    if (!waiting) progress.classList.remove("on");
  });
  for (const failed of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failed, () => offline(words.offline));
  }

  document.addEventListener("htmx:load", (event) => localTimes(event.detail.elt));
  document.addEventListener("htmx:oobAfterSwap", (event) => localTimes(event.detail.target.parentNode ?? document));

  const listened = new WeakSet();
  document.addEventListener("htmx:sseOpen", (event) => {
    const source = event.detail.source;
    live("on");
    offline("");
    if (listened.has(source)) return;
    listened.add(source);
    source.addEventListener("trouble", () => live("trouble"));
    source.addEventListener("fine", () => live("on"));
  });
  document.addEventListener("htmx:sseError", () => {
    live("off");
    comeBack();
  });

  // A page that reads itself anew and is answered with an error, or a page to sign in, keeps what it shows: there is nothing to put in its place.
  let missed = false;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const asked = event.detail.requestConfig.elt;
    if (!asked.getAttribute("hx-trigger")?.startsWith("sse:")) return;
    const answer = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
    missed = !answer.querySelector(asked.getAttribute("hx-select"));
    if (!missed) return;
    event.detail.shouldSwap = false;
    live("off");
    comeBack();
  });

  // What somebody has filled in and not sent would be lost with the page. A search is in its address.
  function filledIn() {
    if (document.activeElement?.matches("input, select, textarea") && document.activeElement.value) return true;
    return [...document.querySelectorAll("#page input:not([type=hidden], [type=search])")].some((field) =>
      field.value !== field.defaultValue || field.checked !== field.defaultChecked);
  }

  // The stream tries again ever more rarely; this one asks steadily, and reads the page anew when all is well. A page that was just read, and
  // is given no stream though all is well, would be given none when it is read again: it waits until the stream itself tries.
  let asking = 0;
  function comeBack() {
    if (asking) return;
    const done = () => {
      clearInterval(asking);
      asking = 0;
    };
    let wasAway = false;
    asking = setInterval(async () => {
      const shown = document.getElementById("live-state");
      if (!shown || (shown.dataset.state === "on" && !missed)) return done();
      const ready = await fetch("/readyz", { cache: "no-store" }).catch(() => null);
      if (!ready?.ok) wasAway = true;
      else if (!wasAway && !missed && !shown.dataset.wasOn) done();
      else if ((shown.dataset.state !== "on" || missed) && !filledIn()) location.reload();
    }, 2000);
  }
  // A page that says "not available" looks again by itself.
  if (document.querySelector("[data-come-back]")) {
    const again = setInterval(async () => {
      const ready = await fetch("/readyz", { cache: "no-store" }).catch(() => null);
      if (ready?.ok) {
        clearInterval(again);
        location.replace(document.querySelector("[data-come-back]").dataset.comeBack);
      }
    }, 2000);
  }
  // A page that the browser kept is shown again with forms that were sent: what is sent now is another request, and has another id.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const key of document.querySelectorAll("input[type=hidden][name=key]")) {
      key.value = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
  });
  localTimes(document);
})();
