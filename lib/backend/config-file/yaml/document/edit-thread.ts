/** The thread of `TextAsWhole`, started for one edit. */
import { parentPort, workerData } from 'node:worker_threads'
import { lowerThreadPriority } from '../../../../engine/thread-priority.ts'
import { CannotEdit } from '../syntax/cannot-edit.ts'
import { editWhole } from './edit-whole.ts'
import type { EditAnswer, EditAssignment } from './text-as-whole.ts'

const { text, changes } = workerData as EditAssignment

function edited(): EditAnswer {
  try {
    return editWhole(text, changes)
  } catch (error) {
    // Anything else is a fault of ours, which ends the thread and is reported with its stack.
    if (!(error instanceof CannotEdit)) throw error
    return undefined
  }
}

lowerThreadPriority()
parentPort?.postMessage(edited())
