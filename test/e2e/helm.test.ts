/** helm, as kubectl: against kube-apiserver 1.36 it does and says the same. */
import t from 'tap';
import { helms } from '../tools/kubectl.js';
import { tell } from './client-stories.js';
import { HELM } from './helm-stories.js';

const skip = helms().length > 0 ? false : 'no helm here: `npm run fetch-clients` brings some';
if (skip !== false) t.test('helm', { skip }, () => Promise.resolve());

tell(t, helms(), HELM);
