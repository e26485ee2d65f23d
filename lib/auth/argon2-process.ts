/** The child process of `verifyArgon2`: checks passwords until the daemon disconnects or ends. */
import type { Answer, Question } from './argon2.ts'

async function answerTo({ id, phc, password }: Question): Promise<Answer> {
  try {
    // Its native part may not work on this machine.
    const { verify } = await import('argon2')
    return { id, matches: await verify(phc, password) }
  } catch (error) {
    return { id, error: (error as Error).message }
  }
}

// Ignore signals to the process group: the daemon decides when this process ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
process.on('disconnect', () => process.exit())
process.on('message', async (question: Question) => {
  const answer = await answerTo(question)
  // Ignore errors: the daemon may have ended in the meantime.
  process.send?.(answer, () => {})
})
