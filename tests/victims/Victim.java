import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

/** The same as app.py, in the JDK's own server. */
public class Victim {
	public static void main(String[] arguments) throws Exception {
		var text = new StringBuilder();
		for (int n = 0; n < 125_000; n++)
			text.append(String.format("%07d\n", n));
		byte[] lines = text.toString().getBytes();
		var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
		server.createContext("/", exchange -> {
			boolean refused = exchange.getRequestMethod().equals("POST");
			int length = refused ? 400_000 : lines.length;
			exchange.getResponseHeaders().set("Connection", "close");
			exchange.sendResponseHeaders(refused ? 413 : 200, length);
			try (var out = exchange.getResponseBody()) {
				out.write(lines, 0, length);
			}
		});
		server.start();
	}
}
