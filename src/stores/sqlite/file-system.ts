/**
 * Which file system a directory lies on, and whether locks hold there. Read from the table of mounts, which answers even
 * while a server does not; statfs(2) is asked where there is no such table.
 */
import { readFileSync, statfsSync } from "node:fs";

/** Names in /proc/self/mountinfo of what shares files with other machines or with a host, whose locks do not hold here. */
const SHARED_TYPES: ReadonlyMap<string, string> = new Map([
  ["nfs", "NFS"],
  ["nfs4", "NFS"],
  ["9p", "9p"],
  ["virtiofs", "virtiofs"],
  ["drvfs", "a Windows drive"],
  ["cifs", "CIFS"],
  ["smb3", "SMB"],
  ["smbfs", "SMB"],
  ["ncpfs", "NetWare"],
  ["ceph", "Ceph"],
  ["afs", "AFS"],
  ["coda", "Coda"],
  ["lustre", "Lustre"],
  ["gpfs", "GPFS"],
  ["beegfs", "BeeGFS"],
  ["orangefs", "OrangeFS"],
  ["pvfs2", "OrangeFS"],
  ["ocfs2", "OCFS2"],
  ["gfs2", "GFS2"],
  ["vboxsf", "VirtualBox shared folders"],
  ["vmhgfs", "VMware shared folders"],
  ["prl_fs", "Parallels shared folders"],
]);

/** Numbers of the same (statfs(2), linux/magic.h). Docker Desktop's and WSL's shares show as FUSE or 9p. */
const SHARED_NUMBERS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x01021997, "9p"],
  [0x65735546, "FUSE or virtiofs"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x19830326, "BeeGFS"],
  [0x20030528, "OrangeFS"],
  [0x7461636f, "OCFS2"],
  [0x01161970, "GFS2"],
  [0x786f4256, "VirtualBox shared folders"],
  [0xbacbacbc, "VMware shared folders"],
  [0x7c7c6673, "Parallels shared folders"],
]);

/** How the system is asked; tests make up their own. */
export interface FileSystems {
  /** The text of /proc/self/mountinfo; undefined where there is none. */
  readonly mounts: () => string | undefined;
  /** The type number of the file system an existing directory lies on. */
  readonly typeOf: (directory: string) => number;
}

export const realFileSystems: FileSystems = {
  mounts: () => {
    try {
      return readFileSync("/proc/self/mountinfo", "utf8");
    } catch {
      return undefined;
    }
  },
  typeOf: (directory) => statfsSync(directory).type,
};

/** The name of the file system type an absolute path lies on, `ext4` for example; undefined when no mount is above it. */
export function mountedType(path: string, mountinfo: string): string | undefined {
  let found: string | undefined;
  let longest = -1;
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const point = unescaped(before.split(" ")[4] ?? "");
    const isAbove = path === point || path.startsWith(point.endsWith("/") ? point : `${point}/`);
    // Of several at one point the last hides the others.
    if (point === "" || !isAbove || point.length < longest) continue;
    longest = point.length;
    found = after.split(" ")[0];
  }
  return found;
}

/** Blanks, tabs, line ends and backslashes stand as octal numbers. */
function unescaped(point: string): string {
  return point.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The name of a shared file system type, or null for one of this machine alone. */
function sharedName(type: string): string | null {
  if (type.startsWith("fuse.")) return `FUSE (${type.slice(5)})`;
  // fuseblk is a local disk through a program, whose mapped memory is no safer.
  if (type === "fuse" || type === "fuseblk") return "FUSE";
  return SHARED_TYPES.get(type) ?? null;
}

/** What people call the network or virtual file system an existing directory lies on; null when locks hold there. */
export function sharedFileSystemAt(directory: string, { mounts, typeOf }: FileSystems): string | null {
  const type = mountedType(directory, mounts() ?? "");
  if (type !== undefined) return sharedName(type);
  return SHARED_NUMBERS.get(typeOf(directory) >>> 0) ?? null;
}

/** The type of file system a path lies on, as the table of mounts names it; null where there is no such table. */
export function fileSystemName(path: string, { mounts }: FileSystems = realFileSystems): string | null {
  return mountedType(path, mounts() ?? "") ?? null;
}
