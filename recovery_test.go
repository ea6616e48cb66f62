package sio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/siotest"
)

func recovering(r sio.Recovery) func(*sio.Options) {
	return func(o *sio.Options) { o.ConnectionStateRecovery = &r }
}

// returning is a client that can come back.
type returning struct {
	*siotest.Conn
	tb       testing.TB
	f        *fixture
	sid, pid string
	offset   string // of the last event
}

// arrive joins "/" with auth data, and returns what came before the answer, too.
func (f *fixture) arrive(tb testing.TB, auth string) (c *returning, before []string) {
	tb.Helper()
	c = &returning{Conn: f.dial(tb), tb: tb, f: f}
	c.Send("40" + auth)
	for {
		packet := c.Next()
		if !strings.HasPrefix(packet, "40") {
			before = append(before, c.strip(packet))
			continue
		}
		var answer struct{ SID, PID string }
		if err := json.Unmarshal([]byte(packet[2:]), &answer); err != nil || answer.SID == "" || answer.PID == "" {
			tb.Fatalf("answer %q: %v", packet, err)
		}
		c.sid, c.pid = answer.SID, answer.PID
		return c, before
	}
}

// strip takes the offset off an event.
func (c *returning) strip(packet string) string {
	c.tb.Helper()
	args := packet[strings.IndexByte(packet, '['):]
	var values []json.RawMessage
	if err := json.Unmarshal([]byte(args), &values); err != nil {
		c.tb.Fatalf("event %q: %v", packet, err)
	}
	last := values[len(values)-1]
	if err := json.Unmarshal(last, &c.offset); err != nil {
		c.tb.Fatalf("event %q has no offset: %v", packet, err)
	}
	return strings.TrimSuffix(packet, ","+string(last)+"]") + "]"
}

// wantEvent waits for an event with an offset.
func (c *returning) wantEvent(want string) {
	c.tb.Helper()
	if got := c.strip(c.Next()); got != want {
		c.tb.Fatalf("got event %q, want %q", got, want)
	}
}

// vanish cuts the connection and waits until the server knows.
func (c *returning) vanish() {
	c.tb.Helper()
	c.Close()
	eventually(c.tb, "the end of the socket", func() bool { return c.f.Socket(c.sid) == nil })
}

func (c *returning) auth() string { return fmt.Sprintf(`{"pid":%q,"offset":%q}`, c.pid, c.offset) }

func emit(tb testing.TB, to sio.EventEmitter, event string, args ...any) {
	tb.Helper()
	if err := to.Emit(event, args...); err != nil {
		tb.Fatal(err)
	}
}

// S11.1, S11.2, S11.5: what was missed comes first, then the answer with the same ids.
func TestRecovery(t *testing.T) {
	f := serve(t, recovering(sio.Recovery{}))
	var lines recorder
	f.OnConnection(func(s *sio.Socket) {
		lines.add(fmt.Sprint("connection, recovered: ", s.Recovered(), ", data: ", s.Data(), ", in the room: ", s.InRoom("room")))
	})
	c, before := f.arrive(t, "")
	if len(before) > 0 {
		t.Errorf("before the answer came %q", before)
	}
	lines.want(t, "connection, recovered: false, data: <nil>, in the room: false")
	s := f.Socket(c.sid)
	s.SetData("mine")
	s.Join("room")
	emit(t, s, "direct", 1)
	c.wantEvent(`42["direct",1]`)
	c.vanish()

	other, _ := f.arrive(t, "")
	sender := f.Socket(other.sid)
	emit(t, f, "to all", 2)
	emit(t, f.To("room"), "to the room", 3)
	emit(t, f.To("elsewhere"), "to others")
	emit(t, f.Except("room"), "to all but the room")
	emit(t, sender.Broadcast(), "of another", 4)
	emit(t, f.To(c.sid), "to the socket's room", 5)
	emit(t, s, "to the lost socket", 6) // S11.3, as in the reference
	emit(t, f.Volatile(), "volatile")   // S11.1: it is not kept
	emit(t, f, "binary", []byte{1, 2, 3})

	c2, missed := f.arriveWithBinary(t, c.auth())
	want := []string{
		`42["to all",2]`, `42["to the room",3]`, `42["of another",4]`, `42["to the socket's room",5]`,
		`42["to the lost socket",6]`, `451-["binary",{"_placeholder":true,"num":0}]`, "binary:\x01\x02\x03",
	}
	if strings.Join(missed, "\n") != strings.Join(want, "\n") {
		t.Errorf("missed:\n%s\nwant:\n%s", strings.Join(missed, "\n"), strings.Join(want, "\n"))
	}
	if c2.sid != c.sid || c2.pid != c.pid {
		t.Errorf("came back as %s with pid %s, was %s with %s", c2.sid, c2.pid, c.sid, c.pid)
	}
	lines.want(t,
		"connection, recovered: false, data: <nil>, in the room: false",
		"connection, recovered: false, data: <nil>, in the room: false",
		"connection, recovered: true, data: mine, in the room: true")
	emit(t, f.To("room"), "again")
	c2.wantEvent(`42["again"]`)
	emit(t, s, "by the old socket") // it reaches the one that came back
	c2.wantEvent(`42["by the old socket"]`)
}

