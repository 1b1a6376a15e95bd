/** A user, as reviews answer it. */
import { list, map, once, struct, text } from '../../fields.js';

export const userInfo = once(() =>
  struct(
    'io.k8s.api.authentication.v1.UserInfo',
    {
      username: text({ omitEmpty: true }),
      uid: text({ omitEmpty: true, description: 'Differs between a user and a later one of the same name.' }),
      groups: list(text(), { listType: 'atomic' }),
      extra: map(list(text()), { description: 'More that the authenticator knows.' }),
    },
    { description: 'A user.' },
  ),
);
