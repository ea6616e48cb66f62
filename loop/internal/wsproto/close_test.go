package wsproto

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

func closePayload(code int, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

func TestParseClose(t *testing.T) {
	tests := []struct {
		name    string
		payload []byte
		code    ws.StatusCode
		reason  string
		err     ws.StatusCode
	}{
		{name: "empty", code: 1005},
		{name: "code only", payload: closePayload(1000, ""), code: 1000},
		{name: "code and reason", payload: closePayload(1001, "grüße"), code: 1001, reason: "grüße"},
		{name: "half a code", payload: []byte{3}, err: 1002},
		{name: "invalid UTF-8", payload: closePayload(1000, "a\xff"), err: 1007},
		{name: "cut UTF-8", payload: closePayload(1000, "\xe6\x97"), err: 1007},
		{name: "invalid code and UTF-8", payload: closePayload(999, "\xff"), err: 1002},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, reason, err := ParseClose(tt.payload)
			if code != tt.code || string(reason) != tt.reason || !hasCode(err, tt.err) {
				t.Errorf("got %d, %q, %v", code, reason, err)
			}
		})
	}
}

func TestParseCloseCodes(t *testing.T) {
	valid := func(code int) bool {
		switch code {
		case 1004, 1005, 1006:
			return false
		}
		return 1000 <= code && code <= 1014 || 3000 <= code && code <= 4999
	}
	for code := range 1 << 16 {
		if _, _, err := ParseClose(closePayload(code, "")); (err == nil) != valid(code) {
			t.Errorf("%d: got %v", code, err)
		}
	}
}

func TestAppendClose(t *testing.T) {
	long := strings.Repeat("a", 123)
	tests := []struct {
		name   string
		code   ws.StatusCode
		reason string
		want   string
	}{
		{"no code", 0, "dropped", "\x88\x00"},
		{"1005", 1005, "dropped", "\x88\x00"},
		{"1006 must not be sent", 1006, "", "\x88\x00"},
		{"code only", 1000, "", "\x88\x02\x03\xe8"},
		{"code and reason", 1001, "bye", "\x88\x05\x03\xe9bye"},
		{"longest reason", 1000, long, "\x88\x7d\x03\xe8" + long},
		{"reason too long", 1000, long + "b", "\x88\x7d\x03\xe8" + long},
		{"reason cut between characters", 1000, long[:121] + "日本", "\x88\x7b\x03\xe8" + long[:121]},
		{"reason cut behind a character", 1000, long[:120] + "日本", "\x88\x7d\x03\xe8" + long[:120] + "日"},
		{"reason that is not UTF-8", 1000, "a\xffb", "\x88\x07\x03\xe8a\uFFFDb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := AppendClose([]byte("x"), tt.code, tt.reason)
			if string(got) != "x"+tt.want {
				t.Fatalf("got %x, want %x", got[1:], tt.want)
			}
			h, n, err := ParseHeader(got[1:])
			if err != nil || h.Masked || !h.Fin || h.OpCode != ws.OpClose || int(h.Length) != len(got)-1-n {
				t.Fatalf("header %+v, %v", h, err)
			}
			if _, reason, err := ParseClose(got[1+n:]); err != nil || !utf8.Valid(reason) {
				t.Errorf("payload: %q, %v", reason, err)
			}
		})
	}
}

// A reason of this package becomes the text of a close frame as it is.
func TestErrorReasonsFit(t *testing.T) {
	for _, e := range []*Error{errTooBig, errRsv, errLengthMSB, errLengthPadding, errCloseLength, errCloseCode, errCloseReason} {
		if got := cutReason(e.Reason); got != e.Reason {
			t.Errorf("%q does not fit", e.Reason)
		}
	}
}
