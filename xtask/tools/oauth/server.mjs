// An authorization server: oidc-provider, with one resource for each door of a desk and one that is somebody else's; and an
// OpenID provider for the desk's console.
//
// server.mjs PORT SECRET REDIRECT RESOURCE...
// Clients: `trader` gets tokens for ten minutes, `flash` for one second. `console` has people sign in who are sent back to
// REDIRECT; whoever is called `early` gets a code for one second. All prove themselves with SECRET.

import Provider from 'oidc-provider';

const [port, secret, redirect, ...resources] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const scopes = 'read prepare sign broadcast viewer auditor operator';
const client = (id) => ({
  client_id: id,
  client_secret: secret,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
  token_endpoint_auth_method: 'client_secret_post',
});

const provider = new Provider(issuer, {
  clients: [
    client('trader'),
    client('flash'),
    {
      client_id: 'console',
      client_secret: secret,
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: [redirect],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  cookies: { keys: [secret] },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  pkce: { required: () => true },
  ttl: {
    AuthorizationCode: (ctx) => (ctx.oidc.session?.accountId === 'early' ? 1 : 60),
    Grant: 600,
    IdToken: 600,
    Interaction: 600,
    Session: 600,
  },
  scopes: scopes.split(' '),
  features: {
    // Its own pages, at which any name and password sign in.
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo(ctx, resource) {
        if (!resources.includes(resource)) {
          throw new Error('no such resource');
        }
        return {
          scope: scopes,
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: ctx.oidc.client.clientId === 'flash' ? 1 : 600,
          jwt: { sign: { alg: 'RS256' } },
        };
      },
    },
  },
});

provider.listen(Number(port), '127.0.0.1', () => console.log(`listening as ${issuer}`));
