import { expect, test } from "vitest";
import type { DeclaredResource } from "../core/declared.ts";
import { defaultResources, effective, effectiveResources } from "./resource.ts";

function build(capacity: number, declaredBy: string, authority = false): DeclaredResource {
  return { name: "build", kind: "capacity", node: "c:build", capacity, declaredBy, authority };
}
const [standard] = defaultResources(8, "w");

test("the user's file wins over smaller and greater numbers", () => {
  expect(effective([build(1, "lockyard.yaml"), build(3, "config.yaml", true), build(9, "plan.yaml")])?.capacity).toBe(
    3,
  );
});

test("without it the smallest number counts", () => {
  expect(effective([build(4, "lockyard.yaml"), build(2, "plan.yaml")])).toMatchObject({
    capacity: 2,
    declaredBy: "plan.yaml",
  });
});

test("the default gives way to everybody, also to a greater number", () => {
  expect(standard).toMatchObject({ name: "build", capacity: 2, declaredBy: "default" });
  expect(effective([...(standard ? [standard] : []), build(5, "plan.yaml")])?.capacity).toBe(5);
  expect(effectiveResources(standard ? [standard] : []).get("build")?.capacity).toBe(2);
});

test("build has one unit for every four cores, at least one", () => {
  expect([1, 3, 4, 7, 8, 64].map((cores) => defaultResources(cores, "w")[0]?.capacity)).toEqual([1, 1, 1, 1, 2, 16]);
});
