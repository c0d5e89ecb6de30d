// How scripts here drive a browser: open it, give it a passkey, ask axe, take pictures.
import assert from "node:assert/strict";
import { mkdtemp, rm, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { chromium as driver } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const QUIET = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=en",
];

export const SIZES = [{ width: 390, height: 844 }, { width: 1280, height: 800 }];
export const THEMES = ["light", "dark"];
// Narrow phones and a tablet, at which only the width of things is looked at: no pictures, no axe.
const OTHER_WIDTHS = [320, 360, 768];

// A browser with an empty folder of its own. `page()` opens a page whose `troubles` fill with whatever it complains of: errors
// on its console, exceptions, refused requests and breaches of its policy. `close()` ends the browser and deletes the folder.
export async function open({ chromium = process.env.CHROMIUM, arguments: more = [], scripts = true } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "quorate-browser-"));
  const context = await driver.launchPersistentContext(folder, {
    executablePath: chromium, headless: true, args: [...QUIET, ...more], viewport: SIZES[1], locale: "en-GB", timezoneId: "UTC",
    javaScriptEnabled: scripts,
  });
  const page = async () => {
    const page = await context.newPage();
    page.troubles = [];
    page.on("console", (said) => {
      if (said.type() === "error" || /Content.Security.Policy|TrustedHTML/i.test(said.text())) page.troubles.push(said.text());
    });
    page.on("pageerror", (error) => page.troubles.push(String(error)));
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText ?? "";
      // A page that is left drops what it still waits for.
      if (why !== "net::ERR_ABORTED") page.troubles.push(`${request.url()}: ${why}`);
    });
    return page;
  };
  const close = async () => {
    await context.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { context, page, close };
}

// Gives a page a device that holds passkeys and answers for a person who is there. Gives the session and the device's id, for
// `WebAuthn.getCredentials`, `WebAuthn.setUserVerified` and the like.
export async function withPasskey(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { session, authenticatorId };
}

// What axe objects to, one line each. It runs through the debugger, which the policy of a page does not bind.
export async function axe(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const world = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  const contextId = world.executionContextId;
  const run = async (expression) => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
      expression, contextId, awaitPromise: true, returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await run(`${AXE};0`);
  const found = await run("axe.run(document).then((said) => said.violations)");
  await session.detach();
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}: ${node.failureSummary ?? ""}`));
}

// Calls `each(theme, size)` with the page in every theme and size. Before that, nothing sticks out on narrow phones or a tablet.
export async function everyLook(page, each) {
  await fitsOthers(page);
  await everySize(page, each);
}

async function everySize(page, each) {
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      await each(theme, size);
    }
  }
}

async function fitsOthers(page) {
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  for (const width of OTHER_WIDTHS) {
    await page.setViewportSize({ width, height: 640 });
    const { pathname } = new URL(page.url());
    assert.deepEqual(await sticksOut(page), [], `${pathname} light ${width}`);
  }
}

// Saves the whole page in every theme and size as `FOLDER/NAME-THEME-WIDTH.png`, and gives the paths.
export async function shots(page, name, folder) {
  await mkdir(folder, { recursive: true });
  const paths = [];
  await everySize(page, async (theme, { width }) => {
    const path = join(folder, `${name}-${theme}-${width}.png`);
    await page.screenshot({ path, fullPage: true });
    paths.push(path);
  });
  return paths;
}

// What leaves its place, one line each. Nothing is wider than the window, so that a page never scrolls sideways; and what stands
// in a card, a cell, a field or any other block stays inside it, unless the block scrolls or cuts on purpose.
export function sticksOut(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    const called = (each) => `${each.tagName.toLowerCase()}.${each.className} (${each.textContent.trim().slice(0, 40)})`;
    const all = [...document.querySelectorAll("body *")].filter((each) => each.checkVisibility() && !each.closest(".skip, thead, svg"));
    const wide = all.filter((each) => each.getBoundingClientRect().right > root.clientWidth + 1);
    // Words in a line have no width of their own: the block that they stand in tells.
    const isOpen = ({ display, overflowX }) => display !== "inline" && overflowX === "visible";
    const burst = all.filter((each) => each.scrollWidth > each.clientWidth + 1 && isOpen(getComputedStyle(each)));
    // Whatever is around it is burst too: the innermost is enough.
    const inner = burst.filter((each) => !burst.some((other) => other !== each && each.contains(other)));
    return [
      ...wide.map((each) => `${called(each)} is wider than the window`),
      ...inner.map((each) => `${called(each)} is narrower than what stands in it`),
      ...(root.scrollWidth > root.clientWidth ? ["the page scrolls sideways"] : []),
    ];
  });
}
