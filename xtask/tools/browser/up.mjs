// up.mjs URL FOLDER ROOM NAME=VALUE..: founds a vault at the address that `quorate up` printed, in a browser without script, and
// goes on in one with script. Each line `ok ..` was seen; a line `do ..` asks whoever started this, and is answered by a line.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { axe, everyLook, open, shots, sticksOut } from "./look.mjs";

const [url, folder, room, ...named] = process.argv.slice(2);
const at = Object.fromEntries(named.map((each) => [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)]));
const origin = new URL(url).origin;
const saw = (text) => console.log(`ok up: ${text}`);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const outside = async (asked) => {
  console.log(`do ${asked}`);
  const { value, done } = await lines.next();
  assert.ok(!done, asked);
  return value;
};
const read = (path) => readFileSync(join(room, path), "utf8");
const desk = join(room, "desk");

const press = async (page, words) => {
  await page.locator("main button", { hasText: words }).first().click();
  await page.waitForLoadState();
};
const alert = (page) => page.locator(".alert.bad").first().innerText();

async function letIn(page, address) {
  await page.goto(address);
  await press(page, "Begin");
  assert.ok(page.url().startsWith(origin) && !page.url().includes("token"), page.url());
}

async function looksWell(page, name) {
  await everyLook(page, async (theme, { width }) => {
    assert.deepEqual(await axe(page), [], `${name} ${theme} ${width}`);
    assert.deepEqual(await sticksOut(page), [], `${name} ${theme} ${width}`);
  });
  await shots(page, `up-${name}`, folder);
}

async function strangers() {
  const asks = async (path, init) => (await fetch(origin + path, { redirect: "manual", ...init })).status;
  for (const path of ["/", "/vault", "/people", "/summary", "/next", "/charter.json"]) assert.equal(await asks(path), 401, path);
  const body = new URLSearchParams({ vault: "theirs" });
  assert.equal(await asks("/vault", { method: "POST", headers: { origin }, body }), 401);
  assert.equal(await asks("/vault", { method: "POST", headers: { origin: "http://evil.example" }, body }), 403);
  assert.equal(await asks("/vault", { method: "POST", body }), 403, "no Origin");
  saw("row_47 nobody without the word on the terminal sees or changes anything");
}

// Without script: every answer, one wrong first.
async function answers() {
  const browser = await open({ scripts: false });
  const page = await browser.page();
  await letIn(page, url);
  await page.goto(url);
  await press(page, "Begin");
  assert.match(await alert(page), /used before/);
  await page.goto(`${origin}/vault`);
  await page.fill("#f-vault", "Not A Name");
  await press(page, "Keep and go on");
  assert.match(await alert(page), /Not kept[\s\S]*Do this/);
  assert.equal(await page.inputValue("#f-vault"), "Not A Name");
  await shots(page, "up-wrong", folder);
  await page.fill("#f-vault", "treasury");
  await press(page, "Keep and go on");
  assert.ok(page.url().endsWith("/people"), page.url());
  for (const who of ["ann", "bo", "cy"]) {
    await page.fill("#f-seat", read(`approvers/${who}/enrolment.json`));
    await press(page, "Seat this approver");
  }
  await page.fill("#f-view", read("view/view.json"));
  await press(page, "Seat this view");
  await page.fill("#f-governance", "4");
  await press(page, "Keep the number");
  assert.match(await alert(page), /4 of 3 people/);
  await page.fill("#f-governance", "2");
  await press(page, "Keep the number");
  await page.goto(`${origin}/cosigners`);
  for (const who of ["east", "west"]) {
    await page.fill("#f-seat", JSON.stringify(JSON.parse(read(`public/${who}.json`))));
    await page.fill("#f-address", at[who]);
    await press(page, "Seat this cosigner");
  }
  saw("answers are checked at once, and what was typed wrongly still stands there with what to do");

  // The program is killed and started again: another word, the same answers.
  const address = await outside("restart 2");
  await page.goto(`${origin}/people`);
  await page.getByText("Who are you?").waitFor();
  await letIn(page, address);
  assert.ok(page.url().endsWith("/networks"), `goes on where it was: ${page.url()}`);
  await page.goto(`${origin}/people`);
  for (const who of ["ann", "bo", "cy"]) await page.getByText(`person-${who}`).first().waitFor();
  saw("nothing that was answered is lost when the program is killed");

  await page.goto(`${origin}/networks`);
  await page.fill("#f-chain", "eip155:1");
  await page.fill("#f-rpc", at.node);
  await press(page, "Ask the node");
  assert.match(await alert(page), /is of network/);
  await page.fill("#f-chain", at.chain);
  await press(page, "Ask the node");
  await page.fill("#f-finality_depth", "2");
  await press(page, "Keep the number");
  await page.goto(`${origin}/sources`);
  await page.fill("#f-seat", read("source/enrolment.json"));
  await page.fill("#f-from", at.source);
  await press(page, "Name this source");
  await page.goto(`${origin}/rules`);
  await page.fill("#f-alone", "0.1");
  await press(page, "Keep this asset");
  await page.goto(`${origin}/doors`);
  await page.fill("#f-book_listen", at.book);
  await page.fill("#f-console_listen", at.console);
  await press(page, "Try both");
  assert.ok(page.url().endsWith("/summary"), page.url());
  assert.ok(!existsSync(join(desk, "desk.toml")) && !existsSync(join(desk, "keys")), "nothing is written yet");
  for (const name of readdirSync(join(desk, "founding"))) {
    assert.equal(statSync(join(desk, "founding", name)).mode & 0o777, 0o600, name);
  }
  await browser.close();
}

