import type { Group } from '../../../../model/group.ts'
import type { Nic } from '../../../../model/instance.ts'
import type { Network } from '../../../../model/network.ts'
import { instancesIn } from '../shared/find.ts'
import { prerequisite } from '../shared/operation.ts'
import type { Run } from '../shared/run.ts'

/**
 * @param action what is about to be done with the group
 * @param isInTheWay which NICs of its instances keep it from being done
 * @throws OpError where there are such, after a word on each
 */
export function checkNoConflicts(
  run: Run,
  network: Network,
  group: Group,
  action: 'connect to' | 'disconnect from',
  isInTheWay: (nic: Nic) => boolean,
): void {
  const conflicts = instancesIn(run.config, group.uuid).flatMap(({ name, nics }) => {
    const addresses = nics.flatMap((nic, place) =>
      isInTheWay(nic) ? [`nic${place}/${nic.ip ?? 'None'}`] : [],
    )
    return addresses.length > 0 ? [`${name}: ${addresses.join(', ')}`] : []
  })
  if (conflicts.length === 0) return
  run.warn(
    `IP addresses from network '${network.name}', which is about to ${action} node group '${group.name}', ` +
      `are in use: ${conflicts.join(', ')}`,
  )
  // Two spaces, as in Ganeti.
  throw prerequisite(
    'Conflicting IP addresses found;  remove/modify the corresponding network interfaces',
    'wrong_state',
  )
}
