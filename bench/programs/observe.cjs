// Preloaded as a condition of the overhead bench: a `gc` PerformanceObserver that keeps every duration, as metrics libraries do.
const { PerformanceObserver } = require("node:perf_hooks");

const durations = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) durations.push(entry.duration);
}).observe({ entryTypes: ["gc"] });
