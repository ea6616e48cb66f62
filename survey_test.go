package sio_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

// surveyed is what EmitWithAck of many returned.
type surveyed struct {
	replies []sio.Reply
	err     error
}

func survey(ctx context.Context, b sio.Broadcast, args ...any) chan surveyed {
	got := make(chan surveyed, 1)
	go func() {
		replies, err := b.EmitWithAck(ctx, "q", args...)
		got <- surveyed{replies, err}
	}()
	return got
}

// wantAckError checks an error of EmitWithAck.
func wantAckError(t *testing.T, err error, asked, answered int, why error) {
	t.Helper()
	ae, ok := errors.AsType[*sio.AckError](err)
	if !ok || ae.Asked != asked || ae.Answered != answered || !errors.Is(err, why) {
		t.Errorf("got %v, want %d of %d and %v", err, answered, asked, why)
	}
}

// TestAcksOfMany shows S7.9 and S7.10: all get the same id, and the answers are those
// that came, in their order.
func TestAcksOfMany(t *testing.T) {
	f := gather(t)
	var single recorder
	if err := f.sockets["d"].EmitAck(func(sio.Reply, error) { single.add("x") }, "own"); err != nil {
		t.Fatal(err)
	}
	f.clients["d"].Want(`420["own"]`)

	got := survey(t.Context(), f.To("red", "blue"), 1)
	for _, name := range []string{"c", "a", "b"} {
		f.clients[name].Want(`421["q",1]`) // one counter for all of a namespace (S6.2)
		f.clients[name].Send(`431["` + name + `","more"]`)
	}
	g := <-got
	if all := firstTexts(t, g.replies); g.err != nil || !slices.Equal(all, []string{"a", "b", "c"}) {
		t.Errorf("answers %v, %v", all, g.err)
	}
	if g.replies[0].Len() != 2 {
		t.Errorf("%d arguments", g.replies[0].Len())
	}

	g = <-survey(t.Context(), f.To("nobody"))
	if g.err != nil || len(g.replies) > 0 {
		t.Errorf("nobody: %v, %v", g.replies, g.err)
	}
	if _, err := f.EmitWithAck(t.Context(), "disconnect"); !errors.Is(err, sio.ErrReservedEvent) {
		t.Errorf("a reserved event: %v", err)
	}
	if _, err := f.EmitWithAck(t.Context(), "q", func() {}); err == nil {
		t.Error("a function was sent")
	}
	got = survey(t.Context(), f.In(f.sockets["a"].ID()), []byte("x"))
	f.clients["a"].Want(holes(`451-5["q",#]`), "binary:x")
	f.clients["a"].Send(holes(`461-5[#]`))
	f.clients["a"].SendBinary([]byte("y"))
	var data []byte
	if g = <-got; g.err != nil || g.replies[0].Decode(&data) != nil || string(data) != "y" {
		t.Errorf("binary: %v, %q", g.err, data)
	}
}

