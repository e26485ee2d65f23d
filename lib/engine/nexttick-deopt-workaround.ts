/**
 * Keeps process.nextTick() fast, which Node calls some ten times a request.
 *
 * V8 knows the objects in which Node notes what is to be called by their hidden
 * class, and forgets that class when a full collection finds none of them
 * alive, as it does in a daemon without requests. The literal that makes them
 * is then taken for one of many shapes, for good, and each call costs five
 * times as much (seen with Node 20: 40 ns, and after two collections 210; a
 * quarter of the processor time of a short answer). One such object that is
 * never dropped keeps the class. `npm run bench -- engine` shows the difference.
 */
import { executionAsyncResource } from 'node:async_hooks'

/** Held by this module for as long as the program runs. */
export const keptTick = new Promise<object>((resolve) => {
  process.nextTick(() => resolve(executionAsyncResource()))
})
