/** The process of `verifyArgon2`: answers questions until the daemon lets go of it, or ends. */
import type { Answer, Question } from './argon2.ts'

async function answerTo({ id, phc, password }: Question): Promise<Answer> {
  try {
    // It has a native part, which may not fit this machine.
    const { verify } = await import('argon2')
    return { id, matches: await verify(phc, password) }
  } catch (error) {
    return { id, error: (error as Error).message }
  }
}

// The daemon decides when this ends, not whoever sends signals to all of its group.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
process.on('disconnect', () => process.exit())
process.on('message', async (question: Question) => {
  const answer = await answerTo(question)
  // A daemon that has ended meanwhile need not be told.
  process.send?.(answer, () => {})
})
