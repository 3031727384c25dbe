// The same as app.py, in node: an upload ends the connection when the answer is written.
'use strict';

const lines = Array.from({ length: 125000 }, (_, n) => `${String(n).padStart(7, '0')}\n`);
const upload = lines.slice(0, 50000).join('');
const tail = lines.join('');

require('http').createServer((request, response) => {
  const refused = request.method === 'POST';
  const body = refused ? upload : tail;
  response.writeHead(refused ? 413 : 200, { 'Connection': 'close', 'Content-Length': body.length });
  response.end(body, () => request.destroy());
}).listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
