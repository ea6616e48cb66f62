package sio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	sio "github.com/sio-gnet/sio-gnet"
)

// TestAck shows S6.6.
func TestAck(t *testing.T) {
	f := serve(t)
	f.on(t, "none", func(ack sio.Ack) error { return ack.Send() })
	f.on(t, "several", func(ack sio.Ack) error { return ack.Send(1, "two", nil, point{3, "x"}) })
	f.on(t, "wanted", func(ack sio.Ack) error { return ack.Send(ack.Wanted()) })
	f.on(t, "twice", func(ack sio.Ack) error { return errors.Join(ack.Send(1), ack.Send(2)) })
	f.on(t, "impossible", func(ack sio.Ack) error {
		if err := ack.Send(func() {}); err == nil {
			t.Error("a function was encoded")
		}
		return ack.Send("sorry")
	})
	f.on(t, "later", func(ack sio.Ack) {
		go func() {
			if err := ack.Send("later"); err != nil {
				t.Error(err)
			}
		}()
	})
	c, _ := f.connect(t)
	for _, tc := range []struct{ send, want string }{
		{`420["none"]`, `430[]`},
		{`4212["several"]`, `4312[1,"two",null,{"x":3,"name":"x"}]`},
		{`423["wanted"]`, `433[true]`},
		{`424["impossible"]`, `434["sorry"]`},
		{`425["later"]`, `435["later"]`},
		{`429007199254740993["none"]`, `439007199254740993[]`},
		{`426["twice"]`, `436[1]`},
	} {
		c.Send(tc.send)
		c.Want(tc.want)
	}
	f.wantError(t, isError(sio.ErrAckSent))
	c.Send(`42["wanted"]`, `42["twice"]`, `427["none"]`) // unwanted acks go nowhere
	c.Want("437[]")
	f.wantNoErrors(t)
}

// An Ack that is kept and used again later must not answer another event, whose
// state may be the same memory.
func TestAckThatIsKept(t *testing.T) {
	f := serve(t)
	kept := make(chan sio.Ack, 1)
	f.on(t, "keep", func(ack sio.Ack) error { kept <- ack; return ack.Send("kept") })
	f.on(t, "e", func(ack sio.Ack) error {
		old := <-kept
		if err := old.Send("wrong"); !errors.Is(err, sio.ErrAckSent) {
			t.Errorf("the old ack: %v", err)
		}
		return ack.Send("right")
	})
	c, _ := f.connect(t)
	c.Send(`421["keep"]`, `422["e"]`)
	c.Want(`431["kept"]`, `432["right"]`)
}

// TestAckAfterTheEnd shows what we do in place of the weakness in S6.6.
func TestAckAfterTheEnd(t *testing.T) {
	f := serve(t)
	acks := make(chan sio.Ack, 1)
	f.on(t, "e", func(ack sio.Ack) { acks <- ack })
	c, s := f.connect(t)
	c.Send(`421["e"]`)
	ack := <-acks
	s.Disconnect(false)
	c.Want("41")
	if err := ack.Send(1); !errors.Is(err, sio.ErrDisconnected) {
		t.Errorf("got %v", err)
	}
	if id := c.Join("/", ""); id == "" { // and nothing else came
		t.Error("no id")
	}
}

