/** The fields of locks, of which a file has none. */
import { cellField, type Field, NO_DATA } from './field.ts'

export const lockFields: readonly Field<never>[] = [
  // Ganeti's query daemon calls a lock's name `other`, not `text`.
  cellField('name', 'Name', 'other', 'Name of the lock', () => NO_DATA),
  cellField('mode', 'Mode', 'other', 'How it is held: exclusive or shared', () => NO_DATA),
  cellField('owner', 'Owner', 'other', 'Jobs that hold it', () => NO_DATA),
  cellField('pending', 'Pending', 'other', 'Jobs that wait for it', () => NO_DATA),
]
