import { json, noContent, notFound, type Reply, type Request, type Router } from "../http";
import type { Store } from "../store";
import { type Fields, readFields } from "./fields";

/** One REST collection: how its rows are found, shown, validated, and what else goes when one is deleted. */
export interface Collection<Row extends object> {
  /** Under /api/v3/, with a slash at the end. */
  path: string;
  /** Name in "No X matches the given query." */
  model: string;
  /** What stands in the URL of one row. */
  key(row: Row): string | number;
  rows(): Row[];
  show(row: Row, request: Request): Record<string, unknown>;
  /** @param row the one being updated, absent on create */
  fields(row?: Row): Fields;
  /** What a list can be asked for by, beyond equality with a shown attribute of the same name. */
  filters?: Record<string, (row: Row, value: string) => boolean>;
  create(values: Record<string, unknown>, body: unknown): Row;
  update(row: Row, values: Record<string, unknown>): void;
  remove(row: Row): void;
  autocomplete?: object;
}

export function serve<Row extends object>(router: Router, store: Store, collection: Collection<Row>): void {
  const { path } = collection;
  const changed = (reply: Reply) => {
    store.save();
    return reply;
  };
  const find = (key: string) => findRow(collection, key);
  const update = (mode: "put" | "patch") => (request: Request, key: string) => {
    const row = find(key);
    collection.update(row, readFields(collection.fields(row), request.body, mode));
    return changed(json(200, collection.show(row, request)));
  };
  router.on("GET", `/api/v3/${path}`, (request) => list(collection, request));
  router.on("POST", `/api/v3/${path}`, (request) => {
    const values = readFields(collection.fields(), request.body, "create");
    return changed(json(201, collection.show(collection.create(values, request.body), request)));
  });
  router.on("GET", `/api/v3/${path}:key/`, (request, key) => json(200, collection.show(find(key), request)));
  router.on("PUT", `/api/v3/${path}:key/`, update("put"));
  router.on("PATCH", `/api/v3/${path}:key/`, update("patch"));
  router.on("DELETE", `/api/v3/${path}:key/`, (_request, key) => {
    collection.remove(find(key));
    return changed(noContent);
  });
}

/** @throws Refusal 404 */
export function findRow<Row extends object>(collection: Collection<Row>, key: string): Row {
  const row = collection.rows().find((candidate) => String(collection.key(candidate)) === key);
  if (!row) throw notFound(collection.model);
  return row;
}

function list<Row extends object>(collection: Collection<Row>, request: Request): Reply {
  const wanted = [...request.query].filter(([name]) => !NOT_FILTERS.has(name));
  const shown = collection
    .rows()
    .map((row) => ({ row, attributes: collection.show(row, request) }))
    .filter(({ row, attributes }) =>
      wanted.every(([name, value]) => {
        const filter = collection.filters?.[name];
        if (filter) return filter(row, value);
        // As in Authentik, a name that is no filter is ignored.
        return attributes[name] === undefined || String(attributes[name]) === value;
      }),
    )
    .map(({ attributes }) => attributes);
  const ordering = request.query.get("ordering");
  if (ordering) sortBy(shown, ordering);
  return json(200, page(shown, request, collection.autocomplete));
}

const NOT_FILTERS = new Set(["page", "page_size", "ordering"]);

function sortBy(rows: Record<string, unknown>[], ordering: string): void {
  const name = ordering.replace(/^-/, "");
  const sign = ordering.startsWith("-") ? -1 : 1;
  const compare = (a: unknown, b: unknown) => (a === b ? 0 : (a as number) < (b as number) ? -1 : 1);
  rows.sort((a, b) => sign * compare(a[name], b[name]));
}

/** The envelope of every list; `next` and `previous` are 0 when there is none, and so is `start_index` of an empty one. */
export function page(rows: object[], request: Request, autocomplete: object = {}): object {
  const size = Number(request.query.get("page_size") ?? 20);
  const current = Number(request.query.get("page") ?? 1);
  const total_pages = Math.max(1, Math.ceil(rows.length / size));
  const results = rows.slice((current - 1) * size, current * size);
  const start_index = results.length === 0 ? 0 : (current - 1) * size + 1;
  return {
    pagination: {
      next: current < total_pages ? current + 1 : 0,
      previous: current > 1 ? current - 1 : 0,
      count: rows.length,
      current,
      total_pages,
      start_index,
      end_index: start_index === 0 ? 0 : start_index + results.length - 1,
    },
    results,
    autocomplete,
  };
}
