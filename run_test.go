package sio_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"

	sio "github.com/sio-gnet/sio-gnet"
)

// Run serves until its context ends, and shuts down then.
func TestRun(t *testing.T) {
	io, err := sio.New(&sio.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- io.Run(ctx, "127.0.0.1:0", patience) }()
	eventually(t, "the server to serve", func() bool { return io.Addr() != nil })
	c, _ := enterAt(t, io.Addr().String(), "/")
	stop()
	c.WantClosed()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// An address that is taken is an error of Run, which leaves nothing behind.
func TestRunOnATakenPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	io, err := sio.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := io.Run(t.Context(), ln.Addr().String(), patience); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("Run: %v", err)
	}
}

// Run says that the end was not in order in time.
func TestRunWithoutGrace(t *testing.T) {
	release, entered := make(chan struct{}), make(chan struct{})
	io, err := sio.New(&sio.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := io.OnEvent("block", func() { close(entered); <-release }); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- io.Run(ctx, "127.0.0.1:0", 1) }()
	eventually(t, "the server to serve", func() bool { return io.Addr() != nil })
	c, _ := enterAt(t, io.Addr().String(), "/")
	c.Send(`42["block"]`)
	<-entered
	stop()
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run: %v", err)
	}
	close(release)
}

// Without OnError, a line says what has come of an error.
func TestErrorLines(t *testing.T) {
	var lines recorder
	f := serve(t, func(o *sio.Options) {
		o.OnError = nil
		o.Logger = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	f.on(t, "panics", func() { panic("oh") })
	f.on(t, "wants text", func(string) {})
	f.on(t, "fails", func() error { return errors.New("no luck") })
	if err := f.OnEvent("bad", 1); err == nil {
		t.Error("a handler that is none was taken")
	}
	f.on(t, "connection", func() {})
	for _, packet := range []string{`42["wants text",7]`, `42["fails"]`, `42["panics"]`} {
		c, _ := f.connect(t)
		c.Send(packet)
	}
	for range 2 {
		c, _ := f.connect(t)
		c.Send("42[")
		c.WantClosed()
	}
	for _, want := range [][]string{
		{"level=ERROR", `msg="sio: panic"`, `in="the handler of \"panics\""`, "stack=", "socket=", "oh"},
		{"level=WARN", `msg="sio: event dropped"`, "wants text", "argument 0 does not fit string"},
		{"level=WARN", `msg="sio: handler failed"`, "no luck"},
		{"level=ERROR", `msg="sio: handler refused"`, "it is no function"},
		{"level=WARN", "connection", "Namespace.OnConnection"},
		{"level=WARN", `msg="sio: client disconnected for what it sent"`, "from 127.0.0.1:"},
		{"level=DEBUG", `msg="sio: client disconnected for what it sent"`, "rationed=true"},
	} {
		eventually(t, strings.Join(want, " "), func() bool { return lines.has(want...) })
	}
}

// has reports whether one of the lines has all of these in it.
func (r *recorder) has(parts ...string) bool {
	for line := range strings.Lines(r.text()) {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(line, part)
		}
		if all {
			return true
		}
	}
	return false
}

// Write takes a line of a log.
func (r *recorder) Write(line []byte) (int, error) {
	r.add(strings.TrimSuffix(string(line), "\n"))
	return len(line), nil
}

// What is nearly right is refused when it is registered.
func TestParametersThatAreNearlyRight(t *testing.T) {
	f := serve(t)
	for _, handler := range []any{
		func(*sio.Ack) {}, func(**sio.Socket) {}, func(*sio.RawArgs) {},
	} {
		err := f.OnEvent("e", handler)
		var refused *sio.HandlerError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "*sio.Socket, sio.Ack or sio.RawArgs") {
			t.Errorf("%T: %v", handler, err)
		}
	}
	for event, use := range map[string]string{"disconnect": "Socket.OnDisconnect", "connect": "OnConnection", "disconnecting": "OnDisconnecting"} {
		if err := f.OnEvent(event, func() {}); !errors.Is(err, sio.ErrReservedEvent) || !strings.Contains(err.Error(), use) {
			t.Errorf("%s: %v", event, err)
		}
	}
}

func TestDecodeAuth(t *testing.T) {
	f := serve(t)
	c := f.dial(t)
	h := f.Socket(c.Join("/", `{"token":"t","n":1}`)).Handshake()
	var auth struct{ Token string }
	if err := h.DecodeAuth(&auth); err != nil || auth.Token != "t" {
		t.Errorf("%+v, %v", auth, err)
	}
	var wrong struct{ Token int }
	if err := h.DecodeAuth(&wrong); err == nil || !strings.HasPrefix(err.Error(), "sio: auth data: ") {
		t.Errorf("%v", err)
	}
}

func TestSocketsOfRooms(t *testing.T) {
	f := serve(t)
	_, a := f.connect(t)
	_, b := f.connect(t)
	a.Join("room")
	if got := f.To("room").Sockets(); len(got) != 1 || got[0] != a {
		t.Errorf("in the room are %v", got)
	}
	if got := f.Except("room").Sockets(); len(got) != 1 || got[0] != b {
		t.Errorf("not in the room are %v", got)
	}
	if got := a.Broadcast().Sockets(); len(got) != 1 || got[0] != b {
		t.Errorf("all but a are %v", got)
	}
	if got := f.To("empty").Sockets(); got == nil || len(got) != 0 {
		t.Errorf("in an empty room are %v", got)
	}
	f.Of("/chat")
	if n := len(f.Namespaces()); n != 2 {
		t.Errorf("%d namespaces", n)
	}
}
