package sio_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// TestAttachmentsAreNumbered shows S2.4: depth first, in the order of the arguments, the frames
// directly behind, and as many as there are.
func TestAttachmentsAreNumbered(t *testing.T) {
	f := serve(t)
	c, s := f.connect(t)
	value := []any{[]byte("a"), []any{[]any{[]byte("b")}, []byte("c")}, []byte{}}
	if err := errors.Join(s.Emit("e", value, []byte("d")), s.Emit("next")); err != nil {
		t.Fatal(err)
	}
	c.Want(`455-["e",`+holes(`[#,[[#],#],#],#`)+`]`, "binary:a", "binary:b", "binary:c", "binary:", "binary:d", `42["next"]`)

	eleven := make([]any, 11)
	want := []string{`4511-["e"` + holes(strings.Repeat(",#", 11)) + `]`}
	for i := range eleven {
		eleven[i] = []byte{byte('a' + i)}
		want = append(want, fmt.Sprintf("binary:%c", 'a'+i))
	}
	if err := s.Emit("e", eleven...); err != nil {
		t.Fatal(err)
	}
	c.Want(want...)
}

// TestReceivedAttachments shows S2.12 and S2.13: what a handler gets of attachments, and when.
func TestReceivedAttachments(t *testing.T) {
	f := serve(t)
	f.on(t, "e", func(s *sio.Socket, args sio.RawArgs, _ sio.Ack) error {
		var all []any
		for i := range args.Len() {
			var v any
			if err := args.Tail(i).Decode(&v); err != nil {
				return err
			}
			all = append(all, v)
		}
		return s.Emit("got", fmt.Sprintf("%s", all))
	})
	c, _ := f.connect(t)
	ph := func(num string) string { return `{"_placeholder":true,"num":` + num + `}` }
	for _, tc := range []struct {
		name, packet string
		attachments  []string
		want         string
	}{
		{"S2.13: one", `451-["e",` + ph("0") + `]`, []string{"x"}, `[x]`},
		{"S2.13: two, the other way round", `452-["e",` + ph("1") + `,` + ph("0") + `]`, []string{"x", "y"}, `[y x]`},
		{"S2.12: a repeated num", `451-["e",` + ph("0") + `,[` + ph("0") + `]]`, []string{"x"}, `[x [x]]`},
		{"S2.12: a buffer without placeholder", `452-["e",` + ph("1") + `]`, []string{"x", "y"}, `[y]`},
		{"S2.12: a placeholder in a packet of text", `42["e",{"_placeholder":true}]`, nil, `[map[_placeholder:%!s(bool=true)]]`},
		{"S2.10: ten", `4510-["e",` + ph("9") + `]`, strings.Split("0123456789", ""), `[9]`},
		{"S2.4: an empty one", `451-["e",` + ph("0") + `]`, []string{""}, `[]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c.Send(tc.packet)
			for _, a := range tc.attachments {
				c.SendBinary([]byte(a))
			}
			c.Want(`42["got",` + quote(t, tc.want) + `]`)
		})
	}
	f.wantNoErrors(t)
}

// packetViolations are messages that break the protocol, with the error that they are.
var packetViolations = []struct {
	name string
	send func(*siotest.Conn)
	want error
}{
	{"S2.7: an invalid payload", sendTexts(`42[]`), socketio.ErrInvalidPayload},
	{"S2.7: broken JSON", sendTexts(`42["a`), socketio.ErrInvalidPayload},
	{"S2.8: a reserved name", sendTexts(`42["disconnect"]`), socketio.ErrInvalidPayload},
	{"S2.9: an unknown type", sendTexts("49"), socketio.ErrUnknownType},
	{"S2.10: no count", sendTexts("45"), socketio.ErrIllegalAttachments},
	{"S2.10: too many attachments", sendTexts(`4511-["a"]`), socketio.ErrTooManyAttachments},
	{"S2.11: text while attachments are due", sendTexts(`451-["a"]`, `42["a"]`), socketio.ErrPlaintextDuringReassembly},
	{"S2.11: text of another namespace while attachments are due", sendTexts(`451-["a"]`, `42/b,["a"]`), socketio.ErrPlaintextDuringReassembly},
	{"S2.11: a second header while attachments are due", sendTexts(`451-["a"]`, `451-/b,["a"]`), socketio.ErrPlaintextDuringReassembly},
	{"S2.11: an attachment of nothing", func(c *siotest.Conn) { c.SendBinary([]byte("x")) }, socketio.ErrUnexpectedBinary},
	{"S2.11: one attachment too many", func(c *siotest.Conn) {
		c.Send(`451-["a"]`)
		c.SendBinary([]byte("x"), []byte("y"))
	}, socketio.ErrUnexpectedBinary},
	{"S2.12: a num that is no number", withAttachment(`451-["a",{"_placeholder":true,"num":"0"}]`), socketio.ErrIllegalAttachments},
	{"S2.12: no num", withAttachment(`451-["a",{"_placeholder":true}]`), socketio.ErrIllegalAttachments},
	{"S2.12: a negative num", withAttachment(`451-["a",{"_placeholder":true,"num":-1}]`), socketio.ErrIllegalAttachments},
	{"S2.12: a num too large", withAttachment(`451-["a",{"_placeholder":true,"num":1}]`), socketio.ErrIllegalAttachments},
	{"S2.12: half a num, which the reference takes", withAttachment(`451-["a",{"_placeholder":true,"num":0.5}]`), socketio.ErrIllegalAttachments},
	{"S2.13: what is wrong with the header is found at once", sendTexts(`450-["a"]`), socketio.ErrIllegalAttachments},
	{"S2.14: an event without payload", sendTexts("42"), socketio.ErrInvalidPayload},
	{"S2.14: an acknowledgement without id", sendTexts("43[]"), socketio.ErrInvalidID},
	{"S2.14: a huge id", sendTexts(`42` + strings.Repeat("9", 30) + `["a"]`), socketio.ErrInvalidID},
	{"S2.14: an empty message", sendTexts("4"), socketio.ErrUnknownType},
	{"S16.1: 10,000 levels", sendTexts(`42["a",` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "]"), socketio.ErrNestingTooDeep},
	{"S16.3: attachments over the limit", func(c *siotest.Conn) {
		c.Send(`453-["a"]`)
		c.SendBinary(make([]byte, 90_000), make([]byte, 90_000), make([]byte, 90_000))
	}, socketio.ErrTooLarge},
}

func sendTexts(packets ...string) func(*siotest.Conn) {
	return func(c *siotest.Conn) { c.Send(packets...) }
}

func withAttachment(packet string) func(*siotest.Conn) {
	return func(c *siotest.Conn) { c.Send(packet); c.SendBinary([]byte("x")) }
}

// TestPacketViolations shows S2.15: each socket of the client is told, and the connection is
// closed with nothing but a close frame.
func TestPacketViolations(t *testing.T) {
	for _, tc := range packetViolations {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, func(o *sio.Options) { o.MaxPayload = 100_000 })
			handled := make(chan struct{}, 1)
			f.Of("/b")
			f.on(t, "a", func() { handled <- struct{}{} })
			c, s := f.connect(t)
			reasons := make(chan sio.Reason, 2)
			for _, s := range []*sio.Socket{s, f.Of("/b").Socket(c.Join("/b", ""))} {
				s.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { reasons <- r })
			}
			tc.send(c)
			if packets, code := c.WantClosed(); packets != nil || code != int(ws.StatusNoStatusRcvd) {
				t.Errorf("closed with %d behind %q", code, packets)
			}
			for range 2 {
				if r := <-reasons; r != sio.ReasonForcedClose {
					t.Errorf("reason %q", r)
				}
				f.wantError(t, isError(tc.want))
			}
			f.wantNoErrors(t)
		})
	}
}

