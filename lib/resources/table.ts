/** Every resource that is served, `/`, which lists the others, and the description of all of them. */
import { PUBLIC } from '../auth/permissions.ts'
import type { JsonObject } from '../json/json.ts'
import { string } from '../model/check.ts'
import { describeApi } from '../openapi/describe-api.ts'
import { objectOf } from './answer-schemas.ts'
import { fixed, guarded, type Method, type Resource, resource } from './resource.ts'
import { version12 } from './v1.2.ts'
import { cluster } from './v2/cluster.ts'
import { events } from './v2/events.ts'
import { filters } from './v2/filters.ts'
import { groups } from './v2/groups.ts'
import { instances } from './v2/instances.ts'
import { jobs } from './v2/jobs.ts'
import { networks } from './v2/networks.ts'
import { nodes } from './v2/nodes.ts'
import { query } from './v2/query.ts'
import { whoAmI } from './whoami.ts'

const served: readonly Resource[] = [
  ...version12,
  ...cluster,
  ...nodes,
  ...instances,
  ...groups,
  ...networks,
  ...filters,
  ...jobs,
  ...query,
  ...events,
]

/** Paths of one segment, without their slash, sorted. */
const topLevel = served
  .map(({ path }) => path.slice(1))
  .filter((name) => !name.includes('/'))
  .sort()

const root = resource('/', 'The list of resources.', {
  GET: fixed(
    'Lists the top-level resources by name.',
    topLevel.map((name) => ({ name, uri: `/${name}` })),
    {
      operationId: 'GetResources',
      answer: { type: 'array', items: objectOf('ResourceUri', { name: string.schema, uri: string.schema }) },
      example: {},
    },
  ),
})

let description: Promise<JsonObject> | undefined

/** Gives the description of the API; it is made when somebody asks for it. */
const descriptionMethod = (operationId: string): Method => ({
  ...guarded(
    PUBLIC,
    'Describes the API as an OpenAPI document.',
    async () => {
      description ??= describeApi(resources)
      return description
    },
    { operationId, answer: { type: 'object' }, example: {} },
  ),
  dependsOn: 'nothing',
})

/** They are not in the list at `/`, which clients compare with Ganeti's own. */
const descriptions = [
  resource('/openapi.json', 'The description of the API, where some tools look for it.', {
    GET: descriptionMethod('GetOpenApiAtRoot'),
  }),
  resource('/2/openapi.json', 'The description of the API.', { GET: descriptionMethod('GetOpenApi') }),
]

export const resources: readonly Resource[] = [root, ...served, ...descriptions, whoAmI(served)]
