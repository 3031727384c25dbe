# Refuses uploads without reading them; answers everything else.
require 'webrick'

server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: Integer(ARGV[0]))
server.mount_proc('/') do |request, response|
  response.status = 413 if request.request_method == 'POST'
  response.keep_alive = false
  response.body = "#{response.status}\n"
end
trap('TERM') { server.shutdown }
server.start
