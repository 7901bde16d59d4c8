// A real OpenID provider (oidc-provider, certified) for the test of signing in. Not a product: whoever comes is Anna Bakker.
//
//   node provider.mjs MODULES PORT REDIRECT METHOD SECRET-OR-JWK
//
// METHOD is how the client shows who it is. Roles stand where Keycloak puts them. Prints "ready" when it listens.

import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [modules, port, redirect, method, secret] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));

const ANNA = {
  sub: '5f0c7a52-anna',
  name: 'Anna Bakker',
  email: 'a.bakker@example.nl',
  realm_access: { roles: ['offline_access', 'zorg'] },
};

const client = {
  client_id: 'kring-node',
  redirect_uris: [redirect],
  response_types: ['code'],
  grant_types: ['authorization_code'],
  token_endpoint_auth_method: method,
  id_token_signed_response_alg: 'RS256',
};
if (method === 'private_key_jwt') {
  client.jwks = { keys: [JSON.parse(secret)] };
  client.token_endpoint_auth_signing_alg = 'ES256';
} else {
  client.client_secret = secret;
}

const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [client],
  claims: { openid: ['sub'], email: ['email'], profile: ['name', 'realm_access'] },
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['ES256', 'RS256', 'EdDSA'] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ANNA }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  // Nobody is asked for consent: the partner's own provider asks no one whether the partner may know them.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid profile email');
    await grant.save();
    return grant;
  },
});

const serve = provider.callback();
createServer((request, response) => {
  if (!request.url.startsWith('/interaction/')) return serve(request, response);
  const login = { accountId: ANNA.sub };
  return provider.interactionFinished(request, response, { login }).catch((error) => {
    response.writeHead(500).end(String(error));
  });
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
