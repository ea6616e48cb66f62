import io.socket.client.Ack;
import io.socket.client.IO;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * Checks of the Java client, version 2 for protocol 5 and version 1 for protocol 4.
 *
 * <pre>java -cp … Checks --url http://127.0.0.1:3000 --mode polling|websocket|upgrade --protocol 5|4</pre>
 */
final class Checks {
  private static final String GONE = "disconnect";

  public static void main(String[] args) {
    for (int i = 0; i + 1 < args.length; i += 2) {
      switch (args[i]) {
        case "--url": Client.url = args[i + 1]; break;
        case "--mode": Client.mode = args[i + 1]; break;
        case "--protocol": Client.legacy = args[i + 1].equals("4"); break;
        default: throw new IllegalArgumentException(args[i]);
      }
    }
    Harness h = new Harness();
    h.add("transport is settled", Checks::transport);
    h.add("echo event", Checks::echo);
    h.add("acknowledgement", Checks::acknowledgement);
    h.add("binary both ways", Checks::binary);
    h.add("the server asks", Checks::serverAsks);
    h.add("rooms and broadcast", Checks::rooms);
    h.add("namespace refused", Checks::refused);
    if (!Client.legacy) { // see there
      h.add("unknown namespace", Checks::unknown);
    }
    h.add("namespaces over one connection", Checks::namespaces);
    h.add("handshake", Checks::handshake);
    h.add("the client disconnects", Checks::clientDisconnects);
    h.add("the client closes the connection", Checks::clientCloses);
    h.add("the server disconnects", Checks::serverDisconnects);
    h.add("reconnects by itself", Checks::reconnects);
    h.add("heartbeats", Checks::heartbeats);
    h.add("numbered messages", Checks::numbered);
    boolean ok = h.run();
    System.exit(ok ? 0 : 1); // the library's threads go on
  }

  private static void transport() throws Exception {
    try (Client c = Client.connect().settle()) {
      Harness.equal(c.ask("echo", "x"), args("x"));
    }
  }

  private static void echo() throws Exception {
    Object[] all = args(1, -2.5, "zwei ☃ 😀", true, null, new JSONArray("[1,[2]]"), new JSONObject("{\"a\":{\"b\":null}}"), 9007199254740991L);
    try (Client c = Client.connect()) {
      BlockingQueue<Object[]> got = c.inbox("echo");
      c.socket.emit("echo", all);
      Harness.equal(Harness.take(got), all);
      c.socket.emit("echo");
      Harness.equal(Harness.take(got), args());
    }
  }

