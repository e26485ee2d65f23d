/**
 * Replaces the cluster's file under the write-ahead journal. Right before that,
 * the journal says by what and which jobs end with it, so that a start after a
 * crash knows from the file which way it went.
 */
import type { Job } from '../../../model/job.ts'
import type { ClusterFile, Prepared } from '../state/cluster-file.ts'
import type { Journal } from './journal.ts'
import type { OpenWrite } from './journal-records.ts'

export class FileReplacement {
  readonly #journal: Journal
  /** How the last one went, while the journal does not have it. */
  #unrecorded: { readonly record: { readonly written: boolean }; readonly onRecorded: () => void } | undefined

  /** @param journal one that has been begun by the time of `replace` */
  constructor(journal: Journal) {
    this.#journal = journal
  }

  /**
   * Puts a new state in the place of the file.
   * @param jobs the states that jobs have with it
   * @throws FileChanged, or whatever the file system has to say
   */
  async replace(prepared: Prepared, jobs: readonly Job[]): Promise<void> {
    const { before, after, temporary, commit } = prepared
    try {
      const last = this.#unrecorded
      await this.#journal.append(...(last ? [last.record] : []), {
        write: { before, after, temporary },
        jobs,
      })
      last?.onRecorded()
    } catch (error) {
      await prepared.discard()
      throw error
    }
    try {
      await commit()
    } catch (error) {
      // Without the new file beside it, one that a person has changed since would count as ours, changed.
      this.#record(false, () => void prepared.discard())
      throw error
    }
    this.#record(true)
  }

  #record(written: boolean, onRecorded = () => {}): void {
    const outcome = { record: { written }, onRecorded }
    this.#unrecorded = outcome
    // After a crash before this line is on disk, `wasReplaced` finds out.
    this.#journal.append(outcome.record).then(
      () => {
        if (this.#unrecorded === outcome) this.#unrecorded = undefined
        onRecorded()
      },
      () => {},
    )
  }
}

/** After a crash: whether the file was replaced, where the journal does not tell. */
export async function wasReplaced(
  file: ClusterFile,
  { before, after, temporary }: OpenWrite,
): Promise<boolean> {
  if (file.hash === after) return true
  // A person who changed the file since changed what was there: our text, unless it still lies beside it.
  return file.hash !== before && !(await file.hasTemporary(temporary))
}
