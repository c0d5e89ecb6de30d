// audit.mjs ORIGIN FOLDER CODE PROGRAM ROOM DIR: an audit is done in the office's pages: forms, files, signatures from where keys are,
// and the reviewer's own way in. Each line `ok ..` is one thing that was seen.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { axe, everyLook, open, shots, sticksOut } from "./look.mjs";

const [origin, folder, code, program, room, dir] = process.argv.slice(2);
const saw = (text) => console.log(`ok office at work: ${text}`);
const office = ["--dir", dir, "--standards", "standards", "--json"];
const run = (...words) => JSON.parse(execFileSync(program, [...office, ...words], { encoding: "utf8" }));
const key = (person) => join(room, `${person}.key`);
const publicKey = (person) => run("person", "key", "--key", key(person)).key;
const day = (ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const AUDIT = `${origin}/audits/brick-1`;
const browser = await open();

async function looksWell(page, called) {
  await everyLook(page, async (theme, { width }) => {
    assert.deepEqual(await axe(page), [], `${called} ${theme} ${width}`);
    assert.deepEqual(await sticksOut(page), [], `${called} ${theme} ${width}`);
  });
  await shots(page, `office-work-${called}`, folder);
}

async function fill(page, fields) {
  for (const [name, value] of Object.entries(fields)) {
    const field = page.locator(`main [name="${name}"]`);
    if (await field.evaluate((one) => one.tagName === "SELECT")) await field.selectOption({ label: value });
    else if (await field.evaluate((one) => one.type === "file")) await field.setInputFiles(value);
    else await field.fill(value);
  }
}

// The question is fetched as a file, signed by the command line with the person's key, and answered.
async function sign(page, person) {
  const [fetched] = await Promise.all([page.waitForEvent("download"), page.click("text=Fetch the step as a file")]);
  assert.match(fetched.suggestedFilename(), /^step-\d+\.json$/);
  const step = join(room, fetched.suggestedFilename());
  await fetched.saveAs(step);
  const shown = await page.locator("main .digest").first().textContent();
  const signed = run("person", "sign", step, "--key", key(person));
  assert.ok(shown.includes(signed.digest), "page and command line name the same step");
  await page.fill("[name=answer]", signed.answer);
  await page.click("text=Record the step");
  await page.getByRole("heading", { level: 1, name: "On record" }).waitFor();
}

const inRow = (row, fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${row}.${name}`, value]));

async function step(page, name, person, fields = {}, called) {
  await page.goto(`${AUDIT}/steps/${name}`);
  const taker = page.locator("main [name=taker]");
  if (await taker.evaluate((one) => one.tagName === "SELECT")) await taker.selectOption(person);
  await fill(page, fields);
  if (called) await looksWell(page, called);
  await page.click("text=Read it over before it is signed");
  await page.getByRole("heading", { level: 1, name: /to be signed$/ }).waitFor().catch(async (late) => {
    throw new Error(`${name}: ${await page.locator("main").innerText()}`, { cause: late });
  });
  if (called) await looksWell(page, `${called}-question`);
  await sign(page, person);
}

// A scope is filled in line by line. What one button adds and another refuses loses nothing that was typed.
async function scopes(page) {
  const inSystem = (fields) => inRow("systems.0", fields);
  const line = (row, fields) => inRow(`systems.0.inventory.${row}`, fields);
  // Where something is kept is struck out of the report, so no name tells it.
  const share = (which, place) => ({ name: `key share ${which}`, kind: "key share", place, class: "secret", criticality: "high" });
  await page.goto(`${AUDIT}/steps/scope_set`);
  await looksWell(page, "scope");
  await fill(page, inSystem({
    description: "a vault of two cosigners", holds_every_key: "yes", people: "two operators",
    processes: "key generation\nsigning\nbackup", technology: "two cosigners", "validated.sources": "network diagram",
    "exclusions.0.what": "the website", "exclusions.0.why": "has no way to any cosigner",
  }));
  await fill(page, line(0, { ...share("one", "rack seventeen"), holders: "Alba Ost" }));
  await page.getByRole("button", { name: "Add another inventory line" }).click();
  await page.locator(`[name="systems.0.inventory.1.name"]`).waitFor();
  await fill(page, line(1, share("two", "rack eighteen")));
  // Enter does what the main button does, and takes no line out.
  const [refused] = await Promise.all([
    page.waitForResponse((answer) => answer.request().method() === "POST"),
    page.locator(`[name="systems.0.inventory.1.place"]`).press("Enter"),
  ]);
  assert.equal(refused.status(), 422);
  const holders = page.locator(`[name="systems.0.inventory.1.holders"][aria-invalid=true]`);
  await holders.waitFor();
  assert.match(await holders.getAttribute("aria-describedby"), /^w-systems\.0\.inventory\.1\.holders /);
  assert.equal(await page.inputValue(`[name="systems.0.inventory.0.place"]`), "rack seventeen");
  await looksWell(page, "scope-refused");
  await fill(page, line(1, { holders: "Nils Vest" }));
  await page.click("text=Read it over before it is signed");
  await page.getByRole("heading", { level: 1, name: /to be signed$/ }).waitFor();
  await looksWell(page, "scope-question");
  await sign(page, "ann");
  saw("a scope is filled in field by field: a line more, what is missing beside its field, nothing lost");
}

// Who takes part is filled in row by row. A row too many is taken out, and a key that is none is told beside its field.
async function engages(page) {
  const AUDITOR = { person: "ann", role: "auditor", name: "Ann", firm: "Alder Audit", number: "A-1", audits: "2" };
  const ENTITY = { person: "eva", role: "of the audited body", name: "Eva", firm: "Brickmere Ltd" };
  await page.goto(`${origin}/engage`);
  await page.fill("main [name=taker]", "ann");
  await fill(page, {
    audit: "brick-1", entity: "Brickmere Ltd", system: "Treasury vault", sought: "1", from: day(367), to: day(2),
    contract: "contract 7", retention: "seven years, the auditor",
    ...inRow("parties.0", { ...AUDITOR, key: publicKey("ann") }), ...inRow("parties.1", { ...ENTITY, key: "none" }),
  });
  await looksWell(page, "engage");
  const third = page.locator(`[name="parties.2.person"]`);
  await page.getByRole("button", { name: "Add another party" }).click();
  await third.waitFor();
  await page.getByRole("button", { name: "Take party 3 out" }).click();
  await third.waitFor({ state: "detached" });
  const [refused] = await Promise.all([
    page.waitForResponse((answer) => answer.request().method() === "POST"),
    page.click("text=Read it over before it is signed"),
  ]);
  assert.equal(refused.status(), 422);
  await page.locator(`[name="parties.1.key"][aria-invalid=true]`).waitFor();
  assert.equal(await page.inputValue(`[name="parties.0.firm"]`), "Alder Audit");
  await looksWell(page, "engage-refused");
  await fill(page, inRow("parties.1", { key: publicKey("eva") }));
  await page.click("text=Read it over before it is signed");
  await page.getByRole("heading", { level: 1, name: /to be signed$/ }).waitFor().catch(async (late) => {
    throw new Error(`engaged: ${await page.locator("main").innerText()}`, { cause: late });
  });
  await looksWell(page, "engage-question");
  await sign(page, "ann");
  saw("an engagement is filled in party by party: a row more, a row less, a key that is none beside its field");
}

async function begins(page) {
  await page.goto(`${origin}/sign-in`);
  await page.fill("[name=code]", code);
  await page.click("text=Open the office");
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await engages(page);
  await step(page, "intent_filed", "ann", { reference: "letter 1" });
  const rolf = { person: "rolf", name: "Rolf", number: "R-1", firm: "Rowan Reviews", steering: "no", key: publicKey("rolf") };
  await step(page, "options_listed", "ann", { list: "list-1", ...inRow("reviewers.0", rolf) });
  await step(page, "reviewer_chosen", "ann");
  for (const person of ["ann", "eva", "rolf"]) await step(page, "declared", person);
  await scopes(page);
  saw("an audit begins: engagement, reviewer, declarations and scope, each signed by its person's key");
}

async function evidence(page) {
  const when = { at: day(4), from: day(300), to: day(3), owner: "Otto Owner" };
  await step(page, "exhibit_filed.interview", "ann", {
    name: "Greta Holm", role: "custodian", place: "by telephone", duration: "40 minutes", topics: "ceremonies, drills",
    findings: "two people each time", ...when,
  }, "interview");
  const document = { title: "Key handbook", purpose: "keys", version: "3", place: "cabinet nine", findings: "names boxes", ...when };
  const file = (name, text) => {
    writeFileSync(join(room, name), text);
    return join(room, name);
  };
  // What is no PDF is refused, whatever its name says, and the form says what to do.
  await page.goto(`${AUDIT}/steps/exhibit_filed.document`);
  await fill(page, { ...document, file: file("handbook.pdf", "<script>alert(1)</script>") });
  const [refused] = await Promise.all([
    page.waitForResponse((answer) => answer.request().method() === "POST"),
    page.click("text=Read it over before it is signed"),
  ]);
  assert.equal(refused.status(), 422);
  await page.getByText("whatever its name says").first().waitFor();
  await looksWell(page, "refused");
  await step(page, "exhibit_filed.document", "eva", { ...document, file: file("handbook.pdf", "%PDF-1.7 the handbook") }, "document");
  // What is opened is on record first, and comes as a download that nothing renders.
  await step(page, "exhibit_opened", "ann", { why: "to read it" });
  const [given] = await Promise.all([page.waitForEvent("download"), page.click("text=Fetch the file")]);
  assert.equal(given.suggestedFilename(), "DOCUMENT_1-handbook.pdf");
  saw("an interview is recorded, a file is uploaded, opened on record and downloaded, and a false one is refused");
}

async function findings(page) {
  await page.goto(AUDIT);
  await page.evaluate(() => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
  await looksWell(page, "register");
  const open = page.locator("a[href*='steps/found?on=']");
  const ids = await open.evaluateAll((all) => all.map((each) => new URL(each.href).searchParams.get("on")));
  assert.ok(ids.length > 20, `${ids.length} requirements`);
  const words = "The custodian walked us through the chapter; its dates and signatures agree with what was told in the interview, " +
    "and with two visits that nobody had announced.";
  const [first, ...others] = ids;
  await page.goto(`${AUDIT}/steps/found?on=${first}`);
  await looksWell(page, "finding");
  await fill(page, { status: "in place", statement: words, interviews: "INTERVIEW_1", documents: "DOCUMENT_1" });
  await page.click("text=Read it over before it is signed");
  await sign(page, "ann");
  // The others by the command line, which goes the same way.
  const levels = run("standards", "show", "ccss 9.0").catalogue.control;
  const above = new Set(levels.filter((one) => one.level && one.level !== "I").map((one) => one.id));
  for (const id of others) {
    const sought = !above.has(id);
    const none = "not_applicable";
    const cites = (tag) => (sought ? { cites: [tag] } : none);
    const record = {
      act: "found", id, status: sought ? "in_place" : { not_applicable: "not_sought" }, statement: sought ? words : "Level not sought.",
      rationale: null, samples: [], machine: null,
      slots: { interviews: cites("INTERVIEW_1"), observations: none, documents: cites("DOCUMENT_1"), inspections: none, decisions: none },
    };
    const file = join(room, "found.json");
    writeFileSync(file, JSON.stringify(record));
    run("audit", "step", file, "--audit", "brick-1", "--by", "ann", "--sign-with", key("ann"));
  }
  for (const [name, by] of [["report_written", "ann"], ["redacted", "ann"], ["redaction_approved", "eva"], ["review_opened", "ann"]]) {
    await step(page, name, by);
  }
  saw(`a requirement is judged in its form, and with ${others.length} more the report is written and redacted`);
}

async function review(page) {
  const other = await open();
  try {
    const rolf = await other.page();
    await rolf.goto(`${origin}/sign-in`);
    await rolf.fill("[name=person]", "rolf");
    await rolf.click("text=Show a challenge for my key");
    await looksWell(rolf, "challenge");
    const challenge = await rolf.inputValue("[name=challenge]");
    const words = ["--office", "working", "--at", origin, "--by", "rolf", "--key", key("rolf")];
    await rolf.fill("[name=answer]", run("person", "visit", challenge, ...words).answer);
    await rolf.click("main button.main");
    await rolf.getByRole("heading", { level: 1, name: "Audits" }).waitFor();
    await rolf.goto(AUDIT);
    assert.ok(!(await rolf.content()).includes("Greta Holm"), "the reviewer reads no raw evidence");
    assert.ok(!(await rolf.content()).includes("handbook.pdf"), "nor what its files are called");
    await looksWell(rolf, "reviewer");
    await step(rolf, "commented", "rolf", { on: "1.01.1.1", text: "who saw the ceremony?" }, "comment");
    await step(page, "answered", "ann", { text: "two witnesses, named in the ledger" });
    await step(rolf, "comment_closed", "rolf");
    await step(rolf, "review_completed", "rolf");
    assert.deepEqual(rolf.troubles, []);
  } finally {
    await other.close();
  }
  await step(page, "summary_written", "ann", { description: "a vault of two cosigners" });
  await page.goto(AUDIT);
  await page.getByText("complete", { exact: true }).first().waitFor();
  await looksWell(page, "reviewed");
  saw("the reviewer comes in with a key, reads the copy alone, asks, and completes the review");
}

try {
  const page = await browser.page();
  await begins(page);
  await evidence(page);
  await findings(page);
  await review(page);
  assert.deepEqual(page.troubles.filter((each) => !each.includes("422")), []);
} finally {
  await browser.close();
}
