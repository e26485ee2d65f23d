/** The fields of external storage providers, which only the nodes know. */
import { cellField, type Field, NO_DATA } from './field.ts'
import { anyValue } from './value-schemas.ts'

export const extstorageFields: readonly Field<never>[] = [
  cellField('name', 'Name', 'text', 'Name of the provider', () => NO_DATA),
  cellField('node_status', 'NodeStatus', anyValue, 'What each node says of it', () => NO_DATA),
  cellField('nodegroup_status', 'NodegroupStatus', anyValue, 'Whether each group can use it', () => NO_DATA),
  cellField('parameters', 'Parameters', anyValue, 'Parameters it takes', () => NO_DATA),
]
