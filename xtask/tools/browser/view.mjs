// view.mjs ORIGIN FOLDER KEYS enrol CODE | approve CASE CASE CASE CASE CASE: people at the view of a real vault. Each line `ok ..` was seen.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { axe, everyLook, open, shots, sticksOut, withPasskey } from "./look.mjs";

const [origin, folder, keys, what, ...words] = process.argv.slice(2);
const saw = (text) => console.log(`ok view: ${text}`);
const keyFile = (name) => join(keys, `${name}-phone.passkeys.json`);

// Looks at the same address in a tab of its own: looking goes through the debugger, which would take the authenticator away.
async function looksWell({ browser, page: seen }, name) {
  const page = await browser.page();
  await page.goto(seen.url());
  await everyLook(page, async (theme, { width }) => {
    assert.deepEqual(await axe(page), [], `${name} ${theme} ${width}`);
    assert.deepEqual(await sticksOut(page), [], `${name} ${theme} ${width}`);
  });
  await shots(page, `view-${name}`, folder);
  await page.close();
}

async function enrol(name, code) {
  const browser = await open();
  const page = await browser.page();
  const { session, authenticatorId } = await withPasskey(page);
  await page.goto(`${origin}/passkeys/new`);
  if (name === "ann") await looksWell({ browser, page }, "code");
  await page.fill("#code", "00000000000000000000000000000000");
  await page.fill("#credential", `${name}-phone`);
  await page.click("main button");
  await page.getByText("that is not the code").first().waitFor();
  await page.goto(`${origin}/passkeys/new`);
  await page.fill("#code", code);
  await page.fill("#credential", `${name}-phone`);
  await page.click("main button");
  await page.click("text=Make the passkey");
  await page.click("text=Use it once");
  await page.getByText("The passkey is made").first().waitFor();
  const { credentials } = await session.send("WebAuthn.getCredentials", { authenticatorId });
  assert.equal(credentials.length, 1);
  writeFileSync(keyFile(name), JSON.stringify(credentials), { mode: 0o600 });
  await browser.close();
  saw(`${name} makes a passkey with the code and uses it once, and not with another code`);
}

// Somebody with the passkey of before, in a browser of their own. The counter goes on from where it was, or from `count`.
async function person(name, count) {
  const browser = await open();
  const page = await browser.page();
  const { session, authenticatorId } = await withPasskey(page);
  for (const credential of JSON.parse(readFileSync(keyFile(name), "utf8"))) {
    const signCount = count ?? credential.signCount;
    await session.send("WebAuthn.addCredential", { authenticatorId, credential: { ...credential, signCount } });
  }
  const keep = async () => {
    const { credentials } = await session.send("WebAuthn.getCredentials", { authenticatorId });
    writeFileSync(keyFile(name), JSON.stringify(credentials), { mode: 0o600 });
  };
  return { browser, page, keep };
}

async function signIn(page) {
  await page.goto(origin);
  await page.click("text=Sign in with your passkey");
  await page.getByText("What waits for you").first().waitFor();
}

const same = '[data-recompute-result]:not([data-recompute-result=""])';

async function approves(name, found) {
  const { browser, page, keep } = await person(name);
  await signIn(page);
  if (name === "ann") await looksWell({ browser, page }, "home");
  await page.goto(`${origin}/cases/${found}`);
  await page.waitForSelector(same);
  if (name === "ann") await looksWell({ browser, page }, "case");
  await page.click("text=Approve with your passkey");
  await page.getByText(new RegExp(`${name}: approve`)).first().waitFor();
  assert.deepEqual(page.troubles, []);
  await keep();
  await browser.close();
  saw(`${name} signs in, reads the case, and approves it with a passkey`);
}

// Two browsers of one person: the first sees both and ends the second, which finds itself signed out.
async function sessions() {
  const [here, there] = [await person("ann"), await person("bo")];
  await signIn(there.page);
  await there.keep();
  await signIn(here.page);
  await here.keep();
  const again = await person("ann");
  await signIn(again.page);
  await again.keep();
  await here.page.click("text=Signed in");
  await here.page.getByText("Where you are signed in").first().waitFor();
  assert.equal(await here.page.locator("tbody tr").count(), 2, "both of ann's, and not bo's");
  await looksWell(here, "sessions");
  await here.page.click("text=End it");
  await here.page.getByText("this one").first().waitFor();
  assert.equal(await here.page.locator("tbody tr").count(), 1);
  assert.equal((await again.page.goto(`${origin}/sessions`)).status(), 401, "the other is signed out");
  assert.equal((await there.page.goto(`${origin}/sessions`)).status(), 200, "bo is not");
  await here.page.click("text=End this one");
  await here.page.getByText("Sign in with your passkey").first().waitFor();
  for (const { browser } of [here, there, again]) await browser.close();
  saw("a person sees where they are signed in, ends one session and then the own one, and nobody else's");
}

