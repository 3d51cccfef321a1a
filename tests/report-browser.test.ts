import { existsSync } from "node:fs";
import axe from "axe-core";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderPage } from "../src/report/page";
import { NOW, sampleReport } from "./report-sample";

const CHROMIUM = "/usr/bin/chromium";

/** A previous report, so that changes are shown too. */
function changed() {
  const previous = structuredClone(sampleReport().state);
  for (const { may } of previous.access) may.delete = may.delete === "yes" ? "no" : "yes";
  previous.takenAt = new Date(NOW.getTime() - 86_400_000).toISOString();
  return previous;
}

describe.skipIf(!existsSync(CHROMIUM))("the report in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    // Root has no sandbox of Chromium's, as in a CI container.
    browser = await chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: process.getuid?.() !== 0 });
  });
  afterAll(() => browser?.close());

  const open = async (width: number, colorScheme: "light" | "dark", markup: string) => {
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, bypassCSP: true });
    const page = await context.newPage();
    await page.setContent(markup);
    return { page, close: () => context.close() };
  };

  it.each([
    [360, "light"],
    [360, "dark"],
    [1280, "light"],
    [1280, "dark"],
  ] as const)("%d px wide, %s: nothing is cut off, and axe finds nothing", async (width, scheme) => {
    const { page, close } = await open(width, scheme, renderPage(sampleReport({ previous: changed() })));
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    const narrow =
      "[...document.querySelectorAll('.access th, .access td')].filter((e) => e.scrollWidth > e.clientWidth)";
    expect(await page.evaluate(`${narrow}.map((e) => e.textContent)`)).toEqual([]);
    await page.evaluate(axe.source);
    const { violations } = (await page.evaluate("axe.run()")) as axe.AxeResults;
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    await close();
  });

  it("lets long names wrap on a phone", async () => {
    const { page, close } = await open(360, "light", renderPage(sampleReport({ group: "g".repeat(300) })));
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
    await close();
  });

  it("shows its style under its own policy, and runs nothing that is slipped in", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const asked: string[] = [];
    page.on("request", ({ url }) => asked.push(url()));
    const attack =
      "</style></script><script>document.title=1</script><img src=https://x.test/ onerror=document.title=2>";
    const markup = renderPage(sampleReport({ group: attack }));
    await page.setContent(markup.replace("</main>", "<script>document.title = 'run'</script></main>"));
    expect(await page.title()).toBe("✗ https://registry.example: registry report");
    expect(await page.evaluate("getComputedStyle(document.body).maxWidth")).toBe("960px");
    expect(await page.locator("main img").count()).toBe(0);
    expect(asked).toEqual([]);
    await context.close();
  });

  it("is walked by keyboard, beginning with the way past the navigation", async () => {
    const { page, close } = await open(360, "light", renderPage(sampleReport()));
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the report");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await close();
  });
});
