package bench;

import com.corundumstudio.socketio.Configuration;
import com.corundumstudio.socketio.SocketIONamespace;
import com.corundumstudio.socketio.SocketIOServer;
import com.corundumstudio.socketio.Transport;
import com.corundumstudio.socketio.listener.MultiTypeEventListener;

import java.net.ServerSocket;

/**
 * The bench application on netty-socketio, with netty's epoll transport. It takes its port from the
 * command line and prints its URL.
 */
public final class Bench {
    private static final Class<?>[] ARGUMENTS = {Object.class, Object.class, Object.class, Object.class};

    public static void main(String[] args) throws Exception {
        int port = args.length > 0 ? Integer.parseInt(args[0]) : 0;
        if (port == 0) {
            try (ServerSocket free = new ServerSocket(0)) {
                port = free.getLocalPort();
            }
        }
        Configuration configuration = new Configuration();
        configuration.setHostname("127.0.0.1");
        configuration.setPort(port);
        configuration.setUseLinuxNativeEpoll(true);
        configuration.setTransports(Transport.POLLING, Transport.WEBSOCKET);
        configuration.getSocketConfig().setReuseAddress(true);
        configuration.getSocketConfig().setTcpNoDelay(true);
        SocketIOServer server = new SocketIOServer(configuration);
        attach(server.addNamespace(""));
        attach(server.addNamespace("/bench"));
        server.start();
        System.out.println("listening on http://127.0.0.1:" + port);
    }

    private static void attach(SocketIONamespace namespace) {
        on(namespace, "echo", (client, args, ack) -> {
            Object[] values = args.getArgs().toArray();
            if (ack.isAckRequested()) {
                ack.sendAckData(values);
            } else {
                client.sendEvent("echo", values);
            }
        });
        on(namespace, "bcast", (client, args, ack) ->
            namespace.getBroadcastOperations().sendEvent("bcast", args.getArgs().toArray()));
        on(namespace, "join", (client, args, ack) -> {
            client.joinRoom(args.first());
            ack.sendAckData();
        });
        on(namespace, "leave", (client, args, ack) -> {
            client.leaveRoom(args.first());
            ack.sendAckData();
        });
        on(namespace, "rcast", (client, args, ack) -> {
            Object[] values = args.getArgs().subList(1, args.size()).toArray();
            namespace.getRoomOperations(args.<String>first()).sendEvent("rcast", values);
        });
    }

    private static void on(SocketIONamespace namespace, String event, MultiTypeEventListener listener) {
        namespace.addMultiTypeEventListener(event, listener, ARGUMENTS);
    }
}
