//! The bench application on socketioxide and hyper, by way of axum. It takes its port
//! from the command line and prints its URL.

use axum::Router;
use serde::{
    de::{SeqAccess, Visitor},
    ser::SerializeTuple,
    Deserialize, Deserializer, Serialize, Serializer,
};
use serde_json::Value;
use socketioxide::{
    extract::{AckSender, Data, SocketRef, TryData},
    SocketIo,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// All arguments of an event. The server takes what is like a tuple for them.
struct Args(Vec<Value>);

impl Serialize for Args {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for value in &self.0 {
            tuple.serialize_element(value)?;
        }
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Args;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("arguments")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Args, A::Error> {
                let mut values = Vec::with_capacity(2);
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Args(values))
            }
        }
        deserializer.deserialize_tuple(2, All)
    }
}

async fn attach(socket: SocketRef) {
    socket.on("echo", |Data::<Args>(args), ack: AckSender| async move {
        let _ = ack.send(&args); // whether one is wanted can't be seen
    });
    socket.on("bcast", |socket: SocketRef, Data::<Args>(args)| async move {
        let _ = socket.broadcast().emit("bcast", &args).await;
        let _ = socket.emit("bcast", &args);
    });
    socket.on("join", |socket: SocketRef, TryData::<String>(room), ack: AckSender| async move {
        if let Ok(room) = room {
            socket.join(room);
        }
        let _ = ack.send(&());
    });
    socket.on("leave", |socket: SocketRef, TryData::<String>(room), ack: AckSender| async move {
        if let Ok(room) = room {
            socket.leave(room);
        }
        let _ = ack.send(&());
    });
    socket.on("rcast", |socket: SocketRef, Data::<Args>(args)| async move {
        let mut values = args.0;
        if !values.is_empty() {
            if let Value::String(room) = values.remove(0) {
                let _ = socket.within(room).emit("rcast", &Args(values)).await;
            }
        }
    });
}

// One thread, as the server is measured on one core.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".into());
    let (layer, io) = SocketIo::builder().build_layer();
    io.ns("/", attach);
    io.ns("/bench", attach);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, Router::new().layer(layer)).await?;
    Ok(())
}
