/**
 * Odd requests that a real Ganeti 3.0.2 answers in another way than we do on
 * purpose, by the names of their captures, each with our answer and the reason.
 */

/** Ours: a status (0: closed without an answer), and for an error the message. */
export type Difference = readonly [status: number, message: string | undefined, reason: string]

const REQUEST_AT_FAULT = 'the request is at fault, not the server behind this one'
const NO_GUESSING = 'what is broken is refused, where the original ignores it or guesses'
const ANSWERED = 'the original closes without an answer'
const WHOLE_BODY = 'a body that is not of the announced length is refused for that'

export const ERROR_DIFFERENCES: Readonly<Record<string, Difference>> = {
  'body-length-huge': [413, 'Request Entity Too Large', 'bodies are bounded'],
  'body-query-bad-utf8': [400, 'Unable to parse JSON data', ANSWERED],
  'body-query-bom': [400, 'Unable to parse JSON data', ANSWERED],
  'body-query-nan': [400, 'Unable to parse JSON data', 'NaN is not JSON'],
  'body-query-fields-int': [
    400,
    'The body&#x27;s &#x27;fields&#x27; must be a list of names of fields',
    REQUEST_AT_FAULT,
  ],
  'body-query-fields-mixed': [
    400,
    'The body&#x27;s &#x27;fields&#x27; must be a list of names of fields',
    REQUEST_AT_FAULT,
  ],
  'body-query-fields-null': [
    400,
    'The body&#x27;s &#x27;fields&#x27; must be a list of names of fields',
    REQUEST_AT_FAULT,
  ],
  'body-query-fields-string': [
    400,
    'The body&#x27;s &#x27;fields&#x27; must be a list of names of fields',
    REQUEST_AT_FAULT,
  ],
  'body-query-filter-bad': [400, 'Unknown filter operand &#x27;nope&#x27;', REQUEST_AT_FAULT],
  'body-query-filter-badregex': [
    400,
    'Invalid regular expression &#x27;((&#x27;: Unterminated group',
    REQUEST_AT_FAULT,
  ],
  'body-query-filter-string': [
    400,
    'Cannot deserialise filter: expected array [string, args], got &quot;name == 1&quot;',
    REQUEST_AT_FAULT,
  ],
  'body-query-filter-unknown-field': [400, 'Can&#x27;t find field named &#x27;bogus&#x27;', REQUEST_AT_FAULT],
  chunked: [200, undefined, 'chunked bodies are accepted'],
  'length-extra-body': [
    400,
    'Missing &#x27;fields&#x27; query argument',
    'what follows a body is the next request',
  ],
  'length-hex': [400, 'Invalid character in Content-Length', WHOLE_BODY],
  'length-neg': [400, 'Invalid character in Content-Length', WHOLE_BODY],
  'length-plus': [400, 'Invalid character in Content-Length', WHOLE_BODY],
  'length-text': [400, 'Invalid character in Content-Length', WHOLE_BODY],
  'length-twice': [400, 'Duplicate Content-Length', WHOLE_BODY],
  'length-short-body': [408, 'Request Timeout', ANSWERED],
  'length-short-body-eof': [400, 'The request ended early', WHOLE_BODY],

  'eof-half-line': [400, 'The request ended early', ANSWERED],
  'idle-half-line': [408, 'Request Timeout', ANSWERED],
  'idle-no-end': [408, 'Request Timeout', ANSWERED],
  'header-folded': [400, 'Unexpected whitespace after header value', NO_GUESSING],
  'header-no-colon': [400, 'Invalid header token', NO_GUESSING],
  'header-space-colon': [400, 'Invalid header token', NO_GUESSING],
  'header-latin1': [200, undefined, ANSWERED],
  'headers-4096': [200, undefined, 'headers may have 16 KiB'],
  'headers-4100': [200, undefined, 'headers may have 16 KiB'],
  'headers-4200': [200, undefined, 'headers may have 16 KiB'],
  'http-binary': [400, undefined, ANSWERED],
  'http-cr-only': [400, 'Expected CRLF after version', ANSWERED],
  'http-lf-only': [400, undefined, ANSWERED],
  http09: [505, 'Invalid HTTP Version (0.9)', ANSWERED],
  'http09-post': [505, 'Invalid HTTP Version (0.9)', 'nobody speaks HTTP/0.9'],
  'http10-nohost': [200, undefined, ANSWERED],
  'http11-nohost': [400, 'Missing Host header', ANSWERED],
  'http11-nohost-404': [400, 'Missing Host header', ANSWERED],
  'http11-pipelined': [200, undefined, 'what follows a request is the next request'],

  'path-filter-bad': [404, 'Not Found', 'the detail says what was not found'],
  'path-job-big': [404, 'Not Found', 'an unknown job is not found'],
  'path-job-leading-zero': [404, 'Not Found', 'that cluster had a job 7; in a file there are none'],
  'path-job-zero': [404, 'Not Found', 'an unknown job is not found'],
}
