// Refuses uploads: /end answers and leaves it to node when to close, any other
// path ends the connection at once. Both without reading the upload.
'use strict';

require('http').createServer((request, response) => {
  response.statusCode = request.method === 'POST' ? 413 : 200;
  response.setHeader('Connection', 'close');
  response.end(`${response.statusCode}\n`, () => {
    if (request.method === 'POST' && request.url !== '/end')
      request.destroy();
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
