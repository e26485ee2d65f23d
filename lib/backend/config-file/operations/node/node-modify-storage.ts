import { nodeNamed } from '../shared/find.ts'
import { pythonLiteral } from '../shared/force-types.ts'
import { failure, prerequisite } from '../shared/operation.ts'
import { operation } from '../shared/run.ts'
import { checkStorageEnabled } from './storage-types.ts'

const MODIFIABLE: { readonly [storageType: string]: readonly string[] } = { 'lvm-pv': ['allocatable'] }

/** Changes a physical volume. A file knows none, so there is never one of the name. */
export const nodeModifyStorage = operation((run) => {
  const node = nodeNamed(run)
  const type = run.text('storage_type') ?? ''
  const modifiable = MODIFIABLE[type]
  if (!modifiable) throw prerequisite(`Storage units of type '${type}' can not be modified`, 'wrong_input')
  const others = Object.keys(run.object('changes')).filter((field) => !modifiable.includes(field))
  if (others.length > 0) {
    throw prerequisite(
      `The following fields can not be modified for storage units of type '${type}': ${pythonLiteral(others)}`,
      'wrong_input',
    )
  }
  checkStorageEnabled(run.config.cluster, type)
  if (run.isDry) return run.dryRun()
  const name = run.text('name')
  const why = node.offline ? 'Node is marked offline' : `Failed to find physical volume "${name}".`
  throw failure(`Failed to modify storage unit '${name}' on ${node.name}: ${why}`)
})