  // S6.3, S6.6
  private static void acknowledgement() throws Exception {
    try (Client c = Client.connect()) {
      Harness.equal(c.ask("echo", 1, "two"), args(1, "two"));
      Harness.equal(c.ask("add", 20, 22), args(42));
      BlockingQueue<Object[]> replies = new LinkedBlockingQueue<>();
      for (int i = 0; i < 50; i++) {
        c.ask(replies::add, "add", i, i);
      }
      List<Integer> sums = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        sums.add((Integer) Harness.take(replies)[0]);
      }
      sums.sort(null);
      Harness.equal(sums, numbers(50, 2));
    }
  }

  // S2.4, S2.13
  private static void binary() throws Exception {
    JSONObject value = new JSONObject()
        .put("list", new JSONArray().put(blob(1)).put(new JSONObject().put("deep", blob(2))))
        .put("plain", "x").put("empty", blob(0)).put("big", blob(70_000));
    try (Client c = Client.connect()) {
      Harness.equal(c.ask("echo", value), args(value));
      Harness.equal(c.ask("echo-any", value), args(value));
      BlockingQueue<Object[]> got = c.inbox("echo");
      c.socket.emit("echo", blob(300), "text", blob(3));
      Harness.equal(Harness.take(got), args(blob(300), "text", blob(3)));
      BlockingQueue<Object[]> made = c.inbox("made");
      c.socket.emit("make-binary", 500);
      JSONObject want = new JSONObject().put("count", 500)
          .put("parts", new JSONArray().put(blob(500)).put(new JSONObject().put("inner", blob(1))));
      Harness.equal(Harness.take(made), args(want, blob(2)));
    }
  }

  // S6.2, S6.6
  private static void serverAsks() throws Exception {
    try (Client c = Client.connect()) {
      c.socket.on("question", asked -> {
        try {
          JSONObject first = new JSONObject().put("text", asked[0] + "!").put("number", (Integer) asked[1] + 1);
          ((Ack) asked[2]).call(first, "second");
        } catch (JSONException e) {
          throw new IllegalStateException(e);
        }
      });
      c.socket.on("question-binary", asked -> {
        byte[] data = (byte[]) asked[0];
        byte[] reversed = new byte[data.length];
        for (int i = 0; i < data.length; i++) {
          reversed[i] = data[data.length - 1 - i];
        }
        ((Ack) asked[1]).call((Object) reversed);
      });
      BlockingQueue<Object[]> answered = c.inbox("answered");
      c.socket.emit("ask-me", "well", 41);
      Harness.equal(Harness.take(answered), args(new JSONObject("{\"text\":\"well!\",\"number\":42}"), "second"));
      Harness.equal(c.ask("ask-me-binary", new byte[] {1, 2, 3}), args(new byte[] {3, 2, 1}));
    }
  }

  // S7.1 to S7.3, S7.5
  private static void rooms() throws Exception {
    try (Client a = Client.connect(); Client b = Client.connect(); Client c = Client.connect()) {
      String room = "Java room of " + a.socket.id();
      List<Client> all = List.of(a, b, c);
      List<BlockingQueue<Object[]>> seen = all.stream().map(s -> s.inbox("room")).collect(Collectors.toList());
      a.ask("join", room);
      b.ask("join", room);
      a.ask("to-room", room, new JSONObject().put("photo", blob(3)));
      a.ask("in-room", room, "all");
      a.ask("leave", room);
      b.ask("in-room", room, "rest");
      for (Client s : all) { // nothing more can be on its way to a client whose fence has come back
        Harness.equal(s.ask("echo", "fence"), args("fence"));
      }
      Object[] photo = args(new JSONObject().put("photo", blob(3)));
      Harness.equal(seen.get(0), List.of((Object) args("all")));
      Harness.equal(seen.get(1), List.of(photo, args("all"), args("rest")));
      Harness.equal(seen.get(2), List.of());
    }
  }

  // S3.6. Version 1 drops an error that is more than a text.
  private static void refused() throws Exception {
    try (Client c = Client.make("/admin", Client.options(Map.of("token", Client.legacy ? "plain" : "wrong")))) {
      BlockingQueue<Object[]> errors = c.inbox(Client.legacy ? "error" : "connect_error");
      c.socket.connect();
      JSONObject error = new JSONObject("{\"message\":\"not authorized\",\"data\":{\"code\":401,\"hint\":\"token\"}}");
      Harness.equal(Harness.take(errors), args(Client.legacy ? "refused without data" : error));
      Harness.equal(c.socket.connected(), false);
    }
  }

  // S3.3
  private static void unknown() throws Exception {
    try (Client main = Client.connect(); Client nowhere = main.join("/nowhere", Client.options())) {
      BlockingQueue<Object[]> errors = nowhere.inbox("connect_error");
      nowhere.socket.connect();
      Harness.equal(Harness.take(errors), args(new JSONObject("{\"message\":\"Invalid namespace\"}")));
      Harness.equal(main.ask("echo", 1), args(1));
    }
  }

  // S3.13
  private static void namespaces() throws Exception {
    IO.Options o = Client.options(Map.of("token", "secret", "user", "ada"));
    try (Client main = Client.connect(); Client admin = main.join("/admin", o).open()) {
      Harness.equal(admin.ask("whoami"), args("ada"));
      BlockingQueue<Object[]> wrong = main.inbox("echo");
      BlockingQueue<Object[]> right = admin.inbox("echo");
      admin.socket.emit("echo", "for admin", blob(1));
      Harness.equal(Harness.take(right), args("for admin", blob(1)));
      String id = admin.socket.id();
      admin.socket.disconnect();
      Harness.equal(main.reasonOf(id), "client namespace disconnect");
      Harness.equal(main.ask("echo", "main"), args("main"));
      Harness.equal(wrong, List.of());
    }
  }

  // S4.2
  private static void handshake() throws Exception {
    IO.Options o = Client.legacy ? Client.options() : Client.options(Map.of("token", "t"));
    o.query = "colour=blue%20%26%20green&n=7";
    try (Client c = Client.make("/", o)) {
      c.header("X-Test", "yes");
      c.open();
      JSONObject want = new JSONObject("{\"colour\":\"blue & green\",\"n\":\"7\",\"header\":\"yes\",\"loopback\":true}");
      want.put("auth", new JSONObject(Client.legacy ? "{}" : "{\"token\":\"t\"}"));
      Harness.equal(c.ask("handshake"), args(want));
    }
  }

  // S3.13
  private static void clientDisconnects() throws Exception {
    try (Client watcher = Client.connect(); Client c = Client.connect().settle()) {
      String id = c.socket.id();
      BlockingQueue<Object[]> told = watcher.inbox("shout");
      BlockingQueue<Object[]> gone = c.inbox(GONE);
      c.socket.emit("shout", "last words");
      c.socket.disconnect();
      Harness.equal(Harness.take(gone), args("io client disconnect"));
      Harness.equal(Harness.take(told), args("last words"));
      Harness.equal(watcher.reasonOf(id), "client namespace disconnect");
    }
  }

  private static void clientCloses() throws Exception {
    try (Client watcher = Client.connect(); Client c = Client.connect().settle()) {
      String id = c.socket.id();
      c.engine().close();
      Harness.equal(watcher.reasonOf(id), "transport close");
    }
  }

  private static void serverDisconnects() throws Exception {
    for (boolean whole : new boolean[] {false, true}) {
      try (Client watcher = Client.connect(); Client c = Client.connect().settle()) {
        String id = c.socket.id();
        BlockingQueue<Object[]> gone = c.inbox(GONE);
        c.socket.emit("kick", whole);
        Harness.equal(Harness.take(gone), args("io server disconnect"));
        Harness.equal(watcher.reasonOf(id), "server namespace disconnect");
      }
    }
  }

  // S3.9
  private static void reconnects() throws Exception {
    IO.Options o = Client.options();
    o.reconnection = true;
    o.reconnectionDelay = 10;
    o.reconnectionDelayMax = 20;
    try (Client watcher = Client.connect(); Client c = Client.make("/", o).open().settle()) {
      String id = c.socket.id();
      BlockingQueue<Object[]> gone = c.inbox(GONE);
      BlockingQueue<Object[]> back = c.inbox("connect");
      BlockingQueue<Object[]> seen = c.inbox("echo");
      if (Client.settled().equals("polling")) {
        c.engine().send("no packet"); // which the server answers by closing the connection
      } else {
        c.engine().close(); // of a close frame, the library takes no notice until its heartbeat fails
      }
      Harness.oneOf(Harness.take(gone)[0], "transport close", "forced close");
      c.socket.emit("echo", "kept"); // perhaps while it is away
      Harness.take(back);
      Harness.equal(Harness.take(seen), args("kept"));
      if (c.socket.id().equals(id)) {
        throw new AssertionError("it came back with the same id");
      }
      Harness.oneOf(watcher.reasonOf(id), "forced close", "forced server close", "transport close");
      Harness.equal(c.ask("echo", "fence"), args("fence"));
      Harness.equal(seen, List.of());
    }
  }

  private static void heartbeats() throws Exception {
    try (Client c = Client.connect().settle()) {
      String id = c.socket.id();
      BlockingQueue<Object[]> beats = new LinkedBlockingQueue<>();
      c.engine().on(Client.legacy ? "pong" : "ping", beats::add);
      for (int i = 0; i < 3; i++) {
        Harness.take(beats);
      }
      Harness.equal(c.ask("echo", 1), args(1));
      Harness.equal(c.socket.id(), id);
    }
  }

  // S6.9
  private static void numbered() throws Exception {
    final int n = 200;
    try (Client c = Client.connect()) { // not settled: this goes on during the upgrade
      BlockingQueue<Object[]> answers = c.inbox("answer");
      BlockingQueue<Object[]> pushed = c.inbox("push");
      c.socket.emit("push-me", n);
      for (int i = 0; i < n; i++) {
        c.socket.emit("number", i);
      }
      for (int i = 0; i < n; i++) {
        Harness.equal(Harness.take(pushed), args(i));
        Harness.equal(Harness.take(answers), args(i));
      }
      Harness.equal(c.ask("numbers")[0], numbers(n, 1));
    }
  }

  private static Object[] args(Object... values) {
    return values;
  }

  /** The first n numbers, times a factor. */
  private static List<Integer> numbers(int n, int factor) {
    return IntStream.range(0, n).mapToObj(i -> i * factor).collect(Collectors.toList());
  }

  /** n bytes that run through every value. */
  private static byte[] blob(int n) {
    byte[] b = new byte[n];
    for (int i = 0; i < n; i++) {
      b[i] = (byte) i;
    }
    return b;
  }
}
