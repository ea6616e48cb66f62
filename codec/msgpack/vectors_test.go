package msgpack

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sio-gnet/sio-gnet/codec/socketio"
)

// vector is a line of a file in testdata, which says what its notation is.
type vector struct {
	wire []byte
	says string
}

func readVectors(tb testing.TB, name string) (all []vector) {
	tb.Helper()
	content, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.SplitSeq(string(content), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		digits, says, ok := strings.Cut(line, "\t")
		wire, err := hex.DecodeString(digits)
		if !ok || err != nil {
			tb.Fatalf("%q: %v", line, err)
		}
		all = append(all, vector{wire, says})
	}
	if len(all) == 0 {
		tb.Fatal("no vectors")
	}
	return all
}

// notation writes a packet as testdata does.
func notation(tb testing.TB, p socketio.Packet) string {
	tb.Helper()
	var s strings.Builder
	fmt.Fprintf(&s, "%v %s", p.Type, p.Namespace)
	if p.HasID {
		fmt.Fprintf(&s, " id=%d", p.ID)
	}
	values := p.Args
	if p.Type != socketio.Event && p.Type != socketio.Ack && p.Data != nil {
		values = [][]byte{p.Data}
	}
	for i, raw := range values {
		if i > 0 {
			s.WriteString(" |")
		}
		fmt.Fprintf(&s, " %s", asJSON(tb, raw))
	}
	return s.String()
}

func asJSON(tb testing.TB, raw []byte) string {
	tb.Helper()
	text, err := Parser{}.AppendJSON(nil, raw)
	if err != nil {
		tb.Fatalf("%x: %v", raw, err)
	}
	return string(text)
}

// TestPacketVectors shows S14.1 to S14.4: the packets of the reference client and
// server, and what is made of them.
func TestPacketVectors(t *testing.T) {
	for _, v := range readVectors(t, "packets.txt") {
		t.Run(v.says, func(t *testing.T) {
			p, err := Parser{}.DecodePacket(v.wire, true, nil, socketio.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := notation(t, p); got != v.says {
				t.Errorf("got %s", got)
			}
			wire, binary, err := Parser{}.AppendPacket(nil, p)
			if err != nil || !binary {
				t.Fatal(binary, err)
			}
			again, err := Parser{}.DecodePacket(wire, true, nil, socketio.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := notation(t, again); got != v.says {
				t.Errorf("encoded it is %s", got)
			}
		})
	}
}

// TestEncodedPackets shows S14.1 to S14.4: packets byte by byte.
func TestEncodedPackets(t *testing.T) {
	root := []byte("/")
	value := func(v any) []byte {
		raw, err := Parser{}.AppendValue(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for _, tc := range []struct {
		name string
		p    socketio.Packet
		want string
	}{
		{"S14.2: connect", socketio.Packet{Type: socketio.Connect, Namespace: root}, "82a47479706500a36e7370a12f"},
		{
			"S14.2: connected",
			socketio.Packet{Type: socketio.Connect, Namespace: root, Data: value(map[string]any{"sid": "x"})},
			"83a47479706500a46461746181a3736964a178a36e7370a12f",
		},
		{
			"S14.3: event",
			socketio.Packet{Type: socketio.Event, Namespace: root, Args: [][]byte{value("a"), value([]byte{1})}},
			"83a47479706502a46461746192a161c40101a36e7370a12f",
		},
		{
			"S14.3: event with id",
			socketio.Packet{Type: socketio.Event, Namespace: root, ID: 256, HasID: true, Args: [][]byte{value("a")}},
			"84a47479706502a46461746191a161a36e7370a12fa26964cd0100",
		},
		{
			"S14.3: acknowledgement",
			socketio.Packet{Type: socketio.Ack, Namespace: root, HasID: true},
			"84a47479706503a46461746190a36e7370a12fa2696400",
		},
		{
			"S14.4: unknown namespace",
			socketio.Packet{Type: socketio.ConnectError, Namespace: []byte("/nope"), Data: value(map[string]any{"message": "Invalid namespace"})},
			"83a47479706504a46461746181a76d657373616765b1496e76616c6964206e616d657370616365a36e7370a52f6e6f7065",
		},
		{"S14.4: disconnect", socketio.Packet{Type: socketio.Disconnect, Namespace: root}, "82a47479706501a36e7370a12f"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wire, binary, err := Parser{}.AppendPacket([]byte("x"), tc.p)
			if got := hex.EncodeToString(wire[1:]); err != nil || !binary || got != tc.want {
				t.Errorf("got %s, %v, %v", got, binary, err)
			}
		})
	}
	for _, typ := range []socketio.PacketType{socketio.BinaryEvent, socketio.BinaryAck, 7} {
		if _, _, err := (Parser{}).AppendPacket(nil, socketio.Packet{Type: typ, Namespace: root}); err == nil {
			t.Errorf("%v was encoded", typ)
		}
	}
}

// TestValueVectors shows S14.3: values of the reference's encoder, as JSON and as what
// they are in Go, which is encoded to the same bytes.
func TestValueVectors(t *testing.T) {
	for _, v := range readVectors(t, "values.txt") {
		t.Run(v.says[:min(len(v.says), 40)], func(t *testing.T) {
			if got := asJSON(t, v.wire); got != v.says {
				t.Errorf("got %s", got)
			}
			var value any
			if err := (Parser{}).DecodeValue(v.wire, &value); err != nil {
				t.Fatal(err)
			}
			want := v.wire
			switch {
			case isUndefined(v.wire):
				want = []byte{0xc0}
			case v.wire[0] == ext8: // an ArrayBuffer
				want = append([]byte{0xc4, v.wire[1]}, v.wire[3:]...)
			}
			got, err := Parser{}.AppendValue(nil, value)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("encoded to %x, %v", got, err)
			}
		})
	}
}