// With script: the pages are looked at, the vault is founded, everybody joins.
async function founding() {
  const browser = await open();
  const page = await browser.page();
  await page.goto(origin);
  await press(page, "Print another address");
  await looksWell(page, "printed");
  await letIn(page, await outside("again 3"));
  for (const path of ["vault", "people", "cosigners", "networks", "sources", "rules", "doors", "summary"]) {
    await page.goto(`${origin}/${path}`);
    await looksWell(page, path);
  }
  saw("every page of the founding passes axe, in dark and light, narrow and wide, and none scrolls sideways");
  const summary = await page.locator("main").innerText();
  assert.match(summary, /Any 2 of them together[\s\S]*Any 2 of 2 cosigners/);
  for (const part of ["front ltd", "finality-1", at.source, at.book, at.console, at.chain]) assert.ok(summary.includes(part), part);
  await press(page, "Found this vault");
  await page.getByRole("heading", { name: "The vault is founded" }).waitFor();
  await page.getByText("runs", { exact: true }).waitFor({ timeout: 30_000 });
  saw("the vault is founded from the summary, and the desk runs beside the page without a reload");
  for (const details of await page.locator("details > summary").all()) await details.click();
  const digest = (await page.locator("main").innerText()).match(/--digest ([0-9a-f]{64})/)[1];
  assert.ok((await page.locator(".digest").first().innerText()).replace(/\s/g, "").includes(digest), "the digest to read aloud");
  await looksWell(page, "next");
  const charter = await page.context().request.get(`${origin}/charter.json`);
  assert.equal(charter.status(), 200);
  writeFileSync(join(room, "public/charter.json"), await charter.body());
  const joined = new Set();
  for (const party of await page.locator("main details").all()) {
    const who = (await party.locator("summary").textContent()).trim();
    for (const line of (await party.locator("pre").textContent()).split("\n").filter(Boolean)) await outside(`run ${who} ${line}`);
    joined.add(who.split(" ")[0]);
  }
  assert.deepEqual([...joined].sort(), ["approver", "cosigner", "source", "view"]);
  await page.waitForFunction(() => [...document.querySelectorAll("table")].some((table) =>
    table.innerText.includes("east") && [...table.querySelectorAll(".badge.good")].length === 2), undefined, { timeout: 60_000 });
  saw("everybody joins and starts by the very command lines of the page, which tells live who is up");

  await page.fill("#f-who", "person-olga");
  await page.fill("#f-expires", "999d");
  await press(page, "Ask for it");
  assert.match(await alert(page), /fit life/);
  await page.fill("#f-expires", "30d");
  await press(page, "Ask for it");
  await page.getByText("awaits approvals").first().waitFor();
  const filed = (await page.locator("main").innerText()).match(/quorate-approvals approve ([0-9a-f]{64})/)[1];
  await shots(page, "up-asked", folder);
  await outside(`agree ${filed}`);
  await page.getByText("Admitted").first().waitFor();
  await looksWell(page, "admitted");
  const [name] = readdirSync(join(desk, "tokens"));
  const token = read(`desk/tokens/${name}`).trim();
  assert.ok(!(await page.content()).includes(token), "a token is never shown");
  const console_ = await page.locator('a[href^="http://localhost:"]').first().getAttribute("href");
  await press(page, "Close these pages");
  await page.getByText("these pages are closed").waitFor();
  assert.ok(!existsSync(join(desk, "founding")), "the answers are gone");
  for (const path of ["/", "/next", "/charter.json"]) {
    const answer = await page.context().request.get(origin + path);
    assert.equal(answer.status(), 410, path);
  }
  saw("once the pages are closed nothing of them answers, not even to the browser that was in");
  await page.goto(console_);
  await page.fill("#f-token", token);
  await page.click("main button");
  await page.getByRole("heading", { name: "What waits" }).waitFor();
  assert.deepEqual(page.troubles.filter((each) => !/40[19]|422|ERR_CONNECTION_REFUSED/.test(each)), []);
  await browser.close();
  saw("the first person is admitted by two approvers and signs in to the console");
}

await strangers();
await answers();
await founding();
process.exit(0);
