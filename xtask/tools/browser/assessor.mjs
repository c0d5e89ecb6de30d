// assessor.mjs ORIGIN FOLDER CODE NAME: the pages of an auditor's office. Each line `ok ..` is one thing that was seen.
import assert from "node:assert/strict";
import { axe, everyLook, open, shots, sticksOut } from "./look.mjs";

const [origin, folder, code, name] = process.argv.slice(2);
const saw = (text) => console.log(`ok office ${name}: ${text}`);
const browser = await open();
const page = await browser.page();
const asks = async (path, init) => (await fetch(origin + path, { redirect: "manual", ...init }));
// Of each kind of page, so many are looked at.
const KINDS = { "/standards/": 2, "/assessments/": 1, "/controls/": 3, "/audits/": 2, "/marks/": 1 };

// Every page in both themes and sizes, with whatever opens on it open: axe has no objection, and nothing is wider than the window.
async function looksWell(path, called, status = 200) {
  const answer = await page.goto(origin + path, { waitUntil: "load" });
  assert.equal(answer.status(), status, path);
  await page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
  await everyLook(page, async (theme, { width }) => {
    assert.deepEqual(await axe(page), [], `${path} ${theme} ${width}`);
    assert.deepEqual(await sticksOut(page), [], `${path} ${theme} ${width}`);
  });
  await page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = false; }));
  await shots(page, `office-${name}-${called}`, folder);
  for (const time of await page.locator("time").all()) assert.match(await time.textContent(), / UTC$/);
  return page.$$eval("main a", (all) => all.map((each) => each.getAttribute("href")));
}

async function strangers() {
  for (const path of ["/", "/history", "/audits", "/reports", "/controls/x", "/proof?book=a&entry=0&part=entry"]) {
    const answer = await asks(path);
    assert.equal(answer.status, 303, path);
    assert.equal(answer.headers.get("location"), "/sign-in", path);
  }
  assert.equal((await asks("/marks")).status, 200);
  const body = () => new URLSearchParams({ code: "00000000000000000000000000000000" });
  assert.equal((await asks("/sign-in", { method: "POST", body: body() })).status, 403, "no Origin");
  assert.equal((await asks("/sign-in", { method: "POST", headers: { origin: "http://evil.example" }, body: body() })).status, 403);
  assert.equal((await asks("/sign-in", { method: "POST", headers: { origin }, body: body() })).status, 401);
  saw("a stranger sees the register of marks and nothing else");
}

// Nothing of the office needs a script.
async function signIn() {
  await looksWell("/sign-in", "sign-in");
  const session = await browser.context.newCDPSession(page);
  await session.send("Emulation.setScriptExecutionDisabled", { value: true });
  await page.goto(`${origin}/sign-in`);
  await page.fill("[name=code]", code);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await session.send("Emulation.setScriptExecutionDisabled", { value: false });
  await session.detach();
  const again = await asks("/sign-in", { method: "POST", headers: { origin }, body: new URLSearchParams({ code }) });
  assert.equal(again.status, 401);
  saw("the code opens the office once, without a script");
}

async function everyPage() {
  const found = new Set();
  let seen = 0;
  for (const path of ["/", "/history", "/audits", "/reports", "/marks"]) {
    for (const href of await looksWell(path, path.slice(1) || "overview")) found.add(href);
    seen += 1;
  }
  // A gap is told of too, where there is one.
  await page.goto(origin);
  const gap = page.locator("a.tile.bad").first();
  const links = (await gap.count()) ? [await gap.getAttribute("href"), ...found] : [...found];
  for (const [kind, most] of Object.entries(KINDS)) {
    const some = [...new Set(links)].filter((href) => href.startsWith(kind) && !href.endsWith("/file"));
    for (const [number, href] of some.slice(0, most).entries()) {
      for (const more of await looksWell(href, `${kind.replaceAll("/", "")}-${number}`)) found.add(more);
      seen += 1;
    }
  }
  await looksWell("/nowhere", "nowhere", 404);
  assert.deepEqual(page.troubles.filter((each) => !each.includes("404")), []);
  saw(`${seen} pages are calm in both themes and sizes, and axe has no objection`);
  return found;
}

// What is fetched is kept, and never shown as a page of this origin.
async function files(found) {
  const proofs = [...found].filter((href) => href.startsWith("/proof")).slice(0, 2);
  const reports = [...found].filter((href) => href.startsWith("/reports/") && !href.endsWith(".pdf"));
  const cookies = (await browser.context.cookies(origin)).map(({ name, value }) => `${name}=${value}`).join("; ");
  let kept = 0;
  for (const href of [...proofs, ...reports]) {
    const answer = await asks(href, { headers: { cookie: cookies } });
    if (answer.status === 409) continue;
    assert.equal(answer.status, 200, href);
    assert.match(answer.headers.get("content-disposition"), /^attachment; /, href);
    assert.match(answer.headers.get("content-security-policy"), /^sandbox/, href);
    assert.ok((await answer.arrayBuffer()).byteLength > 0, href);
    kept += 1;
  }
  if (kept) saw(`${kept} reports and proofs come as files to keep`);
}

async function signOut() {
  await page.goto(origin);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.click("text=Sign out");
  await page.getByRole("heading", { level: 1, name: "Trust Marks" }).waitFor();
  await page.goto(origin);
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  saw("who signs out is out");
}

try {
  await strangers();
  await signIn();
  await files(await everyPage());
  await signOut();
} finally {
  await browser.close();
}
