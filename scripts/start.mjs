// npm start: records a program of ten seconds and writes its report, from a fresh clone on.
import { rmSync } from "node:fs";
import { at, must } from "./lib.mjs";
import { setUp } from "./setup.mjs";

setUp({ everyNode: false });
const gcspike = at("bin", "gcspike.js");
const recording = at("build", "retained-sessions.gcspike");
const report = at("report.html");
rmSync(recording, { recursive: true, force: true });
must(
  process.execPath,
  [gcspike, "record", "-o", recording, "--", process.execPath, at("fixtures", "retained-sessions.mjs")],
  {
    stdio: "inherit",
  },
);
must(process.execPath, [gcspike, "report", recording, "-o", report]);
console.log(`\nOpen it in a browser: ${report}`);
