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
    for (const zone of root.querySelectorAll("[data-zone-offset]")) {
      zone.value = String(-new Date().getTimezoneOffset());
    }
  }

  function live(state) {
    const shown = document.getElementById("live-state");
    if (!shown || shown.dataset.state === state) return;
    shown.dataset.state = state;
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

  // The stream tries again ever more rarely; this one asks steadily, and reads the page anew when all is well.
  let asking = 0;
  function comeBack() {
    if (asking) return;
    asking = setInterval(async () => {
      const shown = document.getElementById("live-state");
      if (!shown || (shown.dataset.state === "on" && !missed)) {
        clearInterval(asking);
        asking = 0;
        return;
      }
      const ready = await fetch("/readyz", { cache: "no-store" }).catch(() => null);
      const typing = document.activeElement?.matches("input, select, textarea") && document.activeElement.value;
      if (ready?.ok && (shown.dataset.state !== "on" || missed) && !typing) location.reload();
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
