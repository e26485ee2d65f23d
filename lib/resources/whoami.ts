/**
 * `/2/whoami`: what the client may do, so that a program can leave out what it
 * may not. Ganeti has no such resource: there, only a refusal tells.
 */
import { type Need, PERMISSIONS, type Permission, PUBLIC } from '../auth/permissions.ts'
import { orNull, string } from '../model/check.ts'
import { objectOf, texts } from './answer-schemas.ts'
import { type Call, live, type Resource, resource } from './resource.ts'

const answer = objectOf('WhoAmI', {
  user: { ...orNull(string.schema), description: 'The user; null without a user.' },
  permissions: {
    ...texts,
    description: 'The permissions, in the words of Ganeti 3.2, of which this client may use all methods.',
  },
  selectors: {
    type: 'object',
    additionalProperties: texts,
    description:
      'For those that are granted for some objects alone: the selectors, of which one must select it.',
  },
})

/** What strangers may do. */
const withinForAll: NonNullable<Call['within']> = ({ access }) => (access.length === 0 ? [] : undefined)

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
      async ({ user, within = withinForAll }) => {
        const permissions = PERMISSIONS.filter((name) =>
          needs.get(name)?.every((need) => within(need) !== undefined),
        )
        const limits = permissions.map((name) => {
          const selectors = within({ permissions: [name], access: ['write'] }) ?? []
          return [name, selectors.flat().map(({ kind, value }) => `${kind}=${value}`)] as const
        })
        return {
          user: user ?? null,
          permissions,
          selectors: Object.fromEntries(limits.filter(([, selectors]) => selectors.length > 0)),
        }
      },
      { operationId: 'GetWhoAmI', answer, example: {} },
    ),
  })
}
