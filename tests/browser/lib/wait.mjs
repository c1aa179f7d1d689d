// Waits for a state, never for a time; every wait has a bound and says what it waited for.

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks `look` until it answers something truthy; returns that. An error thrown by `look` counts as "not yet". */
export async function until(what, look, { within = 10_000, every = 50 } = {}) {
  const end = Date.now() + within;
  let last;
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) {
      throw new Error(`not within ${within / 1000} s: ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
    }
    await pause(every);
  }
}

/**
 * Bounds of the contract (face §14) are for the page alone. What they are measured with, a machine of two cores that
 * runs several browsers and the server at once, gets this much on top. SLACK=0 judges without.
 */
export const SLACK = Number(process.env.SLACK ?? 1_000);
