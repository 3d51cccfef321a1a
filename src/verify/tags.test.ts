import { expect, it } from "vitest";
import { fixedTags, freshTag } from "./tags";

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
