/** What `/livez` and `/readyz` check of this daemon. */
import type { AnyNode } from './any-node/any-node.ts'
import type { UserList } from './auth/users-file.ts'
import type { ClusterState } from './backend/cluster-state.ts'
import { Health, remembered } from './daemon/health.ts'
import type { DaemonLog } from './daemon/log.ts'
import type { Reloadable } from './daemon/reloadable.ts'
import { Failure } from './failure.ts'
import { checkValidity } from './http/certificate-validity.ts'
import type { Certificate } from './http/tls.ts'

/** How long what the state's check found is remembered, in milliseconds: it may ask the master daemon. */
const REMEMBERED = 1000

export interface Checked {
  readonly log: DaemonLog
  readonly state: Pick<ClusterState, 'check'>
  /** Set where this node may not be the master. */
  readonly anyNode?: Pick<AnyNode, 'check' | 'checkMaster'> | undefined
  readonly users: Pick<Reloadable<UserList>, 'failure'>
  readonly certificate: Pick<Reloadable<Certificate | undefined>, 'current'>
  /** Whether the daemon was told to stop. */
  readonly isStopping: () => boolean
}

/** Gives both groups of checks. */
export function healthChecks({
  log,
  state,
  anyNode,
  users,
  certificate,
  isStopping,
}: Checked): readonly Health[] {
  const livez = [
    { name: 'ping', run: () => {} },
    { name: 'log', run: () => log.check() },
  ]
  const checkState = async () => {
    await state.check()
    await anyNode?.check()
  }
  const checkUsers = () => {
    if (users.failure !== undefined) throw new Failure('configuration', users.failure)
  }
  const checkCertificate = () => {
    if (certificate.current) checkValidity(certificate.current)
  }
  const checkShutdown = () => {
    if (isStopping()) throw new Failure('unavailable', 'the daemon is shutting down')
  }
  const readyz = [
    remembered({ name: 'state', run: checkState }, REMEMBERED),
    { name: 'users', run: checkUsers },
    { name: 'certificate', run: checkCertificate },
    { name: 'shutdown', run: checkShutdown },
    ...(anyNode ? [{ name: 'master', run: () => anyNode.checkMaster(), onlyByName: true as const }] : []),
  ]
  return [new Health('livez', livez, log), new Health('readyz', readyz, log)]
}
