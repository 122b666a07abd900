/** A SQLite ledger in memory, without a store around it. */

import type { TaskRow } from "../../src/core/row.ts";
import { openDatabase } from "../../src/stores/sqlite/driver.ts";
import { SqliteLedger } from "../../src/stores/sqlite/ledger.ts";
import { migrate } from "../../src/stores/sqlite/migrate.ts";
import { RowReader } from "../../src/stores/sqlite/row-reader.ts";
import { Statements } from "../../src/stores/sqlite/statements.ts";
import type { OpenLedger } from "../../src/testing/ledger-contract.ts";

export interface OpenSqliteLedger extends OpenLedger {
  readonly db: Statements;
  liveRows(): readonly TaskRow[];
}

export function openSqliteLedger(): OpenSqliteLedger {
  const db = new Statements(openDatabase(":memory:"));
  migrate(db, { fence: 1_001, bootId: "" });
  const ledger = new SqliteLedger(db);
  const reader = new RowReader(db);
  // As a store does it: nobody else writes here, so what one transaction knew the next knows too, until one is undone. Every
  // third begins as if somebody had written: with rows known and without, the answers are the same.
  let isUnchanged = false;
  let turns = 0;
  return {
    db,
    ledger,
    commit(work) {
      db.run("begin immediate");
      ledger.begin(0, isUnchanged && ++turns % 3 > 0);
      isUnchanged = false;
      const answer = work();
      ledger.end();
      db.run("commit");
      isUnchanged = true;
      return answer;
    },
    undo(work) {
      db.run("begin immediate");
      ledger.begin(0, isUnchanged);
      isUnchanged = false;
      work();
      ledger.end();
      db.run("rollback");
    },
    liveRows: () => reader.rows(db.keys("select key from task where live = 1 order by key")),
    close: () => db.database.close(),
  };
}
