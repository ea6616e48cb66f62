package siotest

import "errors"

// Disconnect leaves the namespace, and closes the connection if it was the last
// one: the server sees "client namespace disconnect".
func (c *Client) Disconnect() {
	c.tb.Helper()
	l := c.link
	last := false
	var conn *Conn
	l.change(func() {
		if c.state != stateConnected {
			return
		}
		c.end(ReasonClientDisconnect)
		conn, last = l.conn, true
		for _, other := range l.clients {
			last = last && other.state == stateOver
		}
		if last {
			l.conn = nil
		}
	})
	if conn == nil {
		return
	}
	if err := conn.transport.write(text("41" + namespacePrefix(c.namespace))); err != nil {
		c.tb.Fatalf("siotest: Disconnect: %v", err)
	}
	if last {
		// The server closes, and the reader sees that.
		if err := conn.transport.leave(); err != nil {
			c.tb.Fatalf("siotest: Disconnect: %v", err)
		}
	}
}

// Cut cuts the connection, with all of its namespaces, without a goodbye: as a
// process that ends. The server sees that at once, as "transport close" or, over
// polling, "transport error".
func (c *Client) Cut() {
	if conn := c.abandon(ReasonTransportClose); conn != nil {
		conn.transport.ready()
		conn.Close()
	}
}

// Drop lets the client vanish, with all of its namespaces, as with a cable pulled
// out: the connection stays, but nothing is sent any more, not even heartbeats.
// The server learns of it when it waits in vain for one, "ping timeout".
func (c *Client) Drop() {
	if conn := c.abandon(ReasonDropped); conn != nil {
		conn.vanished.Store(true)
		conn.transport.mute()
	}
}

// abandon takes the connection away from the link's clients.
func (c *Client) abandon(reason Reason) (conn *Conn) {
	l := c.link
	l.change(func() {
		conn = l.conn
		l.conn = nil
		for _, client := range l.clients {
			client.end(reason)
		}
	})
	return conn
}

// Reconnect connects a client again that is not connected, over a new connection
// unless another client shares one with it. If the server recovers states, it is
// told of the last one; see [Client.Recovered]. Handlers stay, and events that
// came and were not asked for. A refusal fails the test.
func (c *Client) Reconnect() {
	c.tb.Helper()
	c.link.mu.Lock()
	over := c.state == stateOver
	c.link.mu.Unlock()
	if !over {
		c.tb.Fatal("siotest: Reconnect: the client is still connected")
	}
	err := c.rejoin()
	if errors.Is(err, errLost) {
		// The connection that others share was about to end, as after a server that
		// has sent the client away for good.
		err = c.rejoin()
	}
	if err != nil {
		c.tb.Fatalf("siotest: Reconnect: %v", err)
	}
}

func (c *Client) rejoin() error {
	c.tb.Helper()
	if err := c.link.open(); err != nil {
		return err
	}
	return c.join()
}

// Connect connects to another namespace over the same connection. Of the options,
// Namespace and Auth count.
func (c *Client) Connect(opts ...Option) *Client {
	c.tb.Helper()
	other, err := c.TryConnect(opts...)
	if err != nil {
		c.tb.Fatalf("siotest: connecting: %v", err)
	}
	return other
}

// TryConnect is [Client.Connect] for a namespace that may refuse the client, with
// a [*ConnectError].
func (c *Client) TryConnect(opts ...Option) (*Client, error) {
	c.tb.Helper()
	o, err := makeOptions(opts)
	if err != nil {
		c.tb.Fatalf("siotest: %v", err)
	}
	return c.link.connect(c.tb, o)
}