// TestEmitWithAck shows S6.3 and S6.5.
func TestEmitWithAck(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	type answer struct {
		reply sio.Reply
		err   error
	}
	emit := func(ctx context.Context) chan answer {
		got := make(chan answer, 1)
		go func() {
			r, err := s.EmitWithAck(ctx, "q", 1)
			got <- answer{r, err}
		}()
		return got
	}

	got := emit(t.Context())
	c.Want(`420["q",1]`)
	c.Send(`435["unknown id"]`, `430["yes",{"x":2}]`, `430["again"]`)
	a := <-got
	var (
		word string
		p    point
		rest []int
	)
	if a.err != nil || a.reply.Len() != 2 {
		t.Fatalf("reply %v, %v", a.reply, a.err)
	}
	if err := a.reply.Decode(&word, &p, &rest); err != nil || word != "yes" || p.X != 2 || rest != nil {
		t.Errorf("decoded %q %v %v, %v", word, p, rest, err)
	}
	if err := a.reply.Decode(&p); !asError[*sio.ArgumentError](err) {
		t.Errorf("a string for a struct: %v", err)
	}
	if raw := a.reply.Raw(); string(raw.JSON(0)) != `"yes"` || raw.JSON(9) != nil {
		t.Errorf("raw %s", raw.JSON(0))
	}

	ctx, cancel := context.WithCancel(t.Context())
	got = emit(ctx)
	c.Want(`421["q",1]`)
	cancel()
	if a := <-got; !errors.Is(a.err, context.Canceled) {
		t.Errorf("after cancel: %v", a.err)
	}
	c.Send(`431["late"]`)

	got = emit(t.Context())
	c.Want(`422["q",1]`)
	c.Close()
	if a := <-got; !errors.Is(a.err, sio.ErrDisconnected) {
		t.Errorf("after the connection was lost: %v", a.err)
	}
	if a := <-emit(t.Context()); !errors.Is(a.err, sio.ErrDisconnected) {
		t.Errorf("on a socket that is gone: %v", a.err)
	}
}

// TestEmitAck shows S6.4, and what we do in place of S16.4.
func TestEmitAck(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	var got recorder
	done := func(r sio.Reply, err error) {
		var text string
		if err == nil {
			err = r.Decode(&text)
		}
		got.add(fmt.Sprint(text, " ", err))
	}
	emit := func(timeout time.Duration) {
		t.Helper()
		if err := s.Timeout(timeout).EmitAck(done, "q"); err != nil {
			t.Fatal(err)
		}
	}
	emit(0)
	c.Want(`420["q"]`)
	c.Send(`430["answer"]`)
	got.want(t, "answer <nil>")
	emit(time.Minute)
	c.Want(`421["q"]`)
	c.Send(`431["in time"]`)
	got.want(t, "answer <nil>", "in time <nil>")
	emit(20 * time.Millisecond)
	c.Want(`422["q"]`)
	got.want(t, "answer <nil>", "in time <nil>", " sio: operation has timed out")
	c.Send(`432["late"]`)
	emit(time.Minute)
	c.Want(`423["q"]`)
	s.Disconnect(false)
	got.want(t, "answer <nil>", "in time <nil>", " sio: operation has timed out", " sio: socket disconnected")
	if err := s.EmitAck(done, "q"); !errors.Is(err, sio.ErrDisconnected) {
		t.Errorf("after the end: %v", err)
	}
	if err := s.EmitAck(done, "q", make(chan int)); err == nil {
		t.Error("a channel was encoded")
	}
}

// The answer is the callback's to keep, though the turn's input is not.
func TestReplyOutlivesItsTurn(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	const emits = 50
	var (
		mu      sync.Mutex
		replies []sio.Reply
	)
	for i := range emits {
		if err := s.EmitAck(func(r sio.Reply, _ error) {
			mu.Lock()
			defer mu.Unlock()
			replies = append(replies, r)
		}, "q"); err != nil {
			t.Fatal(err)
		}
		c.Want(fmt.Sprintf(`42%d["q"]`, i))
	}
	for i := range emits {
		c.Send(fmt.Sprintf(`43%d[%q]`, i, strings.Repeat(fmt.Sprint(i%10), 100)))
	}
	eventually(t, "all answers", func() bool { mu.Lock(); defer mu.Unlock(); return len(replies) == emits })
	count := make(map[byte]int)
	for _, r := range replies {
		var text string
		if err := r.Decode(&text); err != nil || strings.Trim(text, text[:1]) != "" {
			t.Fatalf("reply %q, %v", text, err)
		}
		count[text[0]]++
	}
	for digit, n := range count {
		if n != emits/10 {
			t.Errorf("%d answers of %c", n, digit)
		}
	}
}
