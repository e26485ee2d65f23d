/** The statuses of refusals: which methods have them, and when. */
import type { JsonObject } from '../json/json.ts'
import { objectOf } from '../resources/answer-schemas.ts'
import { namesIn } from '../resources/path-names.ts'
import type { Method, MethodName } from '../resources/resource.ts'

/** The body of an answer with such a status. */
export const errorSchema = objectOf(
  'Error',
  {
    code: { type: 'integer', description: 'The status.' },
    message: { type: 'string', description: 'What is wrong, or the phrase of the status.' },
    explain: { type: 'string', description: 'What the status means.' },
  },
  { detail: { type: 'string', description: 'What is wrong, where the message is only the phrase.' } },
)

export interface FailureStatus {
  /** What the document calls it. */
  readonly name: string
  readonly when: string
  readonly example: JsonObject
  readonly has: (method: Method, path: string, name: MethodName) => boolean
}

const always = () => true
const needsRight = ({ access }: Method) => access.length > 0
/** Whether it needs a job queue: all but queries. */
const changes = ({ access, submits }: Method, name: MethodName) =>
  submits !== undefined || (name !== 'GET' && !access.includes('read'))
const asksCluster = ({ dependsOn }: Method) => dependsOn !== 'nothing'

function error(code: number, message: string, explain: string, detail?: string): JsonObject {
  return { code, message, explain, ...(detail !== undefined && { detail }) }
}

export const FAILURES: { readonly [status: string]: FailureStatus } = {
  400: {
    name: 'BadRequest',
    when: 'A parameter or the body is wrong, or the body is not JSON.',
    example: error(
      400,
      'Invalid value for the &#x27;bulk&#x27; parameter',
      'Bad request syntax or unsupported method',
    ),
    has: always,
  },
  401: {
    name: 'Unauthorized',
    when: 'User name or password are missing where they are needed, or wrong.',
    example: error(401, 'Unauthorized', 'No permission -- see authorization schemes'),
    has: always,
  },
  403: {
    name: 'Forbidden',
    when: 'The user lacks the right for this, or nobody may set a parameter through this API.',
    example: error(403, 'Forbidden', 'Request forbidden -- authorization will not help'),
    has: needsRight,
  },
  404: {
    name: 'NotFound',
    when: 'There is no such object, or this release of Ganeti does not have the path.',
    example: error(
      404,
      'Not Found',
      'Nothing matches the given URI',
      'Instance name nosuch.example.com not found',
    ),
    has: ({ since }, path) => since !== undefined || namesIn(path).length > 0,
  },
  413: {
    name: 'TooLarge',
    when: 'The body is too long, or the answer would be.',
    example: error(413, 'Request Entity Too Large', 'Entity is too large'),
    has: ({ body, answerLimit }) => body !== undefined || answerLimit !== undefined,
  },
  415: {
    name: 'NotJson',
    when: 'The body has another type than `application/json`.',
    example: error(415, 'Unsupported Media Type', 'Entity body in unsupported format'),
    has: ({ body }) => body !== undefined,
  },
  500: {
    name: 'InternalError',
    when: 'The daemon is at fault; its log tells more.',
    example: error(500, 'Internal Server Error', 'Server got itself in trouble'),
    has: always,
  },
  501: {
    name: 'NotImplemented',
    when: 'This cluster takes no jobs through this daemon, or this release of Ganeti does not have the method.',
    example: error(501, 'Not Implemented', 'Server does not support this operation'),
    has: (method, _path, name) => method.since !== undefined || changes(method, name),
  },
  502: {
    name: 'NoMaster',
    when: 'The master daemon of the cluster cannot be reached, or refuses the request.',
    example: error(502, 'Bad Gateway', 'Invalid responses from another server/proxy'),
    has: asksCluster,
  },
  503: {
    name: 'Unavailable',
    when: 'Too many requests wait, the job queue takes no jobs, or what is asked for is not there at the moment; try again later.',
    example: error(
      503,
      'Instance console unavailable',
      'The server cannot process the request due to a high load',
    ),
    has: always,
  },
  504: {
    name: 'NoAnswer',
    when: 'The master daemon did not answer in time.',
    example: error(504, 'Gateway Timeout', 'The gateway server did not receive a timely response'),
    has: asksCluster,
  },
}
