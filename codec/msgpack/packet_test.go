package msgpack

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// event is an EVENT whose data are the given bytes.
func event(data []byte) []byte { return join("83a47479706502a36e7370a12fa464617461", data) }

func join(head string, tail ...[]byte) []byte {
	b, err := hex.DecodeString(head)
	if err != nil {
		panic(err)
	}
	for _, t := range tail {
		b = append(b, t...)
	}
	return b
}

// TestDecodeRefuses shows S14.5, line by line.
func TestDecodeRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, wire string
		want       error
	}{
		{"S14.5: type 5", "82a47479706505a36e7370a12f", socketio.ErrUnknownType},
		{"S14.5: type -1", "82a474797065ffa36e7370a12f", socketio.ErrUnknownType},
		{"S14.5: type 0.5", "82a474797065cb3fe0000000000000a36e7370a12f", socketio.ErrUnknownType},
		{"S14.5: type NaN", "82a474797065cb7ff8000000000001a36e7370a12f", socketio.ErrUnknownType},
		{"S14.5: type 2^64-1", "82a474797065cfffffffffffffffffa36e7370a12f", socketio.ErrUnknownType},
		{"S14.5: type as text", "82a474797065a130a36e7370a12f", socketio.ErrUnknownType},
		{"S14.5: type null", "82a474797065c0a36e7370a12f", socketio.ErrUnknownType},
		{"S14.5: type undefined", "82a474797065d40000a36e7370a12f", socketio.ErrUnknownType},
		{"S14.5: no type", "81a36e7370a12f", socketio.ErrUnknownType},
		{"S14.5: an empty map", "80", socketio.ErrUnknownType},
		{"S14.5: no map", "90", socketio.ErrUnknownType},
		{"S14.5: a number", "02", socketio.ErrUnknownType},
		{"S14.5: nothing", "", socketio.ErrUnknownType},
		{"S14.5: no namespace", "81a47479706500", socketio.ErrInvalidPayload},
		{"S14.5: namespace null", "82a47479706500a36e7370c0", socketio.ErrInvalidPayload},
		{"S14.5: namespace undefined", "82a47479706500a36e7370d40000", socketio.ErrInvalidPayload},
		{"S14.5: a number as namespace", "82a47479706500a36e737001", socketio.ErrInvalidPayload},
		{"S14.5: bytes as namespace", "82a47479706500a36e7370c4012f", socketio.ErrInvalidPayload},
		{"S14.5: id null", "84a47479706502a36e7370a12fa46461746191a161a26964c0", socketio.ErrInvalidID},
		{"S14.5: id as text", "84a47479706502a36e7370a12fa46461746191a161a26964a131", socketio.ErrInvalidID},
		{"S14.5: id 0.5", "84a47479706502a36e7370a12fa46461746191a161a26964cb3fe0000000000000", socketio.ErrInvalidID},
		{"S14.5: id -1, which the reference takes", "84a47479706502a36e7370a12fa46461746191a161a26964ff", socketio.ErrInvalidID},
		{"S14.5: id -2^63", "84a47479706502a36e7370a12fa46461746191a161a26964d38000000000000000", socketio.ErrInvalidID},
		{"S14.5: trailing bytes", "82a47479706500a36e7370a12fc0", ErrSyntax},
		{"S14.5: two packets", "82a47479706500a36e7370a12f82a47479706500a36e7370a12f", ErrSyntax},
		{"S14.5: truncated", "82a47479706500a36e7370a1", ErrSyntax},
		{"S14.5: a byte that means nothing", "82a474797065c1a36e7370a12f", ErrSyntax},
		{"S14.5: payload of connect is an array", "83a47479706500a36e7370a12fa46461746190", socketio.ErrInvalidPayload},
		{"S14.5: payload of connect is text", "83a47479706500a36e7370a12fa464617461a0", socketio.ErrInvalidPayload},
		{"S14.5: payload of connect is null", "83a47479706500a36e7370a12fa464617461c0", socketio.ErrInvalidPayload},
		{"S14.5: payload of disconnect", "83a47479706501a36e7370a12fa46461746180", socketio.ErrInvalidPayload},
		{"S14.5: payload of an error is missing", "82a47479706504a36e7370a12f", socketio.ErrInvalidPayload},
		{"S14.5: payload of an error is an array", "83a47479706504a36e7370a12fa46461746190", socketio.ErrInvalidPayload},
		{"S14.5: payload of an event is a map", "83a47479706502a36e7370a12fa46461746180", socketio.ErrInvalidPayload},
		{"S14.5: payload of an event is missing", "82a47479706502a36e7370a12f", socketio.ErrInvalidPayload},
		{"S14.5: payload of an event is undefined", "83a47479706502a36e7370a12fa464617461d40000", socketio.ErrInvalidPayload},
		{"S14.5: payload of an acknowledgement is text", "84a47479706503a36e7370a12fa2696400a464617461a0", socketio.ErrInvalidPayload},
		{"a key that is no string", "8302c0a47479706500a36e7370a12f", socketio.ErrInvalidPayload},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if p, err := (Parser{}).DecodePacket(join(tc.wire), true, nil, socketio.Limits{}); !errors.Is(err, tc.want) {
				t.Errorf("got %v, %v, want %v", p, err, tc.want)
			}
		})
	}
	t.Run("S14.5: text", func(t *testing.T) {
		if _, err := (Parser{}).DecodePacket(join("82a47479706500a36e7370a12f"), false, nil, socketio.Limits{}); !errors.Is(err, ErrText) {
			t.Errorf("got %v", err)
		}
	})
}

