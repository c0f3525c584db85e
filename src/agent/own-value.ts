/** A property's value where it is the object's own and no getter, which would run code of the program's. */
export function ownValue(object: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(object, name)?.value;
}
