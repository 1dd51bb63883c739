import type { Disk, DiskFile } from '../src/spool/disk.ts';

/** Numbers from 0 to 1 that are the same for the same seed. */
export type Random = () => number;

/** A call that fails, or a process that dies in it. */
interface Faults {
  /** How likely a call fails with EIO, before or after a part of its effect. */
  errors: number;
  /** The disk is full: nothing new fits. */
  isFull: boolean;
  /** After how many calls the process dies. */
  callsToCrash: number;
}

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly size: number };

interface File {
  /** What programs see. */
  now: Buffer;
  /** What a power cut leaves, whatever else. */
  synced: Buffer;
  /** What it may leave too: the first of these. */
  changes: Change[];
}

interface Folder {
  readonly now: Map<string, File | Folder>;
  synced: Map<string, File | Folder>;
  changes: { readonly name: string; readonly node: File | Folder | undefined }[];
}

const newFile = (): File => ({ now: Buffer.alloc(0), synced: Buffer.alloc(0), changes: [] });
const newFolder = (): Folder => ({ now: new Map(), synced: new Map(), changes: [] });
const isFolder = (node: File | Folder): node is Folder => node.now instanceof Map;

const fail = (code: string, path: string): never => {
  throw Object.assign(new Error(`${code}, ${path}`), { code });
};

const apply = (bytes: Buffer, change: Change): Buffer => {
  const size = change.kind === 'write' ? Math.max(bytes.length, change.at + change.bytes.length) : change.size;
  const changed = Buffer.alloc(size);
  bytes.copy(changed);
  if (change.kind === 'write') change.bytes.copy(changed, change.at);
  return changed;
};

const change = (file: File, made: Change): void => {
  file.now = apply(file.now, made);
  file.changes.push(made);
};

/** A power cut. The last change to a file that is kept may be kept in part. */
const cutFile = (random: Random, file: File): void => {
  const kept = Math.floor(random() * (file.changes.length + 1));
  for (const made of file.changes.slice(0, kept)) file.synced = apply(file.synced, made);
  const torn = file.changes[kept];
  if (torn?.kind === 'write' && random() < 0.6) {
    const bytes = Buffer.from(torn.bytes);
    const upTo = Math.floor(random() * (bytes.length + 1));
    // The length may reach the disk before the bytes do.
    if (random() < 0.3) bytes.fill(0, upTo);
    file.synced = apply(file.synced, { ...torn, bytes: random() < 0.5 ? bytes : bytes.subarray(0, upTo) });
  }
  Object.assign(file, { now: file.synced, changes: [] });
};
const cutFolder = (random: Random, folder: Folder): void => {
  const kept = Math.floor(random() * (folder.changes.length + 1));
  for (const { name, node } of folder.changes.slice(0, kept)) {
    if (node === undefined) folder.synced.delete(name);
    else folder.synced.set(name, node);
  }
  folder.changes = [];
  folder.now.clear();
  for (const [name, node] of folder.synced) {
    folder.now.set(name, node);
    if (isFolder(node)) cutFolder(random, node);
    else cutFile(random, node);
  }
};

const syncFile = (file: File): void => {
  for (const made of file.changes) file.synced = apply(file.synced, made);
  file.changes = [];
};
const syncNode = (node: File | Folder): void => {
  if (isFolder(node)) Object.assign(node, { synced: new Map(node.now), changes: [] });
  else syncFile(node);
};
/** After a failed sync the kernel takes pages for written that may not be: a later sync does not write them. */
const failSync = (random: Random, node: File | Folder): void => {
  if (isFolder(node)) return;
  const kept = Math.floor(random() * (node.changes.length + 1));
  node.changes = node.changes.slice(0, kept);
};

type Call = <T>(name: string, path: string, act: () => T, actPartly?: () => unknown) => Promise<T>;

/** What one open file does, by way of `call`. */
const openFile = (call: Call, random: Random, faults: Faults, path: string, node: File | Folder): DiskFile => {
  const file = isFolder(node) ? newFile() : node;
  const sync = (): Promise<void> =>
    call(
      'sync',
      path,
      () => syncNode(node),
      () => failSync(random, node),
    );
  return {
    read: (into, offset, length, at) =>
      call('read', path, () => {
        const upTo = random() < 0.1 ? Math.ceil(random() * length) : length;
        return { bytesRead: at > file.now.length ? 0 : file.now.copy(into, offset, at, at + upTo) };
      }),
    write: (bytes, offset, length, at) => {
      const take = (part: number): { bytesWritten: number } => {
        const bytesWritten = Math.ceil(part * length);
        const written = Buffer.from(bytes.subarray(offset, offset + bytesWritten));
        change(file, { kind: 'write', at, bytes: written });
        return { bytesWritten };
      };
      return call(
        'write',
        path,
        () => {
          if (faults.isFull && (length <= 1 || random() < 0.7)) fail('ENOSPC', path);
          return take(faults.isFull || random() < 0.05 ? random() * 0.9 : 1);
        },
        () => random() < 0.5 && take(random()),
      );
    },
    stat: () => call('stat', path, () => ({ size: file.now.length })),
    truncate: (size) => call('truncate', path, () => change(file, { kind: 'truncate', size })),
    datasync: sync,
    sync,
    close: () => call('close', path, () => undefined),
  };
};

