// What node's fetch makes of a refused upload: fetch_upload.js URL TIMES UPLOAD ANSWER
'use strict';

const fs = require('fs');
const [url, times, upload, answer] = process.argv.slice(2);
const sent = fs.readFileSync(upload);
const told = fs.readFileSync(answer, 'latin1');

(async () => {
  let whole = 0;
  for (let n = 0; n < Number(times); n++) {
    try {
      const response = await fetch(url, { method: 'POST', body: sent, signal: AbortSignal.timeout(60000) });
      if (await response.text() === told)
        whole++;
    } catch (error) {
      console.error(String(error.cause ?? error));
    }
  }
  console.log(whole);
})();
