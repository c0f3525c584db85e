/**
 * `gcspike/tag`: says what the program is doing, for a recording that may be going on.
 *
 *     import { tag } from "gcspike/tag";
 *     tag("checkout");
 *
 * It publishes on the channel `gcspike:tag` of node:diagnostics_channel, which anybody may subscribe to. Without a subscriber it
 * does nothing, in some nanoseconds, and it needs nothing else of gcspike.
 */
import { channel } from "node:diagnostics_channel";

const tags = channel("gcspike:tag");

/**
 * Says that `name` happens now: a kind of work ("checkout"), not one piece of it, for a recording holds some five
 * hundred different names. A report says which of them stand out before a spike. Never throws.
 */
export function tag(name: string): void {
  tags.publish(name);
}
