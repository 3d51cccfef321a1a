import { end, mint, retire } from "../src/credentials/key-program";
import type { KeyLogin } from "../src/credentials/key-requests";
import type { KeyTenure } from "../src/credentials/labels";
import { runVerb } from "../src/operator/verbs";
import { beginTenure, isDestroy } from "../src/tenure";

/** What a tenure's resource is told. */
type Request = KeyLogin & Omit<KeyTenure, "life">;

const begin = ({ inherited, owner }: Request): KeyTenure => ({
  ...beginTenure(owner),
  ...(inherited === undefined ? {} : { inherited }),
});

/** `bin/key.ts VERB`: one step in the life of an identity's API keys. What is left to know is printed. */
runVerb({
  begin,
  keep: (request: Request, held?: KeyTenure) => held ?? begin(request),
  end: async (request: Request, held?: KeyTenure) => {
    const left = await end(request, held ?? begin(request), isDestroy());
    if (left) console.error(left);
    return undefined;
  },
  mint,
  retire,
});
