/** What a step to be measured is, and how its processor time is taken. */

/** Operations, always the same number, whose cost is found by doing them again and again. */
export interface Step {
  readonly name: string;
  /** Operations in one pass. */
  readonly operations: number;
  /** What a pass needs that the one before has used up; not measured. */
  readonly before?: () => void;
  /** One pass. */
  readonly pass: () => void | Promise<void>;
}

/** What comes to be measured together: steps that share what is costly to make. */
export interface Steps {
  readonly steps: readonly Step[];
  /** Takes away what was made. */
  readonly close?: () => void;
}

/** Processor nanoseconds an operation, by step. */
export type Figures = ReadonlyMap<string, number>;

/** Passes before anything is measured, so that the code is compiled for all it will meet. */
const WARM_UP = 3;
/** Times that all steps are gone through: what disturbs one for a while is over when it comes again. */
const SWEEPS = 5;
/** Milliseconds of processor time that a step is measured for in each, and passes at least. */
const ENOUGH = 80;
const FEWEST = 3;

/** Processor time of this process so far, in nanoseconds: a busy machine does not blur it as it does the clock. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Measures every step: the best of its passes, all of them warmed up before the first is measured. */
export async function measureSteps(steps: readonly Step[]): Promise<Map<string, number>> {
  for (let n = 0; n < WARM_UP; n++) {
    for (const { before, pass } of steps) {
      before?.();
      await pass();
    }
  }
  const figures = new Map<string, number>();
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const step of steps) {
      const best = await measureStep(step);
      figures.set(step.name, Math.min(best, figures.get(step.name) ?? Infinity));
    }
  }
  return figures;
}

/** @returns processor nanoseconds an operation in the best pass */
async function measureStep({ operations, before, pass }: Step): Promise<number> {
  let best = Infinity;
  let measured = 0;
  for (let n = 0; n < FEWEST || measured < ENOUGH * 1e6; n++) {
    before?.();
    const begun = processorTime();
    await pass();
    const used = processorTime() - begun;
    measured += used;
    best = Math.min(best, used / operations);
  }
  return best;
}