// TestPacketViolationsBeforeConnect shows S2.15: without a socket there is only the close.
func TestPacketViolationsBeforeConnect(t *testing.T) {
	for _, tc := range packetViolations {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, func(o *sio.Options) { o.MaxPayload = 100_000 })
			c := dialAt(t, f.addr)
			tc.send(c)
			if packets, code := c.WantClosed(); packets != nil || code != int(ws.StatusNoStatusRcvd) {
				t.Errorf("closed with %d behind %q", code, packets)
			}
			// Whole packets are for a namespace that is not joined.
			f.wantError(t, func(err error) bool { return errors.Is(err, tc.want) || errors.Is(err, sio.ErrPacket) })
			f.wantNoErrors(t)
		})
	}
}

// TestPacketViolationOverPolling shows S2.15: the next poll is answered with the end.
func TestPacketViolationOverPolling(t *testing.T) {
	f := serve(t)
	p := newPoller(t, f.addr)
	p.post(t, "40")
	if got := p.get(t); !strings.HasPrefix(got, `40{"sid":"`) {
		t.Fatalf("got %q", got)
	}
	reason := make(chan sio.Reason, 1)
	f.Sockets()[0].OnDisconnect(func(_ *sio.Socket, r sio.Reason) { reason <- r })
	p.post(t, "42[]")
	if got := p.get(t); got != "1" && got != "6\x1e1" {
		t.Errorf("got %q", got)
	}
	// S3.9: it is the other reason where the transport could not close at once.
	if r := <-reason; r != sio.ReasonForcedClose && r != "forced server close" {
		t.Errorf("reason %q", r)
	}
	f.wantError(t, isError(socketio.ErrInvalidPayload))
}