// TestAcksThatAreMissing shows S7.11, and what we do in place of its weakness: a client
// that leaves is not waited for, and without a timeout there is a default. The answers
// that came are returned.
func TestAcksThatAreMissing(t *testing.T) {
	for _, tc := range []struct {
		name    string
		timeout time.Duration // of Options
		with    func(context.Context, sio.Broadcast) (context.Context, sio.Broadcast, context.CancelFunc)
		then    func(f *crowd, cancel context.CancelFunc)
		why     error
	}{
		{
			"Timeout", 0,
			func(ctx context.Context, b sio.Broadcast) (context.Context, sio.Broadcast, context.CancelFunc) {
				return ctx, b.Timeout(50 * time.Millisecond), nil
			}, nil, sio.ErrAckTimeout,
		},
		{
			"the default", 50 * time.Millisecond,
			func(ctx context.Context, b sio.Broadcast) (context.Context, sio.Broadcast, context.CancelFunc) {
				return ctx, b, nil
			}, nil, sio.ErrAckTimeout,
		},
		{
			"the context's deadline", 0,
			func(ctx context.Context, b sio.Broadcast) (context.Context, sio.Broadcast, context.CancelFunc) {
				ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
				return ctx, b, cancel
			}, nil, context.DeadlineExceeded,
		},
		{
			"the context", 0,
			func(ctx context.Context, b sio.Broadcast) (context.Context, sio.Broadcast, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				return ctx, b, cancel
			},
			func(_ *crowd, cancel context.CancelFunc) { cancel() }, context.Canceled,
		},
		{
			"a client that is lost", 0, nil,
			func(f *crowd, _ context.CancelFunc) { f.clients["b"].Close() }, sio.ErrDisconnected,
		},
		{
			"a client that leaves", 0, nil,
			func(f *crowd, _ context.CancelFunc) { f.clients["b"].Send("41") }, sio.ErrDisconnected,
		},
		{
			"a client that is sent away", 0, nil,
			func(f *crowd, _ context.CancelFunc) { f.sockets["b"].Disconnect(true) }, sio.ErrDisconnected,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := gather(t, func(o *sio.Options) { o.AckTimeout = tc.timeout })
			ctx, b, cancel := t.Context(), f.To("red"), context.CancelFunc(func() {})
			if tc.with != nil {
				var c context.CancelFunc
				if ctx, b, c = tc.with(ctx, b); c != nil {
					cancel = c
				}
			}
			defer cancel()
			first := make(chan struct{})
			got := make(chan surveyed, 1)
			go func() {
				var g surveyed
				for r, err := range b.Answers(ctx, "q") {
					if err != nil {
						g.err = err
						continue
					}
					if g.replies = append(g.replies, r); len(g.replies) == 1 {
						close(first)
					}
				}
				got <- g
			}()
			for _, name := range []string{"a", "b"} {
				f.clients[name].Want(`420["q"]`)
			}
			f.clients["a"].Send(`430["a"]`)
			<-first
			if tc.then != nil {
				tc.then(f, cancel)
			}
			g := <-got
			wantAckError(t, g.err, 2, 1, tc.why)
			if !slices.Equal(firstTexts(t, g.replies), []string{"a"}) {
				t.Errorf("answers %v", firstTexts(t, g.replies))
			}
			if tc.then == nil {
				f.clients["b"].Send(`430["late"]`)
			}
			// Late answers harm nobody, and the next survey works.
			again := survey(t.Context(), f.In(f.sockets["a"].ID()))
			f.clients["a"].Want(`421["q"]`)
			f.clients["a"].Send(`431["a"]`)
			if g := <-again; g.err != nil || len(g.replies) != 1 {
				t.Errorf("again: %v, %v", g.replies, g.err)
			}
		})
	}
}

// Bad answers: only the first of each client that was asked counts (S6.3).
func TestAnswersThatDoNotCount(t *testing.T) {
	f := gather(t)
	got := survey(t.Context(), f.To("red").Timeout(time.Minute))
	for _, name := range []string{"a", "b"} {
		f.clients[name].Want(`420["q"]`)
	}
	f.clients["a"].Send(`430["a"]`, `430["twice"]`, `431["the next id"]`, `4318446744073709551615["huge"]`, `439007199254740993[]`)
	f.clients["d"].Send(`430["not asked"]`)
	for _, name := range []string{"a", "d"} { // so those were handled
		f.clients[name].Send(`42["sync"]`)
	}
	f.clients["b"].Send(`430["b"]`)
	if g := <-got; g.err != nil || !slices.Equal(firstTexts(t, g.replies), []string{"a", "b"}) {
		t.Errorf("answers %v, %v", firstTexts(t, g.replies), g.err)
	}
	for name, s := range f.sockets {
		if !s.Connected() {
			t.Errorf("%s is lost", name)
		}
	}
}

