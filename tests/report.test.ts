import { describe, expect, it } from "vitest";
import { changesBetween } from "../src/report/changes";
import { keyState } from "../src/report/keys";
import { renderPage } from "../src/report/page";
import { type State, stateIn } from "../src/report/state";
import { sampleReport } from "./report-sample";

const page = (...sample: Parameters<typeof sampleReport>) => renderPage(sampleReport(...sample));

/** The state of a report, changed. */
function stateWith(change: (state: State) => void): State {
  const state = structuredClone(sampleReport().state);
  change(state);
  return state;
}

const entry = (state: State, where: string, who: string) => {
  const found = state.access.find((one) => one.where === where && one.who === who);
  if (!found) throw new Error(`no rule for ${who} on ${where}`);
  return found;
};

describe("the state of a report", () => {
  it("is read back from the file as it was, whatever is in it", () => {
    const { state } = sampleReport({ group: "</script><script>alert(1)</script>" });
    expect(stateIn(page({ group: "</script><script>alert(1)</script>" }), "report.html")).toEqual(state);
  });

  it.each([
    "",
    "<html></html>",
    page().replace('"registry":', '"other":'),
    page().replace("</body>", "").slice(0, -900),
  ])("is not made up when the file holds none (%#)", (text) => {
    expect(() => stateIn(text, "x.html")).toThrow("x.html is there, and is no report of this program");
  });
});

describe("what changed", () => {
  it("is nothing between a report and itself", () => {
    const { state } = sampleReport();
    expect(changesBetween(state, state)).toEqual({ since: state.takenAt, access: [], checks: [] });
    expect(page({ previous: state })).toContain("Nothing since");
    expect(page()).toContain("This is the first report in this file");
  });

  it("is a cell, its condition, a new row, a row that is gone, and the outcome of a check", () => {
    const previous = stateWith((state) => {
      entry(state, "team/**", "anonymous").may.pull = "no";
      entry(state, "team/**", "ci-pub").may.push = 'if req.tag == "x"';
      state.access.splice(state.access.indexOf(entry(state, "**", "ci-main")), 1);
      state.access.push({
        where: "old/**",
        who: "ci-old",
        may: { ...entry(state, "**", "anonymous").may, push: "yes" },
      });
      Object.assign(state.checks, { overwrite: "ok" });
    });
    const { changes } = sampleReport({ previous });
    const shown = changes?.access.map(({ where, who, before, now }) => [where, who, before && "was", now && "is"]);
    expect(shown).toHaveLength(4);
    expect(shown).toEqual(
      expect.arrayContaining([
        ["team/**", "anonymous", "was", "is"],
        ["team/**", "ci-pub", "was", "is"],
        ["**", "ci-main", undefined, "is"],
        ["old/**", "ci-old", "was", undefined],
      ]),
    );
    expect(changes?.checks).toEqual([{ id: "overwrite", before: "ok", now: "failed" }]);
    const text = page({ previous });
    expect(text).toContain("<b>anonymous</b>: pull was no, is yes");
    expect(text).toContain('<span class="changed">was no</span>');
    expect(text).toContain("<b>ci-main</b> is new, and may pull");
    expect(text).toContain("<b>ci-old</b> is gone, and could pull, push");
    expect(text).toContain("was ok, is <b>failed</b>");
  });
});

describe("the page", () => {
  it("shows text as text, wherever it comes from", () => {
    const attack = "<script>alert`1`</script><img src=x onerror=alert`2`>'";
    const seen = { ...sampleReport().verification.checks[1], seen: attack, cause: attack, fix: attack } as never;
    const previous = stateWith((state) => {
      state.access.push({
        where: attack,
        who: attack,
        may: { pull: attack, push: "no", overwrite: "no", delete: "no" },
      });
    });
    const text = page({ group: attack, checks: [seen], previous });
    expect(text).not.toMatch(/<script>|<img/);
    expect(text.match(/<script/g)).toHaveLength(1);
    expect(text).toContain("group &lt;script&gt;alert`1`&lt;/script&gt;&lt;img src=x onerror=alert`2`&gt;&#39;");
  });

  it("holds no key, and asks nobody for anything", () => {
    expect(page()).not.toContain("zak_");
    expect(page()).not.toMatch(/\b(src|srcset|action)=|<link|@import|url\((?!#)/);
    expect(page()).toContain("default-src 'none'; style-src 'sha256-");
  });

  it("says what failed, why and what to do, first", () => {
    const text = page();
    expect(text).toContain("is not what the settings say: 1 check failed");
    expect(text.indexOf('id="check-overwrite"')).toBeLessThan(text.indexOf('id="check-push"'));
    expect(text).toMatch(/<dt>because<\/dt><dd>the rules are not in force<\/dd><dt>do<\/dt><dd>run pulumi up/);
    expect(text).toContain("12 ms");
  });

  it("gives repositories with the same rules one table", () => {
    expect(page()).toContain("<caption><code>docker.io/**</code> · <code>ghcr.io/**</code></caption>");
    expect(page().match(/<table class="access">/g)).toHaveLength(4);
  });
});

it.each([
  ["2027-01-13T00:00:00.000Z", "good", "in 49 days"],
  ["2026-12-20T00:00:00.000Z", "overdue", "in 25 days"],
  ["2026-11-24T15:59:59.000Z", "expired", "1 day ago"],
])("a key that expires %s is %s", (expiresAt, state, words) => {
  const { keys } = sampleReport({ expiresAt });
  expect(keys.map((key) => keyState(key, new Date("2026-11-24T16:00:00Z")))).toEqual([state, "none"]);
  expect(page({ expiresAt })).toContain(`(${words})`);
});
