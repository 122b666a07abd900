/** One connection to a store: opened with care, its transactions begun without waiting. */
import { statSync } from "node:fs";
import { LockyardError } from "../../core/errors.ts";
import { Ballast } from "./ballast.ts";
import { openDatabase } from "./driver.ts";
import { isBusy, storeError } from "./errors.ts";
import { Statements } from "./statements.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

/** How much a commit survives: the end of every process, or the end of the machine's power too. */
export type Tier = "process" | "power";

/** What a store consists of. */
const FILES = ["", "-wal", "-shm"] as const;
const WAL_BYTES_KEPT = 64 * 1024 * 1024;

export class Connection {
  readonly file: string;
  readonly db: Statements;
  readonly #inodes: number[] = [];
  readonly #log: WriteAheadLog;
  readonly #ballast: Ballast;

  private constructor(file: string, db: Statements, copyPages: number | undefined) {
    this.file = file;
    this.db = db;
    this.#log = new WriteAheadLog(db, copyPages);
    this.#ballast = new Ballast(file);
    this.#inodes[0] = statSync(file).ino;
  }

  /** `copyPages`: see WriteAheadLog; tests want many checkpoints. Null while another process makes the file or recovers its WAL: to be tried again. Throws STORE_… */
  static tryOpen(file: string, tier: Tier, { copyPages }: { readonly copyPages?: number } = {}): Connection | null {
    let db: Statements | undefined;
    try {
      db = new Statements(openDatabase(file));
      // A new file can be made smaller; and never mmap: with several writers it has turned small faults into damage.
      db.database.exec(
        `pragma busy_timeout = 0; pragma mmap_size = 0; pragma auto_vacuum = incremental; pragma journal_mode = wal;
         pragma synchronous = ${tier === "power" ? "full" : "normal"}; pragma temp_store = memory;
         pragma wal_autocheckpoint = 0; pragma journal_size_limit = ${WAL_BYTES_KEPT}`,
      );
      const mode = db.one("pragma journal_mode")?.[0];
      if (mode !== "wal") {
        throw new LockyardError(
          "STORE_UNAVAILABLE",
          `The store ${file} cannot use a write-ahead log (journal mode is ${String(mode)}).`,
          {
            hint: "Name a file on a disk of this machine.",
          },
        );
      }
      return new Connection(file, db, copyPages);
    } catch (error) {
      db?.database.close();
      if (isBusy(error)) return null;
      throw storeError(error, file);
    }
  }

  /** False when another connection is writing. Throws STORE_UNAVAILABLE when the file was moved or deleted. */
  tryBegin(): boolean {
    try {
      this.db.run("begin immediate");
    } catch (error) {
      if (isBusy(error)) return false;
      throw storeError(error, this.file);
    }
    const missing = this.#missing();
    if (missing === null) return true;
    this.rollback();
    throw new LockyardError(
      "STORE_UNAVAILABLE",
      `The store's file ${missing} was moved or deleted while it was in use.`,
      {
        hint: "Put it back, or end everything that uses it and start again.",
      },
    );
  }

  /** A process that opens the store now would make new ones, and neither would know of the other. */
  #missing(): string | null {
    for (const [index, suffix] of FILES.entries()) {
      const inode = statSync(this.file + suffix, { throwIfNoEntry: false })?.ino;
      // All three are there as soon as anybody has begun a transaction, until the last has closed.
      this.#inodes[index] ??= inode ?? -1;
      if (this.#inodes[index] !== inode) return this.file + suffix;
    }
    return null;
  }

  commit(): void {
    this.db.run("commit");
    this.#log.committed();
  }

  /** After STORE_FULL: makes what room it can for what lets go. */
  makeRoom(): void {
    this.#ballast.drop();
    this.#log.reuse();
  }

  /** Room for a full disk to come. */
  keepRoom(): void {
    this.#ballast.fill();
  }

  /** Leaves no transaction open, whatever SQLite has rolled back by itself already. */
  rollback(): void {
    if (this.db.database.isTransaction) this.db.run("rollback");
  }

  /** One look at one moment: reads are not disturbed by writers, nor they by reads. */
  read<T>(look: () => T): T {
    if (this.db.database.isTransaction) return look();
    try {
      this.db.run("begin");
      return look();
    } catch (error) {
      throw storeError(error, this.file);
    } finally {
      this.rollback();
    }
  }

  /** Changes whenever another connection has committed. */
  dataVersion(): number {
    return Number(this.db.one("pragma data_version")?.[0] ?? 0);
  }

  close(): void {
    if (this.db.database.isOpen) this.db.database.close();
  }
}
