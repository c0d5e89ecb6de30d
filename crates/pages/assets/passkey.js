// Passkeys (WebAuthn Level 3) for forms, and the digest of a text computed again in this browser.
// Only textContent, value and attributes are written: no text becomes markup.
"use strict";
(() => {
  const forms = () => [...document.querySelectorAll("form[data-passkey]")];
  const texts = () => [...document.querySelectorAll("[data-recompute]")];
  const answers = new WeakMap();

  const bytes = (text) =>
    Uint8Array.from(atob((text ?? "").replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const b64u = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer ?? []), (byte) => String.fromCharCode(byte)).join(""))
      .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const keys = (list) =>
    (list ?? "").split(" ").filter(Boolean).map((id) => ({ type: "public-key", id: bytes(id) }));

  // What the browser asks the device for.
  const ask = {
    get: (form) => {
      const { challenge, rpId, allow, timeoutMs } = form.dataset;
      return navigator.credentials.get({
        publicKey: {
          challenge: bytes(challenge), rpId, allowCredentials: keys(allow),
          userVerification: "required", timeout: Number(timeoutMs) || undefined,
        },
      });
    },
    create: (form) => {
      const { challenge, rpId, rpName, userId, userName, exclude, timeoutMs } = form.dataset;
      return navigator.credentials.create({
        publicKey: {
          challenge: bytes(challenge), rp: { id: rpId, name: rpName },
          user: { id: bytes(userId), name: userName, displayName: userName },
          pubKeyCredParams: [{ type: "public-key", alg: -7 }],
          excludeCredentials: keys(exclude), attestation: "none",
          authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
          timeout: Number(timeoutMs) || undefined,
        },
      });
    },
  };

  // What the form takes to the server.
  const fields = {
    get: ({ rawId, response }) => ({
      credential_id: rawId, authenticator_data: response.authenticatorData, client_data: response.clientDataJSON,
      signature: response.signature, user_handle: response.userHandle,
    }),
    create: ({ rawId, response }) => ({
      credential_id: rawId, public_key: response.getPublicKey(),
      authenticator_data: response.getAuthenticatorData(), client_data: response.clientDataJSON,
    }),
  };

  const why = {
    NotAllowedError: "No passkey was used: the question was dismissed, took too long, or this device has no passkey for it. "
      + "Press the button to try again.",
    InvalidStateError: "This device holds a passkey for this seat already. Use that one, or enrol another device.",
    SecurityError: "The passkey belongs to another address than the one this page was opened at. "
      + "Open the page at the address that your operator gave you.",
    NotSupportedError: "This device cannot make the kind of passkey that is needed (ES256). Use another device or a security key.",
    ConstraintError: "This device cannot check who holds it. Set up a screen lock or a PIN, then try again.",
    AbortError: "The question was taken back. Press the button to try again.",
    missing: "This browser offers no passkeys here. Open the page over https or on localhost, in a browser that has passkeys.",
    digest: "The digest was not found to be that of the text above, so nothing was sent. Do not go on; tell your operator.",
  };

  const say = (form, words) => {
    const place = form.querySelector("[data-passkey-error]");
    if (!place) return;
    place.textContent = words;
    place.hidden = words === "";
  };

  const put = (form, name, value) => {
    let input = form.querySelector(`input[name="${name}"]`);
    if (!input) {
      input = document.createElement("input");
      input.type = "hidden";
      input.name = name;
      form.append(input);
    }
    input.value = value;
  };

  // A form that needs the digest waits until every text of the page was found to be the same; with no text it waits for ever.
  const mayGo = (form) => {
    if (!("needsRecompute" in form.dataset)) return true;
    const all = texts();
    return all.length > 0 && all.every((text) => answers.get(text) === "same");
  };

  const refresh = () => {
    for (const form of forms()) {
      form.querySelector("[data-without-script]")?.remove();
      const waits = form.getAttribute("aria-busy") === "true" || !mayGo(form);
      for (const button of form.querySelectorAll("button, input[type=submit]")) button.disabled = waits;
    }
  };

  const busy = (form, is) => {
    form.setAttribute("aria-busy", String(is));
    refresh();
  };

  const send = async (form, submitter) => {
    const kind = form.dataset.passkey;
    say(form, "");
    busy(form, true);
    try {
      if (!window.PublicKeyCredential || !navigator.credentials) throw { name: "missing" };
      const credential = await ask[kind](form);
      for (const [name, value] of Object.entries(fields[kind](credential))) put(form, name, b64u(value));
      if (submitter?.name) put(form, submitter.name, submitter.value);
      HTMLFormElement.prototype.submit.call(form);
    } catch (error) {
      busy(form, false);
      say(form, why[error?.name] ?? `The passkey could not be used (${error?.name ?? "unknown"}). `
        + "Try again; if it stays so, tell your operator that word.");
      submitter?.focus();
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!Object.hasOwn(ask, form.dataset?.passkey ?? "")) return;
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    if (mayGo(form)) send(form, event.submitter);
    else say(form, why.digest);
  });

  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

  const recompute = async (text) => {
    const { recompute: tag, expected } = text.dataset;
    if (!crypto.subtle) return ["unknown", "This browser cannot compute the digest here. Open the page over https or on localhost."];
    const hashed = hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${tag}\n${text.textContent}`)));
    if (expected && hashed === expected.toLowerCase()) {
      return ["same", "Your browser has computed the digest of the text above again. It is the digest shown."];
    }
    return ["different", `The digest shown is not that of the text above. Do not approve; tell your operator. Computed here: ${hashed}`];
  };

  const look = async () => {
    refresh();
    for (const text of texts()) {
      const [answer, words] = await recompute(text);
      answers.set(text, answer);
      const place = text.parentElement.querySelector("[data-recompute-result]");
      if (!place) continue;
      place.textContent = words;
      place.className = answer === "same" ? "alert good" : "alert bad";
      place.dataset.recomputeResult = answer;
    }
    refresh();
  };

  // A page that comes back from the browser's memory is not waiting any more.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) forms().forEach((form) => busy(form, false));
  });
  document.addEventListener("quorate:changed", look);
  look();
})();
