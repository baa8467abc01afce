// Holds keep-alive connections that have asked once and then say nothing. usage: SOCKET|PORT COUNT
import { createConnection } from 'node:net';

const [path, count] = process.argv.slice(2);
let answered = 0;
for (let i = 0; i < Number(count); ++i) {
  const socket = createConnection(/^\d+$/.test(path) ? { port: Number(path), host: '127.0.0.1' } : { path });
  socket.write(`GET /health HTTP/1.1\r\nHost: localhost${/^\d+$/.test(path) ? `:${path}` : ''}\r\n\r\n`);
  socket.on('data', () => { if (++answered === Number(count)) console.log('idle'); });
}
