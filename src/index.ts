/** The JavaScript API: `import { record, read, analyse } from "gcspike"`. */
export { record } from "./recorder/record.ts";