// TestAnswersOneByOne shows that answers can be taken as they come, and that whoever
// has enough need not wait.
func TestAnswersOneByOne(t *testing.T) {
	f := gather(t)
	seen := make(chan string)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for r, err := range f.Answers(t.Context(), "q") {
			if err != nil {
				t.Error(err)
				return
			}
			text := firstTexts(t, []sio.Reply{r})[0]
			seen <- text
			if text == "c" {
				break
			}
		}
	}()
	for _, name := range []string{"b", "a", "c"} {
		f.clients[name].Want(`420["q"]`)
		f.clients[name].Send(`430["` + name + `"]`)
		if got := <-seen; got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
	<-done // d has not answered
	f.clients["d"].Want(`420["q"]`)
	f.clients["d"].Send(`430["d"]`)
	for reply, err := range f.To("nobody").Answers(t.Context(), "q") {
		t.Error("an answer of nobody:", reply, err)
	}
	n := 0
	for _, err := range f.Answers(t.Context(), "connect") {
		if n++; !errors.Is(err, sio.ErrReservedEvent) {
			t.Errorf("a reserved event: %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d pairs", n)
	}
}

// TestTimeoutsOfOneClient shows S6.4 and S6.5: an answer in time, one that is late, and
// a disconnection, which ends the wait (S16.4).
func TestTimeoutsOfOneClient(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	got := make(chan surveyed, 1)
	ask := func(e sio.Emitter) {
		go func() {
			r, err := e.EmitWithAck(t.Context(), "q")
			got <- surveyed{[]sio.Reply{r}, err}
		}()
	}
	ask(s.Timeout(time.Minute))
	c.Want(`420["q"]`)
	c.Send(`430["r1","r2"]`)
	if g := <-got; g.err != nil || firstTexts(t, g.replies)[0] != "r1" {
		t.Errorf("got %v, %v", g.replies, g.err)
	}
	ask(s.Timeout(20 * time.Millisecond))
	c.Want(`421["q"]`)
	if g := <-got; !errors.Is(g.err, sio.ErrAckTimeout) || g.replies[0].Len() != 0 {
		t.Errorf("late: %v", g.err)
	}
	c.Send(`431["late"]`)
	ask(s.Timeout(time.Minute).Volatile())
	c.Want(`422["q"]`)
	c.Send("41")
	if g := <-got; !errors.Is(g.err, sio.ErrDisconnected) {
		t.Errorf("after the end: %v", g.err)
	}
	if _, err := s.EmitWithAck(t.Context(), "disconnecting"); !errors.Is(err, sio.ErrReservedEvent) {
		t.Errorf("a reserved event: %v", err)
	}
}

// A client that answers what nobody has asked, in all kinds of ways, is ignored or
// closed, and never harms the server.
func TestHostileAcks(t *testing.T) {
	for _, tc := range []struct {
		name, packet string
		closed       bool
	}{
		{"an unknown id", `437[]`, false},
		{"no id", `43[]`, true},
		{"no id and no list", `43`, true},
		{"an id without a list", `431`, true},
		{"the largest id", `4318446744073709551615[]`, false},
		{"an id over it", `4318446744073709551616[]`, true},
		{"an endless id", `43` + strings.Repeat("9", 1000) + `[]`, true},
		{"a negative id", `43-1[]`, true},
		{"no list", `431{}`, true},
		{"of a namespace not joined", `43/x,1[]`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t)
			f.on(t, "echo", echo)
			c, _ := f.connect(t)
			c.Send(tc.packet)
			if tc.closed {
				c.WantClosed()
				return
			}
			c.Send(`421["echo"]`)
			if got := c.Next(); got != "431[]" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// Acks of handlers, answered in bad ways (S6.6).
func TestAcksUsedBadly(t *testing.T) {
	f := serve(t)
	kept := make(chan sio.Ack, 1)
	f.on(t, "keep", func(ack sio.Ack) { kept <- ack })
	c, s := f.connect(t)
	c.Send(`420["keep"]`)
	ack := <-kept
	results := make(chan error, 10)
	for i := range 10 {
		go func() { results <- ack.Send(i) }()
	}
	sent := 0
	for range 10 {
		switch err := <-results; {
		case err == nil:
			sent++
		case !errors.Is(err, sio.ErrAckSent):
			t.Error(err)
		}
	}
	if got := c.Next(); sent != 1 || !strings.HasPrefix(got, "430[") {
		t.Errorf("%d were sent, the client got %q", sent, got)
	}
	c.Send(`421["keep"]`)
	ack = <-kept
	c.Send("41")
	eventually(t, "the end", func() bool { return !s.Connected() })
	if err := ack.Send(); !errors.Is(err, sio.ErrDisconnected) {
		t.Errorf("after the end: %v", err)
	}
	var none sio.Ack
	if none.Wanted() || none.Send(1) != nil || none.SendRaw(sio.RawArgs{}) != nil {
		t.Error("the zero ack does something")
	}
	c.Join("/", "") // and nothing else came
}