// TestEngineViolations shows S2.16: only what is wrong with Engine.IO's own packets is a parse
// error.
func TestEngineViolations(t *testing.T) {
	for _, packet := range []string{"", "9", "x"} {
		f := serve(t)
		c, s := f.connect(t)
		reason := make(chan sio.Reason, 1)
		s.OnDisconnect(func(_ *sio.Socket, r sio.Reason) { reason <- r })
		c.Send(packet)
		c.WantClosed()
		if r := <-reason; r != sio.ReasonParseError {
			t.Errorf("%q: reason %q", packet, r)
		}
	}
}

// TestIgnoredAcks shows S2.14: acknowledgements that nobody waits for are nothing.
func TestIgnoredAcks(t *testing.T) {
	f := serve(t)
	f.on(t, "e", func(ack sio.Ack) error { return ack.Send() })
	c, _ := f.connect(t)
	c.Send("430[]", "439007199254740993[1]", "4318446744073709551615[]", `420["e"]`)
	c.Want("430[]")
	f.wantNoErrors(t)
}

// TestHugeIDs shows S2.14: ids beyond 2^53 come back as they are, where the reference loses
// digits.
func TestHugeIDs(t *testing.T) {
	f := serve(t)
	f.on(t, "e", func(ack sio.Ack) error { return ack.Send() })
	c, _ := f.connect(t)
	for _, id := range []string{"0", "9007199254740993", "18446744073709551615"} {
		c.Send("42" + id + `["e"]`)
		c.Want("43" + id + "[]")
	}
}

// TestNumbersAsNames shows S2.17.
func TestNumbersAsNames(t *testing.T) {
	f := serve(t)
	f.on(t, "1", func(s *sio.Socket, args sio.RawArgs, _ sio.Ack) error { return s.EmitRaw("one", args) })
	c, _ := f.connect(t)
	c.Send("42[1,2]", `42["1",3]`)
	c.Want(`42["one",2]`, `42["one",3]`)
}

// TestHalfPacketOfOneClient shows S2.18: what a client leaves unfinished is dropped with it, and
// is nothing to the others.
func TestHalfPacketOfOneClient(t *testing.T) {
	f := serve(t, oneLoop)
	f.on(t, "a", func(data []byte, ack sio.Ack) error { return ack.Send(data) })
	half, s := f.connect(t)
	half.Send(`452-["a",{"_placeholder":true,"num":0}]`)
	half.SendBinary([]byte("x"))
	whole, _ := f.connect(t)
	whole.Send(`451-0["a",{"_placeholder":true,"num":0}]`)
	whole.SendBinary([]byte("y"))
	whole.Want(`461-0[{"_placeholder":true,"num":0}]`, "binary:y")
	half.Close()
	eventually(t, "the end", func() bool { return !s.Connected() })
	f.wantNoErrors(t)
}
