import { isObject, type Properties, type Value } from "../wire";

/**
 * The inputs, with what is at the ignored paths as the state has it (the bridge's ApplyIgnoreChanges). A path is names with
 * a dot between them and places in lists, as in `allowedRedirectUris[0].redirect_uri_type`.
 */
export function ignoring(paths: string[], inputs: Properties, outputs: Properties): Properties {
  return paths.reduce(
    (wanted, path) => kept(path.split(/[.[\]]+/).filter(Boolean), wanted, outputs) as Properties,
    inputs,
  );
}

function kept([name, ...rest]: string[], wanted: Value, known: Value): Value {
  if (name === undefined) return known;
  if (Array.isArray(wanted) && Array.isArray(known))
    return wanted.map((item, place) =>
      place === Number(name) && known[place] !== undefined ? kept(rest, item, known[place]) : item,
    );
  if (!isObject(wanted) || !isObject(known)) return wanted;
  const { [name]: ours, ...others } = wanted;
  const theirs = known[name];
  if (theirs === undefined) return rest.length === 0 ? others : wanted;
  if (ours === undefined) return rest.length === 0 ? { ...wanted, [name]: theirs } : wanted;
  return { ...wanted, [name]: kept(rest, ours, theirs) };
}