// A page of somebody else, on this machine and so under the same relying party, has the passkey sign the very challenge.
async function lookAlike(found) {
  const { browser, page, keep } = await person("ann");
  await signIn(page);
  await page.goto(`${origin}/cases/${found}`);
  await page.waitForSelector(same);
  const form = await page.locator('form[data-passkey="get"]').first().evaluate((each) => ({ ...each.dataset }));
  const server = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<title>Quorate</title>"));
  await new Promise((done) => server.listen(0, "localhost", done));
  const thief = await browser.context.newPage();
  const { session, authenticatorId } = await withPasskey(thief);
  for (const credential of JSON.parse(readFileSync(keyFile("ann"), "utf8"))) {
    await session.send("WebAuthn.addCredential", { authenticatorId, credential });
  }
  await thief.goto(`http://localhost:${server.address().port}/`);
  const stolen = await thief.evaluate(async ({ challenge, rpId, allow }) => {
    const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const { rawId, response } = await navigator.credentials.get({ publicKey: {
      challenge: bytes(challenge), rpId, userVerification: "required",
      allowCredentials: allow.split(" ").map((id) => ({ type: "public-key", id: bytes(id) })),
    } });
    return { credential_id: text(rawId), authenticator_data: text(response.authenticatorData),
      client_data: text(response.clientDataJSON), signature: text(response.signature) };
  }, form);
  await Promise.all([page.waitForNavigation(), page.locator('form[data-passkey="get"]').first().evaluate((each, fields) => {
    for (const [name, value] of Object.entries(fields)) each.elements[name].value = value;
    HTMLFormElement.prototype.submit.call(each);
  }, stolen)]);
  await page.getByText("is another page than the view's own").first().waitFor();
  server.close();
  await keep();
  await page.goto(origin);
  await page.click("text=Sign out");
  await page.getByText("Sign in with your passkey").first().waitFor();
  await browser.close();
  saw("t03 what a passkey signed on a look-alike page is refused, and the page says why");
}

// The passkey as it was before it was used: what a copy of it would be.
async function copied(found) {
  const { browser, page } = await person("ann", 0);
  await signIn(page);
  await page.goto(`${origin}/cases/${found}`);
  await page.waitForSelector(same);
  await page.click("text=Approve with your passkey");
  await page.getByText("it may have been copied").first().waitFor();
  await browser.close();
  saw("a passkey that counts back is refused as a copy");
}

// What a change of policy makes possible is asked here, of the policy in the view's own copy of the book.
async function readsPolicy(found) {
  const { browser, page, keep } = await person("ann");
  await signIn(page);
  await page.goto(`${origin}/cases/${found}`);
  await page.waitForSelector(same);
  const text = await page.locator("main").innerText();
  assert.match(text, /removes rule `people-need-treasury`: Asks for quorum `treasury` before any person may transfer/);
  assert.match(text, /newly allows\s+any person: transfer/i);
  assert.match(text, /questions were put to both policies/);
  await looksWell({ browser, page }, "policy");
  await keep();
  await browser.close();
  saw("a change of policy is told in words, with what it newly allows");
}

// A node of the view's own tries the payment. An honest token changes what the words say, and one that takes more is warned of.
async function simulates(honest, greedy) {
  const { browser, page, keep } = await person("bo");
  await signIn(page);
  await page.goto(`${origin}/cases/${honest}`);
  await page.waitForSelector(same);
  let text = await page.locator("main").innerText();
  assert.match(text, /What a simulation shows/i);
  assert.match(text, /no difference from what the transfer says/);
  assert.match(text, /the wallet 0x[0-9a-fA-F]{40}: -25 DEMO/);
  assert.match(text, /the recipient 0x0{38}(bb|bB|Bb|BB): \+25 DEMO/);
  assert.match(text, /advice/);
  assert.doesNotMatch(await page.locator("body").innerText(), /simulation: /, "nothing to warn of");
  await looksWell({ browser, page }, "simulated");
  await page.goto(`${origin}/cases/${greedy}`);
  await page.waitForSelector(same);
  text = await page.locator("body").innerText();
  for (const part of [/simulation: somebody else receives: 0x/, /simulation: it lets somebody take more: 0x/,
    /simulation: the wallet's balance changes by -50 GREED/, /simulation: by the token's own books the wallet .* -52\.5 GREED/]) {
    assert.match(text, part);
  }
  await looksWell({ browser, page }, "simulated-greedy");
  await keep();
  await browser.close();
  saw("what a node of the view's own thinks would change is shown, and a token that takes more than it says is warned of");
}

async function refusals(found) {
  const asks = async (path, init) => (await fetch(origin + path, { redirect: "manual", ...init })).status;
  assert.equal(await asks(`/cases/${found}`), 401, "nobody is signed in");
  assert.equal(await asks("/nowhere"), 404);
  assert.equal(await asks("/sign-in", { method: "POST", body: new URLSearchParams({ ask: "x" }) }), 403, "no Origin");
  assert.equal(await asks("/sign-in", { method: "POST", headers: { origin: "http://evil.example" }, body: "" }), 403);
  const again = { ask: "x", credential_id: "AA", authenticator_data: "AA", client_data: "AA", signature: "AA" };
  assert.equal(await asks("/sign-in", { method: "POST", headers: { origin }, body: new URLSearchParams(again) }), 409, "asked nothing");
  const big = { method: "POST", headers: { origin }, body: new URLSearchParams({ ask: "x".repeat(100_000) }) };
  assert.equal(await asks("/sign-in", big), 413);
  saw("row_47 without a session, an Origin or a question, nothing is answered");
}

if (what === "enrol") {
  for (const name of ["ann", "bo"]) await enrol(name, words[0]);
} else {
  const [first, second, policy, honest, greedy] = words;
  await refusals(first);
  await lookAlike(first);
  await sessions();
  for (const name of ["ann", "bo"]) await approves(name, first);
  await readsPolicy(policy);
  await simulates(honest, greedy);
  await copied(second);
}
