/**
 * Logs whether the cluster can be changed, and if not why: at the start, and
 * after a reload if that has changed. Otherwise the operator would learn it from
 * the first client whose change is refused.
 */
import { stat } from 'node:fs/promises'
import { ownName } from '../../../daemon/privileges.ts'
import { Failure, messageChain } from '../../../failure.ts'
import type { ClusterFile } from './cluster-file.ts'

interface ReportLog {
  info(message: string): void
  warning(message: string): void
}

/**
 * @param queue knows whether it accepts jobs
 * @returns a function that logs it in one line, if it has changed
 */
export function changesReporter(
  file: Pick<ClusterFile, 'path' | 'keepsRights'>,
  queue: { checkWritable(): Promise<void> },
  log: ReportLog,
): () => Promise<void> {
  let told = ''
  return async () => {
    const { level, text } = await stateOf(file, queue)
    if (text !== told) log[level](text)
    told = text
  }
}

async function stateOf(
  file: Pick<ClusterFile, 'path' | 'keepsRights'>,
  queue: { checkWritable(): Promise<void> },
): Promise<{ level: keyof ReportLog; text: string }> {
  const user = ownName()
  try {
    await queue.checkWritable()
    const { nlink } = await stat(file.path)
    const losses = [
      nlink > 1 && `its other names (hard links: ${nlink - 1}) keep the old text`,
      !file.keepsRights && 'its group and all others keep only what both may do',
    ].filter((loss) => loss !== false)
    const text = [`The cluster can be changed: jobs replace ${file.path}, as the user ${user}`, ...losses]
    return { level: losses.length > 0 ? 'warning' : 'info', text: text.join('; ') }
  } catch (error) {
    // Ganeti's own form is never written, so that is not worth a warning.
    const level = error instanceof Failure && error.code === 'unsupported' ? 'info' : 'warning'
    return { level, text: `The cluster cannot be changed by the user ${user}: ${messageChain(error)}` }
  }
}
