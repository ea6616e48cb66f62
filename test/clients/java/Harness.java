import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.json.JSONArray;
import org.json.JSONObject;

/**
 * Runs named checks and reports each as one JSON line on standard output: first the plan, {"plan":
 * ["name", ...]}, then {"check": "name", "ok": true, "ms": 12} or one with ok false and an error.
 */
final class Harness {
  /** How long one check may wait for anything, in milliseconds. */
  static final long DEADLINE = 30_000;

  /** One check; it fails by throwing anything. */
  interface Check {
    void run() throws Throwable;
  }

  private final Map<String, Check> checks = new LinkedHashMap<>();

  void add(String name, Check check) {
    checks.put(name, check);
  }

  /** Runs all checks, one after the other, and says whether all held. */
  boolean run() {
    List<String> names = new ArrayList<>();
    checks.keySet().forEach(name -> names.add(JSONObject.quote(name)));
    System.out.println("{\"plan\":[" + String.join(",", names) + "]}");
    boolean ok = true;
    for (Map.Entry<String, Check> check : checks.entrySet()) {
      long started = System.nanoTime();
      String result = "\"ok\":true";
      try {
        check.getValue().run();
      } catch (Throwable t) {
        ok = false;
        result = "\"ok\":false,\"error\":" + JSONObject.quote(trace(t));
      }
      long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
      System.out.println("{\"check\":" + JSONObject.quote(check.getKey()) + "," + result + ",\"ms\":" + ms + "}");
      System.out.flush();
    }
    return ok;
  }

  private static String trace(Throwable t) {
    StringBuilder b = new StringBuilder(t.toString());
    for (StackTraceElement line : t.getStackTrace()) {
      b.append("\n  at ").append(line);
    }
    return b.toString();
  }

  /** Throws unless the two say the same, as JSON does: 1 and 1.0 are equal, bytes are no text. */
  static void equal(Object got, Object want) {
    if (!show(got).equals(show(want))) {
      throw new AssertionError("got " + show(got) + ", want " + show(want));
    }
  }

  /** Throws unless got equals one of the allowed values. */
  static void oneOf(Object got, Object... allowed) {
    if (Arrays.stream(allowed).noneMatch(a -> show(a).equals(show(got)))) {
      throw new AssertionError("got " + show(got) + ", want one of " + show(allowed));
    }
  }

  /** The next entry of a queue. */
  static <T> T take(BlockingQueue<T> queue) throws InterruptedException {
    T entry = queue.poll(DEADLINE, TimeUnit.MILLISECONDS);
    if (entry == null) {
      throw new AssertionError("waited in vain");
    }
    return entry;
  }

  /** Waits until a condition holds. */
  static void until(String what, BooleanSupplier holds) throws InterruptedException {
    for (long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DEADLINE); !holds.getAsBoolean(); Thread.sleep(2)) {
      if (System.nanoTime() > end) {
        throw new AssertionError("waited in vain for " + what);
      }
    }
  }

  /** A value as text that is the same for equal values. */
  static String show(Object v) {
    if (v == null || v == JSONObject.NULL) {
      return "null";
    }
    if (v instanceof Number) {
      return new BigDecimal(v.toString()).stripTrailingZeros().toPlainString();
    }
    if (v instanceof byte[]) {
      return "bytes" + Arrays.toString((byte[]) v);
    }
    if (v instanceof Object[]) {
      return list(Arrays.asList((Object[]) v));
    }
    if (v instanceof Iterable) {
      return list((Iterable<?>) v);
    }
    if (v instanceof JSONArray) {
      JSONArray a = (JSONArray) v;
      List<Object> entries = new ArrayList<>();
      for (int i = 0; i < a.length(); i++) {
        entries.add(a.opt(i));
      }
      return list(entries);
    }
    if (v instanceof JSONObject) {
      TreeSet<String> names = new TreeSet<>();
      for (Iterator<?> i = ((JSONObject) v).keys(); i.hasNext(); ) {
        names.add((String) i.next());
      }
      List<String> entries = new ArrayList<>();
      names.forEach(name -> entries.add(JSONObject.quote(name) + ":" + show(((JSONObject) v).opt(name))));
      return "{" + String.join(",", entries) + "}";
    }
    return v instanceof Boolean ? v.toString() : JSONObject.quote(v.toString());
  }

  private static String list(Iterable<?> values) {
    List<String> entries = new ArrayList<>();
    values.forEach(v -> entries.add(show(v)));
    return "[" + String.join(",", entries) + "]";
  }
}
