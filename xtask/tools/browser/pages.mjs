// pages.mjs SITE FOLDER: serves the sample site of `crates/pages` and looks at it. Each line `ok ..` is one thing that was seen.
import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { axe, everyLook, open, shots, sticksOut, withPasskey } from "./look.mjs";

const [site, folder] = [JSON.parse(readFileSync(process.argv[2], "utf8")), process.argv[3]];
const posted = [];
const listening = new Set();
let count = 0;

const server = createServer(async (request, response) => {
  for (const [name, value] of site.headers) response.setHeader(name, value);
  const path = new URL(request.url, "http://localhost").pathname;
  const asset = site.assets[path];
  if (request.method === "POST") {
    let body = "";
    for await (const piece of request) body += piece;
    posted.push({ path, fields: Object.fromEntries(new URLSearchParams(body)) });
    response.writeHead(303, { location: "/" }).end();
  } else if (path === "/events") {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": here\n\n");
    listening.add(response);
    request.on("close", () => listening.delete(response));
  } else if (asset) {
    response.writeHead(200, { "content-type": asset.mime }).end(asset.text);
  } else if (site.pages[path]) {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(site.pages[path].replace("COUNT", `count ${count}`));
  } else {
    response.writeHead(404, { "content-type": "text/plain" }).end("nothing here");
  }
});
await new Promise((done) => server.listen(0, "localhost", done));
const origin = `http://localhost:${server.address().port}`;
const browser = await open();

