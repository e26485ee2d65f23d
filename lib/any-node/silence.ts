/** Ends an answer of the master that brings nothing for too long, though more of it is wanted. */
import type { IncomingMessage } from 'node:http'

/**
 * Begins to wait.
 * @param most milliseconds
 * @returns to be called when something has come
 */
export function endSilence(answer: IncomingMessage, most: number): () => void {
  const timer = setTimeout(() => {
    if (answer.isPaused()) timer.refresh()
    else answer.destroy(new Error('nothing more came in time'))
  }, most)
  answer.on('close', () => clearTimeout(timer))
  return () => timer.refresh()
}
