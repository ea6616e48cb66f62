package wsproto

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/gobwas/ws"
)

// edgeLengths are payload lengths around those where the encoding changes.
var edgeLengths = []int{0, 1, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537, math.MaxInt32, math.MaxInt64}

// hasCode reports whether err is an Error of that code, or nil for 0.
func hasCode(err error, code ws.StatusCode) bool {
	if code == 0 {
		return err == nil
	}
	return errors.Is(err, &Error{Code: code})
}

func encode(t testing.TB, h ws.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := ws.WriteHeader(&b, h); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestParseHeader(t *testing.T) {
	for _, length := range edgeLengths {
		for _, masked := range []bool{true, false} {
			for _, fin := range []bool{true, false} {
				for rsv := range byte(8) {
					op := ws.OpCode(length+int(rsv)) & 0x0f
					want := ws.Header{Fin: fin, Rsv: rsv, OpCode: op, Masked: masked, Length: int64(length)}
					if masked {
						want.Mask = [4]byte{1, 0x80, 0, 0xff}
					}
					checkHeader(t, encode(t, want), want)
				}
			}
		}
	}
}

// checkHeader fails unless b, and only all of b, is parsed to want.
func checkHeader(t testing.TB, b []byte, want ws.Header) {
	t.Helper()
	for n := range b {
		if h, size, err := ParseHeader(b[:n]); size != 0 || err != nil || h != (ws.Header{}) {
			t.Fatalf("%x, first %d bytes: got %+v, %d, %v", b, n, h, size, err)
		}
	}
	for _, input := range [][]byte{b, append(bytes.Clone(b), "payload"...)} {
		if h, size, err := ParseHeader(input); h != want || size != len(b) || err != nil {
			t.Fatalf("%x: got %+v, %d, %v; want %+v", input, h, size, err, want)
		}
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	tests := []struct {
		name  string
		input []byte
	}{
		{"0 in 2 bytes", []byte{0x82, 0xfe, 0, 0, 1, 2, 3, 4}},
		{"125 in 2 bytes", []byte{0x82, 0xfe, 0, 125, 1, 2, 3, 4}},
		{"126 in 8 bytes", []byte{0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 126, 1, 2, 3, 4}},
		{"65535 in 8 bytes", []byte{0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4}},
		{"top bit", []byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}},
		{"all bits", []byte{0x82, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var n int
			var err error
			at := 0
			for ; at <= len(tt.input) && err == nil; at++ {
				if _, n, err = ParseHeader(tt.input[:at]); n != 0 {
					t.Fatalf("%d bytes accepted", n)
				}
			}
			if !hasCode(err, ws.StatusProtocolError) {
				t.Fatalf("got %v", err)
			}
			if _, n, whole := ParseHeader(tt.input); n != 0 || !errors.Is(whole, err) {
				t.Errorf("after %d bytes %v, in one piece %d, %v", at-1, err, n, whole)
			}
		})
	}
}

func TestAppendHeader(t *testing.T) {
	for _, length := range edgeLengths {
		for _, fin := range []bool{true, false} {
			for _, rsv1 := range []bool{true, false} {
				h := ws.Header{Fin: fin, Rsv: ws.Rsv(rsv1, false, false), OpCode: ws.OpBinary, Length: int64(length)}
				want := encode(t, h)
				got := AppendHeader([]byte("x"), ws.OpBinary, fin, rsv1, length)
				if string(got) != "x"+string(want) {
					t.Errorf("%+v: got %x, want %x", h, got[1:], want)
				}
				if n := HeaderSize(length); n != len(want) {
					t.Errorf("HeaderSize(%d) = %d, want %d", length, n, len(want))
				}
			}
		}
	}
}

func TestPutHeader(t *testing.T) {
	for _, length := range edgeLengths {
		for i, room := range []int{HeaderSize(length), MaxHeaderSize, MaxHeaderSize + 3} {
			t.Run(fmt.Sprintf("length %d room %d", length, room), func(t *testing.T) {
				b := bytes.Repeat([]byte{0xaa}, room+4)
				rsv1 := i == 1
				start := PutHeader(b[:room], ws.OpText, true, rsv1, length)
				want := AppendHeader(nil, ws.OpText, true, rsv1, length)
				if !bytes.Equal(b[start:room], want) {
					t.Errorf("got %x, want %x", b[start:room], want)
				}
				for i, c := range b {
					if (i < start || i >= room) && c != 0xaa {
						t.Errorf("byte %d was overwritten", i)
					}
				}
			})
		}
	}
}

func TestPutHeaderPanicsWithoutRoom(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	PutHeader(make([]byte, 3), ws.OpText, true, false, 126)
}
