package siotest_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// A client that vanished is found out when its time is over, to the millisecond.
// It shows W5.
func TestPingTimeout(t *testing.T) {
	onEach(t, func(t on) {
		io := newServer(t)
		var ends lines
		ends.notes(io)
		srv := siotest.Start(t, io)
		c := srv.Connect(t, t.transport)
		stays := srv.Connect(t, t.transport)
		c.Drop()
		srv.Advance(45*time.Second - time.Microsecond)
		ends.want(t)
		srv.Advance(time.Microsecond)
		ends.want(t, "ping timeout")
		if io.Clients() != 1 || !stays.Connected() {
			t.Errorf("%d clients are left", io.Clients())
		}
	})
}

// Clients that answer live on, however far the time goes at once.
func TestHeartbeats(t *testing.T) {
	onEach(t, func(t on) {
		io := newServer(t)
		io.OnEvent("echo", func(_ *sio.Socket, args sio.RawArgs, ack sio.Ack) error { return ack.SendRaw(args) })
		srv := siotest.Start(t, io)
		c := srv.Connect(t, t.transport)
		srv.Advance(time.Hour)
		if got := c.Call("echo", 1).String(); got != "[1]" {
			t.Errorf("got %s", got)
		}
	})
}

// The server's pings come when they are due.
func TestPing(t *testing.T) {
	io := newServer(t)
	srv := siotest.Start(t, io)
	c := srv.Open(t)
	c.Join("/", "")
	conn, buf := c.NetConn(), make([]byte, 100)
	srv.Advance(25*time.Second - time.Millisecond)
	if n, err := siotest.Unread(conn); err != nil || n > 0 {
		t.Errorf("there came %d bytes early, %v", n, err)
	}
	srv.Advance(time.Millisecond)
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(buf); err != nil || string(buf[:n]) != "\x81\x012" {
		t.Errorf("there came %q, %v", buf[:n], err)
	}
}

func TestConnectTimeout(t *testing.T) {
	io := newServer(t)
	srv := siotest.Start(t, io)
	c := srv.Open(t)
	srv.Advance(25 * time.Second)
	c.Send("3") // it lives, but joins nothing
	srv.Advance(20*time.Second - time.Millisecond)
	if io.Clients() != 1 {
		t.Error("its time was not over")
	}
	srv.Advance(time.Millisecond)
	if io.Clients() != 0 {
		t.Error("it is still there")
	}
	if _, code := c.WantClosed(); code != 1005 {
		t.Errorf("closed with %d", code)
	}
}

// However the server waits for acknowledgements, it does so by its clock.
func TestAckTimeout(t *testing.T) {
	const limit = 5 * time.Second
	for name, ask := range map[string]func(io *sio.Server, s *sio.Socket, done func(error)) error{
		"EmitAck": func(_ *sio.Server, s *sio.Socket, done func(error)) error {
			return s.Timeout(limit).EmitAck(func(_ sio.Reply, err error) { done(err) }, "question")
		},
		"EmitWithAck": func(_ *sio.Server, s *sio.Socket, done func(error)) error {
			_, err := s.Timeout(limit).EmitWithAck(t.Context(), "question")
			done(err)
			return nil
		},
		"to a room": func(io *sio.Server, s *sio.Socket, done func(error)) error {
			_, err := io.To(s.ID()).Timeout(limit).EmitWithAck(t.Context(), "question")
			done(err)
			return nil
		},
		"to a room, by default": func(io *sio.Server, s *sio.Socket, done func(error)) error {
			_, err := io.To(s.ID()).EmitWithAck(t.Context(), "question")
			done(err)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			io := newServer(t, func(o *sio.Options) { o.AckTimeout = limit })
			var got lines
			io.OnConnection(func(s *sio.Socket) {
				if err := ask(io, s, func(err error) { got.add("%v", err != nil) }); err != nil {
					t.Error(err)
				}
			})
			srv := siotest.Start(t, io)
			c := srv.Connect(t)
			c.Expect("question")
			srv.Advance(limit - time.Millisecond)
			got.want(t)
			srv.Advance(time.Millisecond)
			got.want(t, "true")
		})
	}
}

