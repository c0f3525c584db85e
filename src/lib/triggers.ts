/** What a flight recorder's triggers are called where they are told of. */

/** The trigger of a program's end where nobody asked for it. */
export const DEATH_TRIGGER = "death";

/** Of the triggers of a dump, in order of time, the one to be named: the program's death, else the first. */
export function foremost<T extends { readonly trigger: string }>(triggers: readonly T[]): T | undefined {
  return triggers.find(({ trigger }) => trigger === DEATH_TRIGGER) ?? triggers[0];
}

/** Is it a flight recorder's dump of a program that went on? null: no dump. */
export function isOfRunning(dump: { readonly triggers: readonly { readonly trigger: string }[] } | null): boolean {
  return dump !== null && !dump.triggers.some(({ trigger }) => trigger === DEATH_TRIGGER);
}
