"""Talks to examples/hello: prints its greeting, says hey and prints the answer."""

import sys
import threading

import socketio

url = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:3000"
client = socketio.Client()
greeted = threading.Event()


@client.event
def hello(name):
    print("hello", name)
    greeted.set()


client.connect(url)
if not greeted.wait(timeout=10):
    sys.exit("the server did not greet")
print(client.call("hey", "you", timeout=10))
client.disconnect()
