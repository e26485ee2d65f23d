/**
 * `/2/whoami`: what the client may do, so that a program can leave out what it
 * may not. Ganeti has no such resource: there, only a refusal tells.
 */
import { type Need, PERMISSIONS, type Permission, PUBLIC } from '../auth/permissions.ts'
import type { Extent } from '../auth/verdict.ts'
import { orNull, string } from '../model/check.ts'
import { objectOf, texts } from './answer-schemas.ts'
import { live, type Resource, resource } from './resource.ts'

const answer = objectOf('WhoAmI', {
  user: { ...orNull(string.schema), description: 'The user; null without a user.' },
  permissions: {
    ...texts,
    description: 'The permissions, in the words of Ganeti 3.2, of which this client may use all methods.',
  },
  limited: {
    ...texts,
    description:
      'Those of them that hold for some instances and nodes only, as the words that give them end in selectors.',
  },
})

const ifOpen = ({ access }: Need): Extent => (access.length === 0 ? 'all' : 'none')

/** Makes the resource. @param resources all others, whose needs decide what each permission is for */
export function whoAmI(resources: readonly Resource[]): Resource {
  const needs = new Map<Permission, Need[]>()
  for (const method of resources.flatMap(({ methods }) => Object.values(methods))) {
    for (const name of method.permissions) needs.set(name, [...(needs.get(name) ?? []), method])
  }
  return resource('/2/whoami', 'Who asks, and what they may do.', {
    GET: live(
      PUBLIC,
      'Gives the user whose password came with the request, and the permissions of this user or of strangers.',
      async ({ user, extentOf = ifOpen }) => {
        const extents = (name: Permission) => needs.get(name)?.map(extentOf) ?? ['none']
        const permissions = PERMISSIONS.filter((name) => !extents(name).includes('none'))
        const limited = permissions.filter((name) => extents(name).includes('some'))
        return { user: user ?? null, permissions, limited }
      },
      { operationId: 'GetWhoAmI', answer, example: {} },
    ),
  })
}
