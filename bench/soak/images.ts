import { type TinyImage, tinyImage } from "../../src/verify/image";

/** What anonymous clients pull: laid down before the registry is hardened. */
export const SEEDS = ["team/app", "library/tools", "library/base"].map((repository) => seed(repository));
/** Pulled by anybody, or by nobody, as the changing rule says. */
export const GUARDED = seed("guarded/app");

export interface Seed {
  repository: string;
  tag: string;
  image: TinyImage;
}

function seed(repository: string): Seed {
  const tag = "v0.1.0-0000000";
  return { repository, tag, image: imageOf(`${repository}:${tag}`) };
}

/** Of a few kilobytes, and like no other. */
export function imageOf(name: string): TinyImage {
  return tinyImage(`${name}\n`.padEnd(4096, "."));
}
