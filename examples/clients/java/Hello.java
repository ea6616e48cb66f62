import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Socket;
import java.net.URI;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Talks to examples/hello: prints its greeting, says hey and prints the answer. */
public class Hello {
    public static void main(String[] args) throws Exception {
        String url = args.length > 0 ? args[0] : "http://localhost:3000";
        CountDownLatch answered = new CountDownLatch(2);
        Socket socket = IO.socket(URI.create(url));
        socket.on("hello", name -> {
            System.out.println("hello " + name[0]);
            answered.countDown();
        });
        socket.on(Socket.EVENT_CONNECT, nothing -> socket.emit("hey", new Object[] {"you"}, (Ack) answer -> {
            System.out.println(answer[0]);
            answered.countDown();
        }));
        socket.on(Socket.EVENT_CONNECT_ERROR, problem -> System.err.println(problem[0]));
        socket.connect();
        boolean done = answered.await(10, TimeUnit.SECONDS);
        socket.disconnect();
        socket.io().off();
        System.exit(done ? 0 : 1); // the library's threads stay for a minute
    }
}