const tests = {
  async "every page in both themes and sizes: no complaint, no objection of axe, nothing wider than the window"() {
    const page = await browser.page();
    for (const [path, name] of [["/", "overview"], ["/sign", "sign"], ["/wrong", "wrong"], ["/live", "live"]]) {
      await page.goto(origin + path, { waitUntil: "load" });
      if (path !== "/" && path !== "/live") await page.waitForSelector('[data-recompute-result]:not([data-recompute-result=""])');
      await everyLook(page, async (theme, { width }) => {
        const where = `${path} ${theme} ${width}`;
        assert.deepEqual(await axe(page), [], where);
        assert.deepEqual(await sticksOut(page), [], where);
      });
      await shots(page, name, folder);
    }
    assert.deepEqual(page.troubles, []);
    await page.close();
  },

  async "what looks at the pages is not blind: a fault in contrast, width or policy is seen"() {
    const page = await browser.page();
    await page.goto(origin);
    await page.evaluate(() => {
      const faint = document.querySelector("h2");
      faint.style.cssText = "color: #777; background: #888; width: 200vw";
      const script = document.createElement("p");
      script.setAttribute("style", "color: red");
      document.querySelector("main").append(script);
    });
    assert.ok((await axe(page)).some((each) => each.startsWith("color-contrast")));
    assert.notDeepEqual(await sticksOut(page), []);
    assert.ok(page.troubles.some((each) => each.includes("style-src")), String(page.troubles));
    await page.close();
  },

  async "nor is it blind on a narrow phone, where a moment or an amount leaves its card and not yet the window"() {
    for (const leaves of ["tbody time", "tbody .amount", ".facts .amount"]) {
      const page = await browser.page();
      await page.goto(origin);
      await everyLook(page, () => {});
      await page.locator(leaves).first().evaluate((each) => { each.style.cssText = "display: inline-block; width: 107%"; });
      await assert.rejects(everyLook(page, () => {}), ({ message }) => {
        return message.includes("light 320") && message.includes("narrower than what stands in it") && !message.includes("the window");
      }, leaves);
      await page.close();
    }
  },

  async "a page without scripts says so and sends nothing"() {
    const context = await browser.context.browser()?.newContext({ javaScriptEnabled: false });
    if (!context) return "the browser has only one context";
    const page = await context.newPage();
    await page.goto(`${origin}/sign`);
    assert.ok(await page.getByText("A passkey needs the script of this page").first().isVisible());
    assert.equal(await page.locator("button:enabled").count(), 0);
    await context.close();
  },

  async "text from outside neither runs nor turns around"() {
    const page = await browser.page();
    let asked = false;
    page.on("dialog", (dialog) => { asked = true; dialog.dismiss(); });
    await page.goto(origin);
    const text = await page.locator("main").textContent();
    assert.ok(text.includes("<script>alert('memo')</script>") && text.includes("⟨U+202E⟩"));
    assert.ok(!/[\u202a-\u202e\u2066-\u2069]/.test(text) && !asked);
    await page.close();
  },

  async "a right digest is found right, hidden characters included, and opens the form"() {
    const page = await browser.page();
    await page.goto(`${origin}/sign`);
    await page.waitForSelector('[data-recompute-result="same"]');
    assert.ok(await page.locator('form[data-passkey="get"] button').isEnabled());
    assert.equal(await page.locator("[data-without-script]").count(), 0);
    await page.close();
  },

  async "a wrong digest is found wrong and keeps the form shut"() {
    const page = await browser.page();
    await page.goto(`${origin}/wrong`);
    await page.waitForSelector('[data-recompute-result="different"]');
    const form = page.locator('form[data-passkey="get"]');
    assert.ok(await form.locator("button").isDisabled());
    const before = posted.length;
    await form.evaluate((it) => it.requestSubmit());
    await form.locator("[data-passkey-error]").waitFor();
    assert.match(await form.locator("[data-passkey-error]").textContent(), /nothing was sent/);
    assert.equal(posted.length, before);
    await page.close();
  },

  async "without a passkey the form says what to do next"() {
    const page = await browser.page();
    const { session, authenticatorId } = await withPasskey(page);
    await session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await page.goto(`${origin}/sign`);
    const form = page.locator('form[data-passkey="get"]');
    await form.locator("button:enabled").click();
    await form.locator("[data-passkey-error]").waitFor({ timeout: 20_000 });
    assert.match(await form.locator("[data-passkey-error]").textContent(), /try again/);
    assert.ok(await form.locator("button").isEnabled());
    await shots(page, "refused", folder);
    assert.deepEqual(page.troubles, []);
    await page.close();
  },

  async "a passkey is enrolled, and signs what node verifies"() {
    const page = await browser.page();
    await withPasskey(page);
    await page.goto(`${origin}/sign`);
    await page.locator('form[data-passkey="create"] button:enabled').click();
    await page.waitForURL(`${origin}/`);
    await page.goto(`${origin}/sign`);
    await page.locator('form[data-passkey="get"] button:enabled').click();
    await page.waitForURL(`${origin}/`);
    const [created, got] = posted.slice(-2).map((each) => each.fields);
    const bytes = (text) => Buffer.from(text, "base64url");
    assert.deepEqual(Object.keys(created), ["credential_id", "public_key", "authenticator_data", "client_data"]);
    assert.deepEqual(Object.keys(got), ["credential_id", "authenticator_data", "client_data", "signature", "user_handle"]);
    assert.ok(Object.values({ ...created, ...got }).every((text) => /^[A-Za-z0-9_-]*$/.test(text)));
    assert.equal(created.credential_id, got.credential_id);
    assert.deepEqual([...bytes(got.user_handle)], [1, 2, 3, 4]);
    const said = JSON.parse(bytes(got.client_data));
    assert.deepEqual([said.type, said.challenge, said.origin], ["webauthn.get", Buffer.alloc(32, 7).toString("base64url"), origin]);
    const key = createPublicKey({ key: bytes(created.public_key), format: "der", type: "spki" });
    const signed = Buffer.concat([bytes(got.authenticator_data), createHash("sha256").update(bytes(got.client_data)).digest()]);
    assert.ok(verify("sha256", signed, key, bytes(got.signature)));
    // Present and verified: the first and third flag.
    assert.equal(bytes(got.authenticator_data)[32] & 5, 5);
    assert.deepEqual(page.troubles, []);
    await page.close();
  },

  async "a live page brings itself up to date, but not beneath somebody's hands"() {
    const page = await browser.page();
    const tell = (words) => listening.forEach((each) => each.write(words));
    await page.goto(`${origin}/live`);
    while (listening.size === 0) await new Promise((done) => setTimeout(done, 20));
    await page.locator("summary").click();
    count += 1;
    tell("event: changed\ndata: 1\n\n");
    await page.getByText("count 1").waitFor();
    assert.ok(await page.locator("details[open]").count() === 1, "what was open stays open");
    await page.locator("input[name=note]").fill("half a word");
    count += 1;
    tell("data: changed\n\n");
    await page.getByText("Something has changed since").waitFor();
    assert.equal(await page.locator("input[name=note]").inputValue(), "half a word");
    assert.equal(await page.getByText("count 1").count(), 1);
    await shots(page, "changed", folder);
    assert.deepEqual(page.troubles, []);
    await page.close();
  },

  async "no script of the page can make markup of text"() {
    const page = await browser.page();
    await page.goto(origin);
    const tries = await page.evaluate(() => {
      const attempt = (act) => { try { act(); return "done"; } catch (error) { return error.name; } };
      return [
        attempt(() => { document.body.innerHTML = "<b>x</b>"; }),
        attempt(() => trustedTypes.createPolicy("any", { createHTML: (text) => text })),
      ];
    });
    assert.deepEqual(tries, ["TypeError", "TypeError"]);
    await page.close();
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    const skipped = await test();
    console.log(skipped ? `not looked at: ${name} (${skipped})` : `ok ${name}`);
  } catch (error) {
    failed += 1;
    console.error(`FAILED ${name}\n${error.stack}`);
  }
}
await browser.close();
listening.forEach((each) => each.end());
server.close();
process.exit(failed === 0 ? 0 : 1);
