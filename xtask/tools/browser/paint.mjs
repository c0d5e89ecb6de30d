// paint.mjs ORIGIN TOKEN-FILE: how long a browser takes until it has painted the console's first page, beside a page of one word
// from a bare server. Prints one JSON object with the medians in milliseconds.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { open } from "./look.mjs";

const ROUNDS = 20;
const [origin, file] = process.argv.slice(2);
const bare = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html><title>a</title>here"));
await new Promise((done) => bare.listen(0, "127.0.0.1", done));
const browser = await open();
const page = await browser.page();
await page.goto(origin);
await page.fill("#f-token", readFileSync(file, "utf8").trim());
await page.click("main button");
await page.getByRole("heading", { name: "What waits" }).waitFor();

const painted = async (url) => {
  await page.goto(url);
  return page.evaluate(() => new Promise((done) => {
    const first = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
    if (first() !== undefined) done(first());
    else new PerformanceObserver(() => { if (first() !== undefined) done(first()); }).observe({ type: "paint", buffered: true });
  }));
};
const median = (times) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
const [home, word] = [[], []];
for (let round = 0; round < ROUNDS; round += 1) {
  home.push(await painted(`${origin}/`));
  word.push(await painted(`http://127.0.0.1:${bare.address().port}/`));
}
console.log(JSON.stringify({ home: median(home), bare: median(word), rounds: ROUNDS }));
await browser.close();
bare.close();
