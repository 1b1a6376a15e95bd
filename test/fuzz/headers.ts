/** Request headers that mean something to an API server, right and wrong. */
import { type Random, weighted } from './chance.js';

export type Header = readonly [name: string, value: string];

const accepts = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/vnd.kubernetes.protobuf, application/json',
  '*/*',
  'text/html',
  '',
  ',',
  ';',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
  'application/json;as=Table;v=v9;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io',
  'application/yaml;as=Table;v=v1;g=meta.k8s.io',
  'application/json;pretty=1',
  'application/json;q=0',
  'application/json;q=0.1,application/yaml;q=0.2',
  'application/json;stream=watch',
  'application/json;as=__proto__;v=v1;g=meta.k8s.io',
  'application/json;;;=;a',
  'application/*',
  'application/cbor',
  'gzip',
] as const;

const makers: readonly (readonly [weight: number, make: (random: Random) => Header])[] = [
  [12, (random) => ['Accept', random.pick(accepts)]],
  [
    4,
    (random) => ['Accept-Encoding', random.pick(['gzip', 'gzip;q=0', 'identity', 'br, gzip', '*', 'x', ''])],
  ],
  [
    2,
    (random) => [
      'User-Agent',
      random.pick(['curl/8', 'kubectl/v1.36', '', 'Mozilla/5.0', 'a'.repeat(5000), 'é']),
    ],
  ],
  [
    2,
    (random) => [
      'Origin',
      random.pick(['http://localhost', 'https://example.com', 'null', '', 'http://127.0.0.1:80', 'x']),
    ],
  ],
  [1, (random) => ['Access-Control-Request-Method', random.pick(['GET', 'x'])]],
  [
    2,
    (random) => [
      'Authorization',
      random.pick([
        'Bearer x',
        'Bearer ',
        'Basic dGVzdDp0ZXN0',
        'x',
        '',
        `Bearer ${'a.'.repeat(2000)}`,
        'Bearer a.b.c',
        'Bearer eyJhbGciOiJub25lIn0.e30.',
      ]),
    ],
  ],
  [1, (random) => ['Impersonate-User', random.pick(['a', '', 'system:admin', 'é'])]],
  [1, (random) => ['Impersonate-Group', random.pick(['system:masters', ''])]],
  [
    1,
    (random) => [
      random.pick([
        'Impersonate-Uid',
        'Impersonate-Extra-scopes',
        'Impersonate-Extra-',
        'Impersonate-Extra-%41',
      ]),
      'x',
    ],
  ],
  [
    1,
    (random) => [
      random.pick([
        'X-Remote-User',
        'X-Forwarded-For',
        'X-Forwarded-Host',
        'X-HTTP-Method-Override',
        'X-Original-URL',
      ]),
      'DELETE',
    ],
  ],
  [1, (random) => ['If-None-Match', random.pick(['*', '"x"', 'W/"x"', '', '"'])]],
  [1, () => ['If-Modified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT']],
  [1, (random) => ['Range', random.pick(['bytes=0-1', 'bytes=-', 'x'])]],
  [1, (random) => ['Content-Encoding', random.pick(['gzip', 'identity', 'deflate', 'x'])]],
  [1, (random) => ['Cookie', 'a=b'.repeat(random.between(1, 300))]],
  [1, (random) => ['Sec-Fetch-Site', random.pick(['cross-site', 'same-origin', 'none'])]],
  [1, () => ['Audit-ID', 'x'.repeat(200)]],
  [
    1,
    (random) => [
      random.pick(['__proto__', 'constructor', 'X-A', 'tostring']),
      random.pick(['x', '', '\u00e9']),
    ],
  ],
];

/** Those of a request besides what its body and connection need. */
export function headers(random: Random): Header[] {
  const count = weighted(random, [
    [6, 0],
    [5, 1],
    [2, 2],
    [1, 4],
    [0.05, 60],
  ]);
  const made: Header[] = [];
  for (let i = 0; i < count; i++) {
    const header = weighted(random, makers)(random);
    made.push(header);
    if (random.chance(0.04)) made.push(header);
  }
  return made;
}
