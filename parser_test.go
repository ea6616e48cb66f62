package sio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	sio "github.com/sio-gnet/sio-gnet"
	"github.com/sio-gnet/sio-gnet/codec/msgpack"
	"github.com/sio-gnet/sio-gnet/codec/socketio"
	"github.com/sio-gnet/sio-gnet/siotest"
)

// parsers are those that the tests are run with, by name.
var parsers = map[string]sio.Parser{"messagepack": msgpack.Parser{}, "text": arrayParser{}}

func withParser(p sio.Parser) func(*sio.Options) { return func(o *sio.Options) { o.Parser = p } }

// speaker is a client that speaks through a parser.
type speaker struct {
	*siotest.Conn
	tb     testing.TB
	parser sio.Parser
}

func newSpeaker(tb testing.TB, f *fixture, p sio.Parser, opts ...siotest.Option) *speaker {
	tb.Helper()
	return &speaker{dialAt(tb, f.addr, opts...), tb, p}
}

// speak sends a packet; id is negative for none.
func (s *speaker) speak(t socketio.PacketType, ns string, id int64, values ...any) {
	s.tb.Helper()
	p := sio.Packet{Type: t, Namespace: []byte(ns), ID: uint64(id), HasID: id >= 0}
	for _, v := range values {
		raw, err := s.parser.AppendValue(nil, v)
		if err != nil {
			s.tb.Fatal(err)
		}
		p.Args = append(p.Args, raw)
	}
	if t != socketio.Event && t != socketio.Ack && len(values) > 0 {
		p.Data, p.Args = p.Args[0], nil
	}
	wire, binary, err := s.parser.AppendPacket(nil, p)
	if err != nil {
		s.tb.Fatal(err)
	}
	if binary {
		s.SendBinary(wire)
	} else {
		s.Send("4" + string(wire))
	}
}

// hear returns the next packet: its type, namespace, id and what it holds, as JSON.
func (s *speaker) hear() string {
	s.tb.Helper()
	message := s.Next()
	data, binary := strings.CutPrefix(message, "binary:")
	if !binary {
		data = strings.TrimPrefix(data, "4")
	}
	return s.says(data, binary)
}