// arriveWithBinary is arrive for replays with attachments.
func (f *fixture) arriveWithBinary(tb testing.TB, auth string) (*returning, []string) {
	tb.Helper()
	c := &returning{Conn: f.dial(tb), tb: tb, f: f}
	c.Send("40" + auth)
	var before []string
	for {
		switch packet := c.Next(); {
		case strings.HasPrefix(packet, "binary:"):
			before = append(before, packet)
		case strings.HasPrefix(packet, "40"):
			var answer struct{ SID, PID string }
			if err := json.Unmarshal([]byte(packet[2:]), &answer); err != nil {
				tb.Fatal(err)
			}
			c.sid, c.pid = answer.SID, answer.PID
			return c, before
		default:
			before = append(before, c.strip(packet))
		}
	}
}

// S11.3, S11.4, S11.9: who can't come back gets a new session, and no error.
func TestNoRecovery(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts sio.Recovery
		// leave ends the client and returns what it comes with.
		leave func(c *returning) (auth string)
	}{
		{"unknown pid", sio.Recovery{}, func(c *returning) string {
			c.vanish()
			return fmt.Sprintf(`{"pid":"nobody","offset":%q}`, c.offset)
		}},
		{"no offset", sio.Recovery{}, func(c *returning) string {
			c.vanish()
			return fmt.Sprintf(`{"pid":%q}`, c.pid)
		}},
		{"offset that is no string", sio.Recovery{}, func(c *returning) string {
			c.vanish()
			return fmt.Sprintf(`{"pid":%q,"offset":1}`, c.pid)
		}},
		{"offset of another log", sio.Recovery{}, func(c *returning) string {
			c.vanish()
			return fmt.Sprintf(`{"pid":%q,"offset":"abcdef.1"}`, c.pid)
		}},
		{"offset of the future", sio.Recovery{}, func(c *returning) string {
			c.vanish()
			return fmt.Sprintf(`{"pid":%q,"offset":"%szz"}`, c.pid, c.offset[:7])
		}},
		{"offset that is no number", sio.Recovery{}, func(c *returning) string {
			c.vanish()
			return fmt.Sprintf(`{"pid":%q,"offset":"%s!"}`, c.pid, c.offset[:7])
		}},
		{"the client left", sio.Recovery{}, func(c *returning) string {
			c.Send("41")
			eventually(c.tb, "the end", func() bool { return c.f.Socket(c.sid) == nil })
			return c.auth()
		}},
		{"the server sent it away", sio.Recovery{}, func(c *returning) string {
			c.f.Socket(c.sid).Disconnect(true)
			c.WantClosed()
			return c.auth()
		}},
		{"an invalid Engine.IO packet", sio.Recovery{}, func(c *returning) string {
			c.Send("x")
			c.WantClosed()
			eventually(c.tb, "the end", func() bool { return c.f.Socket(c.sid) == nil })
			return c.auth()
		}},
		{"too late", sio.Recovery{MaxDisconnectionDuration: time.Millisecond}, func(c *returning) string {
			c.vanish()
			lost := time.Now()
			eventually(c.tb, "time to pass", func() bool { return time.Since(lost) > 5*time.Millisecond })
			return c.auth()
		}},
		{"too many events", sio.Recovery{MaxPackets: 3}, func(c *returning) string {
			c.vanish()
			for range 5 {
				emit(c.tb, c.f, "e")
			}
			return c.auth()
		}},
		{"too many bytes", sio.Recovery{MaxBytes: 2000}, func(c *returning) string {
			c.vanish()
			for range 2 {
				emit(c.tb, c.f, "e", strings.Repeat("x", 1500))
			}
			return c.auth()
		}},
		{"too many sessions", sio.Recovery{MaxSessions: 1}, func(c *returning) string {
			c.vanish()
			other, _ := c.f.arrive(c.tb, "")
			other.vanish()
			return c.auth()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, recovering(tc.opts))
			c, _ := f.arrive(t, "")
			f.Socket(c.sid).Join("room")
			emit(t, f.Socket(c.sid), "e")
			c.wantEvent(`42["e"]`)
			auth := tc.leave(c)
			again, missed := f.arrive(t, auth)
			if again.sid == c.sid || again.pid == c.pid || len(missed) > 0 {
				t.Errorf("came back as %s (was %s) with %q", again.sid, c.sid, missed)
			}
			if s := f.Socket(again.sid); s.Recovered() || s.InRoom("room") {
				t.Error("the new socket has something of the old one")
			}
		})
	}
}

