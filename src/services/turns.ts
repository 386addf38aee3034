/** Long work of the control thread, in turns with everything else it has to do. */

/** Milliseconds of work after which others have their turn; an update on its way through the server takes several. */
const TURN = 3;

/** Lets queries and updates have the thread before a long piece of work goes on. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Does the steps of a work to its end, others between them.
 * @param onTurn told the latest progress after each turn; where it fails the work is given up
 * @throws what a step throws
 */
export async function inTurns<P, R>(
  steps: Generator<P, R, undefined>,
  onTurn: (progress: P) => void | Promise<void> = () => undefined,
): Promise<R> {
  try {
    for (;;) {
      const turnEnds = performance.now() + TURN;
      let step = steps.next();
      while (step.done !== true && performance.now() < turnEnds) step = steps.next();
      if (step.done === true) return step.value;
      await onTurn(step.value);
      await breathe();
    }
  } finally {
    // Nothing to end where it has come to its end.
    steps.return(undefined as never);
  }
}

/** Does the steps of a work at one go. */
export function atOnce<R>(steps: Generator<unknown, R, undefined>): R {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
