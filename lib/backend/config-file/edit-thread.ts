/** The thread of `TextAsWhole`, started for one edit. */
import { parentPort, workerData } from 'node:worker_threads'
import { editWhole } from './edit-whole.ts'
import { stepBack } from './step-back.ts'
import type { EditAnswer, EditAssignment } from './text-as-whole.ts'
import { CannotEdit } from './yaml-edit.ts'

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

stepBack()
parentPort?.postMessage(edited())
