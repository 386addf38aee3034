/** The next time of day by the clock on the wall, over the days when that clock is put forward and back. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { nextTimeOfDay } from "../../../src/services/ageing/time-of-day.ts";

const zone = process.env["TZ"];
beforeAll(() => {
  process.env["TZ"] = "Europe/Berlin";
});
afterAll(() => {
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
});

test.each([
  ["later today", 180, "2026-01-10T00:00:00Z", "2026-01-10T02:00:00Z"],
  ["tomorrow, where it is past", 180, "2026-01-10T02:00:01Z", "2026-01-11T02:00:00Z"],
  ["tomorrow, where it is this instant", 180, "2026-01-10T02:00:00Z", "2026-01-11T02:00:00Z"],
  ["over the end of a month and year", 1439, "2025-12-31T22:59:30Z", "2026-01-01T22:59:00Z"],
  ["in summer an hour earlier by UTC", 180, "2026-07-01T00:00:00Z", "2026-07-01T01:00:00Z"],
  [
    "a time that is left out in spring: as much after the change",
    150,
    "2026-03-29T00:00:00Z",
    "2026-03-29T01:30:00Z",
  ],
  ["a time that comes twice in autumn: the first", 150, "2026-10-24T22:30:00Z", "2026-10-25T00:30:00Z"],
  ["after the first of those: the next day", 150, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
])("%s", (_, minutes, after, expected) => {
  expect(new Date(nextTimeOfDay(minutes, Date.parse(after))).toISOString()).toBe(
    new Date(expected).toISOString(),
  );
});
