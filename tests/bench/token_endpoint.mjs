// A token endpoint that hands out tokens of an hour and rotates: prints its URL, then, when its standard
// input ends, how many refreshes it served and in how many seconds.
import { createServer } from 'node:http';

let served = 0;
let first = 0;
let last = 0;
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    last = Date.now();
    first ||= last;
    ++served;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: `at-${served}-${'x'.repeat(150)}`, refresh_token: `rt-${served}`, token_type: 'Bearer', expires_in: 3600 }));
  });
}).listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/token`));
process.stdin.resume().on('end', () => {
  console.log(`${served} ${((last - first) / 1000).toFixed(0)}`);
  process.exit(0);
});