const findNode = (root: Folder, path: string): File | Folder | undefined => {
  let node: File | Folder | undefined = root;
  for (const part of path.split('/').filter(Boolean)) {
    if (node === undefined || !isFolder(node)) return undefined;
    node = node.now.get(part);
  }
  return node;
};

export interface SimulatedDisk {
  readonly faults: Faults;
  /** What was done since, to be printed. */
  readonly calls: string[];
  /** The disk as a process of now sees it. */
  boot(): Disk;
  /** Power is gone: what was synced stays, and some beginning of what was not. The process of before sees no disk. */
  crash(): void;
  /** The files of a folder, and what is in them. */
  contents(path: string): ReadonlyMap<string, Buffer>;
  /** Turns one bit of a file over. */
  flip(path: string, at: number, bit: number): void;
}

/**
 * A disk in memory. It keeps what was synced, and after a crash any beginning of the rest, for each file and each
 * folder apart: a file whose folder was not synced may be gone. Folders below are made in `/`.
 */
export const createSimulatedDisk = (random: Random): SimulatedDisk => {
  const root = newFolder();
  const faults: Faults = { errors: 0, isFull: false, callsToCrash: Number.POSITIVE_INFINITY };
  const calls: string[] = [];
  let processes = 0;

  const find = (path: string): File | Folder | undefined => findNode(root, path);
  const parentOf = (path: string): [Folder, string] => {
    const cut = path.lastIndexOf('/');
    const parent = find(path.slice(0, cut)) ?? fail('ENOENT', path);
    return isFolder(parent) ? [parent, path.slice(cut + 1)] : fail('ENOTDIR', path);
  };
  const setEntry = (path: string, node: File | Folder | undefined): void => {
    const [folder, name] = parentOf(path);
    if (node === undefined) folder.now.delete(name);
    else folder.now.set(name, node);
    folder.changes.push({ name, node });
  };
  const boot = (): Disk => {
    const me = ++processes;
    /** Each call passes here: it may fail, and the process may die in it, before or after its effect. */
    const call = async <T>(
      name: string,
      path: string,
      act: () => T,
      actPartly = (): unknown => undefined,
    ): Promise<T> => {
      if (me !== processes) return fail('EDEAD', path);
      const note = (end: string): number => calls.push(`    ${name} ${path}${end}`);
      if (--faults.callsToCrash < 0) {
        if (random() < 0.5) act();
        note(': the process dies');
        processes++;
        return fail('EDEAD', path);
      }
      if (random() < faults.errors) {
        actPartly();
        note(': EIO');
        return fail('EIO', path);
      }
      try {
        const result = act();
        note('');
        return result;
      } catch (error) {
        note(`: ${(error as { code?: string }).code}`);
        throw error;
      }
    };
    const assertSpace = (path: string): void => {
      if (faults.isFull) fail('ENOSPC', path);
    };

    return {
      makeFolder: (path) =>
        call('mkdir', path, () => {
          const there = find(path);
          if (there !== undefined) return isFolder(there) ? undefined : fail('EEXIST', path);
          assertSpace(path);
          setEntry(path, newFolder());
          return path;
        }),
      lock: async () => () => undefined,
      list: (path) =>
        call('list', path, () => {
          const node = find(path) ?? fail('ENOENT', path);
          return isFolder(node) ? [...node.now.keys()] : fail('ENOTDIR', path);
        }),
      open: (path, flags) =>
        call(`open ${flags}`, path, () => {
          let node = find(path);
          if (node !== undefined && flags === 'wx') fail('EEXIST', path);
          if (node === undefined) {
            if (!flags.startsWith('w')) fail('ENOENT', path);
            assertSpace(path);
            node = newFile();
            setEntry(path, node);
          } else if (flags === 'w' && !isFolder(node)) change(node, { kind: 'truncate', size: 0 });
          return openFile(call, random, faults, path, node);
        }),
      remove: (path) =>
        call(
          'remove',
          path,
          () => {
            if (find(path) !== undefined) setEntry(path, undefined);
          },
          () => random() < 0.3 && find(path) !== undefined && setEntry(path, undefined),
        ),
    };
  };

  return {
    faults,
    calls,
    boot,
    crash: () => {
      processes++;
      cutFolder(random, root);
      faults.callsToCrash = Number.POSITIVE_INFINITY;
    },
    contents: (path) => {
      const folder = find(path);
      if (folder === undefined || !isFolder(folder)) return new Map();
      return new Map([...folder.now].flatMap(([name, node]) => (isFolder(node) ? [] : [[name, node.now]])));
    },
    flip: (path, at, bit) => {
      const file = find(path) as File;
      for (const bytes of new Set([file.now, file.synced])) {
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << bit);
      }
    },
  };
};
