/** Every start that can be taken back returns how. */
export type Stop = () => void;

/** Takes all of them back, the last one first. What one of them throws, its own trouble or the program's, keeps none from stopping. */
export function stopAll(stops: readonly Stop[]): void {
  for (const stop of [...stops].reverse()) {
    try {
      stop();
    } catch {
      // The program put something in its place that cannot be taken back.
    }
  }
}
