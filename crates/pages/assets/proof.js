// Proves in this browser that an entry stands in the ledger: its RFC 6962 inclusion proof up to the checkpoint's root, the log's
// signature on the checkpoint under a key that the person pinned here, and that the ledger only grew since this browser last
// looked. Only textContent and attributes are written: no text becomes markup.
"use strict";
(() => {
  const utf8 = new TextEncoder();
  const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const base64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const same = (a, b) => hex(a) === hex(b);

  const sha = async (...parts) => {
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) { all.set(part, at); at += part.length; }
    return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
  };
  const leaf = (bytes) => sha([0], bytes);
  const node = (left, right) => sha([1], left, right);

  // What is wrong with a claim. Everything else that is thrown is a fault of this script or browser.
  class Refuted extends Error {}
  const need = (holds, words) => { if (!holds) throw new Refuted(words); };
  const half = (n) => Math.floor(n / 2);
  const isOdd = (n) => n % 2 === 1;

  const count = (text) => {
    need(/^(0|[1-9][0-9]{0,15})$/.test(text ?? ""), `${text} is no number of entries`);
    return Number(text);
  };
  const hashes = (text) => (text ?? "").split(" ").filter(Boolean).map((each) => {
    need(/^[0-9a-f]{64}$/.test(each), "the proof holds what is no hash");
    return unhex(each);
  });

  // RFC 9162 section 2.1.3.2.
  const included = async (start, index, size, path) => {
    need(index < size, "the checkpoint does not reach this entry");
    let [fn, sn, root] = [index, size - 1, start];
    for (const hash of path) {
      need(sn !== 0, "the proof is too long");
      if (isOdd(fn) || fn === sn) {
        root = await node(hash, root);
        while (!isOdd(fn) && fn !== 0) { fn = half(fn); sn = half(sn); }
      } else root = await node(root, hash);
      fn = half(fn);
      sn = half(sn);
    }
    need(sn === 0, "the proof is too short");
    return root;
  };

  // RFC 9162 section 2.1.4.2.
  const extended = async (old, oldRoot, size, root, path) => {
    need(old > 0 && old <= size, "the ledger has become shorter than this browser knows it");
    if (old === size) {
      need(same(oldRoot, root), "two ledgers of one size have two roots: the log has forked");
      return;
    }
    const list = Number.isInteger(Math.log2(old)) ? [oldRoot, ...path] : [...path];
    need(list.length > 0, "the proof is too short");
    let [fn, sn] = [old - 1, size - 1];
    while (isOdd(fn)) { fn = half(fn); sn = half(sn); }
    let [before, after] = [list[0], list[0]];
    for (const hash of list.slice(1)) {
      need(sn !== 0, "the proof is too long");
      if (isOdd(fn) || fn === sn) {
        before = await node(hash, before);
        after = await node(hash, after);
        while (!isOdd(fn) && fn !== 0) { fn = half(fn); sn = half(sn); }
      } else after = await node(after, hash);
      fn = half(fn);
      sn = half(sn);
    }
    need(sn === 0 && same(before, oldRoot) && same(after, root), "the ledger was rewritten since this browser last looked");
  };

  // docs/spec/checkpoint.md: three lines, an empty one, signatures.
  const opened = (note) => {
    const end = note.indexOf("\n\n");
    const text = note.slice(0, end + 1);
    const [origin, size, root, ...more] = text.split("\n");
    need(end > 0 && origin && root && more.join("") === "" && more.length === 1, "the checkpoint has another form");
    return { text, origin, size: count(size), root: base64(root), lines: note.slice(end + 2).split("\n").filter(Boolean) };
  };

  // NAME+ID+BASE64, as the line `log` of verify.json.
  const logKey = async (line) => {
    const [name, id, ...rest] = line.trim().split("+");
    let raw;
    try { raw = base64(rest.join("+")); } catch { raw = []; }
    const good = raw.length === 33 && raw[0] === 1 && hex((await sha(utf8.encode(`${name}\n`), raw)).slice(0, 4)) === id;
    return good ? { name, id, raw: raw.slice(1) } : null;
  };

  const signed = async (opened, line) => {
    const key = await logKey(line);
    need(key, "the pinned key has another form");
    need(opened.origin === key.name, `the checkpoint is of another log, ${opened.origin}`);
    const ours = opened.lines.map((each) => /^\u2014 (\S+) (\S+)$/.exec(each)).filter(Boolean)
      .map(([, name, text]) => ({ name, bytes: base64(text) }))
      .filter(({ name, bytes }) => name === key.name && hex(bytes.slice(0, 4)) === key.id);
    need(ours.length === 1 && ours[0].bytes.length === 68, "the checkpoint is not signed once by the pinned key");
    const verifier = await crypto.subtle.importKey("raw", key.raw, { name: "Ed25519" }, false, ["verify"]);
    const good = await crypto.subtle.verify({ name: "Ed25519" }, verifier, ours[0].bytes.slice(4), utf8.encode(opened.text));
    need(good, "the checkpoint was not signed by the pinned key");
  };

  const memory = (place) => {
    const name = `quorate.log.${place.dataset.vault}`;
    let known = {};
    try { known = JSON.parse(localStorage.getItem(name) ?? "{}"); } catch { /* what cannot be read is not known */ }
    const keep = (more) => localStorage.setItem(name, JSON.stringify({ ...known, ...more }));
    return { ...known, keep };
  };

  const line = (list, tone, words) => {
    const item = document.createElement("li");
    item.className = `alert ${tone}`;
    item.textContent = words;
    list.append(item);
  };

  const grew = async (place, { size, root }, known) => {
    if (!known.size || !known.root) return `This browser sees the ledger for the first time, at ${size} entries, and remembers it.`;
    let path = [];
    if (known.size < size) {
      const answer = await fetch(`${place.dataset.extends}?from=${known.size}&to=${size}`, { headers: { accept: "application/json" } });
      need(answer.ok, `no proof came that the ledger only grew since ${known.size} entries`);
      path = hashes((await answer.json()).hashes?.join(" "));
    }
    // An older page is compared the other way round.
    if (known.size > size) {
      const answer = await fetch(`${place.dataset.extends}?from=${size}&to=${known.size}`, { headers: { accept: "application/json" } });
      need(answer.ok, "the ledger is shorter than this browser knows it, and no proof came that it is a part");
      await extended(size, root, known.size, unhex(known.root), hashes((await answer.json()).hashes?.join(" ")));
    } else await extended(known.size, unhex(known.root), size, root, path);
    return `Nothing was taken away or changed: the ledger of ${size} entries goes on from the ${known.size} that this browser knew.`;
  };

  const ask = (place, shown) => {
    const box = place.querySelector("[data-proof-pin]");
    box.hidden = false;
    const field = box.querySelector("input");
    const pin = async (text) => {
      const key = await logKey(text);
      field.setCustomValidity(key ? "" : "This is no log key. Paste the line `log` of verify.json, without its quotes.");
      if (!key) { field.reportValidity(); return; }
      // Another log is another history.
      localStorage.setItem(`quorate.log.${place.dataset.vault}`, JSON.stringify({ key: text.trim() }));
      box.hidden = true;
      look(place);
    };
    box.querySelector("[data-proof-same]").onclick = () => pin(shown);
    box.querySelector("[data-proof-typed]").onclick = () => pin(field.value);
    field.oninput = () => field.setCustomValidity("");
  };

  const check = async (place, list) => {
    const data = place.dataset;
    const head = opened(place.querySelector("[data-proof-note]").textContent);
    if (data.index !== undefined) {
      const entry = document.querySelector("[data-recompute]").textContent;
      const root = await included(await leaf(utf8.encode(entry)), count(data.index), head.size, hashes(data.hashes));
      need(same(root, head.root), "the proof does not lead to the root of the checkpoint: the ledger does not hold this entry here");
      line(list, "good", `Entry ${data.index} stands in the ledger of ${head.size} entries: its proof leads to the root of the checkpoint.`);
    }
    const known = memory(place);
    if (!known.key) {
      line(list, "warn", "Who signed the checkpoint is not known here yet: pin the log's key below.");
      ask(place, data.log);
      return "unpinned";
    }
    need(known.key === data.log, "the desk names another log key than the one that you pinned; do not go on before its operator explains it");
    await signed(head, known.key);
    line(list, "good", "The checkpoint was signed by the log key that you pinned in this browser.");
    line(list, "good", await grew(place, head, known));
    if (!(known.size > head.size)) known.keep({ size: head.size, root: hex(head.root) });
    return "proven";
  };

  const look = async (place) => {
    const list = place.querySelector("[data-proof-results]");
    list.replaceChildren();
    let result;
    try {
      if (!crypto.subtle) throw new Error("open the page on localhost");
      result = await check(place, list);
    } catch (error) {
      const isRefuted = error instanceof Refuted;
      result = isRefuted ? "refuted" : "unknown";
      line(list, "bad", isRefuted
        ? `Refuted: ${error.message}. Do not rely on this page; verify with quorate-verify and tell your operator.`
        : `This browser could not check it (${error.message}). Verify with quorate-verify.`);
    }
    place.dataset.proofResult = result;
  };

  const all = () => document.querySelectorAll("[data-proof]").forEach((place) => look(place));
  document.addEventListener("quorate:changed", all);
  all();
})();
