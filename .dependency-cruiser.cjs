/**
 * The walls of the house (docs/HACKING.md): for each folder of src/, what it may import besides itself.
 * A wall may move, in a commit that says why and moves the table in docs/HACKING.md with it.
 */
const FORMAT = "recording/(spec|model)[.]ts";
const MAY_IMPORT = {
  lib: [],
  recording: ["lib/"],
  // Runs inside the target: the format, and the writers of what the agent itself writes.
  agent: ["lib/", "recording/(spec|attach-expression|gc-log-writer|tag-records)[.]ts"],
  recorder: ["lib/", "recording/"],
  analysis: ["lib/", FORMAT],
  report: ["lib/", FORMAT, "analysis/"],
  export: ["lib/", FORMAT, "analysis/"],
  // Processes of their own beside the program: what the agent in it cannot do.
  fleet: ["lib/", "recording/", "analysis/", "recorder/", "export/"],
  slab: ["lib/"],
  tag: [],
  workload: ["lib/", "slab/"],
  // Makes the runs of both sides; what they mean, analysis/check says.
  check: ["lib/", "recording/", "analysis/", "recorder/"],
  // For tests of the user's own: a budget for one function.
  vitest: ["lib/", "recording/", "analysis/", "recorder/", "check/", "report/(check-phrases)[.]ts"],
  // Of a workload: how it is run. The workload itself runs in a process of its own, by path.
  cli: [
    "lib/",
    "recording/",
    "analysis/",
    "report/",
    "export/",
    "recorder/",
    "check/",
    "fleet/settings[.]ts",
    "workload/(flags|room|workloads)[.]ts",
    "workload/txpool/(options|fits|arrivals)[.]ts",
  ],
};

const walls = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `walls-of-${folder}`,
  comment: `src/${folder} may import only ${[`${folder}/`, ...allowed].join(", ")}.`,
  severity: "error",
  from: { path: `^src/${folder}/` },
  to: { path: "^src/", pathNot: `^src/(${[`${folder}/`, ...allowed].join("|")})` },
}));

module.exports = {
  forbidden: [
    ...walls,
    {
      name: "walls-of-the-api",
      comment: "src/index.ts stands beside cli: it prints nothing and parses no arguments.",
      severity: "error",
      from: { path: "^src/index[.]ts$" },
      to: { path: "^src/(cli|agent|fleet|slab|tag|workload|report|export|check)/" },
    },
    {
      name: "analysis-is-pure",
      comment: "No files, no clock, no process: the same recording gives the same report.",
      severity: "error",
      from: { path: "^src/analysis/" },
      to: { dependencyTypes: ["core", "npm"] },
    },
    {
      name: "agent-loads-no-package",
      comment: "What loads in the target changes the target: its collections first of all.",
      severity: "error",
      from: { path: "^src/agent/" },
      to: { dependencyTypes: ["npm"] },
    },
    {
      name: "client-runs-in-a-browser",
      severity: "error",
      from: { path: "^src/report/client/" },
      to: { dependencyTypes: ["core"] },
    },
    { name: "no-circles", severity: "error", from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } } },
    { name: "nothing-unresolved", severity: "error", from: { path: "^src/" }, to: { couldNotResolve: true } },
  ],
  options: {
    // Type imports count: a wall that types may climb is none.
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default"] },
  },
};
