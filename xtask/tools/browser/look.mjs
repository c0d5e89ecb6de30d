// How scripts here drive a browser: open it, give it a passkey, ask axe, take pictures.
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

// Calls `each(theme, size)` with the page in every theme and size.
export async function everyLook(page, each) {
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      await each(theme, size);
    }
  }
}

// Saves the whole page in every theme and size as `FOLDER/NAME-THEME-WIDTH.png`, and gives the paths.
export async function shots(page, name, folder) {
  await mkdir(folder, { recursive: true });
  const paths = [];
  await everyLook(page, async (theme, { width }) => {
    const path = join(folder, `${name}-${theme}-${width}.png`);
    await page.screenshot({ path, fullPage: true });
    paths.push(path);
  });
  return paths;
}

// What is wider than the window, one line each: a page must never scroll sideways.
export function sticksOut(page) {
  return page.evaluate(() => [...document.querySelectorAll("body *")]
    .filter((each) => each.checkVisibility() && !each.closest(".skip, thead"))
    .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((each) => `${each.tagName.toLowerCase()}.${each.className} is wider than the window`));
}
