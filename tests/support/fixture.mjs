// What most files of tests begin with: a daemon, and a provider of ours that does wrong on demand.
import { after } from 'node:test';
import { MisbehavingProvider } from '../provider/misbehaving.mjs';
import { Home } from './nexus.mjs';

/** For all tests of the file; both end with it. */
export async function daemonAndProvider(options) {
  const provider = await MisbehavingProvider.start();
  const home = await Home.make(options);
  await home.start();
  after(async () => { await home.remove(); await provider.close(); });
  return { home, provider };
}
