// An API that sends every body back as it comes: prints its port, ends with its standard input.
import { createServer } from 'node:http';

const server = createServer((request, response) => request.pipe(response)).listen(0, '127.0.0.1', () => {
  console.log(server.address().port);
});
process.stdin.resume().on('end', () => process.exit());
