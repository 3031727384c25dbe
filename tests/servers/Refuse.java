import com.sun.net.httpserver.HttpServer;
import java.io.OutputStream;
import java.net.InetSocketAddress;

/** Refuses uploads without reading them, at length where the path is /long; answers everything else. */
public class Refuse {
	public static void main(String[] arguments) throws Exception {
		var address = new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0]));
		var server = HttpServer.create(address, 0);
		server.createContext("/", exchange -> {
			int status = exchange.getRequestMethod().equals("POST") ? 413 : 200;
			int length = exchange.getRequestURI().getPath().equals("/long") ? 20_000_000 : 4;
			exchange.getResponseHeaders().set("Connection", "close");
			exchange.sendResponseHeaders(status, length);
			try (OutputStream out = exchange.getResponseBody()) {
				out.write(new byte[length]);
			}
		});
		server.start();
	}
}
