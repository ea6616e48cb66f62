package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRequests(t *testing.T) {
	for _, tt := range []struct {
		name                string
		request             []byte
		method, query, body string
	}{
		{"handshake", Get("host:1", ""), "GET", "EIO=4&transport=polling", ""},
		{"poll", Get("host:1", "abc"), "GET", "EIO=4&transport=polling&sid=abc", ""},
		{"post", Post("host:1", "abc", "40"), "POST", "EIO=4&transport=polling&sid=abc", "40"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(tt.request)))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil || r.Method != tt.method || r.URL.Path != "/socket.io/" || r.URL.RawQuery != tt.query || r.Host != "host:1" || string(body) != tt.body {
				t.Errorf("%s %s, host %q, body %q, %v", r.Method, r.URL, r.Host, body, err)
			}
		})
	}
}

func TestParseResponse(t *testing.T) {
	const response = "HTTP/1.1 200 OK\r\nX: y\r\ncontent-length:  3 \r\nConnection: keep-alive\r\n\r\nabc"
	for n := range len(response) {
		if body, size, err := ParseResponse([]byte(response[:n])); size != 0 || err != nil {
			t.Fatalf("of %d bytes: %q, %d, %v", n, body, size, err)
		}
	}
	if body, size, err := ParseResponse([]byte(response + "HTTP/1.1 ")); string(body) != "abc" || size != len(response) || err != nil {
		t.Errorf("got %q, %d, %v", body, size, err)
	}
}

func TestParseResponseRefuses(t *testing.T) {
	for name, response := range map[string]string{
		"an error":            "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
		"no length":           "HTTP/1.1 200 OK\r\nX: y\r\n\r\n",
		"no headers":          "HTTP/1.1 200 OK\r\n\r\n",
		"a negative length":   "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"an enormous length":  "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n",
		"a head without end":  strings.Repeat("x", maxResponse+1),
		"a length in no unit": "HTTP/1.1 200 OK\r\nContent-Length: 3 bytes\r\n\r\nabc",
	} {
		t.Run(name, func(t *testing.T) {
			if body, size, err := ParseResponse([]byte(response)); !errors.Is(err, ErrProtocol) {
				t.Errorf("got %q, %d, %v", body, size, err)
			}
		})
	}
}

func TestSessionID(t *testing.T) {
	for _, tt := range []struct{ payload, sid string }{
		{`0{"sid":"abc","upgrades":[]}`, "abc"},
		{`0{"sid":""}`, ""},
		{`0{"sid":"abc`, ""},
		{`2`, ""},
	} {
		sid, err := SessionID([]byte(tt.payload))
		if sid != tt.sid || (tt.sid == "") != errors.Is(err, ErrProtocol) {
			t.Errorf("%s: got %q, %v", tt.payload, sid, err)
		}
	}
}
