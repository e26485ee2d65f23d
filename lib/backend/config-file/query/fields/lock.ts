/** The fields of the locks that jobs have or wait for. */
import type { LockState } from '../../../../model/queue-view.ts'
import { type Field, field } from './field.ts'

export const lockFields: readonly Field<LockState>[] = [
  // Ganeti's query daemon calls a lock's name `other`, not `text`.
  field('name', 'Name', 'other', 'Name of the lock', ({ name }) => name),
  field('mode', 'Mode', 'other', 'How it is held: exclusive, or null where it is not', ({ owner }) =>
    owner === null ? null : 'exclusive',
  ),
  field('owner', 'Owner', 'other', 'Jobs that hold it', ({ owner }) =>
    owner === null ? null : [String(owner)],
  ),
  field('pending', 'Pending', 'other', 'Jobs that wait for it', ({ pending }) =>
    pending.length === 0 ? null : [['exclusive', pending.map(String)]],
  ),
]