// S11.9: a session is that of one client at a time. Who asks for it has lost the
// connection, even if the server has not noticed; so that ends.
func TestRecoveryTakesOver(t *testing.T) {
	f := serve(t, recovering(sio.Recovery{}))
	var lines recorder
	f.OnConnection(func(s *sio.Socket) {
		s.OnDisconnect(func(_ *sio.Socket, reason sio.Reason) { lines.add(string(reason)) })
	})
	c, _ := f.arrive(t, "")
	emit(t, f, "e", 0)
	c.wantEvent(`42["e",0]`)
	for i := range 3 {
		emit(t, f, "e", i+1)
		again, missed := f.arrive(t, c.auth())
		if want := fmt.Sprintf(`42["e",%d]`, i+1); again.sid != c.sid || len(missed) != 1 || missed[0] != want {
			t.Fatalf("came back as %s (was %s) with %q, want %s", again.sid, c.sid, missed, want)
		}
		c.WantClosed()
		c = again
	}
	lines.want(t, "forced close", "forced close", "forced close")
	if n := f.SocketCount(); n != 1 {
		t.Errorf("%d sockets", n)
	}
}

// S11.3: which ends qualify, beside a lost connection.
func TestRecoveryAfter(t *testing.T) {
	for _, tc := range []struct {
		name   string
		end    func(c *returning)
		reason sio.Reason
	}{
		{"a violation", func(c *returning) { c.Send("42[") }, sio.ReasonForcedClose},
		{"a close packet", func(c *returning) { c.Send("1") }, sio.ReasonTransportClose},
		{"a message that is too large", func(c *returning) { c.Send("4" + strings.Repeat("x", 2_000_000)) }, sio.ReasonTransportError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, recovering(sio.Recovery{}))
			var lines recorder
			f.OnConnection(func(s *sio.Socket) {
				s.OnDisconnect(func(_ *sio.Socket, reason sio.Reason) { lines.add(string(reason)) })
			})
			c, _ := f.arrive(t, "")
			emit(t, f, "e")
			c.wantEvent(`42["e"]`)
			tc.end(c)
			c.WantClosed()
			lines.want(t, string(tc.reason))
			if again, _ := f.arrive(t, c.auth()); again.sid != c.sid {
				t.Errorf("not recovered after %q", tc.reason)
			}
		})
	}
}

