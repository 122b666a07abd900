import { expect, test, vi } from "vitest";
import { openDatabase, refuseUnsafe } from "./driver.ts";

test("a SQLite that several processes can damage is refused, with the Node to use", () => {
  for (const version of ["3.51.2", "3.50.9", "2.99.99", "3.51"]) {
    expect(() => refuseUnsafe(version), version).toThrow(
      expect.objectContaining({ code: "NODE_TOO_OLD", hint: expect.stringContaining("24.15") }),
    );
  }
  for (const version of ["3.51.3", "3.52.0", "3.60.0", "4.0.0"])
    expect(() => refuseUnsafe(version), version).not.toThrow();
});

test("opening a database says nothing of experiments and leaves other warnings alone", () => {
  const original = process.emitWarning;
  const warnings: unknown[] = [];
  const listen = (warning: unknown): number => warnings.push(warning);
  process.on("warning", listen);
  openDatabase(":memory:").close();
  process.off("warning", listen);
  expect([warnings, process.emitWarning === original]).toEqual([[], true]);
});

test("a Node without SQLite is named with what to use", () => {
  const without = vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined);
  try {
    expect(() => openDatabase(":memory:")).toThrow(expect.objectContaining({ code: "NODE_TOO_OLD" }));
  } finally {
    without.mockRestore();
  }
});