// TestCheckedPackets shows what [socketio.CheckPacket] makes of packets.
func TestCheckedPackets(t *testing.T) {
	for _, tc := range []struct {
		name, wire, event string
		want              error
	}{
		{"a name", "83a47479706502a36e7370a12fa46461746191a161", "a", nil},
		{"S2.8: legal names", "83a47479706502a36e7370a12fa46461746191a56572726f72", "error", nil},
		{"S2.17: a number as name", "83a47479706502a36e7370a12fa46461746191cd0101", "257", nil},
		{"S2.17: a negative number as name", "83a47479706502a36e7370a12fa46461746191ff", "-1", nil},
		{"a fraction as name", "83a47479706502a36e7370a12fa46461746191cb3ff8000000000000", "1.5", nil},
		{"S14.5: a reserved name, which the reference takes", "83a47479706502a36e7370a12fa46461746191a7636f6e6e656374", "", socketio.ErrInvalidPayload},
		{"S2.7: no name", "83a47479706502a36e7370a12fa46461746190", "", socketio.ErrInvalidPayload},
		{"S2.7: null as name", "83a47479706502a36e7370a12fa46461746191c0", "", socketio.ErrInvalidPayload},
		{"S2.7: true as name", "83a47479706502a36e7370a12fa46461746191c3", "", socketio.ErrInvalidPayload},
		{"S2.7: an object as name", "83a47479706502a36e7370a12fa4646174619180", "", socketio.ErrInvalidPayload},
		{"bytes as name", "83a47479706502a36e7370a12fa46461746191c40161", "", socketio.ErrInvalidPayload},
		{"S2.14: an acknowledgement without id", "83a47479706503a36e7370a12fa46461746190", "", socketio.ErrInvalidID},
		{"an acknowledgement", "84a47479706503a36e7370a12fa2696401a46461746190", "", nil},
		{"an error", "83a47479706504a36e7370a12fa464617461a0", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := (Parser{}).DecodePacket(join(tc.wire), true, nil, socketio.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, parser := range []socketio.Parser{Parser{}, plain{}} {
				if event, err := socketio.CheckPacket(parser, p); string(event) != tc.event || !errors.Is(err, tc.want) {
					t.Errorf("%T: got %q, %v", parser, event, err)
				}
			}
		})
	}
}

