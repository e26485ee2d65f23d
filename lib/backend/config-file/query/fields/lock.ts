/** The fields of the locks that jobs have or wait for. */
import { orNull } from '../../../../model/check.ts'
import type { LockState } from '../../../../model/queue-view.ts'
import { type Field, field } from './field.ts'
import { anyValues, text, texts } from './value-schemas.ts'

export const lockFields: readonly Field<LockState>[] = [
  // Ganeti's query daemon calls a lock's name `other`, not `text`.
  field('name', 'Name', text, 'Name of the lock', ({ name }) => name),
  field('mode', 'Mode', orNull(text), 'How it is held: exclusive, or null where it is not', ({ owner }) =>
    owner === null ? null : 'exclusive',
  ),
  field('owner', 'Owner', orNull(texts), 'Jobs that hold it', ({ owner }) =>
    owner === null ? null : [String(owner)],
  ),
  field('pending', 'Pending', orNull(anyValues), 'Jobs that wait for it', ({ pending }) =>
    pending.length === 0 ? null : [['exclusive', pending.map(String)]],
  ),
]
