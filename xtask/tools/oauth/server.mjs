// An authorization server: oidc-provider, with one resource for each door of a desk and one that is somebody else's.
//
// server.mjs PORT SECRET RESOURCE...
// Clients: `trader` gets tokens for ten minutes, `flash` for one second. Both prove themselves with SECRET.

import Provider from 'oidc-provider';

const [port, secret, ...resources] = process.argv.slice(2);
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
  clients: [client('trader'), client('flash')],
  scopes: scopes.split(' '),
  features: {
    devInteractions: { enabled: false },
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