func (s *speaker) says(data string, binary bool) string {
	s.tb.Helper()
	p, err := s.parser.DecodePacket([]byte(data), binary, nil, sio.Limits{})
	if err != nil {
		s.tb.Fatalf("%q: %v", data, err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%v %s", p.Type, p.Namespace)
	if p.HasID {
		fmt.Fprintf(&b, " %d", p.ID)
	}
	values := p.Args
	if p.Type != socketio.Event && p.Type != socketio.Ack && p.Data != nil {
		values = [][]byte{p.Data}
	}
	for _, raw := range values {
		var v any
		if err := s.parser.DecodeValue(raw, &v); err != nil {
			s.tb.Fatal(err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			s.tb.Fatal(err)
		}
		fmt.Fprintf(&b, " %s", text)
	}
	return b.String()
}

func (s *speaker) want(packets ...string) {
	s.tb.Helper()
	for _, want := range packets {
		if got := s.hear(); got != want {
			s.tb.Fatalf("got %s, want %s", got, want)
		}
	}
}

// join joins a namespace and returns the socket.
func (s *speaker) join(f *fixture, ns string, auth ...any) *sio.Socket {
	s.tb.Helper()
	s.speak(socketio.Connect, ns, -1, auth...)
	answer, ok := strings.CutPrefix(s.hear(), "CONNECT "+ns+` {"sid":"`)
	socket := f.Of(ns).Socket(strings.TrimSuffix(answer, `"}`))
	if !ok || socket == nil {
		s.tb.Fatalf("joining %s was answered %s", ns, answer)
	}
	return socket
}

// All kinds of packets, both ways.
func TestParser(t *testing.T) {
	type item struct {
		N    int       `json:"n"`
		At   time.Time `json:"at"`
		Data []byte    `json:"data,omitempty"`
	}
	for name, p := range parsers {
		t.Run(name, func(t *testing.T) {
			f := serve(t, withParser(p))
			at := time.Date(2026, 11, 25, 13, 0, 0, 5e6, time.UTC)
			f.on(t, "echo", func(it item, list []string, ack sio.Ack) error { return ack.Send(it, list) })
			f.on(t, "raw", func(s *sio.Socket, args sio.RawArgs, ack sio.Ack) error {
				if ack.Wanted() {
					return ack.SendRaw(args)
				}
				return s.EmitRaw("raw", args.Tail(1))
			}, sio.Inline)
			f.on(t, "7", func(s *sio.Socket, text string) error { return s.Emit("seven", text) })
			f.on(t, "auth", func(s *sio.Socket, ack sio.Ack) error { return ack.Send(s.Handshake().Auth) })
			c := newSpeaker(t, f, p)
			s := c.join(f, "/", map[string]any{"token": "t"})
			const ns = "/admin"
			f.Of(ns)
			admin := c.join(f, ns)

			c.speak(socketio.Event, "/", 5, "echo", item{1, at, []byte{1, 2}}, []string{"a", "b"})
			c.want(`ACK / 5 {"at":"2026-11-25T13:00:00.005Z","data":"AQI=","n":1} ["a","b"]`)
			c.speak(socketio.Event, "/", 6, "raw", 1, "x", nil)
			c.want(`ACK / 6 1 "x" null`)
			c.speak(socketio.Event, "/", -1, "raw", 1, "x", nil)
			c.want(`EVENT / "raw" "x" null`)
			c.speak(socketio.Event, "/", -1, 7, "text") // S2.17
			c.want(`EVENT / "seven" "text"`)
			c.speak(socketio.Event, "/", -1, "7", "text")
			c.want(`EVENT / "seven" "text"`)
			c.speak(socketio.Event, "/", 1<<40, "auth")
			c.want(`ACK / 1099511627776 {"token":"t"}`)
			c.speak(socketio.Event, "/", -1, "nobody knows it", 1)

			if err := admin.Emit("own", item{N: 2, At: at}); err != nil {
				t.Fatal(err)
			}
			c.want(`EVENT ` + ns + ` "own" {"at":"2026-11-25T13:00:00.005Z","n":2}`)

			answered := make(chan string, 1)
			err := s.EmitAck(func(r sio.Reply, err error) {
				var n int
				var text string
				answered <- fmt.Sprintf("%v %d %s", errors.Join(err, r.Decode(&n, &text)), n, text)
			}, "ask", "q")
			if err != nil {
				t.Fatal(err)
			}
			c.want(`EVENT / 0 "ask" "q"`)
			c.speak(socketio.Ack, "/", 0, 3, "three")
			if got := <-answered; got != "<nil> 3 three" {
				t.Errorf("answered %s", got)
			}

			other := newSpeaker(t, f, p)
			s2 := other.join(f, "/")
			s2.Join("room")
			if err := errors.Join(f.To("room").Emit("news", "to a room"), s2.Broadcast().Volatile().Emit("news", "to others"), f.Emit("news", "to all")); err != nil {
				t.Fatal(err)
			}
			other.want(`EVENT / "news" "to a room"`, `EVENT / "news" "to all"`)
			c.want(`EVENT / "news" "to others"`, `EVENT / "news" "to all"`)

			c.speak(socketio.Connect, "/nope", -1)
			c.want(`CONNECT_ERROR /nope {"message":"Invalid namespace"}`)
			admin.Disconnect(false)
			c.want("DISCONNECT " + ns)
			c.speak(socketio.Disconnect, "/", -1)
			eventually(t, "leaving", func() bool { return !s.Connected() })
			f.wantNoErrors(t)
		})
	}
}

func TestParserRefusedConnect(t *testing.T) {
	for name, p := range parsers {
		t.Run(name, func(t *testing.T) {
			f := serve(t, withParser(p))
			refusals := make(chan error, 1)
			f.Use(func(*sio.Socket) error { return <-refusals })
			c := newSpeaker(t, f, p)
			for _, tc := range []struct {
				name string
				err  error
				want string
			}{
				{"an error", errors.New("no"), `CONNECT_ERROR / {"message":"no"}`},
				{"data", &sio.ConnectError{Message: "no", Data: point{1, "x"}}, `CONNECT_ERROR / {"data":{"name":"x","x":1},"message":"no"}`},
				{"data that can't be encoded", &sio.ConnectError{Message: "no", Data: func() {}}, `CONNECT_ERROR / {"message":"no"}`},
			} {
				t.Run(tc.name, func(*testing.T) {
					refusals <- tc.err
					c.speak(socketio.Connect, "/", -1)
					c.want(tc.want)
				})
			}
			f.wantError(t, func(err error) bool { return strings.Contains(err.Error(), "func()") })
			f.wantNoErrors(t)
		})
	}
}

// TestParserViolations shows S2.15 and S14.5: what is no packet ends the client, and each of
// its sockets is told.
func TestParserViolations(t *testing.T) {
	for name, tc := range map[string]func(s *speaker){
		"S14.5: garbage":                     func(s *speaker) { s.SendBinary([]byte{0xc1}); s.Send("4x") },
		"a CONNECT with an array":            func(s *speaker) { s.speak(socketio.Connect, "/new", -1, []int{1}) },
		"S2.7: a reserved name":              func(s *speaker) { s.speak(socketio.Event, "/", -1, "disconnect") },
		"S2.7: an object as name":            func(s *speaker) { s.speak(socketio.Event, "/", -1, map[string]any{}) },
		"S2.7: an event of nothing":          func(s *speaker) { s.speak(socketio.Event, "/", -1) },
		"S2.7: a DISCONNECT with payload":    func(s *speaker) { s.speak(socketio.Disconnect, "/", -1, map[string]any{}) },
		"S2.14: an ACK without id":           func(s *speaker) { s.speak(socketio.Ack, "/", -1) },
		"S3.9: a CONNECT_ERROR":              func(s *speaker) { s.speak(socketio.ConnectError, "/", -1, "x") },
		"S3.9: an event for nobody":          func(s *speaker) { s.speak(socketio.Event, "/nobody", -1, "x") },
		"S3.9: a second CONNECT":             func(s *speaker) { s.speak(socketio.Connect, "/", -1) },
		"S16.1: 200 levels":                  func(s *speaker) { s.speak(socketio.Event, "/", -1, "x", deep(200)) },
		"S14.5: text where binary is due":    func(s *speaker) { s.Send(`42["x"]`) },
		"a binary message where text is due": func(s *speaker) { s.SendBinary([]byte(`[2,"/",null,"x"]`)) },
	} {
		t.Run(name, func(t *testing.T) {
			for name, p := range parsers {
				t.Run(name, func(t *testing.T) {
					f := serve(t, withParser(p))
					c := newSpeaker(t, f, p)
					reasons := make(chan sio.Reason, 2)
					for _, ns := range []string{"/", "/b"} {
						f.Of(ns)
						c.join(f, ns).OnDisconnect(func(_ *sio.Socket, r sio.Reason) { reasons <- r })
					}
					tc(c)
					if _, code := c.WantClosed(); code != int(ws.StatusNoStatusRcvd) {
						t.Errorf("closed with %d", code)
					}
					for range 2 {
						if r := <-reasons; r != sio.ReasonForcedClose {
							t.Errorf("reason %q", r)
						}
						f.wantError(t, func(error) bool { return true })
					}
				})
			}
		})
	}
}

// deep is a value of so many levels.
func deep(levels int) (v any) {
	for range levels {
		v = []any{v}
	}
	return v
}

// What a raw handler gets may be decoded, shown as JSON, kept, and sent anywhere.
func TestParserRawArgs(t *testing.T) {
	for name, p := range parsers {
		t.Run(name, func(t *testing.T) {
			f := serve(t, withParser(p))
			kept := make(chan sio.RawArgs, 1)
			f.on(t, "e", func(_ *sio.Socket, args sio.RawArgs) { kept <- args.Clone() })
			c := newSpeaker(t, f, p)
			s := c.join(f, "/")
			c.speak(socketio.Event, "/", -1, "e", point{1, "a"}, []byte("hi"), int64(1)<<53+1)
			args := <-kept
			if args.Len() != 3 || args.Attachments() != nil || string(args.JSON(1)) != `"aGk="` || string(args.JSON(2)) != "9007199254740993" || args.JSON(3) != nil {
				t.Errorf("%d: %s %s", args.Len(), args.JSON(1), args.JSON(2))
			}
			var (
				pt   point
				data []byte
				n    int64
				more *string
			)
			if err := args.Decode(&pt, &data, &n, &more); err != nil || pt != (point{1, "a"}) || string(data) != "hi" || n != 1<<53+1 || more != nil {
				t.Errorf("got %v %s %d %v, %v", pt, data, n, more, err)
			}
			var message json.RawMessage
			if err := args.Decode(&message); err != nil || !json.Valid(message) {
				t.Errorf("got %s, %v", message, err)
			}
			var wrong *sio.ArgumentError
			if err := args.Decode(&n); !errors.As(err, &wrong) {
				t.Errorf("got %v", err)
			}

			own, err := f.MakeRawArgs("own", 1)
			if err != nil {
				t.Fatal(err)
			}
			foreign, err := sio.MakeRawArgs("foreign", map[string]any{"b": []byte("hi")}, int64(1)<<53+1, uint64(math.MaxUint64), 0.5, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.EmitRaw("e", own), s.EmitRaw("e", foreign), s.EmitRaw("e", args.Tail(1)), s.EmitRaw("e", sio.RawArgs{})); err != nil {
				t.Fatal(err)
			}
			big := []string{`9007199254740993 18446744073709551615`, `9007199254740993`}
			if p == parsers["text"] { // which is read here as JSON is
				big = []string{`9007199254740992 18446744073709552000`, `9007199254740992`}
			}
			c.want(`EVENT / "e" "own" 1`, `EVENT / "e" "foreign" {"b":"aGk="} `+big[0]+` 0.5 null`, `EVENT / "e" "aGk=" `+big[1], `EVENT / "e"`)

			// On a server without a parser they are JSON again.
			plain := serve(t)
			pc, ps := plain.connect(t)
			if err := ps.EmitRaw("e", args.Tail(1)); err != nil {
				t.Fatal(err)
			}
			if p == parsers["text"] {
				pc.Want(`42["e","aGk=",9007199254740992]`)
			} else {
				pc.Want(`451-["e",{"_placeholder":true,"num":0},9007199254740993]`, "binary:hi")
			}
			f.wantNoErrors(t)
		})
	}
}

// A parser need not know how to write JSON.
func TestParserWithoutJSON(t *testing.T) {
	for name, p := range parsers {
		t.Run(name, func(t *testing.T) {
			f := serve(t, withParser(struct{ sio.Parser }{p}))
			f.on(t, "e", func(s *sio.Socket, args sio.RawArgs, ack sio.Ack) error {
				return ack.Send(string(s.Handshake().Auth), string(args.JSON(0)), string(args.JSON(1)))
			})
			c := newSpeaker(t, f, p)
			c.join(f, "/", map[string]any{"a": []byte("hi")})
			c.speak(socketio.Event, "/", 0, "e", point{1, "a"}, []byte("hi"))
			got := c.hear()
			if got != `ACK / 0 "{\"a\":\"aGk=\"}" "{\"x\":1,\"name\":\"a\"}" "\"aGk=\""` && got != `ACK / 0 "{\"a\":\"aGk=\"}" "{\"name\":\"a\",\"x\":1}" "\"aGk=\""` {
				t.Errorf("got %s", got)
			}
			c.speak(socketio.Event, "/", 0, 7.5)
			c.speak(socketio.Event, "/", 0, 7)
			f.wantNoErrors(t)
		})
	}
}

// What can't be encoded is the emitter's error, and nothing is written.
func TestParserErrorsOfEncoding(t *testing.T) {
	for name, p := range parsers {
		t.Run(name, func(t *testing.T) {
			f := serve(t, withParser(p))
			c := newSpeaker(t, f, p)
			s := c.join(f, "/")
			for _, v := range []any{func() {}, make(chan int), panicking{}, failing{}, json.RawMessage("{")} {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				_, ackErr := s.EmitWithAck(ctx, "e", v)
				cancel()
				_, rawErr := f.MakeRawArgs(v)
				for _, err := range []error{s.Emit("e", 1, v), f.Emit("e", v), s.To("x").Emit("e", v), ackErr, rawErr} {
					if err == nil {
						t.Errorf("%T was encoded", v)
					}
				}
			}
			if err := s.Emit("disconnect"); !errors.Is(err, sio.ErrReservedEvent) {
				t.Errorf("got %v", err)
			}
			if err := s.Emit("next"); err != nil {
				t.Fatal(err)
			}
			c.want(`EVENT / "next"`)
		})
	}
}

type panicking struct{}

func (panicking) MarshalJSON() ([]byte, error) { panic("no") }

type failing struct{}

var errFailing = errors.New("failing")

func (failing) MarshalJSON() ([]byte, error) { return nil, errFailing }

// faulty is a parser with a fault of each kind.
type faulty struct {
	arrayParser
	fault string
}

func (p *faulty) AppendPacket(dst []byte, packet sio.Packet) ([]byte, bool, error) {
	switch p.fault {
	case "panic":
		panic("no")
	case "error":
		return dst, false, errFailing
	}
	return p.arrayParser.AppendPacket(dst, packet)
}

func (p *faulty) DecodePacket(data []byte, binary bool, args [][]byte, lim sio.Limits) (sio.Packet, error) {
	if p.fault == "decoding" {
		panic("no")
	}
	packet, err := p.arrayParser.DecodePacket(data, binary, args, lim)
	if p.fault == "type" {
		packet.Type = socketio.BinaryEvent
	}
	return packet, err
}

// A parser's own faults cost the client at most.
func TestFaultyParser(t *testing.T) {
	for _, fault := range []string{"panic", "error", "decoding", "type"} {
		t.Run(fault, func(t *testing.T) {
			p := &faulty{fault: fault}
			f := serve(t, withParser(p))
			c := newSpeaker(t, f, arrayParser{})
			c.Send(`4[0,"/",null]`)
			c.WantClosed()
			f.wantError(t, func(error) bool { return true })
			if err := f.Emit("e"); (err != nil) != (fault == "panic" || fault == "error") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestParserOfLegacyClients: with protocol 4, a packet is a binary message as well, with
// the prefix that Engine.IO 3 wants.
func TestParserOfLegacyClients(t *testing.T) {
	f := serve(t, withEIO3, withParser(msgpack.Parser{}))
	f.on(t, "echo", func(data []byte, ack sio.Ack) error { return ack.Send(data) })
	f.Of("/mw").Use(func(s *sio.Socket) error { return &sio.ConnectError{Message: string(s.Handshake().Auth), Data: 0} })
	c := newSpeaker(t, f, msgpack.Parser{}, siotest.Query("EIO", "3"))
	want := func(want string) {
		t.Helper()
		message, ok := strings.CutPrefix(c.Next(), "binary:\x04")
		if got := c.says(message, true); !ok || got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	send := func(typ socketio.PacketType, ns string, values ...any) {
		t.Helper()
		p := sio.Packet{Type: typ, Namespace: []byte(ns), ID: 3, HasID: typ == socketio.Event}
		for _, v := range values {
			raw, err := msgpack.Parser{}.AppendValue(nil, v)
			if err != nil {
				t.Fatal(err)
			}
			p.Args = append(p.Args, raw)
		}
		wire, _, err := msgpack.Parser{}.AppendPacket([]byte{4}, p)
		if err != nil {
			t.Fatal(err)
		}
		c.SendBinary(wire)
	}
	want("CONNECT /")
	send(socketio.Event, "/", "echo", []byte{1})
	want(`ACK / 3 "AQ=="`)
	send(socketio.Connect, "/mw?a=b")
	want(`CONNECT_ERROR /mw "{\"a\":\"b\"}"`)
	send(socketio.Connect, "/nope")
	want(`CONNECT_ERROR /nope {"message":"Invalid namespace"}`)
	f.wantNoErrors(t)
}
