import type { SystemCall } from "./system-call";

/** What lies in a directory: by path below it, files with their content. */
export type Tree = Map<string, { mode: number; content?: Buffer }>;

class FileNode {
  /** Where the next write goes. */
  position = 0;
  syncedMode: number;
  /** Whether nothing of what was synced is left: the file is new, or was cut to nothing. */
  fresh = true;
  constructor(
    public mode: number,
    public content: Buffer = Buffer.alloc(0),
    public synced: Buffer = Buffer.alloc(0),
  ) {
    this.syncedMode = mode;
  }
}

class DirectoryNode {
  readonly entries = new Map<string, Node>();
  readonly synced = new Map<string, Node>();
  constructor(public mode: number) {}
}

type Node = FileNode | DirectoryNode;

/** What one call does to names. A rename is done to both directories or to none, as a journal keeps it. */
type NameChange = { directory: DirectoryNode; name: string; node: Node | undefined }[];

/**
 * What a power cut leaves of a file's content that was not synced: all, what was synced before, nothing, as many zeros,
 * a beginning of it, or a beginning with what was there before, or zeros, behind it.
 */
export const DATA_FATES = ["whole", "synced", "empty", "zeros", "cut short", "torn"] as const;
export type DataFate = (typeof DATA_FATES)[number];

/** What the cut leaves of everything that was not synced. */
export interface Fate {
  /** Whether this change of names, of so many in their order, has reached the disk. */
  keepsName(index: number, of: number): boolean;
  data(): DataFate;
  /** How much of a file that is cut short or torn, from 0 to 1. */
  portion(): number;
}

/**
 * A directory as programs see it, and what of it would outlive a power cut. It promises no more than POSIX does: content
 * is on disk once the file was synced, a name once its directory was, and all else may have reached the disk or not, in
 * any order. ext4 and xfs promise more.
 */
export class FileSystem {
  private readonly root = new DirectoryNode(0o700);
  private pending: NameChange[] = [];

  /** @param tree what lies there, on disk */
  constructor(tree: Tree) {
    for (const [path, { mode, content }] of tree) {
      const node = content === undefined ? new DirectoryNode(mode) : new FileNode(mode, content);
      this.change([{ ...this.place(path), node }]);
    }
    this.syncAll();
  }

  /** How many changes of names are not on disk yet. */
  get unsynced(): number {
    return this.pending.length;
  }

  apply(call: SystemCall): void {
    if (call.kind === "open") this.open(call);
    else if (call.kind === "write") this.write(call.path, call.data);
    else if (call.kind === "copy") this.copy(call.from, call.path, call.length);
    else if (call.kind === "chmod") this.node(call.path).mode = call.mode;
    else if (call.kind !== "sync") this.change(this.namesOf(call));
    else if (call.path === undefined) this.syncAll();
    else this.sync(this.node(call.path));
  }

  private namesOf(call: Exclude<SystemCall, { kind: "open" | "write" | "copy" | "chmod" | "sync" }>): NameChange {
    switch (call.kind) {
      case "rename":
        return [
          { ...this.place(call.to), node: this.find(call.from) },
          { ...this.place(call.from), node: undefined },
        ];
      case "link":
        return [{ ...this.place(call.to), node: this.find(call.from) }];
      case "remove":
        return [{ ...this.place(call.path), node: undefined }];
      case "mkdir":
        return [{ ...this.place(call.path), node: new DirectoryNode(call.mode) }];
    }
  }

  /** As programs see it. */
  now(): Tree {
    return listed(
      this.root,
      (directory) => directory.entries,
      ({ mode, content }) => ({ mode, content }),
    );
  }

  /** As it is found after a power cut. */
  afterCut(fate: Fate): Tree {
    const names = new Map<DirectoryNode, Map<string, Node>>();
    const entries = (directory: DirectoryNode) => {
      const known = names.get(directory) ?? new Map(directory.synced);
      names.set(directory, known);
      return known;
    };
    for (const [index, changes] of this.pending.entries()) {
      if (fate.keepsName(index, this.pending.length)) for (const change of changes) enter(entries, change);
    }
    return listed(this.root, entries, (file) => survivor(file, fate));
  }

  private open({ path, mode, truncate, append }: Extract<SystemCall, { kind: "open" }>): void {
    const known = this.find(path);
    const file = known instanceof FileNode ? known : new FileNode(mode);
    if (known === undefined) this.change([{ ...this.place(path), node: file }]);
    if (truncate) Object.assign(file, { content: Buffer.alloc(0), fresh: true });
    file.position = append ? file.content.length : 0;
  }

