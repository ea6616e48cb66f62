import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Manager;
import io.socket.client.Socket;
import io.socket.engineio.client.Transport;
import java.lang.reflect.Field;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;

/** A socket of the Java client, of either version, in the mode that the program was started for. */
final class Client implements AutoCloseable {
  /** Set by main. */
  static String url;

  static String mode;
  static boolean legacy;

  // One for all clients, as theirs is. By default it has five requests to a host at once, fewer
  // than there are polls that wait.
  private static final OkHttpClient HTTP = new OkHttpClient.Builder()
      .dispatcher(dispatcher()).readTimeout(Harness.DEADLINE, TimeUnit.MILLISECONDS).build();

  private static Dispatcher dispatcher() {
    Dispatcher d = new Dispatcher();
    d.setMaxRequests(200);
    d.setMaxRequestsPerHost(200);
    return d;
  }

  final Socket socket;
  private final Manager manager;

  private Client(Manager manager, Socket socket) {
    this.manager = manager;
    this.socket = socket;
  }

  /** Options for a connection of its own, without reconnection. */
  static IO.Options options() {
    IO.Options o = new IO.Options();
    o.forceNew = true;
    o.reconnection = false;
    o.timeout = Harness.DEADLINE;
    o.callFactory = HTTP;
    o.webSocketFactory = HTTP;
    o.transports = mode.equals("upgrade") ? new String[] {"polling", "websocket"} : new String[] {mode};
    return o;
  }

  /** Options that say who connects: auth data, or a query in the protocol that has none. */
  static IO.Options options(Map<String, String> auth) throws ReflectiveOperationException {
    IO.Options o = options();
    if (legacy) {
      o.query = auth.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).collect(Collectors.joining("&"));
    } else { // the old version has no such field
      Manager.Options.class.getField("auth").set(o, auth);
    }
    return o;
  }

  /** A socket of a namespace that has not connected yet. */
  static Client make(String namespace, IO.Options o) {
    Socket socket = IO.socket(URI.create(url + namespace), o);
    return new Client(socket.io(), socket);
  }

  /** A connected socket of the main namespace. */
  static Client connect() throws Exception {
    return make("/", options()).open();
  }

  /** Another namespace over the same connection. */
  Client join(String namespace, IO.Options o) {
    return new Client(manager, manager.socket(namespace, o));
  }

  /** Connects and waits until it is. */
  Client open() throws InterruptedException {
    BlockingQueue<Object[]> connected = inbox(Socket.EVENT_CONNECT);
    socket.connect();
    Harness.take(connected);
    return this;
  }

  /** Waits for the transport that a connection of this mode ends on. */
  Client settle() throws InterruptedException {
    Harness.until("the transport", () -> transport().equals(settled()));
    return this;
  }

  /** The transport that a connection of this mode ends on. */
  static String settled() {
    return mode.equals("polling") ? "polling" : "websocket";
  }

  /** A queue of the arguments of every such event from now on. */
  BlockingQueue<Object[]> inbox(String event) {
    BlockingQueue<Object[]> queue = new LinkedBlockingQueue<>();
    socket.on(event, queue::add);
    return queue;
  }

  /** Emits with an acknowledgement and returns that. */
  Object[] ask(String event, Object... args) throws InterruptedException {
    BlockingQueue<Object[]> answer = new LinkedBlockingQueue<>();
    ask(answer::add, event, args);
    return Harness.take(answer);
  }

  /** Emits with an acknowledgement that is given to f. */
  void ask(Consumer<Object[]> f, String event, Object... args) {
    socket.emit(event, args, (Ack) f::accept);
  }

  /** Why the server says that a socket with this id is gone. */
  Object reasonOf(String id) throws InterruptedException {
    return ask("reason-of", id)[0];
  }

  /** Adds a header to all requests that are still to come. */
  void header(String name, String value) {
    manager.on(Manager.EVENT_TRANSPORT, args -> ((Transport) args[0]).on(Transport.EVENT_REQUEST_HEADERS, headers -> {
      @SuppressWarnings("unchecked")
      Map<String, List<String>> all = (Map<String, List<String>>) headers[0];
      all.put(name, List.of(value));
    }));
  }

  /** The connection below, which the library keeps to itself. */
  io.socket.engineio.client.Socket engine() {
    return (io.socket.engineio.client.Socket) hidden(Manager.class, "engine", manager);
  }

  private String transport() {
    return ((Transport) hidden(io.socket.engineio.client.Socket.class, "transport", engine())).name;
  }

  private static Object hidden(Class<?> owner, String name, Object of) {
    try {
      Field field = owner.getDeclaredField(name);
      field.setAccessible(true);
      return field.get(of);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    manager.reconnection(false);
    socket.disconnect();
  }
}
