/** `{ id }` becomes `{ __proto__: null, id }`, throughout. */
export function withoutPrototypes(code: string): string;