  private write(path: string, data: Buffer): void {
    const file = this.file(path);
    const { content, position } = file;
    file.content = Buffer.concat([content.subarray(0, position), data, content.subarray(position + data.length)]);
    file.position = position + data.length;
  }

  /** Files are copied from their beginning to their end. */
  private copy(from: string, to: string, length: number): void {
    const { position } = this.file(to);
    this.write(to, this.file(from).content.subarray(position, position + length));
  }

  private change(changes: NameChange): void {
    for (const change of changes) enter((directory) => directory.entries, change);
    this.pending.push(changes);
  }

  private syncAll(): void {
    const visit = (node: Node) => {
      this.sync(node);
      if (node instanceof DirectoryNode) for (const below of node.entries.values()) visit(below);
    };
    visit(this.root);
  }

  private sync(node: Node): void {
    if (node instanceof FileNode) {
      Object.assign(node, { synced: node.content, syncedMode: node.mode, fresh: false });
      return;
    }
    const touches = (changes: NameChange) => changes.some(({ directory }) => directory === node);
    for (const changes of this.pending.filter(touches)) this.persist(changes);
    this.pending = this.pending.filter((changes) => changes.length > 0 && !touches(changes));
  }

  /** What came before it on the same names is overtaken. */
  private persist(changes: NameChange): void {
    for (const change of changes) {
      enter((directory) => directory.synced, change);
      const overtakes = ({ directory, name }: NameChange[number]) =>
        directory === change.directory && name === change.name;
      for (const earlier of this.pending.slice(0, this.pending.indexOf(changes))) {
        earlier.splice(0, earlier.length, ...earlier.filter((edit) => !overtakes(edit)));
      }
    }
  }

  private place(path: string): { directory: DirectoryNode; name: string } {
    const parts = path.split("/");
    const name = parts.pop() as string;
    const directory = this.find(parts.join("/"));
    if (!(directory instanceof DirectoryNode)) throw new Error(`${path} lies in no directory that is known`);
    return { directory, name };
  }

  private find(path: string): Node | undefined {
    let node: Node | undefined = this.root;
    for (const part of path.split("/").filter(Boolean)) {
      node = node instanceof DirectoryNode ? node.entries.get(part) : undefined;
    }
    return node;
  }

  private node(path: string): Node {
    const node = this.find(path);
    if (node === undefined) throw new Error(`${path} is not known`);
    return node;
  }

  private file(path: string): FileNode {
    const node = this.node(path);
    if (!(node instanceof FileNode)) throw new Error(`${path} is a directory`);
    return node;
  }
}

function enter(
  entries: (directory: DirectoryNode) => Map<string, Node>,
  { directory, name, node }: NameChange[number],
): void {
  if (node === undefined) entries(directory).delete(name);
  else entries(directory).set(name, node);
}

function listed(
  root: DirectoryNode,
  entries: (directory: DirectoryNode) => Map<string, Node>,
  read: (file: FileNode) => { mode: number; content: Buffer },
): Tree {
  const tree: Tree = new Map();
  const visit = (directory: DirectoryNode, prefix: string) => {
    for (const [name, node] of [...entries(directory)].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const path = `${prefix}${name}`;
      tree.set(path, node instanceof FileNode ? read(node) : { mode: node.mode });
      if (node instanceof DirectoryNode) visit(node, `${path}/`);
    }
  };
  visit(root, "");
  return tree;
}

function survivor(file: FileNode, fate: Fate): { mode: number; content: Buffer } {
  const { content, fresh, mode, synced, syncedMode } = file;
  if (!fresh && content.equals(synced)) return { mode: fate.data() === "whole" ? mode : syncedMode, content };
  // What is written over stays where the new content did not reach the disk, and nothing stays of what was cut.
  const under = Buffer.alloc(Math.max(content.length, fresh ? 0 : synced.length));
  if (!fresh) synced.copy(under);
  const reached = Math.floor(content.length * fate.portion());
  const torn = Buffer.concat([content.subarray(0, reached), under.subarray(reached)]);
  const left: Record<DataFate, Buffer> = {
    whole: content,
    synced,
    empty: fresh ? Buffer.alloc(0) : synced,
    zeros: under,
    "cut short": fresh ? content.subarray(0, reached) : torn.subarray(0, Math.max(reached, synced.length)),
    torn,
  };
  return { mode, content: left[fate.data()] };
}
