// Walks through oidc-provider's login and consent pages as a browser without a screen would.

/** A browser's memory: cookies by name, redirects followed by hand. */
export class Visitor {
  cookies = new Map();

  async go(url, { method = 'GET', form } = {}) {
    const response = await fetch(url, {
      method, redirect: 'manual',
      headers: {
        cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      },
      body: form ? new URLSearchParams(form).toString() : undefined,
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }
}

/** Logs in, consents, and returns the URL that the provider sends the browser to (the callback). */
export async function consent(authUrl, { login = 'alice', deny = false } = {}) {
  const visitor = new Visitor();
  let url = authUrl;
  for (let step = 0; step < 20; ++step) {
    const response = await visitor.go(url);
    const location = response.headers.get('location');
    if (location) {
      const next = new URL(location, url).href;
      if (new URL(next).origin !== new URL(authUrl).origin) return next;
      url = next;
      continue;
    }
    const html = await response.text();
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${html.slice(0, 500)}`);
    if (deny) {
      url = new URL(html.match(/href="([^"]*\/abort)"/)[1], url).href;
      continue;
    }
    const prompt = html.match(/name="prompt" value="(\w+)"/)[1];
    const action = new URL(html.match(/action="([^"]+)"/)[1], url).href;
    const posted = await visitor.go(action, {
      method: 'POST', form: prompt === 'login' ? { prompt, login, password: 'secret' } : { prompt },
    });
    url = new URL(posted.headers.get('location'), action).href;
  }
  throw new Error('the consent never ended');
}

/** Enters the code on another device (RFC 8628): logs in, consents; returns the last page. */
export async function consentOnDevice(verificationUri, userCode, { login = 'alice', deny = false } = {}) {
  const visitor = new Visitor();
  let url = verificationUri;
  let response = await visitor.go(url);
  for (let step = 0; step < 20; ++step) {
    const location = response.headers.get('location');
    if (location) {
      url = new URL(location, url).href;
      response = await visitor.go(url);
      continue;
    }
    const html = await response.text();
    const action = html.match(/<form[^>]*action="([^"]+)"/)?.[1];
    if (!action) return html;
    const form = Object.fromEntries([...html.matchAll(/<input[^>]*name="(\w+)"[^>]*?(?:value="([^"]*)")?\s*\/?>/g)]
      .map(([, name, value]) => [name, value ?? '']));
    if ('user_code' in form) form.user_code = userCode;
    if (html.includes('name="abort"')) form[deny ? 'abort' : 'confirm'] = 'yes';
    if (form.prompt === 'login') Object.assign(form, { login, password: 'secret' });
    url = new URL(action, url).href;
    response = await visitor.go(url, { method: 'POST', form });
    if ('abort' in form) return response.text();
  }
  throw new Error('the consent never ended');
}

// As a program: node consent.mjs URL consents and brings the answer back, as a browser would.
if (process.argv[1] === new URL(import.meta.url).pathname) {
  const answered = await fetch(await consent(process.argv[2]));
  if (!answered.ok) throw new Error(`the callback answered ${answered.status}`);
}