// plain is a parser with none of the methods that it may have beside.
type plain struct{ socketio.Parser }

func (plain) DecodeValue(raw []byte, v any) error { return Parser{}.DecodeValue(raw, v) }

// TestDecodeTruncated cuts each packet at each byte.
func TestDecodeTruncated(t *testing.T) {
	for _, v := range readVectors(t, "packets.txt") {
		for n := range v.wire {
			if _, err := (Parser{}).DecodePacket(v.wire[:n], true, nil, socketio.Limits{}); err == nil {
				t.Errorf("%x is a packet", v.wire[:n])
			}
		}
	}
}

// nested returns an array of so many levels.
func nested(levels int) []byte { return append([]byte(strings.Repeat("\x91", levels-1)), 0x90) }

// array returns an array of n times nil.
func array(n int) []byte {
	b := msgp.AppendArrayHeader(nil, uint32(n))
	return append(b, strings.Repeat("\xc0", n)...)
}

func TestDecodeLimits(t *testing.T) {
	name := msgp.AppendString(nil, "a")
	args := func(values ...[]byte) []byte {
		b := append(msgp.AppendArrayHeader(nil, uint32(len(values)+1)), name...)
		for _, v := range values {
			b = append(b, v...)
		}
		return b
	}
	for _, tc := range []struct {
		name string
		wire []byte
		lim  socketio.Limits
		want error
	}{
		{"128 levels by default", event(args(nested(127))), socketio.Limits{}, nil},
		{"S16.1: 129 levels by default", event(args(nested(128))), socketio.Limits{}, socketio.ErrNestingTooDeep},
		{"S16.1: 100,000 levels", event(args(nested(100_000))), socketio.Limits{}, socketio.ErrNestingTooDeep},
		{"S16.1: 1,000,000 levels without end", event([]byte(strings.Repeat("\x91", 1_000_000))), socketio.Limits{}, socketio.ErrNestingTooDeep},
		{"maps are levels, too", event(args([]byte("\x81\xa1a\x81\xa1a\xc0"))), socketio.Limits{Depth: 2}, socketio.ErrNestingTooDeep},
		{"levels in keys", event(args([]byte("\x81\x91\x90\xc0"))), socketio.Limits{Depth: 2}, socketio.ErrNestingTooDeep},
		{"the arguments are the first level", event(args()), socketio.Limits{Depth: 1}, nil},
		{"an array on the second of one level", event(args([]byte{0x90})), socketio.Limits{Depth: 1}, socketio.ErrNestingTooDeep},
		{"levels in a packet's other values", join("83a47479706500a36e7370a12fa1789190"), socketio.Limits{Depth: 1}, socketio.ErrNestingTooDeep},
		{"three arguments of three", event(args([]byte{1}, []byte{2})), socketio.Limits{Args: 3}, nil},
		{"four arguments of three", event(array(4)), socketio.Limits{Args: 3}, socketio.ErrTooManyArgs},
		{"65,537 arguments by default", event(array(1<<16 + 1)), socketio.Limits{}, socketio.ErrTooManyArgs},
		{"an array of a million elements", event(args(array(1_000_000))), socketio.Limits{}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := (Parser{}).DecodePacket(tc.wire, true, nil, tc.lim); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// TestClaimsCostNothing claims lengths that are not there: nothing is made for them.
func TestClaimsCostNothing(t *testing.T) {
	for _, tc := range []struct{ name, data string }{
		{"a string of 4 GB", "dbffffffff61"},
		{"binary data of 4 GB", "c6ffffffff61"},
		{"an extension of 4 GB", "c9ffffffff0061"},
		{"an array of 4 G elements", "ddffffffffc0"},
		{"a map of 4 G pairs", "dfffffffffc0c0"},
		{"an array of 65,535 elements", "dcffffc0"},
		{"a map of 65,535 pairs", "deffffc0c0"},
		{"an array in an array", "91ddffffffffc0"},
		{"a cut length", "dbffff"},
		{"a cut length of an extension", "c9ffff"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			raw := join(tc.data)
			wire := event(raw)
			measure(t, 8, func() { // what an error takes
				if _, err := (Parser{}).DecodePacket(wire, true, nil, socketio.Limits{}); !errors.Is(err, ErrSyntax) {
					t.Errorf("as data: got %v", err)
				}
			})
			for _, into := range []any{new(any), new(string), new([]byte), new([]int), new(map[string]int), new(Extension)} {
				measure(t, 8, func() {
					if err := (Parser{}).DecodeValue(raw, into); !errors.Is(err, ErrSyntax) {
						t.Errorf("into %T: got %v", into, err)
					}
				})
			}
			if out, err := (Parser{}).AppendJSON(nil, raw); !errors.Is(err, ErrSyntax) || out != nil {
				t.Errorf("as JSON: got %s, %v", out, err)
			}
		})
	}
}

// measure fails if f allocates more than max times.
func measure(t *testing.T, most float64, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(10, f); n > most && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
}

// TestDecodeKeys shows S14.1: the order of the keys is free, and others don't matter.
func TestDecodeKeys(t *testing.T) {
	pairs := []string{"a47479706502", "a36e7370a22f78", "a26964cd1000", "a46461746191a161", "a5637369646561"}
	pairs[4] = "a56f746865729201a0"
	for range 5 {
		pairs = append(pairs[1:], pairs[0])
		wire := join("85" + strings.Join(pairs, ""))
		p, err := Parser{}.DecodePacket(wire, true, nil, socketio.Limits{})
		if err != nil || notation(t, p) != `EVENT /x id=4096 "a"` {
			t.Errorf("%x: got %s, %v", wire, notation(t, p), err)
		}
	}
	p, err := Parser{}.DecodePacket(join("83a47479706501a36e7370a12fa47479706500"), true, nil, socketio.Limits{})
	if err != nil || p.Type != socketio.Connect {
		t.Errorf("of two types, it took the first: %v, %v", p, err)
	}
}

// TestHugeIDs: an id is 64 bits, however it is written.
func TestHugeIDs(t *testing.T) {
	for _, tc := range []struct {
		id   []byte
		want uint64
	}{
		{[]byte{7}, 7},
		{msgp.AppendInt16(nil, 7), 7},
		{binary.BigEndian.AppendUint64([]byte{0xcf}, 1<<64-1), 1<<64 - 1},
		{binary.BigEndian.AppendUint64([]byte{0xd3}, 1<<53+1), 1<<53 + 1},
		{msgp.AppendFloat64(nil, 4096), 4096},
		{msgp.AppendFloat32(nil, 4096), 4096},
		{msgp.AppendFloat64(nil, 1<<63), 1 << 63},
	} {
		p, err := Parser{}.DecodePacket(join("84a47479706502a36e7370a12fa46461746191a161a26964", tc.id), true, nil, socketio.Limits{})
		if err != nil || !p.HasID || p.ID != tc.want {
			t.Errorf("%x: got %d, %v", tc.id, p.ID, err)
		}
	}
}

func TestDecodePacketUsesArgsAgain(t *testing.T) {
	args := make([][]byte, 0, 4)
	wire := event([]byte("\x92\xa1a\x01"))
	p, err := Parser{}.DecodePacket(wire, true, args, socketio.Limits{})
	if err != nil || len(p.Args) != 2 || &p.Args[0] != &args[:1][0] {
		t.Fatalf("got %v, %v", p.Args, err)
	}
	wire[len(wire)-1] = 2
	if p.Args[1][0] != 2 {
		t.Error("an argument is no view of the packet")
	}
}