// Who comes back in time goes on with what it missed; a moment later, it is new.
func TestRecoveryInTime(t *testing.T) {
	onEach(t, func(t on) {
		const limit = 2 * time.Minute
		io := newServer(t, func(o *sio.Options) {
			o.ConnectionStateRecovery = &sio.Recovery{MaxDisconnectionDuration: limit}
		})
		srv := siotest.Start(t, io)
		c := srv.Connect(t, t.transport)
		emit := func(n int) {
			if err := io.Emit("news", n); err != nil {
				t.Error(err)
			}
		}
		emit(0)
		c.Expect("news")
		for _, tt := range []struct {
			away      time.Duration
			recovered bool
		}{{limit - time.Millisecond, true}, {limit + time.Millisecond, false}} {
			c.Cut()
			srv.Wait()
			emit(1)
			srv.Advance(tt.away)
			c.Reconnect()
			if c.Recovered() != tt.recovered {
				t.Errorf("after %v: recovered is %v", tt.away, c.Recovered())
			}
			if tt.recovered {
				c.Expect("news")
			}
			c.ExpectNone()
			emit(2)
			c.Expect("news")
		}
	})
}

// Timers fire in order, and what one leads to has happened before the next.
func TestOrder(t *testing.T) {
	io := newServer(t, func(o *sio.Options) { o.Loops = 2 })
	var got lines
	srv := siotest.Start(t, io)
	start := srv.Now()
	io.OnConnection(func(s *sio.Socket) {
		for _, d := range []time.Duration{3 * time.Second, time.Second, 2 * time.Second} {
			if err := s.Timeout(d).EmitAck(func(sio.Reply, error) { got.add("%v", srv.Now().Sub(start)) }, "question"); err != nil {
				t.Error(err)
			}
		}
	})
	for range 3 {
		srv.Connect(t)
	}
	srv.Advance(time.Minute)
	got.want(t, "1s", "1s", "1s", "2s", "2s", "2s", "3s", "3s", "3s")
	if d := srv.Now().Sub(start); d != time.Minute {
		t.Errorf("the time has moved by %v", d)
	}
}

// Real time moves nothing: the timeouts of this server are over at once.
func TestRealTimeDoesNothing(t *testing.T) {
	io := newServer(t, func(o *sio.Options) {
		o.PingInterval, o.PingTimeout, o.ConnectTimeout = time.Millisecond, time.Millisecond, time.Millisecond
	})
	srv := siotest.Start(t, io)
	c := srv.Open(t)
	time.Sleep(50 * time.Millisecond) // nothing to wait for: nothing is to happen
	srv.Wait()
	if io.Clients() != 1 {
		t.Error("a timer has fired")
	}
	srv.Advance(2 * time.Millisecond)
	c.WantClosed()
}

// The rest of the server has the same clock.
func TestOtherTimes(t *testing.T) {
	io := newServer(t, func(o *sio.Options) {
		o.HandshakesPerSecond, o.TrustUnixPeers = 1, true
	})
	srv := siotest.Start(t, io)
	from := siotest.Header("X-Forwarded-For", "192.0.2.1")
	srv.Connect(t, from)
	_, err := srv.TryConnect(t, from)
	if refused, ok := errors.AsType[*siotest.HandshakeError](err); !ok || refused.Status != 429 || refused.Body != "too many handshakes" {
		t.Errorf("at once: %v", err)
	}
	srv.Advance(time.Second)
	c := srv.Connect(t, from)
	if got, want := io.Of("/").Socket(c.ID()).Handshake().Time, srv.Now(); !got.Equal(want) {
		t.Errorf("opened at %v, want %v", got, want)
	}
	res, err := srv.HTTP().Get("http://anywhere/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, want := res.Header.Get("Date"), srv.Now().UTC().Format(http.TimeFormat); got != want || res.StatusCode != 404 {
		t.Errorf("%s at %s, want %s", res.Status, got, want)
	}
}
