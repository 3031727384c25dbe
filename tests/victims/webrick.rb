# The same as app.py, in WEBrick.
require 'webrick'

lines = (0...125_000).map { |n| format("%07d\n", n) }
upload = lines.first(50_000).join
tail = lines.join
log = WEBrick::Log.new($stderr, WEBrick::Log::ERROR)
server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: Integer(ARGV[0]), Logger: log, AccessLog: [])
server.mount_proc('/') do |request, response|
  refused = request.request_method == 'POST'
  response.status = refused ? 413 : 200
  response.keep_alive = false
  response.body = refused ? upload : tail
end
trap('TERM') { server.shutdown }
server.start