// S11.6: middlewares are left out for who comes back, or told.
func TestRecoveryMiddlewares(t *testing.T) {
	for _, run := range []bool{false, true} {
		t.Run(fmt.Sprint("run: ", run), func(t *testing.T) {
			f := serve(t, recovering(sio.Recovery{RunMiddlewares: run}))
			var lines recorder
			var refuse atomic.Bool
			f.Use(func(s *sio.Socket) error {
				lines.add(fmt.Sprint("asked, recovered: ", s.Recovered()))
				if refuse.Load() {
					return errors.New("no")
				}
				return nil
			})
			c, _ := f.arrive(t, "")
			emit(t, f, "e")
			c.wantEvent(`42["e"]`)
			c.vanish()
			c, _ = f.arrive(t, c.auth())
			want := []string{"asked, recovered: false"}
			if run {
				want = append(want, "asked, recovered: true")
			}
			lines.want(t, want...)
			if !run {
				return
			}
			emit(t, f, "e")
			c.wantEvent(`42["e"]`)
			c.vanish()
			refuse.Store(true)
			d := f.dial(t)
			d.Send("40" + c.auth())
			d.Want(`44{"message":"no"}`)
		})
	}
}

// S11.8: with the option off, there is no pid, and the client's is ignored.
func TestRecoveryOff(t *testing.T) {
	f := serve(t)
	c := f.dial(t)
	c.Send(`40{"pid":"a","offset":"b"}`)
	if answer := c.Next(); strings.Contains(answer, "pid") {
		t.Errorf("answer %q", answer)
	}
	emit(t, f, "e", 1)
	c.Want(`42["e",1]`)
}

// What is emitted while clients come and go is neither lost nor doubled nor out
// of order.
func TestRecoveryUnderTraffic(t *testing.T) {
	const clients, events = 8, 400
	f := serve(t, recovering(sio.Recovery{}))
	done := make(chan struct{})
	start := make(chan struct{})
	go func() {
		defer close(done)
		<-start
		for i := range events {
			if err := f.To("room").Emit("n", i); err != nil {
				t.Error(err)
			}
		}
	}()
	f.OnConnection(func(s *sio.Socket) { s.Join("room") })
	results := make(chan error, clients)
	all := make([]*returning, clients)
	for i := range all {
		all[i], _ = f.arrive(t, "")
		eventually(t, "the room", func() bool { return f.RoomSize("room") == i+1 })
	}
	emit(t, f.To("room"), "n", -1)
	for _, c := range all {
		c.wantEvent(`42["n",-1]`)
	}
	for _, c := range all {
		go func() { results <- c.follow(events) }()
	}
	close(start)
	<-done
	for range all {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// follow reads numbered events and cuts its connection again and again.
func (c *returning) follow(events int) error {
	c.tb.Helper()
	next := 0
	check := func(event string) error {
		if want := fmt.Sprintf(`42["n",%d]`, next); event != want {
			return fmt.Errorf("got %s, want %s", event, want)
		}
		next++
		return nil
	}
	for lives := 0; next < events; lives++ {
		for i := 0; i < 20 && next < events; i++ {
			if err := check(c.strip(c.Next())); err != nil {
				return err
			}
		}
		if next == events || lives > 5 {
			continue
		}
		c.vanish()
		again, missed := c.f.arrive(c.tb, c.auth())
		if again.sid != c.sid {
			return fmt.Errorf("not recovered at event %d", next)
		}
		for _, event := range missed {
			if err := check(event); err != nil {
				return err
			}
		}
		if again.offset == "" {
			again.offset = c.offset
		}
		*c = *again
	}
	return nil
}

// What is emitted to a socket that can't come back is refused, and not kept for it.
func TestRecoveryKeepsNothingForTheGone(t *testing.T) {
	f := serve(t, recovering(sio.Recovery{}))
	c, _ := f.arrive(t, "")
	s := f.Socket(c.sid)
	s.Disconnect(true)
	c.WantClosed()
	eventually(t, "the end of the socket", func() bool { return !s.Connected() })
	if err := s.Emit("e"); !errors.Is(err, sio.ErrDisconnected) {
		t.Errorf("Emit: %v", err)
	}
	if err := s.Emit("disconnect"); !errors.Is(err, sio.ErrReservedEvent) {
		t.Errorf("Emit of a reserved event: %v", err)
	}
	if n := f.Kept(); n != 0 {
		t.Errorf("%d events and sessions are kept", n)
	}
}
