import { expect, it } from "vitest";
import { fixedTags, freshTag, misshapenTag } from "./tags";

/** One that is there already would be refused, and a healthy registry called broken. */
it.each([undefined, "^v\\d+$", "^r\\d{2}$"])(
  "a fresh tag is none of those that are in place, format %s",
  async (format) => {
    const rules = { mutable: ["latest"], ...(format ? { format } : {}) };
    const placed = await fixedTags(rules);
    expect(new Set(placed).size).toBe(4);
    const drawn = await Promise.all(Array.from({ length: 150 }, () => freshTag(rules)));
    expect(drawn.filter((tag) => tag === undefined || placed.includes(tag))).toEqual([]);
  },
);

it("there is none where the format allows too few", async () => {
  expect(await freshTag({ mutable: [], format: "^v\\d$" })).toBeUndefined();
});

it.each([
  ["(?i:V)[[:digit:]]{5}", /^v\d{5}$/i],
  ["\\Av[0-9]{5,9}\\z", /^v\d{5,9}$/],
  ["^[a-f]{6}$|^[0-9]{6}$", /^[a-f]{6}$|^[0-9]{6}$/],
  ["^v\\d{6}|\\d{7}$", /^(v\d{6}|\d{7})$/],
  ["v\\-\\d{5}", /^v-\d{5}$/],
])("tags are made of what RE2 alone takes: %s", async (format, like) => {
  const [tag = ""] = await fixedTags({ mutable: [], format });
  expect(tag).toMatch(like);
  expect(await freshTag({ mutable: [], format })).toMatch(like);
});

it("a tag of another form matches no part of the format alone", () => {
  expect(misshapenTag({ mutable: [], format: "^A|.$" })).toMatch(/^not-a-version-/);
});
