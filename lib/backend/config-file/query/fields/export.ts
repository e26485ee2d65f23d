/**
 * The fields of instance exports. Exports lie on the nodes, and no file tells
 * of them: a row is a node that could not be asked, as Ganeti answers for one.
 */
import type { Node } from '../../../../model/node.ts'
import { cellField, type Field, field, hostname, NO_DATA, OFFLINE } from './field.ts'

export const exportFields: readonly Field<Node>[] = [
  cellField('export', 'Export', 'text', 'Name of the export', ({ offline }) => (offline ? OFFLINE : NO_DATA)),
  hostname(field('node', 'Node', 'text', 'Node that keeps it', ({ name }) => name)),
]
