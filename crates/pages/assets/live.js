// Brings a page up to date when its server says `changed`, and never beneath the hands of whoever fills it in or signs.
// The page is fetched as a document, so no text passes through a place that makes markup.
"use strict";
(() => {
  // How long a page waits before it connects again.
  const AGAIN_MS = 3000;
  // The path of the stream says what the page that is shown had seen.
  let from = document.body.dataset.live;
  if (!from) return;
  const main = () => document.querySelector("main");
  let waiting = false;
  let again = false;

  const note = (words, offers) => {
    const place = document.querySelector("[data-live-note]");
    place.textContent = words;
    if (!offers) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Reload";
    button.addEventListener("click", () => location.reload());
    place.append(" ", button);
  };

  const isDirty = (field) => {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.tagName !== "SELECT") return field.type !== "hidden" && field.value !== field.defaultValue;
    const options = [...field.options];
    const chosen = options.some((option) => option.defaultSelected);
    // With nothing marked a list shows its first line, and that is no choice of anybody.
    return options.some((o, at) => o.selected !== (chosen || field.multiple ? o.defaultSelected : at === 0));
  };

  // What a person is about to sign does not change beneath their finger.
  const isInUse = () => {
    const fields = [...main().querySelectorAll("input, select, textarea")];
    return main().querySelector("form[data-passkey]") !== null
      || fields.some((field) => field === document.activeElement || isDirty(field));
  };

  const fetched = () => new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    // Nobody asked: a page that keeps itself up to date keeps nobody signed in.
    request.setRequestHeader("Quorate-Live", "1");
    request.onload = () => {
      const isSame = request.responseURL.split("#")[0] === location.href.split("#")[0];
      const page = request.response?.querySelector("main");
      if (request.status === 200 && isSame && page) done(request.response); else fail();
    };
    request.onerror = fail;
    request.send();
  });

  const swap = (page) => {
    const open = new Set([...main().querySelectorAll("details[open] > summary")].map((each) => each.textContent));
    const active = document.activeElement;
    const had = main().contains(active);
    const held = active?.id ?? "";
    main().replaceChildren(...page.querySelector("main").childNodes);
    for (const each of main().querySelectorAll("details > summary")) {
      if (open.has(each.textContent)) each.parentElement.open = true;
    }
    if (had) (document.getElementById(held) ?? main()).focus({ preventScroll: true });
    document.title = page.title;
    from = page.body.dataset.live ?? from;
    note("This page was brought up to date.", false);
    document.dispatchEvent(new Event("quorate:changed"));
  };

  const changed = async () => {
    again = waiting;
    if (waiting) return;
    waiting = true;
    try {
      const page = isInUse() ? null : await fetched();
      // Somebody may have begun while the page was on its way.
      if (page && !isInUse()) swap(page);
      else note("Something has changed since this page was loaded.", true);
    } catch {
      note("Something has changed, and the new page could not be fetched.", true);
    } finally {
      waiting = false;
    }
    if (again) changed();
  };

  const listen = () => {
    const source = new EventSource(from);
    source.addEventListener("changed", changed);
    source.addEventListener("message", (event) => { if (event.data === "changed") changed(); });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) {
        note("This page no longer hears of changes.", true);
        return;
      }
      // It would connect again by itself, and say what the first page had seen.
      source.close();
      setTimeout(listen, AGAIN_MS);
    });
  };

  listen();
})();
